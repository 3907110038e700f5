/**
 * Cases of messages in fragments (RFC 6455 §5.4).
 */
import type { Bytes, Case, Frame, Step } from "../Case.js"
import {
  after,
  asBinary,
  asText,
  binary,
  bytes,
  casesOf,
  continuation,
  echo,
  fails,
  letters,
  ping,
  pong,
  receive,
  receivePongs,
  send,
  sendEach,
  text
} from "../internal/frameCase.js"

const { both } = casesOf("fragmentation")

/** The frames of a message, one for each payload. */
const fragmented = (type: "text" | "binary", payloads: ReadonlyArray<Bytes>): ReadonlyArray<Frame> =>
  payloads.map((payload, i) => ({
    opcode: i > 0 ? 0 : type === "text" ? 1 : 2,
    fin: i === payloads.length - 1,
    payload
  }))

const whole = (type: "text" | "binary", payloads: ReadonlyArray<Bytes>) =>
  receive(type === "text" ? asText(payloads) : asBinary(payloads))

const patterns: ReadonlyArray<readonly [name: string, what: string, payloads: ReadonlyArray<string>]> = [
  ["two", "two fragments", ["Hel", "lo"]],
  ["three", "three fragments", ["He", "ll", "o"]],
  ["ten", "ten fragments of one byte", [..."0123456789"]],
  ["first-empty", "an empty first fragment", ["", "Hello"]],
  ["middle-empty", "an empty fragment in the middle", ["Hel", "", "lo"]],
  ["last-empty", "an empty last fragment", ["Hello", ""]],
  ["all-but-first-empty", "nothing but empty fragments after the first", ["Hello", "", "", ""]],
  ["all-but-last-empty", "nothing but empty fragments before the last", ["", "", "", "Hello"]],
  ["two-empty", "two empty fragments", ["", ""]],
  ["five-empty", "five empty fragments", ["", "", "", "", ""]]
]

const shapes: ReadonlyArray<Case> = patterns.flatMap(([name, what, payloads]) =>
  (["text", "binary"] as const).flatMap((type) => [
    ...both(`shape/${name}-${type}`, `Echoes a ${type} of ${what}.`, "§5.4", [
      send(...fragmented(type, payloads)),
      whole(type, payloads)
    ]),
    ...both(`shape/${name}-${type}-one-by-one`, `Echoes a ${type} of ${what}, each in a write of its own.`, "§5.4", [
      ...sendEach(...fragmented(type, payloads)),
      whole(type, payloads)
    ])
  ])
)

const sizes: ReadonlyArray<Case> = [
  ...[
    [125, 125],
    [126, 126],
    [125, 126, 127],
    [1, 65_535],
    [65_535, 1],
    [32_768, 32_768]
  ].flatMap((sizes) =>
    both(`size/${sizes.join("-")}`, `Echoes a binary of fragments of ${sizes.join(", ")} bytes.`, "§5.4", [
      send(...fragmented("binary", sizes.map(bytes))),
      whole("binary", sizes.map(bytes))
    ])
  ),
  ...both("size/64-of-1", "Echoes a text of 64 fragments of one byte.", "§5.4", [
    send(
      ...fragmented(
        "text",
        Array.from({ length: 64 }, () => "*")
      )
    ),
    receive(asText(letters(64)))
  ]),
  ...both("size/64-of-1024", "Echoes a text of 64 fragments of 1,024 bytes.", "§5.4", [
    send(
      ...fragmented(
        "text",
        Array.from({ length: 64 }, () => letters(1024))
      )
    ),
    receive(asText(letters(65_536)))
  ])
]

const sequence: ReadonlyArray<Case> = [
  ...both("sequence/message-after", "Takes a new message after one in fragments.", "§6.2", [
    send(text("Hel", false), continuation("lo"), after),
    receive(asText("Hello"), asText("after"))
  ]),
  ...both("sequence/two-in-fragments", "Takes two messages in fragments, of different types.", "§6.2", [
    send(text("Hel", false), continuation("lo"), binary({ hex: "00" }, false), continuation({ hex: "ff" })),
    receive(asText("Hello"), asBinary({ hex: "00ff" }))
  ]),
  ...both("sequence/message-before", "Takes a message in fragments after a whole one.", "§6.2", [
    send(binary({ hex: "00" }), text("Hel", false), continuation("lo")),
    receive(asBinary({ hex: "00" }), asText("Hello"))
  ]),
  ...both("sequence/type-of-first", "Takes the type of the message from its first fragment.", "§5.4", [
    send(binary("Hel", false), continuation("lo"), text("Hel", false), continuation("lo")),
    receive(asBinary("Hello"), asText("Hello"))
  ])
]

/** §5.4: "Control frames [...] MAY be injected in the middle of a fragmented message." */
const injected: ReadonlyArray<Case> = [
  ...both("injected/ping", "Answers a Ping between two fragments, and echoes the message.", "§5.4", [
    send(text("Hel", false), ping("between"), continuation("lo")),
    { _tag: "Receive", messages: [asText("Hello")], pongs: ["between"] }
  ]),
  ...both("injected/ping-at-once", "Answers a Ping between two fragments before the message is whole.", "§5.4", [
    send(text("Hel", false), ping("between")),
    receivePongs("between"),
    send(continuation("lo")),
    receive(asText("Hello"))
  ]),
  ...both("injected/ping-each", "Answers a Ping after each fragment, before the next one.", "§5.4", [
    ...["one ", "two ", "three "].flatMap(
      (payload, i): ReadonlyArray<Step> => [
        send(i === 0 ? text(payload, false) : continuation(payload, false), ping(payload)),
        receivePongs(payload)
      ]
    ),
    send(continuation("four")),
    receive(asText("one two three four"))
  ]),
  ...both("injected/ping-binary", "Answers an empty Ping between fragments of a binary.", "§5.4", [
    send(binary({ hex: "00" }, false), ping(), continuation({ hex: "ff" })),
    { _tag: "Receive", messages: [asBinary({ hex: "00ff" })], pongs: [""] }
  ]),
  ...both("injected/pong", "Takes a Pong between two fragments.", "§5.4", [
    send(text("Hel", false), pong("between"), continuation("lo")),
    receive(asText("Hello"))
  ]),
  ...both("injected/many", "Takes Pings and Pongs between many fragments.", "§5.4", [
    send(
      ...[..."0123456789"].flatMap((digit, i) => [
        i === 0 ? text(digit, false) : continuation(digit, false),
        i % 2 === 0 ? ping(digit) : pong(digit)
      ]),
      continuation("")
    ),
    { _tag: "Receive", messages: [asText("0123456789")], pongs: ["0", "2", "4", "6", "8"] }
  ]),
  ...both("injected/before-empty", "Answers a Ping between empty fragments.", "§5.4", [
    send(text("", false), ping("a"), continuation("", false), ping("b"), continuation("")),
    { _tag: "Receive", messages: [asText("")], pongs: ["a", "b"] }
  ])
]

const nothing = "where there is no message to continue"

const uncontinued: ReadonlyArray<Case> = [
  ...both(
    "continuation/first",
    `Fails the connection for a last fragment ${nothing}.`,
    "§5.4",
    fails(continuation("lo"))
  ),
  ...both(
    "continuation/first-without-fin",
    `Fails the connection for a fragment ${nothing}.`,
    "§5.4",
    fails(continuation("lo", false))
  ),
  ...both(
    "continuation/empty",
    `Fails the connection for an empty last fragment ${nothing}.`,
    "§5.4",
    fails(continuation(""))
  ),
  ...both(
    "continuation/empty-without-fin",
    `Fails the connection for an empty fragment ${nothing}.`,
    "§5.4",
    fails(continuation("", false))
  ),
  ...both("continuation/after-message", "Fails the connection for a fragment after a whole message.", "§5.4", [
    ...echo(asText("before")),
    ...fails(continuation("lo"))
  ]),
  ...both("continuation/after-last", "Fails the connection for a fragment after the last one of a message.", "§5.4", [
    send(text("Hel", false), continuation("lo")),
    receive(asText("Hello")),
    ...fails(continuation("!"))
  ]),
  ...both(
    "continuation/after-last-without-fin",
    "Fails the connection for a fragment that begins a message as if it went on.",
    "§5.4",
    [
      send(binary("Hel", false), continuation("lo")),
      receive(asBinary("Hello")),
      ...fails(continuation("!", false), continuation("!"))
    ]
  ),
  ...both(
    "continuation/after-control",
    "Fails the connection for a fragment after a Ping, which begins no message.",
    "§5.4",
    [send(ping("a")), receivePongs("a"), ...fails(continuation("lo"))]
  )
]

/** §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message". */
const interleaved: ReadonlyArray<Case> = [
  ...(["text", "binary"] as const).flatMap((outer) =>
    (["text", "binary"] as const).flatMap((inner) =>
      (["whole", "first"] as const).flatMap((part) =>
        both(
          `interleaved/${inner}-in-${outer}-${part}`,
          part === "whole"
            ? `Fails the connection for a whole ${inner} inside an unfinished ${outer}.`
            : `Fails the connection for a ${inner} that begins inside an unfinished ${outer}.`,
          "§5.4",
          fails(
            { opcode: outer === "text" ? 1 : 2, fin: false, payload: "Hel" },
            { opcode: inner === "text" ? 1 : 2, fin: part === "whole", payload: "new" },
            continuation("lo")
          )
        )
      )
    )
  ),
  ...both(
    "interleaved/empty",
    "Fails the connection for an empty message inside an unfinished one.",
    "§5.4",
    fails(text("Hel", false), text(""), continuation("lo"))
  ),
  ...both(
    "interleaved/after-empty",
    "Fails the connection for a message after an empty first fragment.",
    "§5.4",
    fails(text("", false), text("new"))
  ),
  ...both(
    "interleaved/third",
    "Fails the connection for a message after two fragments of another.",
    "§5.4",
    fails(text("Hel", false), continuation("lo", false), text("new"))
  ),
  ...both(
    "interleaved/behind-ping",
    "Fails the connection for a message inside an unfinished one, after a Ping that is answered.",
    "§5.4",
    [send(text("Hel", false), ping("a")), receivePongs("a"), ...fails(text("new"))]
  )
]

/** @internal */
export const fragmentation: ReadonlyArray<Case> = [
  ...shapes,
  ...sizes,
  ...sequence,
  ...injected,
  ...uncontinued,
  ...interleaved
]
