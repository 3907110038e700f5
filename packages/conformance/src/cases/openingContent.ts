/**
 * Content in a request that opens a WebSocket, and what comes behind a request that is refused (RFC 9112 §6, §9.6): what
 * two recipients take for different things can be smuggled past one of them.
 */
import type { Bytes, Case } from "../Case.js"
import {
  beginning,
  counted,
  end,
  endOutput,
  having,
  helloOfClient,
  lacking,
  open,
  request,
  server
} from "../internal/openingCase.js"

const { accepts, either, ignores, refuses } = server("opening")

const length = (value: string): string => having(`Content-Length: ${value}`)
const coding = (value: string): string => having(`Transfer-Encoding: ${value}`)

const content: ReadonlyArray<Case> = [
  ...accepts("content", "RFC 9110 §8.6", [["length-0", "a length of 0", length("0")]]),
  ...either("content", "RFC 9110 §8.6", [
    ["length-list", "one length twice in a line", length("0, 0")],
    ["length-twice", "one length in two lines", having("Content-Length: 0", "Content-Length: 0")]
  ]),
  ...either("content", "RFC 9110 §7.8", [
    ["frame", "content, and does not take it for frames", [length("11"), helloOfClient]],
    ["chunk", "a chunk, and does not take it for frames", [coding("chunked"), "b\r\n", helloOfClient, "\r\n0\r\n\r\n"]],
    ["no-chunk", "no chunks, and does not take them for frames", `${coding("chunked")}0\r\n\r\n`]
  ]),
  ...refuses(
    "content",
    "RFC 9112 §6.3",
    [
      ["length-empty", "an empty length with 400, and ends the connection", having("Content-Length:")],
      ["length-sign", "a length with a sign with 400, and ends the connection", length("+0")],
      ["length-negative", "a negative length with 400, and ends the connection", length("-1")],
      ["length-hexadecimal", "a length in hexadecimal with 400, and ends the connection", length("0x0")],
      ["length-fraction", "a length with a fraction with 400, and ends the connection", length("0.0")],
      ["length-words", "a length in words with 400, and ends the connection", length("none")],
      ["lengths-in-list", "two lengths in a line with 400, and ends the connection", length("0, 5")],
      [
        "lengths",
        "two lengths in two lines with 400, and ends the connection",
        having("Content-Length: 0", "Content-Length: 5")
      ],
      ["coding-gzip", "a coding that is not chunked with 400, and ends the connection", coding("gzip")],
      ["coding-last", "a coding behind chunked with 400, and ends the connection", coding("chunked, gzip")],
      // §6.1: "a transfer coding it does not understand SHOULD respond with 501"
      [
        "coding-unknown",
        "a coding that nobody knows, and ends the connection",
        coding("xchunked"),
        { statuses: [400, 501] }
      ]
    ],
    { statuses: [400], after: [end] }
  ),
  ...refuses("content", "RFC 9112 §6.1", [
    [
      "length-and-coding",
      "a length beside a coding, and ends the connection",
      `${having("Content-Length: 0", "Transfer-Encoding: chunked")}0\r\n\r\n`,
      { after: [end] }
    ]
  ]),
  ...ignores("content", "RFC 9112 §6.1", [
    [
      "coding-1.0",
      "a coding in HTTP/1.0, and ends the connection",
      `${request({ line: "GET {path} HTTP/1.0", lines: ["Transfer-Encoding: chunked"] })}0\r\n\r\n`,
      { after: [end] }
    ]
  ]),
  ...either("content", "RFC 9110 §10.1.1", [["expect", "an expectation that nobody knows", having("Expect: 200-ok")]]),
  // §10.1.1 lets a server leave the 100 out where there is no content
  ...accepts("content", "RFC 9110 §7.8", [
    [
      "continue",
      "the expectation of a 100, which goes before the 101",
      having("Expect: 100-continue"),
      { ...open, statuses: [100], after: [{ _tag: "ReceiveResponse", statuses: [101] }] }
    ]
  ])
]

const wrapped = (line: string, lines: ReadonlyArray<string>): Bytes => [
  request({ line, lines: [...lines, `Content-Length: ${counted.length}`] }),
  counted
]

const behind: ReadonlyArray<Case> = [
  ...ignores(
    "behind",
    "RFC 9112 §6.3",
    [
      ["content-of-post", "a request that is the content of another", wrapped("POST {path} HTTP/1.1", [])],
      [
        "content-of-refused",
        "a request that is the content of one that is refused",
        wrapped("GET {path} HTTP/1.1", ["Sec-WebSocket-Version: 14"])
      ]
    ],
    { after: [endOutput, end] }
  ),
  ...ignores("behind", "RFC 9112 §9.6", [
    ["close", "a request behind one with close", [having("Connection: close"), request()], { after: [end] }]
  ]),
  ...refuses(
    "behind",
    "RFC 9112 §6.3",
    [
      ["length", "a bad length with 400, and all behind it", [length("x"), request()]],
      ["coding", "a bad coding with 400, and all behind it", [coding("gzip"), request()]]
    ],
    { statuses: [400], after: [end] }
  ),
  ...refuses("behind", "RFC 9112 §6.1", [
    [
      "length-and-coding",
      "a length beside a coding, and all behind it",
      [having(`Content-Length: ${counted.length + 5}`, "Transfer-Encoding: chunked"), "0\r\n\r\n", counted],
      { after: [end] }
    ]
  ]),
  // HTTP lets a connection go on after a request that was refused, if it is clear where that ended
  ...ignores(
    "behind",
    "RFC 9112 §9.6",
    [
      ["syntax", "what is behind a request with an empty name", [having(": x"), request()]],
      ["no-host", "what is behind a request without Host", [lacking("Host"), request()]],
      ["no-upgrade", "what is behind a request without Upgrade", [lacking("Upgrade"), request()]],
      ["no-key", "what is behind a request without key", [lacking("Sec-WebSocket-Key"), request()]],
      ["version", "what is behind a request of another version", [having("Sec-WebSocket-Version: 14"), request()]],
      ["post", "what is behind a POST", [beginning("POST {path} HTTP/1.1"), request()]],
      ["frame", "a frame behind a request without key", [lacking("Sec-WebSocket-Key"), helloOfClient]]
    ],
    { ...open, after: [end] }
  ),
  ...accepts("behind", "RFC 6455 §5.2", [
    [
      "second",
      "a request, and fails the connection for another behind it, which is no frame",
      [request(), request()],
      { after: [{ _tag: "ReceiveEnd" }] }
    ]
  ])
]

const left = (name: string, what: string, head: string, after: Case["steps"]): Case => ({
  id: `opening/left/${name}`,
  title: `${what}.`,
  section: "RFC 9112 §9.6",
  group: "opening",
  role: "server",
  steps: [{ _tag: "Request", head }, endOutput, ...after],
  informational: true
})

const leaving: ReadonlyArray<Case> = [
  left("refused", "Answers a bad request whose client has ended its output", lacking("Sec-WebSocket-Key"), [
    { _tag: "ReceiveResponse", statuses: [400, 426] },
    end
  ]),
  left("nothing", "Ends the connection of a client that leaves without a word", "", [end]),
  left("half", "Ends the connection of a client that leaves in the midst of its request", "GET {path} HTTP/1.1\r\nHo", [
    end
  ]),
  left(
    "last-byte",
    "Ends the connection of a client that leaves before the last byte of its request",
    request().slice(0, -1),
    [end]
  )
]

/**
 * Every case of content, of what comes behind a request, and of clients that leave.
 *
 * @internal
 */
export const openingContent: ReadonlyArray<Case> = [...content, ...behind, ...leaving]
