/**
 * Cases of limits on how many there may be, and of large messages that are within the limits (RFC 6455 §10.4).
 */
import type { Case } from "../Case.js"
import {
  after,
  asBinary,
  asText,
  binary,
  bytes,
  casesOf,
  continuation,
  digits,
  echo,
  failed,
  letters,
  ping,
  pong,
  receive,
  send,
  text,
  tooBig
} from "../internal/frameCase.js"

const { both } = casesOf("limits")

/** §7.4.1: 1008 is for policies for which there is no code that fits better. */
const policy: ReadonlyArray<number> = [1008]

const four = { maxFragments: 4 }

const fragments: ReadonlyArray<Case> = [
  ...both(
    "fragments/at",
    "Takes a message of four fragments, which is the limit.",
    "§10.4",
    [
      send(text("1", false), continuation("2", false), continuation("3", false), continuation("4")),
      receive(asText("1234"))
    ],
    { setup: four }
  ),
  ...both(
    "fragments/above",
    "Fails the connection for a fifth fragment, one above the limit.",
    "§10.4",
    [
      send(
        text("1", false),
        continuation("2", false),
        continuation("3", false),
        continuation("4", false),
        continuation("5"),
        after
      ),
      ...failed([...policy, ...tooBig])
    ],
    { setup: four }
  ),
  ...both(
    "fragments/empty",
    "Counts empty fragments.",
    "§10.4",
    [
      send(text("", false), ...Array.from({ length: 3 }, () => continuation("", false)), continuation("", false)),
      ...failed([...policy, ...tooBig])
    ],
    { setup: four }
  ),
  ...both(
    "fragments/control-between",
    "Does not count control frames between fragments.",
    "§10.4",
    [
      send(
        text("1", false),
        ping("a"),
        continuation("2", false),
        pong("b"),
        continuation("3", false),
        ping("c"),
        continuation("4")
      ),
      { _tag: "Receive", messages: [asText("1234")], pongs: ["a", "c"] }
    ],
    { setup: four }
  ),
  ...both(
    "fragments/each-by-itself",
    "Counts the fragments of each message by themselves.",
    "§10.4",
    [
      ...["a", "b", "c"].flatMap((letter) => [
        send(text(letter, false), continuation(letter, false), continuation(letter, false), continuation(letter)),
        receive(asText(letter.repeat(4)))
      ])
    ],
    { setup: four }
  ),
  ...both(
    "fragments/whole-messages",
    "Takes more whole messages than a message may have fragments.",
    "§10.4",
    [send(...[..."123456"].map((digit) => text(digit))), receive(...[..."123456"].map((digit) => asText(digit)))],
    { setup: four }
  )
]

const ten = { maxControlFramesPerSecond: 10 }
const numbers = (count: number) => Array.from({ length: count }, (_, i) => digits(i, 2))

const controlFrames: ReadonlyArray<Case> = [
  ...both(
    "control/pings-at",
    "Answers ten Pings in a second, which is the limit.",
    "§10.4",
    [send(...numbers(10).map(ping)), { _tag: "Receive", pongs: numbers(10) }, ...echo(asText("after"))],
    { setup: ten }
  ),
  ...both(
    "control/pings-above",
    "Fails the connection for an eleventh Ping in a second.",
    "§10.4",
    [send(...numbers(11).map(ping)), ...failed(policy)],
    { setup: ten }
  ),
  ...both(
    "control/pongs-at",
    "Takes ten Pongs in a second.",
    "§10.4",
    [send(...numbers(10).map(pong)), ...echo(asText("after"))],
    { setup: ten }
  ),
  ...both(
    "control/pongs-above",
    "Fails the connection for an eleventh Pong in a second.",
    "§10.4",
    [send(...numbers(11).map(pong)), ...failed(policy)],
    { setup: ten }
  ),
  ...both(
    "control/mixed-above",
    "Counts Pings and Pongs together.",
    "§10.4",
    [send(...numbers(6).flatMap((payload) => [ping(payload), pong(payload)])), ...failed(policy)],
    { setup: ten }
  ),
  ...both(
    "control/inside-message-above",
    "Counts control frames between fragments.",
    "§10.4",
    [send(text("Hel", false), ...numbers(11).map(ping), continuation("lo")), ...failed(policy)],
    { setup: ten }
  ),
  ...both(
    "control/messages-do-not-count",
    "Does not count messages.",
    "§10.4",
    [send(...numbers(30).map((payload) => text(payload))), receive(...numbers(30).map(asText))],
    { setup: ten }
  )
]

const mebi = 1024 * 1024
const roomy = { maxFramePayload: 4 * mebi, maxMessageSize: 4 * mebi, maxFragments: 4096 }

const large: ReadonlyArray<Case> = [
  ...[mebi, 4 * mebi].flatMap((size) => [
    ...both(`large/binary-${size}`, `Echoes a binary of ${size} bytes.`, "§5.2", echo(asBinary(bytes(size))), {
      setup: roomy
    }),
    ...both(`large/text-${size}`, `Echoes a text of ${size} bytes.`, "§5.2", echo(asText(letters(size))), {
      setup: roomy
    })
  ]),
  ...both(
    "large/fragments-of-64k",
    "Echoes a binary of 16 fragments of 64 KiB.",
    "§5.4",
    [
      send(
        binary(bytes(65_536), false),
        ...Array.from({ length: 14 }, () => continuation(bytes(65_536), false)),
        continuation(bytes(65_536))
      ),
      receive(asBinary(Array.from({ length: 16 }, () => bytes(65_536))))
    ],
    { setup: roomy }
  ),
  ...both(
    "large/fragments-of-1k",
    "Echoes a text of 1,024 fragments of 1 KiB.",
    "§5.4",
    [
      send(
        text(letters(1024), false),
        ...Array.from({ length: 1022 }, () => continuation(letters(1024), false)),
        continuation(letters(1024))
      ),
      receive(asText(letters(mebi)))
    ],
    { setup: roomy }
  ),
  ...both("large/many-messages", "Echoes 1,000 messages that come together.", "§6.2", [
    send(...Array.from({ length: 1000 }, (_, i) => text(`message ${i}`))),
    receive(...Array.from({ length: 1000 }, (_, i) => asText(`message ${i}`)))
  ]),
  ...both("large/many-long-messages", "Echoes 32 messages of 64 KiB that come together.", "§6.2", [
    send(...Array.from({ length: 32 }, () => binary(bytes(65_536)))),
    receive(...Array.from({ length: 32 }, () => asBinary(bytes(65_536))))
  ])
]

/** @internal */
export const limitsOfCounts: ReadonlyArray<Case> = [...fragments, ...controlFrames, ...large]
