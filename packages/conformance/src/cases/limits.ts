/**
 * Cases of limits that an endpoint was set up with, and of what it takes without (RFC 6455 §10.4).
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
  echo,
  failed,
  letters,
  ping,
  receive,
  send,
  text,
  tooBig
} from "../internal/frameCase.js"

const { both } = casesOf("limits")

const frame = { maxFramePayload: 1000 }

const framePayload: ReadonlyArray<Case> = [
  ...[125, 126, 65_535, 65_536, 125_000].flatMap((limit) => {
    const setup = { maxFramePayload: limit, maxMessageSize: 1_000_000 }
    return [
      ...both(
        `frame/${limit}-at`,
        `Takes a frame of ${limit} bytes, which is the limit.`,
        "§10.4",
        echo(asBinary(bytes(limit))),
        {
          setup
        }
      ),
      ...both(
        `frame/${limit}-above`,
        `Fails the connection for a frame of ${limit + 1} bytes, one above the limit.`,
        "§10.4",
        [send(binary(bytes(limit + 1)), after), ...failed(tooBig)],
        { setup }
      ),
      ...both(
        `frame/${limit}-above-on-header`,
        `Fails the connection for the header of a frame of ${limit + 1} bytes, one above the limit.`,
        "§10.4",
        [send({ opcode: 2, length: String(limit + 1) }), ...failed(tooBig)],
        { setup }
      )
    ]
  }),
  ...[
    "65537",
    "2147483648",
    "4294967296",
    "4294967301",
    "1099511627776",
    "9007199254740993",
    "9223372036854775807"
  ].flatMap((length) =>
    both(
      `frame/header-${length}`,
      `Fails the connection for the header of a frame of ${length} bytes, far above the limit.`,
      "§10.4",
      [send({ opcode: 2, length }), ...failed(tooBig)],
      { setup: frame }
    )
  ),
  ...both(
    "frame/text",
    "Fails the connection for a text above the limit.",
    "§10.4",
    [send(text(letters(1001)), after), ...failed(tooBig)],
    { setup: frame }
  ),
  ...both(
    "frame/fragment",
    "Fails the connection for a fragment above the limit.",
    "§10.4",
    [send(text("a", false), continuation(letters(1001)), after), ...failed(tooBig)],
    { setup: frame }
  ),
  ...both(
    "frame/each-at",
    "Takes fragments of which each is at the limit.",
    "§10.4",
    [
      send(binary(bytes(1000), false), continuation(bytes(1000), false), continuation(bytes(1000))),
      receive(asBinary([bytes(1000), bytes(1000), bytes(1000)]))
    ],
    { setup: frame }
  ),
  ...both(
    "frame/after-message",
    "Fails the connection for a frame above the limit after one below it.",
    "§10.4",
    [...echo(asText(letters(1000))), send({ opcode: 1, length: "1001" }), ...failed(tooBig)],
    { setup: frame }
  )
]

const message = { maxMessageSize: 1000 }

const messageSize: ReadonlyArray<Case> = [
  ...[125, 1000, 65_536].flatMap((limit) => {
    const setup = { maxMessageSize: limit }
    return [
      ...both(
        `message/${limit}-at`,
        `Takes a message of ${limit} bytes, which is the limit.`,
        "§10.4",
        echo(asText(letters(limit))),
        {
          setup
        }
      ),
      ...both(
        `message/${limit}-above`,
        `Fails the connection for a message of ${limit + 1} bytes, one above the limit.`,
        "§10.4",
        [send(text(letters(limit + 1)), after), ...failed(tooBig)],
        { setup }
      ),
      ...both(
        `message/${limit}-above-on-header`,
        `Fails the connection for the header of a message of ${limit + 1} bytes, one above the limit.`,
        "§10.4",
        [send({ opcode: 1, length: String(limit + 1) }), ...failed(tooBig)],
        { setup }
      )
    ]
  }),
  ...both(
    "message/fragments-at",
    "Takes fragments that are together at the limit.",
    "§10.4",
    [
      send(binary(bytes(400), false), continuation(bytes(400), false), continuation(bytes(200))),
      receive(asBinary([bytes(400), bytes(400), bytes(200)]))
    ],
    { setup: message }
  ),
  ...both(
    "message/fragments-above",
    "Fails the connection for fragments that are together one above the limit.",
    "§10.4",
    [
      send(binary(bytes(400), false), continuation(bytes(400), false), continuation(bytes(201)), after),
      ...failed(tooBig)
    ],
    { setup: message }
  ),
  ...both(
    "message/fragments-above-on-header",
    "Fails the connection for the header of the fragment with which a message is above the limit.",
    "§10.4",
    [
      send(binary(bytes(400), false), continuation(bytes(400), false), { opcode: 0, fin: false, length: "201" }),
      ...failed(tooBig)
    ],
    { setup: message }
  ),
  ...both(
    "message/empty-fragments",
    "Takes empty fragments of a message at the limit.",
    "§10.4",
    [send(binary(bytes(1000), false), continuation("", false), continuation("")), receive(asBinary(bytes(1000)))],
    { setup: message }
  ),
  ...both(
    "message/control-between",
    "Does not count a Ping between fragments.",
    "§10.4",
    [
      send(binary(bytes(500), false), ping(letters(125)), continuation(bytes(500))),
      { _tag: "Receive", messages: [asBinary([bytes(500), bytes(500)])], pongs: [letters(125)] }
    ],
    { setup: message }
  ),
  ...both(
    "message/each-by-itself",
    "Counts each message by itself.",
    "§10.4",
    [
      ...echo(asBinary(bytes(1000))),
      ...echo(asBinary(bytes(1000))),
      send(text(letters(600), false), continuation(letters(400))),
      receive(asText(letters(1000)))
    ],
    { setup: message }
  ),
  ...both(
    "message/bytes-not-characters",
    "Counts bytes, not characters.",
    "§10.4",
    [send(text({ repeat: "€", times: 334 }), after), ...failed(tooBig)],
    { setup: message }
  )
]

/** @internal */
export const limits: ReadonlyArray<Case> = [...framePayload, ...messageSize]
