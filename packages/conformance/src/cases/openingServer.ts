/**
 * The opening handshake of a server (RFC 6455 §4.2): the request line, the pieces that a request comes in, the 101; and,
 * from the modules beside this one, the fields, the syntax, and what is not of the head.
 */
import type { Case, Step } from "../Case.js"
import {
  beginning,
  bytesOf,
  echo,
  end,
  endOutput,
  errors,
  having,
  hello,
  helloOfClient,
  open,
  request,
  sampleKey,
  server
} from "../internal/openingCase.js"
import { openingContent } from "./openingContent.js"
import { openingFields } from "./openingFields.js"
import { openingSyntax } from "./openingSyntax.js"

const { accepts, ignores, refuses } = server("opening")

const answer = (accept: string) => ({ fields: { "Sec-WebSocket-Accept": accept } })
const keyed = (key: string): string => having(`Sec-WebSocket-Key: ${key}`)
const renamed = (change: (name: string) => string): string => request().replaceAll(/^[A-Za-z-]+:/gm, change)

const switching: ReadonlyArray<Case> = accepts("switching", "RFC 6455 §4.2.2", [
  [
    "minimal",
    "a request with no more than it needs, by a 101 with no more than that",
    request(),
    {
      fields: { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": "{accept}" },
      absent: ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"],
      after: echo
    }
  ],
  ["sample-key", "the key of the RFC", keyed(sampleKey), answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")],
  ["zero-key", "a key of zeros", keyed("AAAAAAAAAAAAAAAAAAAAAA=="), answer("ICX+Yqv66kxgM0FcWaLWlFLwTAI=")],
  ["slash-key", "a key of slashes", keyed("/////////////////////w=="), answer("XXpj4jYzLM2yUE0C7TIgMwTQh2g=")],
  [
    "no-length",
    "a request by a 101 without Content-Length",
    request(),
    { section: "RFC 9110 §8.6", absent: ["Content-Length"] }
  ],
  [
    "no-coding",
    "a request by a 101 without Transfer-Encoding",
    request(),
    { section: "RFC 9112 §6.1", absent: ["Transfer-Encoding"] }
  ]
])

const forms: ReadonlyArray<Case> = accepts("form", "RFC 6455 §4.2.1", [
  ["no-white-space", "fields without white space", request().replaceAll(": ", ":")],
  ["white-space", "fields with more white space", request().replaceAll(/: (.*)\r/g, ":\t  $1 \t\r")],
  ["lower-case", "names in lower case", renamed((name) => name.toLowerCase())],
  ["upper-case", "names in upper case", renamed((name) => name.toUpperCase())],
  [
    "other-order",
    "fields in another order",
    having("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: {key}", "Connection: Upgrade", "Host: {host}")
  ],
  [
    "unknown-fields",
    "fields that it does not know",
    having("X-Unknown: x", "X-Unknown: y", "__proto__: z", "X-Empty:")
  ],
  ["credentials", "cookies and credentials", having("Cookie: a=b; c=d", "Authorization: Basic YTpi")],
  ["accept-of-client", "a field of the server's own reply", having("Sec-WebSocket-Accept: x")]
])

const methods: ReadonlyArray<Case> = [
  ...ignores("method", "RFC 6455 §4.2.1", [
    ["post", "POST", beginning("POST {path} HTTP/1.1")],
    ["put", "PUT", beginning("PUT {path} HTTP/1.1")],
    ["head", "HEAD", beginning("HEAD {path} HTTP/1.1")],
    ["options", "OPTIONS", beginning("OPTIONS {path} HTTP/1.1")],
    ["options-asterisk", "OPTIONS *", beginning("OPTIONS * HTTP/1.1")],
    ["connect", "CONNECT", beginning("CONNECT {host} HTTP/1.1"), open],
    ["unknown", "a method that nobody knows", beginning("BREW {path} HTTP/1.1")],
    ["lower-case", "get in lower case, which is another method", beginning("get {path} HTTP/1.1")],
    ["longer", "a method that begins like GET", beginning("GETS {path} HTTP/1.1")],
    [
      "head-content",
      "HEAD, nor sends content",
      beginning("HEAD {path} HTTP/1.1"),
      { section: "RFC 9110 §9.3.2", after: [endOutput, end] }
    ]
  ]),
  ...refuses("method", "RFC 9110 §15.5.6", [
    [
      "allow",
      "POST with a 405 that says what is allowed",
      beginning("POST {path} HTTP/1.1"),
      { ...open, statuses: [405], fields: { Allow: null } }
    ]
  ])
]

const httpVersions: ReadonlyArray<Case> = [
  ...ignores("http-version", "RFC 9110 §7.8", [
    ["1.0", "HTTP/1.0", beginning("GET {path} HTTP/1.0")],
    ["0.9", "HTTP/0.9", beginning("GET {path} HTTP/0.9")]
  ]),
  ...accepts("http-version", "RFC 9110 §6.2", [
    ["1.2", "a higher minor version as 1.1", beginning("GET {path} HTTP/1.2"), open]
  ]),
  ...refuses("http-version", "RFC 9112 §2.3", [
    [
      "2.0",
      "HTTP/2.0 in the syntax of HTTP/1.1",
      beginning("GET {path} HTTP/2.0"),
      { ...open, section: "RFC 9110 §2.5" }
    ],
    ["lower-case", "a version in lower case", beginning("GET {path} http/1.1")],
    ["two-digits", "a minor version of two digits", beginning("GET {path} HTTP/1.10")],
    ["no-minor", "a version without a minor one", beginning("GET {path} HTTP/1")],
    ["three-parts", "a version of three parts", beginning("GET {path} HTTP/1.1.1")],
    ["letters", "a version of letters", beginning("GET {path} HTTP/x.y")],
    ["sign", "a version with a sign", beginning("GET {path} HTTP/+1.1")],
    ["other-protocol", "the version of another protocol", beginning("GET {path} ICY/1.1")],
    ["space", "a version with a space for its slash", beginning("GET {path} HTTP 1.1")],
    ["missing", "a request line without version", beginning("GET {path}")]
  ])
]

const targets: ReadonlyArray<Case> = [
  ...accepts("target", "RFC 9112 §3.2.2", [
    ["absolute", "a target in absolute form", beginning("GET http://{host}{path} HTTP/1.1")],
    ["absolute-upper-case", "a scheme in upper case", beginning("GET HTTP://{host}{path} HTTP/1.1")],
    [
      "absolute-other-host",
      "a target in absolute form, whose Host does not count",
      request({ line: "GET http://{host}{path} HTTP/1.1", lines: ["Host: other.example"] })
    ],
    ["https", "an absolute https URI", beginning("GET https://{host}{path} HTTP/1.1"), open]
  ]),
  ...accepts(
    "target",
    "RFC 9112 §3.2.1",
    [
      ["query", "a query", beginning("GET {path}?room=1&name=a%20b HTTP/1.1")],
      ["empty-query", "an empty query", beginning("GET {path}? HTTP/1.1")],
      ["braces", "braces and bars in a query, as browsers send them", beginning("GET {path}?x={y}|z HTTP/1.1")]
    ],
    open
  ),
  ...refuses(
    "target",
    "RFC 9112 §3.2",
    [
      ["no-slash", "a target without a slash", beginning("GET chat HTTP/1.1")],
      ["fragment", "a fragment", beginning("GET {path}#x HTTP/1.1")],
      ["quotes", "quotes and brackets in a query", beginning('GET {path}?x="<y>" HTTP/1.1'), open],
      ["empty", "a request line without target", beginning("GET HTTP/1.1")],
      ["space", "a space in the target", beginning("GET {path} x HTTP/1.1")],
      ["control", "a control character in the target", beginning("GET {path}\u0001 HTTP/1.1")],
      ["nul", "a NUL in the target", beginning("GET {path}\0 HTTP/1.1")],
      ["del", "a DEL in the target", beginning("GET {path}\u007f HTTP/1.1")],
      ["not-ascii", "a letter above ASCII in the target", beginning("GET {path}\u00e9 HTTP/1.1")],
      ["authority", "the authority form, which is for CONNECT", beginning("GET {host} HTTP/1.1")],
      ["asterisk", "the asterisk form, which is for OPTIONS", beginning("GET * HTTP/1.1")]
    ],
    // "a 400 (Bad Request) error or a 301 (Moved Permanently) redirect with the request-target properly encoded"
    { statuses: [301, ...errors] }
  ),
  ...refuses("target", "RFC 6455 §4.2.1", [
    ["other-scheme", "an absolute URI of another scheme", beginning("GET ftp://{host}{path} HTTP/1.1")],
    ["ws", "an absolute ws URI", beginning("GET ws://{host}{path} HTTP/1.1"), open],
    ["no-host", "an http URI without a host", beginning("GET http://{path} HTTP/1.1"), { section: "RFC 9110 §4.2.1" }],
    [
      "user",
      "user information",
      beginning("GET http://a:b@{host}{path} HTTP/1.1"),
      { ...open, section: "RFC 9110 §4.2.4" }
    ]
  ])
]

const inPieces = (name: string, what: string, pieces: ReadonlyArray<string>): Case => ({
  id: `opening/pieces/${name}`,
  title: `Accepts ${what}.`,
  section: "RFC 9112 §2.2",
  group: "opening",
  role: "server",
  steps: [
    ...pieces.map((head): Step => ({ _tag: "Request", head })),
    { _tag: "ReceiveResponse", statuses: [101] },
    ...echo
  ]
})

const pieces: ReadonlyArray<Case> = [
  inPieces("bytes", "a request byte by byte", bytesOf(request())),
  inPieces("lines", "a request line by line", request().split(/(?<=\n)/)),
  inPieces("cut-in-line", "a request that is cut in its first line", ["GE", request().slice(2)]),
  inPieces("cut-in-end", "a request that is cut before its last byte", [request().slice(0, -1), "\n"]),
  ...accepts("pieces", "RFC 6455 §4.1", [
    [
      "frame-behind",
      "a frame in the same write as the request",
      [request(), helloOfClient],
      { ...open, after: [hello] }
    ],
    [
      "half-behind",
      "half a frame in the same write as the request",
      [request(), { hex: "818537fa21" }],
      { ...open, after: [{ _tag: "SendBytes", bytes: { hex: "3d7f9f4d5158" } }, hello] }
    ]
  ])
]

/**
 * Every case of a server's opening handshake.
 *
 * @internal
 */
export const openingServer: ReadonlyArray<Case> = [
  ...switching,
  ...forms,
  ...methods,
  ...httpVersions,
  ...targets,
  ...openingFields,
  ...pieces,
  ...openingSyntax,
  ...openingContent
]
