/**
 * Cases of what comes before, behind and instead of a Close (RFC 6455 §5.5.1, §7.1, §7.2).
 */
import type { Case, Frame, Step } from "../Case.js"
import {
  after,
  answersClose,
  asText,
  binary,
  casesOf,
  close,
  continuation,
  digits,
  echo,
  end,
  failed,
  fails,
  letters,
  ping,
  pong,
  receive,
  receivePongs,
  send,
  text
} from "../internal/frameCase.js"

const { both, client, server } = casesOf("close")

/**
 * What comes behind a Close. §5.5.1: "After both sending and receiving a Close message, an endpoint considers the
 * WebSocket connection closed and MUST close the underlying TCP connection."
 */
const behind: ReadonlyArray<readonly [name: string, what: string, frames: ReadonlyArray<Frame>]> = [
  ["text", "a text", [text("late")]],
  ["binary", "a binary", [binary({ hex: "00ff" })]],
  ["fragments", "a message in fragments", [text("la", false), continuation("te")]],
  ["many", "many messages", Array.from({ length: 50 }, (_, i) => text(`late ${i}`))],
  ["ping", "a Ping", [ping("late")]],
  ["pong", "a Pong", [pong("late")]],
  ["close", "another Close", [close(1001, "late")]],
  ["close-empty", "another Close without a code", [close()]],
  ["illegal", "a frame with a reserved bit", [{ ...text("late"), rsv: 4 }]],
  ["reserved", "a frame of a reserved opcode", [{ opcode: 3 }]],
  ["invalid-text", "a text that is not UTF-8", [text({ hex: "ff" })]],
  ["continuation", "a fragment that continues nothing", [continuation("late")]],
  ["half-a-frame", "half a frame", [{ ...text("late"), cut: 3 }]]
]

const afterClose: ReadonlyArray<Case> = behind.flatMap(([name, what, frames]) =>
  both(`after-close/${name}`, `Answers a Close, and does nothing about ${what} behind it.`, "§5.5.1", [
    send(close(1000), ...frames),
    ...answersClose(1000)
  ])
)

const beforeClose: ReadonlyArray<Case> = [
  ...both("before-close/message", "Answers a Close that comes together with a message before it.", "§5.5.1", [
    send(text("Hello"), close(1000)),
    { _tag: "ReceiveClose", codes: [1000, 1005], orMessages: true },
    end
  ]),
  ...both("before-close/messages", "Answers a Close that comes together with many messages before it.", "§5.5.1", [
    send(...Array.from({ length: 20 }, (_, i) => text(`message ${i}`)), close(1000)),
    { _tag: "ReceiveClose", codes: [1000, 1005], orMessages: true },
    end
  ]),
  ...both("before-close/ping", "Answers a Ping and the Close that comes with it.", "§5.5.2", [
    send(ping("Hello"), close(1000)),
    receivePongs("Hello"),
    ...answersClose(1000)
  ]),
  ...both("before-close/pong", "Answers a Close behind a Pong.", "§5.5.1", [
    send(pong("Hello"), close(1000)),
    ...answersClose(1000)
  ]),
  ...both("before-close/unfinished", "Answers a Close inside an unfinished message.", "§5.5.1", [
    send(text("Hel", false), close(1000)),
    ...answersClose(1000)
  ]),
  ...both("before-close/unfinished-empty", "Answers a Close without a code inside an unfinished message.", "§5.5.1", [
    send(binary("", false), close()),
    ...answersClose(1005)
  ]),
  ...both("before-close/between-fragments", "Answers a Close between two fragments, and echoes nothing.", "§5.5.1", [
    send(text("Hel", false), close(1000), continuation("lo")),
    ...answersClose(1000)
  ]),
  ...both("before-close/unfinished-character", "Answers a Close inside a character of a text.", "§5.5.1", [
    send(text({ hex: "f09f" }, false), close(1000)),
    ...answersClose(1000)
  ])
]

/** §7.1.7: it "MUST NOT continue to attempt to process data (including a responding Close frame)" after failing. */
const simultaneous: ReadonlyArray<Case> = [
  ...both("simultaneous/violation-then-close", "Closes once when a Close comes behind what it fails for.", "§7.1.7", [
    send({ opcode: 3 }, close(1000)),
    ...failed()
  ]),
  ...both(
    "simultaneous/invalid-text-then-close",
    "Closes once when a Close comes behind a text that is not UTF-8.",
    "§7.1.7",
    [send(text({ hex: "ff" }), close(1000)), ...failed([1007])]
  ),
  ...both("simultaneous/violation-then-messages", "Echoes nothing that comes behind what it fails for.", "§7.1.7", [
    send({ opcode: 3 }, ...Array.from({ length: 20 }, (_, i) => text(`late ${i}`))),
    ...failed()
  ]),
  ...both("simultaneous/violation-then-ping", "Answers no Ping that comes behind what it fails for.", "§7.1.7", [
    send({ opcode: 3 }, ping("late")),
    { _tag: "ReceiveClose", codes: [1002], orEnd: true },
    end
  ]),
  ...both(
    "simultaneous/two-violations",
    "Closes once for two faults.",
    "§7.1.7",
    fails({ opcode: 3 }, { ...text("a"), rsv: 4 })
  )
]

const endOutput: Step = { _tag: "EndOutput" }
const anyEnd: Step = { _tag: "ReceiveEnd" }

/** Where a frame breaks off, masked or not. */
const breaks: ReadonlyArray<readonly [name: string, what: string, frame: Frame]> = [
  ["first-byte", "after the first byte of a frame", { ...text("Hello"), cut: 1 }],
  ["length-16", "inside a length of 16 bits", { ...binary(letters(300)), cut: 3 }],
  ["length-64", "inside a length of 64 bits", { ...binary(letters(65_536)), cut: 7 }],
  ["payload", "inside a payload", { ...text(letters(30)), cut: 20 }],
  ["last-byte", "before the last byte of a text", { ...text("Hello"), payload: "Hell", length: "5" }],
  ["ping", "inside the payload of a Ping", { ...ping(letters(30)), cut: 20 }],
  ["close", "inside a Close", { ...close(1000, letters(30)), cut: 20 }]
]

/**
 * §7.2.1 binds the client: "If at any point the underlying transport layer connection is unexpectedly lost, the client
 * MUST _Fail the WebSocket Connection_." Of the server nothing is said.
 */
const lost = (name: string, title: string, steps: ReadonlyArray<Step>): ReadonlyArray<Case> => [
  ...server(`half-close/${name}/server`, title, "§7.1.4", [...steps, endOutput, anyEnd], { informational: true }),
  ...client(`half-close/${name}/client`, title, "§7.2.1", [...steps, endOutput, anyEnd])
]

const ended: ReadonlyArray<Case> = [
  ...both("half-close/with-close", "Answers a Close behind which the output ends.", "§5.5.1", [
    send(close(1000)),
    endOutput,
    ...answersClose(1000)
  ]),
  ...both("half-close/after-message", "Answers a Close behind which the output ends, after a message.", "§5.5.1", [
    ...echo(asText("Hello")),
    send(close(1001, "bye")),
    endOutput,
    ...answersClose(1001)
  ]),
  ...lost("without-close", "Ends a connection that the peer has ended without a Close.", []),
  ...lost("unfinished", "Ends a connection that breaks off inside a message, and echoes nothing of it.", [
    send(text("Hel", false))
  ]),
  ...breaks.flatMap(([name, what, frame]) =>
    lost(`inside-${name}`, `Ends a connection that breaks off ${what}, and does nothing about the frame.`, [
      ...echo(asText("before")),
      send(frame)
    ])
  ),
  ...server(
    "half-close/inside-key",
    "Ends a connection that breaks off inside a masking key, and does nothing about the frame.",
    "§7.1.4",
    [...echo(asText("before")), send({ ...text("Hello"), cut: 4 }), endOutput, anyEnd],
    { informational: true }
  )
]

const handshake: ReadonlyArray<Case> = [
  ...both("handshake/once", "Sends one Close frame, and then nothing.", "§7.1.5", [
    send(close(1000)),
    { _tag: "ReceiveClose", codes: [1000, 1005] },
    end
  ]),
  ...both(
    "handshake/no-early-end",
    "Goes on after a Pong, since only a Close starts the closing handshake.",
    "§7.1.3",
    [
      send(pong({ hex: `${digits(1000, 4)}` }), after),
      receive(asText("after")),
      send(close(1000)),
      ...answersClose(1000)
    ]
  ),
  ...both("handshake/empty-messages-first", "Answers a Close after empty messages.", "§5.5.1", [
    ...echo(asText("")),
    ...echo(asText("")),
    send(close()),
    ...answersClose(1005)
  ])
]

/** @internal */
export const closeOrder: ReadonlyArray<Case> = [...afterClose, ...beforeClose, ...simultaneous, ...ended, ...handshake]
