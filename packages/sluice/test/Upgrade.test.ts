import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import type * as Http1 from "../src/Http1.js"
import type * as Rejection from "../src/Rejection.js"
import * as Upgrade from "../src/Upgrade.js"
import { fields, latin1, tokens, toLatin1 } from "./support/http.js"

type Lines = ReadonlyArray<readonly [name: string, value: string]>

const request = (lines: Lines, changes: Partial<Http1.RequestHead> = {}): Http1.RequestHead => ({
  method: "GET",
  target: "/a?b",
  version: "1.1",
  fields: fields(...lines),
  ...changes
})

const host = ["Host", "example.com"] as const
const connection = ["Connection", "Upgrade"] as const
const upgrade = (value: string) => ["Upgrade", value] as const

/** The tag, with the reason if it has one, or the protocol. */
const verdict = (result: Either.Either<Upgrade.Negotiated<string>, Rejection.Rejection>): string =>
  Either.match(result, {
    onLeft: (rejection) => (rejection._tag === "BadRequest" ? `BadRequest ${rejection.reason}` : rejection._tag),
    onRight: ({ protocol }) => protocol
  })

const supported = ["websocket", "tail/1", "HTTP/2.0"] as const

const negotiate = (head: Http1.RequestHead) => Upgrade.negotiate(Upgrade.received(head), supported)

describe("requested (RFC 9110 §7.8)", () => {
  const names = (...lines: Lines) =>
    Either.match(Upgrade.requested(request(lines)), {
      onLeft: ({ reason }) => reason,
      onRight: (protocols) => protocols.map(({ name, version }) => [name, version])
    })

  it("are in the order of the client, over several lines", () => {
    assert.deepStrictEqual(names(upgrade("websocket, IRC/6.9"), upgrade(", RTA/x11")), [
      ["websocket", undefined],
      ["IRC", "6.9"],
      ["RTA", "x11"]
    ])
    assert.deepStrictEqual(names(), [])
    assert.deepStrictEqual(names(upgrade("")), [])
  })

  it("are names, with or without a version", () => {
    for (const value of ["web socket", "a/", "/1", "a/b/c", '"websocket"', "a, b c", "caf\u00e9", "a/1;q=1"]) {
      assert.strictEqual(names(upgrade(value)), "Upgrade", value)
    }
  })

  it("are ignored in HTTP/1.0, whatever they are", () => {
    const head = request([upgrade("web socket")], { version: "1.0" })
    assert.deepStrictEqual(Either.getOrThrow(Upgrade.requested(head)), [])
  })
})

describe("negotiate", () => {
  const cases: ReadonlyArray<readonly [id: string, expected: string, head: Http1.RequestHead]> = [
    ["the one that is asked for", "websocket", request([host, connection, upgrade("websocket")])],
    ["case does not matter to names", "websocket", request([host, connection, upgrade("WebSocket")])],
    ["as the server writes it", "HTTP/2.0", request([host, connection, upgrade("http/2.0")])],
    ["the client's order decides", "tail/1", request([host, connection, upgrade("x, tail/1, websocket")])],
    [
      "over several lines",
      "tail/1",
      request([host, upgrade("x"), upgrade("tail/1"), connection, upgrade("websocket")])
    ],
    ["the version must be the same", "websocket", request([host, connection, upgrade("tail/2, tail, websocket")])],
    ["a version where there is none", "NotAnUpgrade", request([host, connection, upgrade("websocket/13")])],
    ["nothing that is supported", "NotAnUpgrade", request([host, connection, upgrade("h2c")])],
    ["no Upgrade", "NotAnUpgrade", request([host])],
    ["no Upgrade, but Connection: Upgrade", "NotAnUpgrade", request([host, connection])],
    ["an empty Upgrade", "NotAnUpgrade", request([host, connection, upgrade(" , ")])],
    ["an Upgrade that is none", "BadRequest Upgrade", request([host, connection, upgrade("web socket")])],
    ["no Connection", "BadRequest Connection", request([host, upgrade("websocket")])],
    [
      "Connection without Upgrade",
      "BadRequest Connection",
      request([host, ["Connection", "keep-alive"], upgrade("websocket")])
    ],
    [
      "Connection with a longer name",
      "BadRequest Connection",
      request([host, ["Connection", "upgraded"], upgrade("websocket")])
    ],
    [
      "Connection that is no list of names",
      "BadRequest Connection",
      request([host, ["Connection", "Upgrade, a b"], upgrade("websocket")])
    ],
    [
      "Connection in quotes",
      "BadRequest Connection",
      request([host, ["Connection", '"Upgrade"'], upgrade("websocket")])
    ],
    [
      "Connection among others, in any case",
      "websocket",
      request([host, ["Connection", "keep-alive"], ["connection", ", uPGRADE"], upgrade("websocket")])
    ],
    ["any method", "websocket", request([host, connection, upgrade("websocket")], { method: "OPTIONS", target: "*" })],
    [
      "HTTP/1.2 is as HTTP/1.1 (RFC 9110 §6.2)",
      "websocket",
      request([host, connection, upgrade("websocket")], { version: "1.2" })
    ],
    ["HTTP/1.0", "HttpVersionNotSupported", request([host, connection, upgrade("websocket")], { version: "1.0" })],
    ["HTTP/2.0", "HttpVersionNotSupported", request([host, connection, upgrade("websocket")], { version: "2.0" })],
    ["HTTP/0.9", "HttpVersionNotSupported", request([host, connection, upgrade("websocket")], { version: "0.9" })],
    ["the version comes before all else", "HttpVersionNotSupported", request([], { version: "1.0", target: "" })],
    ["a target that is none", "BadRequest Target", request([host, connection, upgrade("websocket")], { target: "a" })],
    [
      "a target for another method",
      "BadRequest Target",
      request([host, connection, upgrade("websocket")], { target: "*" })
    ],
    [
      "a target with user information",
      "BadRequest Target",
      request([host, connection, upgrade("websocket")], { target: "http://a@b/" })
    ],
    ["the target comes before Host", "BadRequest Target", request([], { target: "" })],
    ["no Host", "BadRequest Host", request([connection, upgrade("websocket")])],
    [
      "two Hosts",
      "BadRequest RepeatedField",
      request([host, ["host", "example.com"], connection, upgrade("websocket")])
    ],
    ["an empty Host", "BadRequest Host", request([["Host", ""], connection, upgrade("websocket")])],
    ["Host comes before content", "BadRequest Host", request([["Content-Length", "1"]])],
    [
      "Transfer-Encoding",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Transfer-Encoding", "chunked"]])
    ],
    [
      "an empty Transfer-Encoding",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Transfer-Encoding", ""]])
    ],
    ["content", "BadRequest Content", request([host, connection, upgrade("websocket"), ["Content-Length", "1"]])],
    ["content of no length", "websocket", request([host, connection, upgrade("websocket"), ["Content-Length", "0"]])],
    [
      "no length, twice",
      "websocket",
      request([host, connection, upgrade("websocket"), ["Content-Length", "0, 00"], ["Content-Length", "0"]])
    ],
    [
      "two lengths",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", "0"], ["Content-Length", "1"]])
    ],
    [
      "a length that is none",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", "+0"]])
    ],
    [
      "a negative length",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", "-0"]])
    ],
    [
      "an empty length",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", ""]])
    ],
    [
      "a length in hexadecimal",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", "0x0"]])
    ],
    [
      "a length that no number holds",
      "BadRequest Content",
      request([host, connection, upgrade("websocket"), ["Content-Length", "9".repeat(400)]])
    ],
    ["another expectation", "Custom", request([host, connection, upgrade("websocket"), ["Expect", "the-unexpected"]])],
    [
      "another expectation beside the known one",
      "Custom",
      request([host, connection, upgrade("websocket"), ["Expect", "100-continue, x=y"]])
    ],
    ["content comes before Expect", "BadRequest Content", request([host, ["Content-Length", "1"], ["Expect", "x"]])],
    ["Expect comes before Upgrade", "Custom", request([host, upgrade("a b"), ["Expect", "x"]])],
    ["Upgrade comes before Connection", "BadRequest Upgrade", request([host, upgrade("a b"), ["Connection", "a b"]])],
    [
      "hostile names",
      "NotAnUpgrade",
      request([host, connection, upgrade("__proto__, constructor"), ["__proto__", "x"]])
    ]
  ]
  for (const [id, expected, head] of cases) {
    it(`${expected}: ${id}`, () => assert.strictEqual(verdict(negotiate(head)), expected))
  }

  it("the refusal of an expectation is a 417 (RFC 9110 §10.1.1)", () => {
    const rejection = Either.getOrThrow(Either.flip(negotiate(request([host, ["Expect", "x"]]))))
    assert.deepStrictEqual([rejection._tag, rejection.status], ["Custom", 417])
  })

  it("a 426 names what is supported (RFC 9110 §15.5.22)", () => {
    const rejection = Either.getOrThrow(Either.flip(negotiate(request([host]))))
    assert.deepStrictEqual(rejection.fields[0], ["Upgrade", "websocket, tail/1, HTTP/2.0"])
  })

  it("hands over the request and the rest", () => {
    const head = request([host, connection, upgrade("tail/1")])
    const rest = latin1("rest")
    const negotiated = Either.getOrThrow(Upgrade.negotiate(Upgrade.received(head, rest), supported))
    assert.strictEqual(negotiated.request, head)
    assert.strictEqual(negotiated.rest, rest)
    assert.strictEqual(Upgrade.received(head).rest.length, 0)
  })

  it.prop(
    "chooses as the client prefers",
    [FastCheck.uniqueArray(tokens, { minLength: 1 }), FastCheck.array(tokens)],
    ([own, asked]) => {
      const [first, ...others] = own
      const head = request([host, connection, upgrade(asked.join(","))])
      const expected = asked.find((name) => own.some((other) => other.toLowerCase() === name.toLowerCase()))
      const chosen = verdict(Upgrade.negotiate(Upgrade.received(head), [first, ...others]))
      assert.strictEqual(chosen.toLowerCase(), (expected ?? "NotAnUpgrade").toLowerCase())
    }
  )
})

describe("whom the request is for (RFC 9112 §3.2, §3.3)", () => {
  const cases: ReadonlyArray<readonly [host: string, target: string, authority: string, resource: string]> = [
    ["example.com", "/", "example.com", "/"],
    ["EXAMPLE.com:8080", "/a/b?c=d", "example.com:8080", "/a/b?c=d"],
    ["example.com:", "/", "example.com", "/"],
    ["example.com:0080", "/", "example.com:80", "/"],
    ["example.com.", "/", "example.com.", "/"],
    ["127.0.0.1:1", "//a", "127.0.0.1:1", "//a"],
    ["[::1]:8080", "/", "[::1]:8080", "/"],
    ["[0:0:0:0:0:0:0:1]", "/", "[::1]", "/"],
    ["[2001:DB8::1]", "/", "[2001:db8::1]", "/"],
    ["xn--caf-dma.example", "/", "xn--caf-dma.example", "/"],
    ["a_b~c!$&'()*+,;=%20", "/", "a_b~c!$&'()*+,;=%20", "/"],
    ["ignored", "http://example.com/a?b", "example.com", "/a?b"],
    ["", "https://Example.com:444", "example.com:444", "/"],
    ["ignored", "HTTP://[::1]:80?x", "[::1]:80", "/?x"]
  ]
  for (const [value, target, authority, resource] of cases) {
    it(`Host: ${value}, ${target}`, () => {
      const head = request([["Host", value], connection, upgrade("websocket")], { target })
      const negotiated = Either.getOrThrowWith(negotiate(head), (rejection) => rejection)
      assert.deepStrictEqual([negotiated.authority, negotiated.resource], [authority, resource])
    })
  }

  it("of CONNECT is the target, of OPTIONS * is Host", () => {
    const lines = [host, connection, upgrade("websocket")] as const
    const connect = Either.getOrThrow(negotiate(request(lines, { method: "CONNECT", target: "A.example:80" })))
    assert.deepStrictEqual([connect.authority, connect.resource], ["a.example:80", ""])
    const options = Either.getOrThrow(negotiate(request(lines, { method: "OPTIONS", target: "*" })))
    assert.deepStrictEqual([options.authority, options.resource], ["example.com", ""])
  })

  const bad = [
    "a b",
    "a, b",
    "user@a",
    "http://a",
    "a/b",
    "a?b",
    "a#b",
    "a:b",
    "a:-1",
    "a:+1",
    "a:1:2",
    "a:65536",
    "a:1e3",
    ":80",
    "::1",
    "[::1",
    "[::1]a",
    "[]",
    "[:]",
    "[1::2::3]",
    "[::g]",
    "[::1%25eth0]",
    "[a.b]",
    "a]",
    "%",
    "%2",
    "%zz",
    "a\\b",
    "a^b",
    "a|b",
    "a`b",
    '"a"',
    "<a>",
    "{a}",
    "caf\u00e9",
    "a\tb"
  ]
  for (const value of bad) {
    it(`is not known by Host: ${value}`, () => {
      assert.strictEqual(
        verdict(negotiate(request([["Host", value], connection, upgrade("websocket")]))),
        "BadRequest Host"
      )
    })
  }
})

describe("switching", () => {
  const negotiated = (lines: Lines = []) =>
    Either.getOrThrow(negotiate(request([host, connection, upgrade("tail/1"), ...lines])))

  it("is the 101 (RFC 9110 §7.8, §15.2.2), without a body", () => {
    assert.strictEqual(
      toLatin1(Upgrade.encodeSwitching(Upgrade.switching(negotiated()))),
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tail/1\r\nConnection: Upgrade\r\n\r\n"
    )
  })

  it("has a 100 before it when the request expects one (RFC 9110 §7.8)", () => {
    assert.strictEqual(
      toLatin1(Upgrade.encodeSwitching(Upgrade.switching(negotiated([["Expect", "100-Continue"]])))),
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: tail/1\r\nConnection: Upgrade\r\n\r\n"
    )
    assert.strictEqual(negotiated([["Expect", ""]]).continue, false)
  })

  it("carries the fields that are added", () => {
    const extra = Either.getOrThrow(
      Upgrade.extraFields([
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=\u00e9"]
      ])
    )
    assert.strictEqual(
      toLatin1(Upgrade.encodeSwitching(Upgrade.switching(negotiated(), extra))),
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tail/1\r\nConnection: Upgrade\r\n" +
        "Set-Cookie: a=1\r\nSet-Cookie: b=\u00e9\r\n\r\n"
    )
  })

  const wrong: ReadonlyArray<readonly [name: string, value: string, reason: string]> = [
    ["Connection", "close", "Reserved"],
    ["upgrade", "h2c", "Reserved"],
    ["Content-Length", "0", "Reserved"],
    ["Transfer-Encoding", "chunked", "Reserved"],
    ["Sec-WebSocket-Accept", "x", "Reserved"],
    ["sec-websocket-anything", "x", "Reserved"],
    ["Set-Cookie", "a\r\nb", "InvalidValue"],
    ["Set-Cookie", "a\nb", "InvalidValue"],
    ["Set-Cookie", "a\0b", "InvalidValue"],
    ["Set-Cookie\r\n", "a", "InvalidName"]
  ]
  for (const [name, value, reason] of wrong) {
    it(`does not carry ${JSON.stringify(`${name}: ${value}`)}`, () => {
      const error = Either.getOrThrow(
        Either.flip(
          Upgrade.extraFields([
            ["X", "y"],
            [name, value]
          ])
        )
      )
      assert.strictEqual(error.reason, reason)
      assert.match(error.message, /^[ -~§]+$/)
    })
  }
})
