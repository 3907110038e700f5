/**
 * The opening handshake of a client (RFC 6455 §4.1): its request, the replies that open the connection, those that refuse
 * it, and the ends of both; and, from `openingReplies`, the replies that are wrong.
 */
import type { Bytes, Case, Step } from "../Case.js"
import { bytesOf, client, echo, end, hello, helloOfServer, open, reply } from "../internal/openingCase.js"
import { openingReplies } from "./openingReplies.js"

const { fails, leaves, opens } = client("opening")

const line = (text: string): string => reply({ line: text })
const having = (...lines: ReadonlyArray<string>): string => reply({ lines })

const asks = (
  name: string,
  what: string,
  section: string,
  fields: { readonly [name: string]: string | null },
  absent: ReadonlyArray<string> = []
): Case => ({
  id: `opening/asking/${name}`,
  title: `Sends a request ${what}.`,
  section,
  group: "opening",
  role: "client",
  steps: [{ _tag: "ReceiveRequest", fields, absent }, { _tag: "Response", head: reply() }, ...echo]
})

const asking: ReadonlyArray<Case> = [
  {
    id: "opening/asking/whole",
    title: "Sends a request of HTTP/1.1 with a path, all that it needs, and a key of 16 bytes.",
    section: "RFC 6455 §4.1",
    group: "opening",
    role: "client",
    // a case that begins with an open connection has all of the request checked
    steps: echo
  },
  asks("host", "with Host", "RFC 6455 §4.1", { Host: null }),
  asks("upgrade", "with Upgrade: websocket", "RFC 6455 §4.1", { Upgrade: "websocket" }),
  asks("connection", "with Connection: Upgrade", "RFC 6455 §4.1", { Connection: "Upgrade" }),
  asks("key", "with a key", "RFC 6455 §4.1", { "Sec-WebSocket-Key": null }),
  asks("version", "of version 13", "RFC 6455 §4.1", { "Sec-WebSocket-Version": "13" }),
  asks("no-accept", "without a field of the reply", "RFC 6455 §4.3", {}, ["Sec-WebSocket-Accept"]),
  asks("no-coding", "without Transfer-Encoding", "RFC 9112 §6.1", {}, ["Transfer-Encoding"]),
  { ...asks("no-length", "without Content-Length", "RFC 9110 §8.6", {}, ["Content-Length"]), informational: true }
]

const good: ReadonlyArray<Case> = [
  ...opens("reply", "RFC 6455 §4.1", [
    ["minimal", "a reply with no more than it needs", reply()],
    ["lower-case", "names in lower case", reply().replaceAll(/^[A-Za-z-]+:/gm, (name) => name.toLowerCase())],
    ["upper-case", "names in upper case", reply().replaceAll(/^[A-Za-z-]+:/gm, (name) => name.toUpperCase())],
    ["values-in-upper-case", "values in upper case", having("Upgrade: WEBSOCKET", "Connection: UPGRADE")],
    ["values-in-mixed-case", "values in mixed case", having("Upgrade: WebSocket", "Connection: upGrade")],
    ["no-white-space", "fields without white space", reply().replaceAll(": ", ":")],
    ["white-space", "fields with more white space", reply().replaceAll(/: (.*)\r/g, ":\t  $1 \t\r")],
    [
      "other-order",
      "fields in another order",
      having("Sec-WebSocket-Accept: {accept}", "Connection: Upgrade", "Upgrade: websocket")
    ],
    [
      "more-fields",
      "fields that it does not know",
      having("Server: x", "Set-Cookie: a=b", "Set-Cookie: c=d", "__proto__: x", "X-Empty:")
    ],
    ["not-ascii", "letters above ASCII in a value", having("X-Unknown: caf\u00e9"), { section: "RFC 9110 §5.5" }],
    ["connection-last", "keep-alive before Upgrade", having("Connection: keep-alive, Upgrade")],
    ["connection-first", "keep-alive after Upgrade", having("Connection: Upgrade,keep-alive")],
    ["connection-lines", "Connection over two lines", having("Connection: keep-alive", "Connection: Upgrade")],
    ["no-reason", "no reason phrase", line("HTTP/1.1 101 "), { section: "RFC 9112 §4" }],
    ["other-reason", "a reason phrase that says otherwise", line("HTTP/1.1 101 404 No"), { section: "RFC 9112 §4" }],
    [
      "odd-reason",
      "letters above ASCII in the reason phrase",
      line("HTTP/1.1 101 caf\u00e9\t!"),
      { section: "RFC 9112 §4" }
    ],
    ["fold", "a folded line", having("X-Unknown: a\r\n b"), { section: "RFC 9112 §5.2" }],
    [
      "fold-connection",
      "a folded Connection",
      having("Connection: keep-alive,\r\n\tUpgrade"),
      { section: "RFC 9112 §5.2" }
    ],
    ["fold-accept", "a folded accept", having("Sec-WebSocket-Accept:\r\n {accept}"), { section: "RFC 9112 §5.2" }],
    ["1.2", "a reply of HTTP/1.2", line("HTTP/1.2 101 Switching Protocols"), { ...open, section: "RFC 9110 §6.2" }]
  ]),
  // "always terminated by the first empty line after the header fields, regardless of the header fields present": whether
  // a client takes such a reply is open, not what follows it
  ...opens(
    "reply",
    "RFC 9112 §6.3",
    [
      ["length", "a length, which a 101 must not have", having("Content-Length: 7")],
      ["length-0", "a length of 0, which a 101 must not have", having("Content-Length: 0")],
      ["coding", "a coding, which a 101 must not have", having("Transfer-Encoding: chunked")]
    ],
    open
  ),
  ...opens("interim", "RFC 9110 §15.2", [
    ["100", "a 101 after a 100", `HTTP/1.1 100 Continue\r\n\r\n${reply()}`],
    ["103", "a 101 after a 103 with fields", `HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n${reply()}`],
    ["unknown", "a 101 after a 1xx that nobody knows", `HTTP/1.1 199 \r\n\r\n${reply()}`],
    ["three", "a 101 after three others", `${"HTTP/1.1 102 Processing\r\n\r\n".repeat(3)}${reply()}`],
    [
      "length",
      "a 101 after a 100 with a length, which has no content either",
      `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n${reply()}`,
      { section: "RFC 9112 §6.3" }
    ]
  ])
]

const received = (name: string, what: string, steps: ReadonlyArray<Step>): Case => ({
  id: `opening/reply-pieces/${name}`,
  title: `Opens the connection for ${what}.`,
  section: "RFC 6455 §4.2.2",
  group: "opening",
  role: "client",
  steps: [{ _tag: "ReceiveRequest", fields: {} }, ...steps]
})

const responses = (pieces: ReadonlyArray<Bytes>): ReadonlyArray<Step> =>
  pieces.map((head): Step => ({ _tag: "Response", head }))

const pieces: ReadonlyArray<Case> = [
  received("bytes", "a reply byte by byte", [...responses(bytesOf(reply())), ...echo]),
  received("lines", "a reply line by line", [...responses(reply().split(/(?<=\n)/)), ...echo]),
  received("last-byte", "a reply that is cut before its last byte", [
    ...responses([reply().slice(0, -1), "\n"]),
    ...echo
  ]),
  received("interim", "a 100 and a 101 in two pieces", [
    ...responses(["HTTP/1.1 100 Continue\r\n\r\nHTT", reply().slice(3)]),
    ...echo
  ]),
  received("frame-behind", "a frame in the same write as the reply", [...responses([[reply(), helloOfServer]]), hello]),
  received("two-behind", "two frames in the same write as the reply", [
    ...responses([[reply(), helloOfServer, helloOfServer]]),
    {
      _tag: "Receive",
      messages: [
        { type: "text", payload: "Hello" },
        { type: "text", payload: "Hello" }
      ]
    }
  ]),
  received("half-behind", "half a frame in the same write as the reply", [
    ...responses([[reply(), { hex: "810548" }]]),
    { _tag: "SendBytes", bytes: "ello" },
    hello
  ]),
  received("ping-behind", "a Ping in the same write as the reply", [
    ...responses([[reply(), { hex: "890178" }]]),
    { _tag: "Receive", pongs: ["x"] }
  ]),
  received("close-behind", "a reply with a Close in the same write", [
    ...responses([[reply(), { hex: "880203e8" }]]),
    { _tag: "ReceiveClose", codes: [1000] }
  ])
]

/** A refusal after which the connection ends, so that there is nothing to try again on it (RFC 9112 §9.6). */
const refusal = (status: string, ...fields: ReadonlyArray<string>): string =>
  [`HTTP/1.1 ${status}`, ...fields, "Connection: close", "Content-Length: 0", "", ""].join("\r\n")

const replies: ReadonlyArray<readonly [status: string, reason: string, fields: ReadonlyArray<string>]> = [
  ["200", "OK", []],
  ["204", "No Content", []],
  ["206", "Partial Content", []],
  ["301", "Moved Permanently", ["Location: /elsewhere"]],
  ["302", "Found", ["Location: /elsewhere"]],
  ["303", "See Other", ["Location: /elsewhere"]],
  ["304", "Not Modified", []],
  ["307", "Temporary Redirect", ["Location: /elsewhere"]],
  ["308", "Permanent Redirect", ["Location: /elsewhere"]],
  ["400", "Bad Request", ["Sec-WebSocket-Version: 13"]],
  ["401", "Unauthorized", ['WWW-Authenticate: Basic realm="x"']],
  ["403", "Forbidden", []],
  ["404", "Not Found", []],
  ["407", "Proxy Authentication Required", ['Proxy-Authenticate: Basic realm="x"']],
  ["426", "Upgrade Required", ["Upgrade: websocket", "Sec-WebSocket-Version: 8, 7"]],
  ["429", "Too Many Requests", ["Retry-After: 1"]],
  ["471", "Unknown", []],
  ["500", "Internal Server Error", []],
  ["503", "Service Unavailable", ["Retry-After: 1"]],
  ["600", "Unknown", []]
]

const statuses = replies.map(
  ([status, reason, fields]): Case => ({
    id: `opening/status/${status}`,
    title: `Ends the connection after a ${status}, without a frame.`,
    section: "RFC 6455 §4.1",
    group: "opening",
    role: "client",
    steps: [
      { _tag: "ReceiveRequest", fields: {} },
      { _tag: "Response", head: refusal(`${status} ${reason}`, ...fields) },
      end
    ]
  })
)

const ended: ReadonlyArray<Case> = [
  ...leaves("reply-end", "RFC 9112 §8", [
    ["nothing", "no reply at all", ""],
    ["half", "half a reply", reply().slice(0, 40)],
    ["last-byte", "a reply without its last byte", reply().slice(0, -1)],
    ["interim", "a 100 and nothing more", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["content", "a 401 with half its content", "HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nabcde"],
    ["until-close", "a 403 with content of no length", "HTTP/1.1 403 No\r\n\r\nabcde"]
  ]),
  {
    id: "opening/reply-end/reset",
    title: "Ends the connection after a reset in the midst of the reply.",
    section: "RFC 6455 §4.1",
    group: "opening",
    role: "client",
    steps: [{ _tag: "ReceiveRequest", fields: {} }, { _tag: "Response", head: reply().slice(0, 40) }, { _tag: "Reset" }]
  }
]

/** `{accept}` always has 28 letters. */
const size = reply().length - "{accept}".length + 28
const filled = (times: number): Bytes => [reply().slice(0, -2), "X: ", { repeat: "a", times }, "\r\n\r\n"]
const many = (times: number): Bytes => [reply().slice(0, -2), { repeat: "X: y\r\n", times }, "\r\n"]
const headSize = { setup: { maxHeadSize: size + "X: \r\n".length + 10 } }
const fieldCount = { setup: { maxFields: 20 } }

const limits: ReadonlyArray<Case> = [
  ...opens("reply-limits", "RFC 9110 §5.4", [
    ["head-at", "a head of as many bytes as are allowed", filled(10), headSize],
    ["fields-at", "as many fields as are allowed", many(17), fieldCount]
  ]),
  ...fails(
    "reply-limits",
    "RFC 9110 §5.4",
    [
      ["head-above", "a head of one byte more than is allowed", filled(11)],
      ["fields-above", "one field more than is allowed", many(18), fieldCount],
      ["endless-value", "a value without end", [reply().slice(0, -2), "X: ", { repeat: "a", times: 1000 }]],
      ["endless-name", "a name without end", [reply().slice(0, -2), { repeat: "a", times: 1000 }]],
      ["endless-reason", "a reason phrase without end", ["HTTP/1.1 101 ", { repeat: "a", times: 1000 }]],
      ["endless-fields", "fields without end", [reply().slice(0, -2), { repeat: "X: y\r\n", times: 200 }]]
    ],
    headSize
  )
]

/**
 * Every case of a client's opening handshake.
 *
 * @internal
 */
export const openingClient: ReadonlyArray<Case> = [
  ...asking,
  ...good,
  ...pieces,
  ...statuses,
  ...openingReplies,
  ...ended,
  ...limits
]
