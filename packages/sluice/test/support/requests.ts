/**
 * Requests to open a WebSocket, good and bad, as text in ISO-8859-1, with the verdict of a server that speaks the
 * subprotocols `chat.v2` and `chat.v1` and takes pages of its own origin only.
 */

/** `Accepted`, or the tag of the refusal and the reason of a `BadRequest`. */
export type Verdict = string

export interface Case {
  readonly id: string
  readonly request: string
  readonly expected: Verdict
}

/** RFC 6455 §1.3 */
export const key = "dGhlIHNhbXBsZSBub25jZQ=="

const base = [
  "Host: server.example.com",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${key}`,
  "Sec-WebSocket-Version: 13"
]

const nameOf = (line: string): string => line.slice(0, line.indexOf(":")).toLowerCase()

/** A request that is right, but for the lines given: those of a name take the place of all lines of that name. */
export const ask = (
  changes: {
    readonly line?: string
    readonly lines?: ReadonlyArray<string>
    readonly without?: ReadonlyArray<string>
    readonly rest?: string
  } = {}
): string => {
  const { line = "GET /chat HTTP/1.1", lines = [], rest = "", without = [] } = changes
  const replaced = new Set([...without.map((name) => name.toLowerCase()), ...lines.map(nameOf)])
  return `${[line, ...base.filter((own) => !replaced.has(nameOf(own))), ...lines, "", ""].join("\r\n")}${rest}`
}

const lines = (...lines: ReadonlyArray<string>): string => ask({ lines })

const cases: ReadonlyArray<readonly [id: string, expected: Verdict, request: string]> = [
  // what is right
  ["the least that is needed", "Accepted", ask()],
  [
    "the request of RFC 6455 §1.3",
    "Accepted",
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Key: ${key}\r\nOrigin: http://server.example.com\r\nSec-WebSocket-Protocol: chat.v1, superchat\r\n` +
      "Sec-WebSocket-Version: 13\r\n\r\n"
  ],
  [
    "a browser",
    "Accepted",
    lines(
      "Connection: keep-alive, Upgrade",
      "Pragma: no-cache",
      "Cache-Control: no-cache",
      "Accept-Encoding: gzip, deflate, br",
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0)",
      "Origin: http://server.example.com",
      "Cookie: a=b; c=d",
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    )
  ],
  ["early data in the same segment", "Accepted", ask({ rest: "\u0081\u0085\u0001\u0002\u0003\u0004abcde" })],
  ["names in lower case", "Accepted", ask().replaceAll(/^[A-Za-z-]+:/gm, (name) => name.toLowerCase())],
  ["names in upper case", "Accepted", ask().replaceAll(/^[A-Za-z-]+:/gm, (name) => name.toUpperCase())],
  [
    "fields in another order",
    "Accepted",
    ask({
      without: ["Host"],
      lines: [`Sec-WebSocket-Key: ${key}`, "Connection: Upgrade", "Host: server.example.com"]
    })
  ],
  ["no white space", "Accepted", ask().replaceAll(": ", ":")],
  ["white space around values", "Accepted", ask().replaceAll(": ", ":\t  ").replaceAll("\r\nC", " \t\r\nC")],
  ["one empty line before the request", "Accepted", `\r\n${ask()}`],
  ["HTTP/1.2 (RFC 9110 §6.2)", "Accepted", ask({ line: "GET /chat HTTP/1.2" })],
  ["a query", "Accepted", ask({ line: "GET /chat?room=1&x={y}|z HTTP/1.1" })],
  ["a path of slashes", "Accepted", ask({ line: "GET //evil.example/chat HTTP/1.1" })],
  ["an absolute target (RFC 9112 §3.2.2)", "Accepted", ask({ line: "GET http://server.example.com/chat HTTP/1.1" })],
  [
    "an absolute target, and another Host",
    "Accepted",
    ask({
      line: "GET https://server.example.com HTTP/1.1",
      lines: ["Host: other"]
    })
  ],
  ["an absolute target, and an empty Host", "Accepted", ask({ line: "GET http://a/ HTTP/1.1", lines: ["Host:"] })],
  [
    "127 further fields less the needed ones",
    "Accepted",
    ask({ lines: Array.from({ length: 123 }, (_, i) => `X-${i}: y`) })
  ],
  ["one field many times", "Accepted", lines(...Array.from({ length: 100 }, () => "X: y"))],
  ["hostile names", "Accepted", lines("__proto__: x", "constructor: y", "hasOwnProperty: z", "toString:")],
  ["obs-text in a field that does not matter", "Accepted", lines("X-Name: caf\u00e9\u00ff")],
  ["100-continue (RFC 9110 §7.8)", "Accepted", lines("Expect: 100-continue")],
  // syntax, RFC 9112
  ["bare LF", "BadRequest Syntax", ask().replaceAll("\r\n", "\n")],
  ["one bare LF", "BadRequest Syntax", ask().replace("\r\nUpgrade", "\nUpgrade")],
  ["a bare LF at the end", "BadRequest Syntax", ask().replace(/\r\n\r\n$/, "\r\n\n")],
  ["a bare CR", "BadRequest Syntax", ask().replace("\r\nUpgrade", "\rUpgrade")],
  ["CR CR LF", "BadRequest Syntax", ask().replace("\r\nUpgrade", "\r\r\nUpgrade")],
  ["obs-fold", "BadRequest Syntax", lines("X: a\r\n b")],
  ["obs-fold in a list", "BadRequest Syntax", lines("Connection: keep-alive,\r\n\tUpgrade")],
  ["white space before the first field", "BadRequest Syntax", ask().replace("Host", " Host")],
  ["a space before the colon", "BadRequest Syntax", ask().replace("Upgrade:", "Upgrade :")],
  ["a tab before the colon", "BadRequest Syntax", ask().replace("Host:", "Host\t:")],
  ["a NUL in a value", "BadRequest Syntax", lines("X: a\0b")],
  ["a NUL in a name", "BadRequest Syntax", lines("X\0: a")],
  ["a control character in a value", "BadRequest Syntax", lines("X: \u001b[31m")],
  ["DEL in a value", "BadRequest Syntax", lines("X: \u007f")],
  ["a name that is not ASCII", "BadRequest Syntax", lines("Caf\u00e9: a")],
  ["a name in parentheses", "BadRequest Syntax", lines("(X): a")],
  ["no name", "BadRequest Syntax", lines(": a")],
  ["no colon", "BadRequest Syntax", ask().replace("Upgrade:", "Upgrade")],
  ["two empty lines before the request", "BadRequest Syntax", `\r\n\r\n${ask()}`],
  ["a simple request", "BadRequest Syntax", "GET /chat\r\n"],
  ["two spaces in the request line", "BadRequest Syntax", ask({ line: "GET  /chat HTTP/1.1" })],
  ["a tab in the request line", "BadRequest Syntax", ask({ line: "GET\t/chat HTTP/1.1" })],
  ["a space in the target", "BadRequest Syntax", ask({ line: "GET /a b HTTP/1.1" })],
  ["a target that is not ASCII", "BadRequest Syntax", ask({ line: "GET /caf\u00e9 HTTP/1.1" })],
  ["a NUL in the target", "BadRequest Syntax", ask({ line: "GET /\0 HTTP/1.1" })],
  ["no target", "BadRequest Syntax", ask({ line: "GET HTTP/1.1" })],
  ["a version in lower case", "BadRequest Syntax", ask({ line: "GET /chat http/1.1" })],
  ["a version of two digits", "BadRequest Syntax", ask({ line: "GET /chat HTTP/1.10" })],
  ["a version that is none", "BadRequest Syntax", ask({ line: "GET /chat HTTP/x.y" })],
  ["a method that is no token", "BadRequest Syntax", ask({ line: "G(E)T /chat HTTP/1.1" })],
  ["a TLS ClientHello", "BadRequest Syntax", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
  ["a WebSocket frame", "BadRequest Syntax", "\u0081\u0085\u0001\u0002\u0003\u0004abcde"],
  ["syntax comes before the version", "BadRequest Syntax", "GET / HTTP/1.0\r\nHost : a\r\n\r\n"],
  // limits
  ["a long target", "TargetTooLong", ask({ line: `GET /${"a".repeat(8 * 1024)} HTTP/1.1` })],
  ["a target without end", "TargetTooLong", `GET /${"a".repeat(8 * 1024)}`],
  ["5,000 fields", "HeadTooLarge", ask({ lines: Array.from({ length: 5000 }, (_, i) => `X-${i}: y`) })],
  [
    "2,000 fields, all short (CVE-2024-37890)",
    "HeadTooLarge",
    ask({ lines: Array.from({ length: 2000 }, () => "X:") })
  ],
  ["a long value (CVE-2023-43669)", "HeadTooLarge", lines(`X: ${"a".repeat(16 * 1024)}`)],
  ["a long name", "HeadTooLarge", lines(`${"X".repeat(16 * 1024)}: a`)],
  ["a long method", "HeadTooLarge", "A".repeat(16 * 1024 + 1)],
  ["16 KiB of white space", "HeadTooLarge", lines(`X:${" ".repeat(16 * 1024)}`)],
  // the version of HTTP, then the method
  ["HTTP/1.0", "HttpVersionNotSupported", ask({ line: "GET /chat HTTP/1.0" })],
  ["HTTP/2.0", "HttpVersionNotSupported", ask({ line: "GET /chat HTTP/2.0" })],
  ["HTTP/0.9", "HttpVersionNotSupported", ask({ line: "GET /chat HTTP/0.9" })],
  ["the preface of HTTP/2", "HttpVersionNotSupported", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["the version comes before the method", "HttpVersionNotSupported", "POST x HTTP/1.0\r\n\r\n"],
  ["POST", "MethodNotAllowed", ask({ line: "POST /chat HTTP/1.1" })],
  ["HEAD", "MethodNotAllowed", ask({ line: "HEAD /chat HTTP/1.1" })],
  ["OPTIONS *", "MethodNotAllowed", ask({ line: "OPTIONS * HTTP/1.1" })],
  ["CONNECT", "MethodNotAllowed", ask({ line: "CONNECT server.example.com:80 HTTP/1.1" })],
  ["get in lower case", "MethodNotAllowed", ask({ line: "get /chat HTTP/1.1" })],
  ["a method of one's own", "MethodNotAllowed", ask({ line: "GETS /chat HTTP/1.1" })],
  ["the method comes before the target", "MethodNotAllowed", ask({ line: "POST chat HTTP/1.1" })],
  [
    "the method comes before content",
    "MethodNotAllowed",
    ask({ line: "POST / HTTP/1.1", lines: ["Content-Length: 3"], rest: "a=b" })
  ],
  // the target
  ["a target without a slash", "BadRequest Target", ask({ line: "GET chat HTTP/1.1" })],
  ["an asterisk", "BadRequest Target", ask({ line: "GET * HTTP/1.1" })],
  ["a host and a port", "BadRequest Target", ask({ line: "GET server.example.com:80 HTTP/1.1" })],
  ["a fragment (RFC 6455 §3)", "BadRequest Target", ask({ line: "GET /chat#x HTTP/1.1" })],
  ["a target of another scheme", "BadRequest Target", ask({ line: "GET ftp://server.example.com/ HTTP/1.1" })],
  [
    "a target of the scheme ws (RFC 6455 §4.2.1)",
    "BadRequest Target",
    ask({ line: "GET ws://server.example.com/ HTTP/1.1" })
  ],
  [
    "a target with user information",
    "BadRequest Target",
    ask({ line: "GET http://user@server.example.com/ HTTP/1.1" })
  ],
  ["an absolute target without a host", "BadRequest Target", ask({ line: "GET http:///chat HTTP/1.1" })],
  ["a target that hides its host", "BadRequest Target", ask({ line: "GET http://a\\@b/ HTTP/1.1" })],
  // Host
  ["no Host", "BadRequest Host", ask({ without: ["Host"] })],
  ["an empty Host", "BadRequest Host", lines("Host:")],
  ["Host twice", "BadRequest RepeatedField", lines("Host: server.example.com", "Host: server.example.com")],
  ["two Hosts in two spellings", "BadRequest RepeatedField", lines("Host: a", "hOsT: b")],
  ["two Hosts in one line", "BadRequest Host", lines("Host: a, b")],
  ["a Host with a path", "BadRequest Host", lines("Host: server.example.com/chat")],
  ["a Host with a user", "BadRequest Host", lines("Host: user@server.example.com")],
  ["a Host with a scheme", "BadRequest Host", lines("Host: http://server.example.com")],
  ["a Host with a port that is none", "BadRequest Host", lines("Host: server.example.com:http")],
  ["a Host with a port above 65535", "BadRequest Host", lines("Host: server.example.com:65536")],
  ["a Host with a space", "BadRequest Host", lines("Host: server example com")],
  ["a Host that is not ASCII", "BadRequest Host", lines("Host: caf\u00e9.example")],
  ["an IPv6 address without brackets", "BadRequest Host", lines("Host: ::1")],
  ["an IPv6 address", "Accepted", lines("Host: [::1]:8080")],
  ["a Host of one letter with a port", "Accepted", lines("Host: a:1")],
  ["an absolute target, and no Host", "BadRequest Host", ask({ line: "GET http://a/ HTTP/1.1", without: ["Host"] })],
  [
    "an absolute target, and a Host that is none",
    "BadRequest Host",
    ask({ line: "GET http://a/ HTTP/1.1", lines: ["Host: a b"] })
  ],
  ["Host comes before Upgrade", "BadRequest Host", ask({ without: ["Host", "Upgrade"] })],
  // content
  [
    "content by its length (CVE-2018-12541)",
    "BadRequest Content",
    ask({ lines: ["Content-Length: 5"], rest: "hello" })
  ],
  ["no content by its length", "Accepted", lines("Content-Length: 0")],
  ["chunked content", "BadRequest Content", ask({ lines: ["Transfer-Encoding: chunked"], rest: "0\r\n\r\n" })],
  ["both, for smuggling", "BadRequest Content", lines("Content-Length: 0", "Transfer-Encoding: chunked")],
  ["two lengths", "BadRequest Content", lines("Content-Length: 0", "Content-Length: 5")],
  ["one length twice", "Accepted", lines("Content-Length: 0", "Content-Length: 0")],
  ["a length that is none", "BadRequest Content", lines("Content-Length: 0x0")],
  ["a length with a sign", "BadRequest Content", lines("Content-Length: +0")],
  ["a length above all numbers", "BadRequest Content", lines(`Content-Length: ${"9".repeat(30)}`)],
  ["content comes before Upgrade", "BadRequest Content", ask({ without: ["Upgrade"], lines: ["Content-Length: 1"] })],
  ["another expectation", "Custom", lines("Expect: 200-ok")],
  // Upgrade
  ["a plain GET", "NotAnUpgrade", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["no Upgrade", "NotAnUpgrade", ask({ without: ["Upgrade"] })],
  ["an empty Upgrade", "NotAnUpgrade", lines("Upgrade:")],
  ["another Upgrade", "NotAnUpgrade", lines("Upgrade: h2c")],
  ["websockets", "NotAnUpgrade", lines("Upgrade: websockets")],
  ["websocket/13", "NotAnUpgrade", lines("Upgrade: websocket/13")],
  ["WebSocket", "Accepted", lines("Upgrade: WebSocket")],
  ["websocket among others", "Accepted", lines("Upgrade: h2c, websocket")],
  ["websocket over two lines", "Accepted", lines("Upgrade: h2c", "Upgrade: ,websocket")],
  ["websocket twice", "Accepted", lines("Upgrade: websocket", "Upgrade: websocket")],
  ["an Upgrade with a space", "BadRequest Upgrade", lines("Upgrade: web socket")],
  ["an Upgrade in quotes", "BadRequest Upgrade", lines('Upgrade: "websocket"')],
  ["an Upgrade that is not ASCII", "BadRequest Upgrade", lines("Upgrade: websocket\u00e9")],
  ["an Upgrade that is not closed", "BadRequest Upgrade", lines('Upgrade: websocket, "')],
  // Connection
  ["no Connection (CVE-2026-59898)", "BadRequest Connection", ask({ without: ["Connection"] })],
  ["an empty Connection", "BadRequest Connection", lines("Connection:")],
  ["Connection: close", "BadRequest Connection", lines("Connection: close")],
  ["Connection: keep-alive, Upgrade", "Accepted", lines("Connection: keep-alive, Upgrade")],
  ["Connection over two lines", "Accepted", lines("Connection: keep-alive", "Connection: upgrade")],
  ["Connection with empty elements", "Accepted", lines("Connection: ,, UPGRADE ,\t,")],
  ["Connection: Upgraded", "BadRequest Connection", lines("Connection: Upgraded")],
  ["Connection: Up grade", "BadRequest Connection", lines("Connection: Up grade")],
  ["Connection that is no list of names", "BadRequest Connection", lines('Connection: Upgrade, "x"')],
  // Sec-WebSocket-Version
  ["no version", "BadRequest Version", ask({ without: ["Sec-WebSocket-Version"] })],
  ["an empty version", "BadRequest Version", lines("Sec-WebSocket-Version:")],
  ["version 8", "UnsupportedVersion", lines("Sec-WebSocket-Version: 8")],
  ["version 14", "UnsupportedVersion", lines("Sec-WebSocket-Version: 14")],
  ["version 0", "UnsupportedVersion", lines("Sec-WebSocket-Version: 0")],
  ["version 255", "UnsupportedVersion", lines("Sec-WebSocket-Version: 255")],
  ["version 256 (RFC 6455 §4.3)", "BadRequest Version", lines("Sec-WebSocket-Version: 256")],
  ["version 013 (RFC 6455 §4.3)", "BadRequest Version", lines("Sec-WebSocket-Version: 013")],
  ["version 13.0", "BadRequest Version", lines("Sec-WebSocket-Version: 13.0")],
  ["version -13", "BadRequest Version", lines("Sec-WebSocket-Version: -13")],
  ["a version that is no number", "BadRequest Version", lines("Sec-WebSocket-Version: thirteen")],
  ["two versions", "BadRequest Version", lines("Sec-WebSocket-Version: 13, 8")],
  [
    "the version twice (RFC 6455 §11.3.5)",
    "BadRequest RepeatedField",
    lines("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13")
  ],
  [
    "the version comes before the key",
    "UnsupportedVersion",
    ask({ without: ["Sec-WebSocket-Key"], lines: ["Sec-WebSocket-Version: 8"] })
  ],
  // Sec-WebSocket-Key
  ["no key", "BadRequest Key", ask({ without: ["Sec-WebSocket-Key"] })],
  ["an empty key", "BadRequest Key", lines("Sec-WebSocket-Key:")],
  [
    "the key of an example of RFC 6455 §4.1, whose last bits are set",
    "Accepted",
    lines("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==")
  ],
  ["a key of 15 bytes", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j")],
  ["a key of 17 bytes", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=")],
  ["a key of 18 bytes", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEy")],
  ["a key without its padding", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ")],
  ["a key in base64url", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-_==")],
  ["a key with a space", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ=")],
  ["a key with padding inside", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j====")],
  ["a key that is not ASCII", "BadRequest Key", lines("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\u00e9Q==")],
  ["two keys in one line", "BadRequest Key", lines(`Sec-WebSocket-Key: ${key}, ${key}`)],
  [
    "the key twice (RFC 6455 §11.3.1)",
    "BadRequest RepeatedField",
    lines(`Sec-WebSocket-Key: ${key}`, `sec-websocket-key: ${key}`)
  ],
  ["white space around the key", "Accepted", lines(`Sec-WebSocket-Key:\t ${key} \t`)],
  // Sec-WebSocket-Protocol
  ["a subprotocol", "Accepted", lines("Sec-WebSocket-Protocol: chat.v1")],
  [
    "subprotocols over several lines",
    "Accepted",
    lines("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: , chat.v2")
  ],
  ["an empty list of subprotocols", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol:")],
  ["a list of nothing", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol: , ,")],
  ["a subprotocol with a space", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol: chat v1")],
  ["a subprotocol with a slash", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol: chat/1")],
  ["a subprotocol in quotes", "BadRequest Subprotocol", lines('Sec-WebSocket-Protocol: "chat.v1"')],
  ["a subprotocol that is not ASCII (Granian)", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol: chat\u00e9")],
  ["a subprotocol twice (RFC 6455 §4.1)", "BadRequest Subprotocol", lines("Sec-WebSocket-Protocol: chat.v1, chat.v1")],
  [
    "a subprotocol twice, over two lines",
    "BadRequest Subprotocol",
    lines("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a")
  ],
  ["subprotocols that differ in case only", "Accepted", lines("Sec-WebSocket-Protocol: Chat.v1, chat.v1")],
  ["no common subprotocol", "NoCommonSubprotocol", lines("Sec-WebSocket-Protocol: CHAT.V1, chat")],
  ["a hostile subprotocol", "NoCommonSubprotocol", lines("Sec-WebSocket-Protocol: __proto__, constructor")],
  [
    "15 KiB of white space and commas (CVE-2021-32640)",
    "NoCommonSubprotocol",
    lines(`Sec-WebSocket-Protocol: a${" ,".repeat(7500)}b`)
  ],
  // Sec-WebSocket-Extensions
  ["an extension", "Accepted", lines("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")],
  [
    "extensions over several lines",
    "Accepted",
    lines("Sec-WebSocket-Extensions: a; b=1", 'Sec-WebSocket-Extensions: c; d="e"')
  ],
  [
    "hostile extensions (ws 3.3.1)",
    "Accepted",
    lines("Sec-WebSocket-Extensions: constructor, __proto__; toString=valueOf")
  ],
  ["an empty list of extensions", "BadRequest Extensions", lines("Sec-WebSocket-Extensions:")],
  ["a parameter without a name", "BadRequest Extensions", lines("Sec-WebSocket-Extensions: a; =1")],
  ["a semicolon at the end", "BadRequest Extensions", lines("Sec-WebSocket-Extensions: a;")],
  ["a value that is no token", "BadRequest Extensions", lines('Sec-WebSocket-Extensions: a; b="c d"')],
  [
    "15 KiB in an unclosed quote (CVE-2020-7662)",
    "BadRequest Extensions",
    lines(`Sec-WebSocket-Extensions: a; b="${"\\a".repeat(7500)}`)
  ],
  // Origin
  ["the own origin", "Accepted", lines("Origin: https://server.example.com")],
  ["a foreign origin (CVE-2025-24010)", "ForbiddenOrigin", lines("Origin: https://evil.example")],
  ["null (CVE-2026-27977)", "ForbiddenOrigin", lines("Origin: null")],
  ["an empty origin", "ForbiddenOrigin", lines("Origin:")],
  ["two origins in one line", "ForbiddenOrigin", lines("Origin: http://server.example.com, http://evil.example")],
  [
    "the origin twice (RFC 6454 §7.3)",
    "BadRequest RepeatedField",
    lines("Origin: http://server.example.com", "Origin: http://server.example.com")
  ],
  [
    "the origin of an absolute target",
    "Accepted",
    ask({ line: "GET http://a/ HTTP/1.1", lines: ["Origin: http://a"] })
  ],
  [
    "the origin of Host beside an absolute target",
    "ForbiddenOrigin",
    ask({ line: "GET http://a/ HTTP/1.1", lines: ["Origin: http://server.example.com"] })
  ],
  ["the origin comes before the subprotocol", "ForbiddenOrigin", lines("Origin: null", "Sec-WebSocket-Protocol: x")],
  ["the grammar comes before the origin", "BadRequest Extensions", lines("Origin: null", "Sec-WebSocket-Extensions: ;")]
]

export const requests: ReadonlyArray<Case> = cases.map(([id, expected, request]) => ({ id, request, expected }))
