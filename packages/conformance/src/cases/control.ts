/**
 * Cases of Pings, Pongs and what holds for all control frames (RFC 6455 §5.5).
 */
import type { Case, Frame } from "../Case.js"
import {
  after,
  asText,
  bytes,
  casesOf,
  close,
  continuation,
  digits,
  echo,
  end,
  fails,
  letters,
  ping,
  pong,
  protocolError,
  receive,
  receivePongs,
  send,
  sendEach,
  sized,
  text
} from "../internal/frameCase.js"

const { both } = casesOf("control")

/** §5.5.3: "must have identical "Application data" as found in the message body of the Ping frame being replied to" */
const answered: ReadonlyArray<Case> = [
  ...[0, 1, 2, 3, 4, 5, 8, 64, 123, 124, 125].flatMap((length) => [
    ...both(`ping/text-${length}`, `Answers a Ping of ${sized(length)} of text.`, "§5.5.3", [
      send(ping(letters(length))),
      receivePongs(letters(length))
    ]),
    ...both(`ping/binary-${length}`, `Answers a Ping of ${sized(length)} that are no text.`, "§5.5.3", [
      send(ping(bytes(length))),
      receivePongs(bytes(length))
    ])
  ]),
  ...both("ping/twice-the-same", "Answers a Ping that is repeated.", "§5.5.2", [
    send(ping("a")),
    receivePongs("a"),
    send(ping("a")),
    receivePongs("a")
  ]),
  ...both("ping/one-by-one", "Answers ten Pings one by one.", "§5.5.2", [
    ...Array.from({ length: 10 }, (_, i) => [send(ping(`${i}`)), receivePongs(`${i}`)]).flat()
  ]),
  ...both("ping/before-message", "Answers a Ping before a message.", "§5.5.2", [
    send(ping("a"), text("Hello")),
    { _tag: "Receive", messages: [asText("Hello")], pongs: ["a"] }
  ]),
  ...both("ping/after-message", "Answers a Ping after a message.", "§5.5.2", [
    send(text("Hello"), ping("a")),
    { _tag: "Receive", messages: [asText("Hello")], pongs: ["a"] }
  ]),
  ...both("ping/between-messages", "Answers Pings between messages, all sent together.", "§5.5.2", [
    send(text("one"), ping("1"), text("two"), ping("2"), text("three")),
    { _tag: "Receive", messages: [asText("one"), asText("two"), asText("three")], pongs: ["1", "2"] }
  ]),
  ...both("ping/between-long-messages", "Answers Pings between messages of 16 KiB.", "§5.5.2", [
    send(text(letters(16_384)), ping("1"), text(letters(16_384)), ping("2")),
    { _tag: "Receive", messages: [asText(letters(16_384)), asText(letters(16_384))], pongs: ["1", "2"] }
  ]),
  ...both("ping/payload-like-a-frame", "Answers a Ping whose payload looks like frames.", "§5.5.3", [
    send(ping({ hex: "810548656c6c6f8800" })),
    receivePongs({ hex: "810548656c6c6f8800" })
  ])
]

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `number ${i}`)

/** §5.5.3: "the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame" */
const floods: ReadonlyArray<Case> = [
  ...[2, 10, 50].flatMap((count) => [
    ...both(`flood/${count}-pings`, `Answers at least the last of ${count} Pings that come together.`, "§5.5.3", [
      send(...numbered(count).map(ping)),
      receivePongs(...numbered(count))
    ]),
    ...both(`flood/${count}-pings-one-by-one`, `Answers at least the last of ${count} Pings.`, "§5.5.3", [
      ...sendEach(...numbered(count).map(ping)),
      receivePongs(...numbered(count))
    ])
  ]),
  ...both("flood/50-pongs", "Takes 50 Pongs that nobody asked for.", "§5.5.3", [
    send(...numbered(50).map(pong)),
    ...echo(asText("after"))
  ]),
  ...both("flood/40-pings-of-125", "Answers at least the last of 40 Pings of 125 bytes.", "§5.5.3", [
    send(...Array.from({ length: 40 }, (_, i) => ping([{ hex: digits(i, 2) }, letters(124)]))),
    receivePongs(...Array.from({ length: 40 }, (_, i) => [{ hex: digits(i, 2) }, letters(124)]))
  ])
]

/** §5.5.3: "A Pong frame MAY be sent unsolicited. [...] A response to an unsolicited Pong frame is not expected." */
const unsolicited: ReadonlyArray<Case> = [
  ...[0, 1, 124, 125].flatMap((length) =>
    both(`pong/unsolicited-${length}`, `Takes a Pong of ${sized(length)} that nobody asked for.`, "§5.5.3", [
      send(pong(bytes(length)), after),
      receive(asText("after"))
    ])
  ),
  ...both("pong/then-ping", "Answers a Ping after a Pong that nobody asked for.", "§5.5.3", [
    send(pong("unsolicited"), ping("Hello")),
    receivePongs("Hello")
  ]),
  ...both("pong/ten-then-ten-pings", "Answers Pings that are mixed with Pongs that nobody asked for.", "§5.5.3", [
    send(...numbered(10).flatMap((payload) => [pong(`un${payload}`), ping(payload)])),
    receivePongs(...numbered(10))
  ]),
  ...both("pong/between-fragments", "Takes a Pong that nobody asked for between two fragments.", "§5.4", [
    send(text("Hel", false), pong("unsolicited"), continuation("lo")),
    receive(asText("Hello"))
  ])
]

const kinds: ReadonlyArray<
  readonly [name: string, article: string, make: (payload: ReturnType<typeof bytes>) => Frame]
> = [
  ["ping", "a Ping", ping],
  ["pong", "a Pong", pong],
  ["close", "a Close", (payload) => ({ ...close(1000), payload: [{ hex: "03e8" }, payload] })]
]

/** §5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented." */
const malformed: ReadonlyArray<Case> = kinds.flatMap(([name, article, make]) => [
  ...[126, 127, 256, 65_535, 65_536].flatMap((length) =>
    both(
      `too-long/${name}-${length}`,
      `Fails the connection for ${article} of ${length} bytes.`,
      "§5.5",
      fails(make(letters(name === "close" ? length - 2 : length)))
    )
  ),
  ...both(
    `too-long/${name}-header-16`,
    `Fails the connection for ${article} of 126 bytes before they have come.`,
    "§5.5",
    [
      send({ ...make(""), length: "126", payload: "" }),
      { _tag: "EndOutput" },
      { _tag: "ReceiveClose", codes: protocolError },
      end
    ],
    { informational: true }
  ),
  ...both(
    `too-long/${name}-header-64`,
    `Fails the connection for ${article} of 65,536 bytes before they have come.`,
    "§5.5",
    [
      send({ ...make(""), length: "65536", payload: "" }),
      { _tag: "EndOutput" },
      { _tag: "ReceiveClose", codes: protocolError },
      end
    ],
    { informational: true }
  ),
  ...([16, 64] as const).flatMap((form) =>
    both(
      `too-long/${name}-form-${form}`,
      `Fails the connection for ${article} of few bytes whose length is written in ${form} bits.`,
      "§5.5",
      fails({ ...make("Hello"), form }),
      { informational: true }
    )
  ),
  ...both(
    `fragmented/${name}`,
    `Fails the connection for ${article} without FIN.`,
    "§5.5",
    fails({ ...make("Hel"), fin: false })
  ),
  ...both(
    `fragmented/${name}-empty`,
    `Fails the connection for ${article} without FIN and without a payload.`,
    "§5.5",
    fails({ ...make(""), fin: false, payload: "" })
  ),
  ...both(
    `fragmented/${name}-continued`,
    `Fails the connection for ${article} in two fragments.`,
    "§5.5",
    fails({ ...make("Hel"), fin: false }, continuation("lo"))
  ),
  ...both(
    `fragmented/${name}-inside-message`,
    `Fails the connection for ${article} without FIN between two fragments of a message.`,
    "§5.5",
    fails(text("Hel", false), { ...make("?"), fin: false }, continuation("lo"))
  )
])

/** @internal */
export const control: ReadonlyArray<Case> = [...answered, ...floods, ...unsolicited, ...malformed]
