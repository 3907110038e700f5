/**
 * Replies that must not open a connection, because something in them is not as RFC 6455 §4.1 and HTTP demand.
 *
 * A client that does not take a reply sends nothing more: RFC 6455 §7.1.7 has a Close frame only where the connection was
 * established.
 */
import type { Case } from "../Case.js"
import { client, helloOfServer, open, reply } from "../internal/openingCase.js"

const { fails } = client("opening")

const line = (text: string): string => reply({ line: text })
const having = (...lines: ReadonlyArray<string>): string => reply({ lines })
const lacking = (name: string): string => reply({ without: [name] })

const statuses: ReadonlyArray<Case> = fails("status", "RFC 6455 §4.1", [
  ["200-like-101", "a 200 with all that a 101 has", reply({ line: "HTTP/1.1 200 OK", lines: ["Content-Length: 7"] })],
  ["401-like-101", "a 401 with all that a 101 has", reply({ line: "HTTP/1.1 401 No", lines: ["Content-Length: 7"] })]
])

const upgrade: ReadonlyArray<Case> = fails("reply-upgrade", "RFC 6455 §4.1", [
  ["missing", "a reply without Upgrade", lacking("Upgrade")],
  ["empty", "an empty Upgrade", having("Upgrade:")],
  ["other", "another protocol", having("Upgrade: h2c")],
  ["longer", "a protocol that begins like websocket", having("Upgrade: websockets")],
  ["version", "websocket with a version", having("Upgrade: websocket/13")],
  ["list", "websocket beside another protocol", having("Upgrade: websocket, h2c")],
  ["lines", "websocket and another protocol over two lines", having("Upgrade: websocket", "Upgrade: h2c")],
  ["twice", "websocket twice", having("Upgrade: websocket", "Upgrade: websocket"), open],
  ["quoted", "websocket in quotes", having('Upgrade: "websocket"')],
  ["kelvin", "websocket with a Kelvin sign for its k", having("Upgrade: websoc\u212aet")]
])

const connection: ReadonlyArray<Case> = fails("reply-connection", "RFC 6455 §4.1", [
  ["missing", "a reply without Connection", lacking("Connection")],
  ["empty", "an empty Connection", having("Connection:")],
  ["close", "close alone", having("Connection: close")],
  ["longer", "an option that begins like Upgrade", having("Connection: Upgraded")],
  ["space", "Upgrade with a space in it", having("Connection: Up grade")],
  ["quoted", "Upgrade in quotes", having('Connection: "Upgrade"')]
])

const accept: ReadonlyArray<Case> = fails("reply-accept", "RFC 6455 §4.1", [
  ["missing", "a reply without accept", lacking("Sec-WebSocket-Accept")],
  ["empty", "an empty accept", having("Sec-WebSocket-Accept:")],
  ["other-key", "the accept of another key", having("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")],
  ["zeros", "an accept of zeros", having("Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
  ["shorter", "an accept of nothing but padding", having("Sec-WebSocket-Accept: =")],
  ["longer", "an accept with more padding", having("Sec-WebSocket-Accept: {accept}=")],
  ["prefix", "an accept with a letter before it", having("Sec-WebSocket-Accept: x{accept}")],
  ["quoted", "an accept in quotes", having('Sec-WebSocket-Accept: "{accept}"')],
  ["parameter", "an accept with a parameter", having("Sec-WebSocket-Accept: {accept};q=1")],
  ["list", "a list of accepts", having("Sec-WebSocket-Accept: {accept}, {accept}")],
  [
    "twice",
    "the accept twice",
    having("Sec-WebSocket-Accept: {accept}", "Sec-WebSocket-Accept: {accept}"),
    { section: "RFC 6455 §11.3.3" }
  ],
  [
    "two",
    "the accept beside that of another key",
    having("Sec-WebSocket-Accept: {accept}", "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    { section: "RFC 6455 §11.3.3" }
  ]
])

const statusLine: ReadonlyArray<Case> = fails("status-line", "RFC 9112 §4", [
  ["1.0", "a 101 of HTTP/1.0", line("HTTP/1.0 101 Switching Protocols"), { ...open, section: "RFC 9110 §15.2" }],
  ["2.0", "a 101 of HTTP/2.0", line("HTTP/2.0 101 Switching Protocols"), { ...open, section: "RFC 9110 §2.5" }],
  ["lower-case", "a version in lower case", line("http/1.1 101 Switching Protocols"), { section: "RFC 9112 §2.3" }],
  [
    "two-digits",
    "a minor version of two digits",
    line("HTTP/1.10 101 Switching Protocols"),
    { section: "RFC 9112 §2.3" }
  ],
  ["no-minor", "a version without a minor one", line("HTTP/1 101 Switching Protocols"), { section: "RFC 9112 §2.3" }],
  [
    "other-protocol",
    "the version of another protocol",
    line("ICY/1.1 101 Switching Protocols"),
    { section: "RFC 9112 §2.3" }
  ],
  ["no-version", "a status line without version", line("101 Switching Protocols")],
  ["two-digit-status", "a status of two digits", line("HTTP/1.1 10 Switching Protocols")],
  ["four-digit-status", "a status of four digits", line("HTTP/1.1 1010 Switching Protocols")],
  ["signed-status", "a status with a sign", line("HTTP/1.1 +101 Switching Protocols")],
  ["fraction-status", "a status with a fraction", line("HTTP/1.1 101.0 Switching Protocols")],
  ["no-space", "a status line without its last space", line("HTTP/1.1 101"), open],
  ["two-spaces", "two spaces before the status", line("HTTP/1.1  101 Switching Protocols"), open],
  ["nul-in-reason", "a NUL in the reason phrase", line("HTTP/1.1 101 Switching\0Protocols"), open],
  ["empty-first", "an empty line before the reply", `\r\n${reply()}`, { section: "RFC 9112 §2.1" }]
])

const lines: ReadonlyArray<Case> = fails("reply-line", "RFC 9112 §2.2", [
  ["lf", "lines that end in LF", reply().replaceAll("\r\n", "\n"), open],
  ["one-lf", "one line that ends in LF", reply().replace("\r\nConnection", "\nConnection"), open],
  ["cr", "a bare CR for the end of a line", reply().replace("\r\nConnection", "\rConnection")],
  ["cr-in-upgrade", "a bare CR in Upgrade", having("Upgrade: web\rsocket")],
  ["cr-in-unknown", "a bare CR in a field that does not matter", having("X-Unknown: a\rb"), open],
  [
    "white-space-first",
    "white space before a first field that does not matter",
    line("HTTP/1.1 101 Switching Protocols\r\n X-Unknown: x"),
    open
  ],
  [
    "white-space-first-upgrade",
    "white space before a first field that is Upgrade",
    reply({ line: "HTTP/1.1 101 Switching Protocols\r\n Upgrade: websocket", without: ["Upgrade"] })
  ],
  ["no-colon", "a line without a colon", reply().replace("\r\nUpgrade", "\r\nunknown\r\nUpgrade")],
  ["empty-name", "an empty name", having(": x"), { section: "RFC 9110 §5.1" }],
  ["name-space", "a name with a space", having("X Unknown: x"), { section: "RFC 9110 §5.1" }],
  ["name-not-ascii", "a name with a letter above ASCII", having("X-Caf\u00e9: x"), { section: "RFC 9110 §5.1" }],
  ["name-nul", "a name with a NUL", having("X-\0: x"), { section: "RFC 9110 §5.1" }],
  ["space-before-colon", "a space before a colon", having("X-Unknown : x"), { ...open, section: "RFC 9112 §5.1" }],
  ["nul-in-upgrade", "a NUL in Upgrade", having("Upgrade: web\0socket"), { section: "RFC 9110 §5.5" }],
  [
    "nul-in-unknown",
    "a NUL in a field that does not matter",
    having("X-Unknown: a\0b"),
    { ...open, section: "RFC 9110 §5.5" }
  ]
])

const garbage: ReadonlyArray<Case> = fails("garbage", "RFC 9112 §2.1", [
  ["frame-in-place", "a frame in place of a reply", [helloOfServer, "\r\n\r\n"]],
  ["ssh", "the banner of another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
  ["tls-alert", "an alert of TLS", { hex: "15030100020246 0d0a0d0a" }],
  ["request", "a request in place of a reply", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["page", "a page without a head", "<html>\r\n\r\n"],
  ["reply-behind-bad", "a bad reply with a good one behind it", `${lacking("Sec-WebSocket-Accept")}${reply()}`]
])

/**
 * Every case of a reply that is wrong.
 *
 * @internal
 */
export const openingReplies: ReadonlyArray<Case> = [
  ...statuses,
  ...upgrade,
  ...connection,
  ...accept,
  ...statusLine,
  ...lines,
  ...garbage
]
