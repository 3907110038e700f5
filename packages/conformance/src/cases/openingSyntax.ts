/**
 * What HTTP/1.1 says of the lines of a request, and the limits on them (RFC 9112 §2 to §5, RFC 9110 §5).
 */
import type { Bytes, Case } from "../Case.js"
import { beginning, counted, end, having, helloOfClient, open, request, server } from "../internal/openingCase.js"

const { accepts, either, refuses } = server("opening")

const lines: ReadonlyArray<Case> = [
  ...accepts("line", "RFC 9112 §2.2", [["empty-first", "an empty line before a request", `\r\n${request()}`, open]]),
  ...either("line", "RFC 9112 §2.2", [
    ["two-empty-first", "two empty lines before a request", `\r\n\r\n${request()}`],
    ["lf", "lines that end in LF", request().replaceAll("\r\n", "\n")],
    ["one-lf", "one line that ends in LF", request().replace("\r\nUpgrade", "\nUpgrade")],
    ["last-lf", "an LF for the empty line", `${request().slice(0, -2)}\n`],
    ["cr-cr-lf", "a CR before a CRLF", request().replace("\r\nUpgrade", "\r\r\nUpgrade")],
    ["cr-in-unknown", "a bare CR in a field that does not matter", having("X-Unknown: a\rb")],
    [
      "white-space-first",
      "white space before a first field that does not matter",
      beginning("GET {path} HTTP/1.1\r\n X-Unknown: x")
    ]
  ]),
  ...refuses("line", "RFC 9112 §2.2", [
    ["cr", "a bare CR for the end of a line", request().replace("\r\nConnection", "\rConnection")],
    ["cr-in-upgrade", "a bare CR in Upgrade", having("Upgrade: web\rsocket")],
    ["cr-in-name", "a bare CR in a name", request().replace("Upgrade:", "Up\rgrade:")],
    [
      "white-space-first-upgrade",
      "white space before a first field that is Upgrade",
      request({ line: "GET {path} HTTP/1.1\r\n Upgrade: websocket", without: ["Upgrade"] })
    ],
    ["no-colon", "a line without a colon", request().replace("\r\nHost", "\r\nunknown\r\nHost")]
  ]),
  // "recipients MAY instead parse on whitespace-delimited word boundaries"
  ...either("line", "RFC 9112 §3", [
    ["leading-space", "a space before the method", beginning(" GET {path} HTTP/1.1")],
    ["two-spaces", "two spaces in the request line", beginning("GET  {path} HTTP/1.1")],
    ["tab", "a tab in the request line", beginning("GET\t{path} HTTP/1.1")],
    ["trailing-space", "a space behind the version", beginning("GET {path} HTTP/1.1 ")]
  ]),
  ...either(
    "line",
    "RFC 9112 §5.2",
    [
      ["fold", "a folded line", having("X-Unknown: a\r\n b")],
      ["fold-tab", "a line that is folded with a tab", having("X-Unknown: a\r\n\tb")],
      ["fold-connection", "a folded Connection", having("Connection: keep-alive,\r\n Upgrade")],
      ["fold-key", "a folded key", having("Sec-WebSocket-Key:\r\n {key}")]
    ],
    { statuses: [101, 400] }
  ),
  ...refuses(
    "garbage",
    "RFC 9112 §2.2",
    [
      ["tls", "the beginning of TLS", { hex: "16030100c8010000c40303 0d0a0d0a" }],
      ["frame", "a frame in place of a request", [helloOfClient, "\r\n\r\n"]],
      ["response", "a response in place of a request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
      ["text", "a text in place of a request", "hello\r\n\r\n"],
      ["http-2", "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    ],
    { ...open, after: [end] }
  )
]

const fields: ReadonlyArray<Case> = [
  ...refuses(
    "field",
    "RFC 9112 §5.1",
    [
      ["space-before-colon", "a space before a colon with 400", request().replace("Upgrade:", "Upgrade :")],
      ["tab-before-colon", "a tab before a colon with 400", request().replace("Upgrade:", "Upgrade\t:")],
      ["space-in-unknown", "a space before a colon that does not matter with 400", having("X-Unknown : x")]
    ],
    { statuses: [400] }
  ),
  ...refuses("field", "RFC 9110 §5.1", [
    ["empty-name", "an empty name", having(": x")],
    ["name-space", "a name with a space", having("X Unknown: x")],
    ["name-parentheses", "a name with parentheses", having("X-(Unknown): x")],
    ["name-quoted", "a name in quotes", having('"X-Unknown": x')],
    ["name-nul", "a name with a NUL", having("X-\0: x")],
    ["name-control", "a name with a control character", having("X-\u0001: x")],
    ["name-not-ascii", "a name with a letter above ASCII", having("X-Caf\u00e9: x")]
  ]),
  ...accepts("field", "RFC 9110 §5.5", [
    [
      "any-token",
      "all characters of a token in a name",
      having("!#$%&'*+-.^_`|~09aZ: x"),
      { section: "RFC 9110 §5.6.2" }
    ],
    ["not-ascii", "letters above ASCII in a value", having("X-Unknown: caf\u00e9")],
    [
      "any-octet",
      "octets above ASCII in a value",
      [request().slice(0, -2), "X-Unknown: ", { hex: "80a0ff" }, "\r\n\r\n"]
    ],
    ["colons", "colons in a value", having("X-Unknown: a: b::")],
    ["inner-tab", "a tab in a value", having("X-Unknown: a\tb")]
  ]),
  ...either("field", "RFC 9110 §5.5", [
    ["nul", "a NUL in a value that does not matter", having("X-Unknown: a\0b")],
    ["escape", "an escape in a value that does not matter", having("X-Unknown: \u001b[31m")],
    ["del", "a DEL in a value that does not matter", having("X-Unknown: \u007f")]
  ]),
  ...refuses("field", "RFC 9110 §5.5", [["nul-in-upgrade", "a NUL in Upgrade", having("Upgrade: web\0socket")]])
]

const unfinished = counted.slice(0, -2)
const filled = (times: number): Bytes => [unfinished, "X: ", { repeat: "a", times }, "\r\n\r\n"]
const many = (times: number): Bytes => [unfinished, { repeat: "X: y\r\n", times }, "\r\n"]
const targeted = (length: number): Bytes => ["GET /", { repeat: "a", times: length - 1 }, counted.slice("GET /".length)]

const headSize = { setup: { maxHeadSize: counted.length + "X: \r\n".length + 10 } }
const fieldCount = { setup: { maxFields: 20 } }
const targetSize = { setup: { maxTarget: 100 } }

/** RFC 9110 §5.4: "MUST respond with an appropriate 4xx (Client Error) status code". */
const tooLarge = [400, 413, 431]

const limits: ReadonlyArray<Case> = [
  ...accepts("limits", "RFC 9110 §5.4", [
    ["head-at", "a head of as many bytes as are allowed", filled(10), headSize],
    ["fields-at", "as many fields as are allowed", many(15), fieldCount],
    ["target-at", "a target as long as is allowed", targeted(100), { ...targetSize, section: "RFC 9112 §3" }],
    [
      "8000-bytes",
      "a request line of 8000 bytes",
      targeted(8000 - "GET  HTTP/1.1".length),
      { ...open, section: "RFC 9112 §3" }
    ]
  ]),
  ...refuses(
    "limits",
    "RFC 9110 §5.4",
    [
      ["fields-above", "one field more than is allowed", many(16), fieldCount],
      ["head-above", "a head of one byte more than is allowed", filled(11)],
      ["endless-value", "a value without end", [unfinished, "X: ", { repeat: "a", times: 1000 }]],
      ["endless-space", "white space without end", [unfinished, "X:", { repeat: " ", times: 1000 }]],
      ["endless-name", "a name without end", [unfinished, { repeat: "a", times: 1000 }]],
      ["endless-fields", "fields without end", [unfinished, { repeat: "X: y\r\n", times: 200 }]],
      [
        "endless-method",
        "a method without end",
        { repeat: "A", times: 1000 },
        { statuses: [...tooLarge, 405, 501], section: "RFC 9112 §3" }
      ]
    ],
    { ...headSize, statuses: tooLarge }
  ),
  ...refuses(
    "limits",
    "RFC 9112 §3",
    [
      ["target-above", "a target of one byte more than is allowed with 414", targeted(101)],
      ["endless-target", "a target without end with 414", ["GET /", { repeat: "a", times: 1000 }]]
    ],
    { ...targetSize, statuses: [414] }
  )
]

/**
 * Every case of the syntax of a request, and of the limits on it.
 *
 * @internal
 */
export const openingSyntax: ReadonlyArray<Case> = [...lines, ...fields, ...limits]
