import { assert, describe, it } from "@effect/vitest"
import { Either, Equal, FastCheck, Option } from "effect"
import type * as Extension from "../src/Extension.js"
import * as Handshake from "../src/Handshake.js"
import * as Rejection from "../src/Rejection.js"
import * as Upgrade from "../src/Upgrade.js"
import { byteByByte, concat, cut, cuts, pattern } from "./support/bytes.js"
import { head, latin1, toLatin1 } from "./support/http.js"
import { rejections } from "./support/rejections.js"
import { ask, key, requests } from "./support/requests.js"
import { countCharacters } from "./support/steps.js"

type Served = Either.Either<Handshake.AwaitingHead | Handshake.Accepted, Rejection.Rejection>

const policy = { subprotocols: ["chat.v2", "chat.v1"] } as const

/** A server that is fed chunks; what it did not take is added to the rest. */
const serve = (chunks: ReadonlyArray<Uint8Array>, own: Handshake.Policy = policy): Served => {
  let state = Handshake.awaitingHead()
  for (const [index, chunk] of chunks.entries()) {
    const received = Handshake.receive(state, chunk)
    if (Either.isLeft(received)) return Either.left(received.left)
    if (received.right._tag === "AwaitingHead") {
      state = received.right
      continue
    }
    const whole = { ...received.right, rest: concat([received.right.rest, ...chunks.slice(index + 1)]) }
    return Either.flatMap(Handshake.offer(whole), (offered) => Handshake.negotiate(offered, own))
  }
  return Either.right(state)
}

const offered = (request: string): Handshake.Offered => {
  const received = Either.getOrThrow(Handshake.receive(Handshake.awaitingHead(), latin1(request)))
  if (received._tag === "AwaitingHead") assert.fail("the head is not complete")
  return Either.getOrThrowWith(Handshake.offer(received), (rejection) => rejection)
}

const verdict = (
  served: Either.Either<{ readonly _tag: string }, { readonly _tag: string; readonly reason?: unknown }>
): string =>
  Either.match(served, {
    onLeft: (refusal) =>
      refusal._tag === "BadRequest" || refusal._tag === "InvalidResponse"
        ? `${refusal._tag} ${refusal.reason}`
        : refusal._tag,
    onRight: ({ _tag }) => _tag
  })

/** The verdict with the bytes that are answered, and the rest. */
const answer = (served: Served): string =>
  Either.match(served, {
    onLeft: (rejection) => toLatin1(Rejection.toBytes(rejection)),
    onRight: (state) =>
      state._tag === "Accepted" ? `${toLatin1(Handshake.response(state))}${toLatin1(state.rest)}` : "more"
  })

describe("requests", () => {
  for (const { expected, id, request } of requests) {
    it(`${expected}: ${id}`, () => assert.strictEqual(verdict(serve([latin1(request)])), expected))
  }

  it("are at least 120, each with an id of its own", () => {
    assert.isAtLeast(requests.length, 120)
    assert.strictEqual(new Set(requests.map(({ id }) => id)).size, requests.length)
  })

  it("lead to every refusal that a request by itself can lead to", () => {
    const reasons = [
      "Connection",
      "Content",
      "Extensions",
      "Host",
      "Key",
      "RepeatedField",
      "Subprotocol",
      "Syntax",
      "Target",
      "Upgrade",
      "Version"
    ]
    assert.deepStrictEqual([...new Set(requests.map(({ expected }) => expected))].sort(), [
      "Accepted",
      ...reasons.map((reason) => `BadRequest ${reason}`),
      "Custom",
      "ForbiddenOrigin",
      "HeadTooLarge",
      "HttpVersionNotSupported",
      "MethodNotAllowed",
      "NoCommonSubprotocol",
      "NotAnUpgrade",
      "TargetTooLong",
      "UnsupportedVersion"
    ])
  })
})

/** What `receive` makes of a request in two chunks; all that comes after it is a function of that. */
const receiveTwo = (first: Uint8Array, second: Uint8Array): string => {
  const received = Either.flatMap(Handshake.receive(Handshake.awaitingHead(), first), (state) =>
    state._tag === "AwaitingHead"
      ? Handshake.receive(state, second)
      : Either.right({ ...state, rest: concat([state.rest, second]) })
  )
  return Either.match(received, {
    onLeft: (rejection) => `${rejection}`,
    onRight: (state) =>
      state._tag === "Received" ? `${JSON.stringify(state.request)} ${toLatin1(state.rest)}` : state._tag
  })
}

describe("chunks do not matter", () => {
  for (const { id, request } of requests.filter(({ request }) => request.length < 1000)) {
    it(`byte by byte, and cut in two at each byte: ${id}`, () => {
      const bytes = latin1(`${request}\u0082\u0080rest`)
      assert.strictEqual(answer(serve(byteByByte(bytes))), answer(serve([bytes])))
      const whole = receiveTwo(bytes, new Uint8Array(0))
      for (let at = 0; at <= bytes.length; at++) {
        assert.strictEqual(receiveTwo(bytes.slice(0, at), bytes.slice(at)), whole, `cut at ${at}`)
      }
    })
  }

  it.prop("in any cut of any of them", [FastCheck.constantFrom(...requests), cuts], ([{ request }, at]) => {
    const bytes = latin1(`${request}rest`)
    assert.strictEqual(answer(serve(cut(bytes, at))), answer(serve([bytes])))
  })

  it("what comes after the head is the rest, to the byte", () => {
    const early = "\u0081\u0085\u0001\u0002\u0003\u0004abcde"
    for (const { expected, request } of requests) {
      if (expected !== "Accepted") continue
      const served = Either.getOrThrow(serve([latin1(`${request.replace(early, "")}${early}`)]))
      assert.strictEqual(served._tag === "Accepted" && toLatin1(served.rest), early)
    }
  })
})

describe("total", () => {
  const fault = FastCheck.oneof(
    FastCheck.record({ at: FastCheck.nat(), remove: FastCheck.nat(3), insert: FastCheck.uint8Array({ maxLength: 3 }) }),
    FastCheck.record({
      at: FastCheck.nat(),
      remove: FastCheck.constant(0),
      insert: FastCheck.constantFrom("\r\n", "\n", "\0", " ", ",", '"', ":", "\r\nHost: b", "\u00e9").map(latin1)
    })
  )

  it.prop(
    "any change to any request ends in a verdict, the same in any cut",
    [FastCheck.constantFrom(...requests), FastCheck.array(fault, { maxLength: 3 }), cuts],
    ([{ request }, faults, at]) => {
      const bytes = faults.reduce((bytes, { at, insert, remove }) => {
        const start = at % (bytes.length + 1)
        return concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)])
      }, latin1(request))
      assert.strictEqual(answer(serve(cut(bytes, at))), answer(serve([bytes])))
    }
  )

  it.prop("any bytes end in a refusal or want more", [FastCheck.uint8Array({ maxLength: 200 })], ([bytes]) => {
    assert.include(
      ["AwaitingHead", "BadRequest Syntax", "HttpVersionNotSupported", "MethodNotAllowed"],
      verdict(serve([bytes]))
    )
  })
})

describe("hostile requests take steps in proportion to their length", () => {
  const hostile: ReadonlyArray<readonly [id: string, name: string, unit: string]> = [
    ["white space", "X", " "],
    ["white space and commas in Connection", "Connection", " ,"],
    ["quotes in Upgrade", "Upgrade", '",'],
    ["protocols", "Upgrade", "a/b,"],
    ["white space and commas in Sec-WebSocket-Protocol (CVE-2021-32640)", "Sec-WebSocket-Protocol", " ,"],
    ["subprotocols", "Sec-WebSocket-Protocol", "a,"],
    ["an unclosed quote in Sec-WebSocket-Extensions (CVE-2020-7662)", "Sec-WebSocket-Extensions", 'a; b="\\'],
    ["extensions", "Sec-WebSocket-Extensions", "a; b=c,"],
    ["a long Origin", "Origin", "a"],
    ["a long Host", "Host", "a."],
    ["a Host of escapes", "Host", "%61"],
    ["a Host of colons", "Host", "[:"],
    ["a long key", "Sec-WebSocket-Key", "A"],
    ["a long version", "Sec-WebSocket-Version", "1"],
    ["lengths", "Content-Length", "0,"],
    ["expectations", "Expect", "100-continue,"]
  ]
  const unbounded = { maxHeadSize: "unbounded", maxTarget: "unbounded" } as const
  for (const [id, name, unit] of hostile) {
    it(id, () => {
      const work = (size: number): number => {
        const bytes = latin1(ask({ lines: [`${name}: ${unit.repeat(size / unit.length)}`] }))
        const received = Either.getOrThrow(Handshake.receive(Handshake.awaitingHead(unbounded), bytes))
        if (received._tag === "AwaitingHead") assert.fail("the head is not complete")
        return countCharacters(() =>
          Either.flatMap(Handshake.offer(received), (offered) => Handshake.negotiate(offered, policy))
        )
      }
      const [small, large] = [work(4 * 1024), work(64 * 1024)]
      // the names of the fields are compared, whatever is in them
      assert.isAtMost(large, 17 * small)
      assert.isAtMost(large, 12 * 64 * 1024)
    })
  }
})

describe("the answer", () => {
  it("is that of RFC 6455 §1.3", () => {
    const served = serve([latin1(ask({ lines: ["Sec-WebSocket-Protocol: chat.v1, superchat"] }))])
    assert.strictEqual(
      answer(served),
      head(
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Protocol: chat.v1"
      )
    )
  })

  it("has a 100 before it when the request expects one", () => {
    assert.match(
      answer(serve([latin1(ask({ lines: ["Expect: 100-continue"] }))])),
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 101 /
    )
  })

  it("carries the fields of the policy, and nothing that the server did not choose", () => {
    const fields = Either.getOrThrow(
      Upgrade.extraFields([
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"]
      ])
    )
    const lines = ["Sec-WebSocket-Extensions: permessage-deflate", "Cookie: c=d"]
    assert.strictEqual(
      answer(serve([latin1(ask({ lines }))], { ...policy, fields })),
      head(
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2"
      )
    )
  })

  it("an offer says whom and what it is for", () => {
    const { authority, extensions, origin, resource, subprotocols } = offered(
      ask({
        line: "GET http://A.example:81?x HTTP/1.1",
        lines: ["Sec-WebSocket-Extensions: a; b=c", "Sec-WebSocket-Protocol: x, y", "Origin: http://A.example:81"]
      })
    )
    assert.deepStrictEqual([authority, resource, origin], ["a.example:81", "/?x", "http://A.example:81"])
    assert.deepStrictEqual(subprotocols, ["x", "y"])
    assert.deepStrictEqual(extensions, [{ name: "a", parameters: [{ name: "b", value: "c" }] }])
  })

  it("a request that was read elsewhere is as good", () => {
    const { request } = offered(ask())
    const again = Either.getOrThrow(Handshake.offer(Handshake.received(request)))
    assert.deepStrictEqual([again.key, again.rest.length], [key, 0])
    const target = Handshake.offer(Handshake.received({ ...request, target: "/\r\nX: y" }))
    assert.strictEqual(verdict(target), "BadRequest Target")
  })
})

describe("acceptKey", () => {
  it("is that of RFC 6455 §1.3 and §4.2.2", () => {
    assert.strictEqual(Handshake.acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  })

  it.prop("is SHA-1 in base64", [FastCheck.uint8Array({ minLength: 16, maxLength: 16 })], ([nonce]) => {
    const { createHash } = process.getBuiltinModule("node:crypto")
    const key = Buffer.from(nonce).toString("base64")
    const expected = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
    assert.strictEqual(Handshake.acceptKey(key), expected)
  })
})

describe("origins", () => {
  const list = [
    "https://example.com",
    "http://example.com:8080",
    "HTTPS://Upper.Example:443",
    "chrome-extension://abc",
    "bad",
    "null",
    ""
  ]
  const some = (origin: string | undefined): boolean => origin?.endsWith(".example.com") === true
  /** policy, Host, Origin (`undefined`: none), whether it may connect */
  const cases: ReadonlyArray<
    readonly [policy: Handshake.OriginPolicy | undefined, host: string, origin: string | undefined, expected: boolean]
  > = [
    [undefined, "example.com", undefined, true],
    [undefined, "example.com", "http://example.com", true],
    [undefined, "example.com", "https://example.com", true],
    [undefined, "example.com", "HTTPS://EXAMPLE.COM", true],
    [undefined, "EXAMPLE.COM", "https://example.com", true],
    [undefined, "example.com:80", "http://example.com", true],
    [undefined, "example.com", "http://example.com:80", true],
    [undefined, "example.com:443", "https://example.com", true],
    [undefined, "example.com", "https://example.com:443", true],
    [undefined, "example.com:8080", "http://example.com:8080", true],
    [undefined, "[::1]:8080", "http://[::1]:8080", true],
    [undefined, "[0:0:0:0:0:0:0:1]", "http://[::1]", true],
    [undefined, "example.com.", "http://example.com.", true],
    [undefined, "example.com", "http://example.com.", false],
    [undefined, "example.com.", "http://example.com", false],
    [undefined, "example.com", "http://example.com:8080", false],
    [undefined, "example.com:8080", "http://example.com", false],
    [undefined, "example.com:80", "https://example.com", false],
    [undefined, "example.com:443", "http://example.com", false],
    [undefined, "example.com", "http://example.com:443", false],
    [undefined, "example.com", "https://example.com:80", false],
    [undefined, "[::1]", "http://[::2]", false],
    [undefined, "example.com", "http://sub.example.com", false],
    [undefined, "example.com", "http://example.com.evil.example", false],
    [undefined, "example.com", "http://evilexample.com", false],
    [undefined, "example.com", "null", false],
    [undefined, "null", "null", false],
    [undefined, "example.com", "", false],
    [undefined, "example.com", "example.com", false],
    [undefined, "example.com", "//example.com", false],
    [undefined, "example.com", "http:example.com", false],
    [undefined, "example.com", "http://", false],
    [undefined, "example.com", "http://example.com/", false],
    [undefined, "example.com", "http://example.com/path", false],
    [undefined, "example.com", "http://example.com?x", false],
    [undefined, "example.com", "http://example.com#x", false],
    [undefined, "example.com", "http://user@example.com", false],
    [undefined, "example.com", "http://evil.example@example.com", false],
    [undefined, "example.com", "http://example.com@evil.example", false],
    [undefined, "example.com", "http://example.com\\@evil.example", false],
    [undefined, "example.com", "http://example.com http://evil.example", false],
    [undefined, "example.com", "ws://example.com", false],
    [undefined, "example.com", "file://example.com", false],
    [undefined, "example.com", "http://example.com:0x50", false],
    ["same-origin", "example.com", "https://evil.example", false],
    ["same-origin", "example.com", undefined, true],
    ["any", "example.com", "https://evil.example", true],
    ["any", "example.com", "null", true],
    ["any", "example.com", undefined, true],
    [list, "x", "https://example.com", true],
    [list, "x", "https://EXAMPLE.com:443", true],
    [list, "x", "http://example.com:8080", true],
    [list, "x", "https://upper.example", true],
    [list, "x", "Chrome-Extension://abc", true],
    [list, "x", undefined, true],
    [list, "x", "http://example.com", false],
    [list, "x", "https://example.com:8443", false],
    [list, "x", "https://example.com.", false],
    [list, "x", "https://example.com/", false],
    [list, "x", "https://sub.example.com", false],
    [list, "x", "https://x", false],
    [list, "x", "chrome-extension://abcd", false],
    [list, "x", "bad", false],
    [list, "x", "null", false],
    [list, "x", "", false],
    [[], "x", "https://x", false],
    [["http://a/b"], "x", "http://a/b", false],
    [["__proto__"], "x", "__proto__", false],
    [some, "x", "https://a.example.com", true],
    [some, "x", "https://evil.example", false],
    [some, "x", undefined, false]
  ]
  for (const [origin, host, sent, expected] of cases) {
    const name = Array.isArray(origin) ? "a list" : typeof origin === "function" ? "a function" : (origin ?? "default")
    it(`${name}: ${sent ?? "no Origin"} ${expected ? "may" : "may not"} connect to ${host}`, () => {
      const lines = [`Host: ${host}`, ...(sent === undefined ? [] : [`Origin: ${sent}`])]
      const served = Handshake.negotiate(offered(ask({ lines })), { origin })
      assert.strictEqual(verdict(served), expected ? "Accepted" : "ForbiddenOrigin")
      if (Either.isLeft(served) && served.left._tag === "ForbiddenOrigin") assert.strictEqual(served.left.origin, sent)
    })
  }

  it("a function sees the offer", () => {
    const policy: Handshake.OriginPolicy = (origin, { authority, resource }) =>
      `${origin} ${authority}${resource}` === "http://x a/chat"
    const request = ask({ lines: ["Host: A", "Origin: http://x"] })
    assert.strictEqual(verdict(Handshake.negotiate(offered(request), { origin: policy })), "Accepted")
  })
})

describe("subprotocols", () => {
  /** what the server speaks, whether one is required, what the client asks for, what is agreed */
  const cases: ReadonlyArray<
    readonly [own: ReadonlyArray<string> | undefined, required: boolean, asked: string | undefined, expected: string]
  > = [
    [["b", "a"], false, "a, b", "b"],
    [["a", "b"], false, "b, a", "a"],
    [["a"], false, "x, a, y", "a"],
    [["a"], false, undefined, "none"],
    [["a"], true, undefined, "NoCommonSubprotocol"],
    [["a"], true, "a", "a"],
    [["a"], false, "x", "NoCommonSubprotocol"],
    [["a"], true, "x", "NoCommonSubprotocol"],
    [["a"], false, "A", "NoCommonSubprotocol"],
    [[], false, "a", "none"],
    [[], true, "a", "NoCommonSubprotocol"],
    [[], false, undefined, "none"],
    [[], true, undefined, "NoCommonSubprotocol"],
    [undefined, false, undefined, "none"],
    [undefined, false, "a", "none"],
    [["a b", "a\r\nX: y", "a"], false, "a", "a"],
    [["__proto__"], false, "__proto__", "__proto__"],
    [["a"], false, "__proto__", "NoCommonSubprotocol"]
  ]
  for (const [subprotocols, subprotocolRequired, asked, expected] of cases) {
    it(`${subprotocolRequired ? "one of " : ""}${JSON.stringify(subprotocols)} for ${asked}: ${expected}`, () => {
      const lines = asked === undefined ? [] : [`Sec-WebSocket-Protocol: ${asked}`]
      const served = Handshake.negotiate(offered(ask({ lines })), { subprotocols, subprotocolRequired })
      assert.strictEqual(
        Either.match(served, { onLeft: ({ _tag }) => _tag, onRight: ({ subprotocol }) => subprotocol ?? "none" }),
        expected
      )
      const sent = /^Sec-WebSocket-Protocol: (.*)\r$/m.exec(answer(served))?.[1]
      assert.strictEqual(sent, Either.isRight(served) ? served.right.subprotocol : undefined)
    })
  }
})

/** An extension with a level that the server lowers to 5. */
const leveled = (
  name: string,
  reserved: ReadonlyArray<Extension.ReservedBit> = ["rsv1"]
): Extension.Extension<number> => ({
  name,
  reserved,
  offers: [{ name, parameters: [{ name: "level", value: "9" }] }],
  accept: ({ parameters: [level] }) =>
    level?.value === undefined
      ? Option.none()
      : Option.some({ response: { name, parameters: [{ name: "level", value: "5" }] }, config: 5 }),
  confirm: ({ parameters: [level] }) => (level?.value === "5" ? Either.right(5) : Either.left("the level is not 5"))
})

describe("extensions", () => {
  it("are agreed by both sides", () => {
    const extensions = [leveled("a"), leveled("b", ["rsv2"])]
    const client = Either.getOrThrow(Handshake.initiate({ authority: "a", extensions }, pattern(16)))
    const [awaiting, bytes] = Handshake.request(client)
    assert.match(toLatin1(bytes), /\r\nSec-WebSocket-Extensions: a; level=9, b; level=9\r\n/)
    const received = Either.getOrThrow(Handshake.receive(Handshake.awaitingHead(), bytes))
    if (received._tag === "AwaitingHead") assert.fail()
    const server = Either.getOrThrow(
      Either.flatMap(Handshake.offer(received), (offered) =>
        Handshake.negotiate(offered, { extensions: [leveled("b", ["rsv2"])] })
      )
    )
    assert.deepStrictEqual(
      server.extensions.map(({ config, extension }) => [extension.name, config]),
      [["b", 5]]
    )
    const accepted = Either.getOrThrow(Handshake.receiveResponse(awaiting, Handshake.response(server)))
    if (accepted._tag !== "Accepted") assert.fail()
    assert.deepStrictEqual(
      accepted.extensions.map(({ config, extension }) => [extension.name, config]),
      [["b", 5]]
    )
  })
})

const nonce = Uint8Array.from(Buffer.from(key, "base64"))

const initiated = Either.getOrThrow(
  Handshake.initiate(
    {
      authority: "server.example.com",
      target: "/chat",
      subprotocols: ["chat.v2", "chat.v1"],
      extensions: [leveled("a"), leveled("b")]
    },
    nonce
  )
)

type Answered = Either.Either<
  Handshake.AwaitingResponse | Handshake.ClientAccepted,
  Rejection.Rejection | Handshake.InvalidResponse
>

/** A client that is fed the chunks of a reply, and then, if it waits for more, the end of the connection. */
const read = (chunks: ReadonlyArray<Uint8Array>, end = true): Answered => {
  let [state]: readonly [Handshake.AwaitingResponse, Uint8Array] = Handshake.request(initiated)
  for (const [index, chunk] of chunks.entries()) {
    const answered: Answered = Handshake.receiveResponse(state, chunk)
    if (Either.isLeft(answered)) return answered
    if (answered.right._tag === "Accepted") {
      return Either.right({ ...answered.right, rest: concat([answered.right.rest, ...chunks.slice(index + 1)]) })
    }
    state = answered.right
  }
  return end ? Either.left(Handshake.endOfResponse(state)) : Either.right(state)
}

/** As text, so that what is compared is also what is shown. */
const outcome = (answered: Answered): unknown =>
  Either.match(answered, {
    onLeft: (error) =>
      error._tag === "InvalidResponse"
        ? { reason: error.reason, detail: error.detail }
        : {
            tag: error._tag,
            bytes: toLatin1(Rejection.toBytes(error)),
            truncated: "truncated" in error && error.truncated
          },
    onRight: (state) =>
      state._tag === "Accepted"
        ? { subprotocol: state.subprotocol, response: { ...state.response }, rest: toLatin1(state.rest) }
        : "more"
  })

/** A 101 that is right, but for the lines given: those of a name take the place of the line of that name. */
const switched = (lines: ReadonlyArray<string> = [], line = "HTTP/1.1 101 Switching Protocols"): string => {
  const names = lines.map((line) => line.slice(0, line.indexOf(":")).toLowerCase())
  const own = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
  const kept = own.filter((line) => !names.includes(line.slice(0, line.indexOf(":")).toLowerCase()))
  return head(line, ...kept, ...lines)
}

const without = (name: string): string => switched([`${name}:`]).replace(`${name}:\r\n`, "")

const replies: ReadonlyArray<readonly [id: string, expected: string, reply: string]> = [
  ["the least that is needed", "Accepted", switched()],
  ["the subprotocol that is wanted less", "Accepted", switched(["Sec-WebSocket-Protocol: chat.v1"])],
  ["other fields", "Accepted", switched(["Set-Cookie: a=b", "Date: x", "Server: y", "__proto__: z"])],
  ["names and values in another case", "Accepted", switched(["upgrade: WebSocket", "CONNECTION: keep-alive, upGRADE"])],
  ["no reason phrase", "Accepted", switched([], "HTTP/1.1 101 ")],
  ["HTTP/1.2", "Accepted", switched([], "HTTP/1.2 101 Switching Protocols")],
  ["an extension", "Accepted", switched(["Sec-WebSocket-Extensions: a; level=5"])],
  ["a length, which a 101 has not (RFC 9112 §6.3)", "Accepted", switched(["Content-Length: 10"])],
  ["folded lines (RFC 9112 §5.2)", "Accepted", switched(["Connection: keep-alive,\r\n upgrade"])],
  ["a 100 first", "Accepted", `${head("HTTP/1.1 100 Continue")}${switched()}`],
  [
    "a 103 and a 102 first",
    "Accepted",
    `${head("HTTP/1.1 103 Early Hints", "Link: x")}${head("HTTP/1.1 102 ")}${switched()}`
  ],
  ["16 interim replies", "Accepted", `${head("HTTP/1.1 100 Continue").repeat(16)}${switched()}`],
  ["17 interim replies", "InvalidResponse Interim", `${head("HTTP/1.1 100 Continue").repeat(17)}${switched()}`],
  ["a 101 of HTTP/1.0", "InvalidResponse Version", switched([], "HTTP/1.0 101 Switching Protocols")],
  ["a 101 of HTTP/2.0", "InvalidResponse Version", switched([], "HTTP/2.0 101 Switching Protocols")],
  ["no Upgrade", "InvalidResponse Upgrade", without("Upgrade")],
  ["an empty Upgrade", "InvalidResponse Upgrade", switched(["Upgrade:"])],
  ["another Upgrade", "InvalidResponse Upgrade", switched(["Upgrade: h2c"])],
  ["websocket among others", "InvalidResponse Upgrade", switched(["Upgrade: websocket, h2c"])],
  ["Upgrade twice", "InvalidResponse Upgrade", switched(["Upgrade: websocket", "Upgrade: websocket"])],
  ["websocket/13", "InvalidResponse Upgrade", switched(["Upgrade: websocket/13"])],
  ["no Connection", "InvalidResponse Connection", without("Connection")],
  ["Connection: close", "InvalidResponse Connection", switched(["Connection: close"])],
  ["Connection: upgraded", "InvalidResponse Connection", switched(["Connection: upgraded"])],
  ["no accept", "InvalidResponse Accept", without("Sec-WebSocket-Accept")],
  ["an empty accept", "InvalidResponse Accept", switched(["Sec-WebSocket-Accept:"])],
  [
    "the accept of another key",
    "InvalidResponse Accept",
    switched([`Sec-WebSocket-Accept: ${Handshake.acceptKey("x")}`])
  ],
  ["the key itself", "InvalidResponse Accept", switched([`Sec-WebSocket-Accept: ${key}`])],
  [
    "the accept in another case",
    "InvalidResponse Accept",
    switched(["Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO="])
  ],
  [
    "white space around the accept (RFC 6455 §4.1)",
    "Accepted",
    switched(["Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t "])
  ],
  [
    "the accept with something after it",
    "InvalidResponse Accept",
    switched(["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x"])
  ],
  [
    "the accept twice (RFC 6455 §11.3.3)",
    "InvalidResponse Accept",
    switched([
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    ])
  ],
  ["a foreign subprotocol", "InvalidResponse Subprotocol", switched(["Sec-WebSocket-Protocol: chat.v3"])],
  ["a subprotocol in another case", "InvalidResponse Subprotocol", switched(["Sec-WebSocket-Protocol: CHAT.V1"])],
  ["two subprotocols", "InvalidResponse Subprotocol", switched(["Sec-WebSocket-Protocol: chat.v1, chat.v2"])],
  ["an empty subprotocol", "InvalidResponse Subprotocol", switched(["Sec-WebSocket-Protocol:"])],
  [
    "the subprotocol twice (RFC 6455 §11.3.4)",
    "InvalidResponse Subprotocol",
    switched(["Sec-WebSocket-Protocol: chat.v1", "Sec-WebSocket-Protocol: chat.v1"])
  ],
  ["a hostile subprotocol", "InvalidResponse Subprotocol", switched(["Sec-WebSocket-Protocol: __proto__"])],
  ["a foreign extension", "InvalidResponse Extensions", switched(["Sec-WebSocket-Extensions: permessage-deflate"])],
  ["a hostile extension", "InvalidResponse Extensions", switched(["Sec-WebSocket-Extensions: constructor"])],
  [
    "an extension with other parameters",
    "InvalidResponse Extensions",
    switched(["Sec-WebSocket-Extensions: a; level=6"])
  ],
  [
    "two extensions on one bit",
    "InvalidResponse Extensions",
    switched(["Sec-WebSocket-Extensions: a; level=5, b; level=5"])
  ],
  [
    "an extension twice, over two lines",
    "InvalidResponse Extensions",
    switched(["Sec-WebSocket-Extensions: a; level=5", "Sec-WebSocket-Extensions: a; level=5"])
  ],
  ["extensions without grammar", "InvalidResponse Extensions", switched(['Sec-WebSocket-Extensions: a; level="5'])],
  ["an empty list of extensions", "InvalidResponse Extensions", switched(["Sec-WebSocket-Extensions:"])],
  ["a 200", "InvalidResponse Status", head("HTTP/1.1 200 OK", "Content-Length: 0")],
  ["a 200 with all that a 101 has", "InvalidResponse Status", switched([], "HTTP/1.1 200 OK")],
  ["a 204", "InvalidResponse Status", head("HTTP/1.1 204 No Content")],
  ["garbage", "InvalidResponse Syntax", "\u0082\u0005hello"],
  ["an SSH banner", "InvalidResponse Syntax", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["a request", "InvalidResponse Syntax", ask()],
  ["bare LF", "InvalidResponse Syntax", switched().replaceAll("\r\n", "\n")],
  ["a NUL", "InvalidResponse Syntax", switched(["X: \0"])],
  ["a head without end", "InvalidResponse HeadTooLarge", `HTTP/1.1 101 ${"a".repeat(16 * 1024)}`],
  ["too many fields", "InvalidResponse HeadTooLarge", switched(Array.from({ length: 126 }, () => "X: y"))],
  ["nothing", "InvalidResponse UnexpectedEnd", ""],
  ["half a head", "InvalidResponse UnexpectedEnd", switched().slice(0, -1)],
  ["an end after an interim reply", "InvalidResponse UnexpectedEnd", head("HTTP/1.1 100 Continue")],
  ["two lengths", "InvalidResponse Framing", `${head("HTTP/1.1 401 No", "Content-Length: 1", "Content-Length: 2")}ab`],
  ["a length that is none", "InvalidResponse Framing", `${head("HTTP/1.1 401 No", "Content-Length: x")}ab`],
  ["an empty length", "InvalidResponse Framing", `${head("HTTP/1.1 401 No", "Content-Length:")}ab`],
  [
    "a length and a coding",
    "InvalidResponse Framing",
    `${head("HTTP/1.1 401 No", "Content-Length: 1", "Transfer-Encoding: chunked")}a`
  ],
  ["a coding in HTTP/1.0", "InvalidResponse Framing", head("HTTP/1.0 401 No", "Transfer-Encoding: chunked")],
  ["another coding", "InvalidResponse Framing", head("HTTP/1.1 401 No", "Transfer-Encoding: gzip, chunked")],
  ["chunked twice", "InvalidResponse Framing", head("HTTP/1.1 401 No", "Transfer-Encoding: chunked, chunked")],
  ["an empty coding", "InvalidResponse Framing", head("HTTP/1.1 401 No", "Transfer-Encoding:")],
  ...[
    ["a chunk without a size", "\r\n"],
    ["a chunk with a size that is none", "x\r\n"],
    ["a chunk with a sign", "+1\r\na\r\n0\r\n\r\n"],
    ["a chunk with a bare LF", "1\na\r\n0\r\n\r\n"],
    ["a chunk that is longer than its size", "1\r\nab\r\n0\r\n\r\n"],
    ["a chunk with a bare CR after it", "1\r\na\rx"],
    ["a chunk of more than all numbers", `${"f".repeat(14)}\r\n`],
    ["a size without end", "0".repeat(20_000)],
    ["an extension without end", `1;${"a".repeat(20_000)}`],
    ["an extension with a NUL", "1;a\0\r\n"],
    ["trailers without end", `0\r\n${"a: b\r\n".repeat(4000)}`],
    ["a trailer with a bare LF", "0\r\na: b\n\r\n"]
  ].map(
    ([id, body]) =>
      [id, "InvalidResponse Framing", `${head("HTTP/1.1 401 No", "Transfer-Encoding: chunked")}${body}`] as const
  )
]

describe("replies", () => {
  for (const [id, expected, reply] of replies) {
    it(`${expected}: ${id}`, () => {
      const bytes = latin1(reply)
      assert.strictEqual(verdict(read([bytes])), expected)
      assert.deepStrictEqual(outcome(read(byteByByte(bytes))), outcome(read([bytes])))
    })
  }

  it("lead to every kind of invalid response", () => {
    const reasons = replies.map(([, expected]) => expected).filter((expected) => expected !== "Accepted")
    assert.deepStrictEqual(
      [...new Set(reasons)].sort(),
      [
        "Accept",
        "Connection",
        "Extensions",
        "Framing",
        "HeadTooLarge",
        "Interim",
        "Status",
        "Subprotocol",
        "Syntax",
        "UnexpectedEnd",
        "Upgrade",
        "Version"
      ].map((reason) => `InvalidResponse ${reason}`)
    )
  })

  it("what comes after a 101 is the rest", () => {
    const answered = read([
      latin1(`${head("HTTP/1.1 100 Continue")}${switched(["Sec-WebSocket-Protocol: chat.v2"])}\u0081\u0001x`)
    ])
    const accepted = Either.getOrThrow(answered)
    if (accepted._tag !== "Accepted") assert.fail()
    assert.deepStrictEqual(
      [accepted.subprotocol, toLatin1(accepted.rest), accepted.role],
      ["chat.v2", "\u0081\u0001x", "client"]
    )
    assert.strictEqual(accepted.request, initiated.request)
  })

  it.prop("do not depend on how they are cut", [FastCheck.constantFrom(...replies), cuts], ([[, , reply], at]) => {
    const bytes = latin1(`${reply}rest`)
    assert.deepStrictEqual(outcome(read(cut(bytes, at))), outcome(read([bytes])))
  })

  it.prop("are read without a throw, whatever they are", [FastCheck.uint8Array(), cuts], ([noise, at]) => {
    const bytes = concat([latin1("HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n"), noise])
    for (const reply of [noise, bytes]) assert.deepStrictEqual(outcome(read(cut(reply, at))), outcome(read([reply])))
  })
})

describe("a refusal reaches the client", () => {
  it.prop("as an equal refusal, however it is cut", [rejections, cuts], ([rejection, at]) => {
    const bytes = Rejection.toBytes(rejection)
    for (const chunks of [[bytes], cut(bytes, at)]) {
      const back = read(chunks)
      assert.strictEqual(Either.isLeft(back) && Equal.equals(back.left, rejection), true, `${back}`)
    }
  })

  it("for every bad request of the table", () => {
    for (const { request } of requests) {
      const served = serve([latin1(request)])
      if (Either.isRight(served)) continue
      const back = read([Rejection.toBytes(served.left)], false)
      assert.strictEqual(Either.isLeft(back) && Equal.equals(back.left, served.left), true, `${served.left}`)
    }
  })

  /** A foreign server's reply, and what is read: the body, whether it is cut, the fields. */
  const foreign: ReadonlyArray<
    readonly [
      id: string,
      reply: string,
      body: string,
      truncated: boolean,
      fields: ReadonlyArray<string>,
      whole: boolean
    ]
  > = [
    [
      "by its length",
      `${head("HTTP/1.1 401 Go away", "Retry-After: 5", "Content-Length: 4")}bodyrest`,
      "body",
      false,
      ["Retry-After: 5"],
      true
    ],
    ["by one length twice", `${head("HTTP/1.1 401 ", "Content-Length: 4, 4")}body`, "body", false, [], true],
    ["of no length", `${head("HTTP/1.1 404 Not Found", "Content-Length: 0")}rest`, "", false, [], true],
    [
      "in chunks",
      `${head("HTTP/1.1 503 x", "Transfer-Encoding: CHUNKED", "A: b")}3\r\nbod\r\n001 ; x="y"\r\ny\r\n0;z\r\nT: u\r\n\r\nrest`,
      "body",
      false,
      ["A: b"],
      true
    ],
    ["in no chunks", `${head("HTTP/1.1 503 x", "Transfer-Encoding: chunked")}0\r\n\r\n`, "", false, [], true],
    ["until the end", `${head("HTTP/1.0 403 Forbidden", "Server: s")}body`, "body", false, ["Server: s"], false],
    ["of nothing until the end", head("HTTP/1.1 403 Forbidden"), "", false, [], false],
    ["a 304, which has none", `${head("HTTP/1.1 304 Not Modified", "Content-Length: 4")}rest`, "", false, [], true],
    [
      "a redirect",
      `${head("HTTP/1.1 302 Found", "Location: /x", "Content-Length: 0")}`,
      "",
      false,
      ["Location: /x"],
      true
    ],
    [
      "after a 100",
      `${head("HTTP/1.1 100 Continue")}${head("HTTP/1.1 401 No", "Content-Length: 1")}x`,
      "x",
      false,
      [],
      true
    ],
    [
      "of a status that is none (RFC 9110 §15)",
      `${head("HTTP/1.1 799 Odd", "Content-Length: 1")}x`,
      "x",
      false,
      [],
      true
    ],
    [
      "that ends before its length (RFC 9112 §8)",
      `${head("HTTP/1.1 401 No", "Content-Length: 5")}body`,
      "body",
      true,
      [],
      false
    ],
    [
      "that ends before its last chunk",
      `${head("HTTP/1.1 401 No", "Transfer-Encoding: chunked")}5\r\nbody`,
      "body",
      true,
      [],
      false
    ],
    [
      "that ends before its end",
      `${head("HTTP/1.1 401 No", "Transfer-Encoding: chunked")}4\r\nbody\r\n0\r\n`,
      "body",
      true,
      [],
      false
    ],
    [
      "as long as is taken",
      `${head("HTTP/1.1 401 No", "Content-Length: 65536")}${"b".repeat(65_536)}`,
      "b".repeat(65_536),
      false,
      [],
      true
    ],
    [
      "longer, by its length",
      `${head("HTTP/1.1 401 No", "Content-Length: 65537")}${"b".repeat(65_537)}`,
      "b".repeat(65_536),
      true,
      [],
      true
    ],
    [
      "longer, in chunks",
      `${head("HTTP/1.1 401 No", "Transfer-Encoding: chunked")}${"8000\r\n".concat("b".repeat(0x8000), "\r\n").repeat(3)}`,
      "b".repeat(65_536),
      true,
      [],
      true
    ],
    ["longer, until the end", `${head("HTTP/1.1 401 No")}${"b".repeat(70_000)}`, "b".repeat(65_536), true, [], true],
    [
      "that says it is ours but is not",
      `${head("HTTP/1.1 401 No", "Sluice-Rejection: NotFound", "Content-Length: 1")}x`,
      "x",
      false,
      ["Sluice-Rejection: NotFound"],
      true
    ]
  ]
  for (const [id, reply, body, truncated, fields, whole] of foreign) {
    it(`a foreign one is Custom, with its body: ${id}`, () => {
      const bytes = latin1(reply)
      assert.strictEqual(Either.isLeft(read([bytes], false)), whole)
      for (const chunks of [[bytes], bytes.length < 1000 ? byteByByte(bytes) : cut(bytes, [1000, 30_000, 65_600])]) {
        const answered = read(chunks)
        if (Either.isRight(answered) || answered.left._tag !== "Custom") assert.fail(`${answered}`)
        const rejection = answered.left
        assert.strictEqual(toLatin1(rejection.body) === body, true)
        assert.strictEqual(rejection.truncated, truncated)
        assert.deepStrictEqual(
          rejection.fields.map(([name, value]) => `${name}: ${value}`),
          fields
        )
        const line = /^HTTP\/1\.[01] ([3-7]\d\d) (.*)\r$/m.exec(reply)
        assert.deepStrictEqual([String(rejection.status), rejection.reason], [line?.[1], line?.[2]])
      }
    })
  }
})

describe("initiate", () => {
  it("is the request of RFC 6455 §4.1", () => {
    const options = {
      authority: "server.example.com:8080",
      target: "/chat?x=y",
      origin: "http://example.com",
      subprotocols: ["chat", "superchat"],
      fields: [
        ["Authorization", "Bearer x"],
        ["Cookie", "a=b"]
      ]
    } as const
    const [, bytes] = Handshake.request(Either.getOrThrow(Handshake.initiate(options, nonce)))
    assert.strictEqual(
      toLatin1(bytes),
      head(
        "GET /chat?x=y HTTP/1.1",
        "Host: server.example.com:8080",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Authorization: Bearer x",
        "Cookie: a=b"
      )
    )
  })

  it("asks for / and nothing else by default", () => {
    const [, bytes] = Handshake.request(Either.getOrThrow(Handshake.initiate({ authority: "[::1]" }, nonce)))
    assert.strictEqual(
      toLatin1(bytes),
      head(
        "GET / HTTP/1.1",
        "Host: [::1]",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13"
      )
    )
  })

  const wrong: ReadonlyArray<readonly [id: string, expected: string, options: Partial<Handshake.InitiateOptions>]> = [
    ["CRLF in the authority", "Authority", { authority: "a\r\nX: y" }],
    ["NUL in the authority", "Authority", { authority: "a\0" }],
    ["an empty authority", "Authority", { authority: "" }],
    ["a port without a host", "Authority", { authority: ":80" }],
    ["a URL as authority", "Authority", { authority: "ws://a/" }],
    ["user information", "Authority", { authority: "user@a" }],
    ["CRLF in the target", "Target", { target: "/ HTTP/1.1\r\nX: y" }],
    ["LF in the target", "Target", { target: "/\n" }],
    ["NUL in the target", "Target", { target: "/\0" }],
    ["a space in the target", "Target", { target: "/a b" }],
    ["a target that is not ASCII", "Target", { target: "/\u010a" }],
    ["a fragment", "Target", { target: "/#a" }],
    ["an empty target", "Target", { target: "" }],
    ["a target without a slash", "Target", { target: "chat" }],
    ["an absolute target", "Target", { target: "http://a/" }],
    ["CRLF in the origin", "Origin", { origin: "http://a\r\nX: y" }],
    ["an empty origin", "Origin", { origin: "" }],
    ["an origin that is not ASCII", "Origin", { origin: "http://caf\u00e9" }],
    ["CRLF in a subprotocol", "Subprotocol", { subprotocols: ["a\r\nX: y"] }],
    ["a comma in a subprotocol", "Subprotocol", { subprotocols: ["a,b"] }],
    ["an empty subprotocol", "Subprotocol", { subprotocols: [""] }],
    ["a subprotocol twice", "Subprotocol", { subprotocols: ["a", "b", "a"] }],
    ["CRLF in an extension", "Extensions", { extensions: [leveled("a\r\nX: y")] }],
    ["CRLF in a name (CVE-2026-1527)", "InvalidName", { fields: [["X\r\nY", "z"]] }],
    ["CRLF in a value", "InvalidValue", { fields: [["X", "y\r\nZ: a"]] }],
    ["LF in a value", "InvalidValue", { fields: [["X", "y\nZ: a"]] }],
    ["NUL in a value", "InvalidValue", { fields: [["X", "\0"]] }],
    ["U+010A in a value", "InvalidValue", { fields: [["X", "\u010a"]] }],
    ...[
      "Host",
      "UPGRADE",
      "connection",
      "Origin",
      "Content-Length",
      "Transfer-Encoding",
      "Expect",
      "sec-websocket-key",
      "Sec-WebSocket-Version",
      "Sec-WebSocket-Protocol",
      "Sec-WebSocket-Extensions",
      "Sec-WebSocket-Accept"
    ].map((name) => [`the field ${name}`, "Reserved", { fields: [[name, "x"]] }] as const)
  ]
  for (const [id, expected, options] of wrong) {
    it(`${expected}: ${id}`, () => {
      const error = Either.getOrThrow(Either.flip(Handshake.initiate({ authority: "a", ...options }, nonce)))
      assert.strictEqual(error.reason, expected)
      assert.match(error.message, /^[ -~§]+$/)
    })
  }

  it("Nonce: of another length than 16 bytes", () => {
    for (const length of [0, 15, 17]) {
      const error = Either.getOrThrow(Either.flip(Handshake.initiate({ authority: "a" }, new Uint8Array(length))))
      assert.strictEqual(error.reason, "Nonce")
    }
  })

  it.prop(
    "and the server's answer agree",
    [
      FastCheck.uint8Array({ minLength: 16, maxLength: 16 }),
      FastCheck.subarray(["a", "b", "c"]),
      FastCheck.subarray(["c", "a", "d"]),
      cuts
    ],
    ([nonce, asked, spoken, at]) => {
      const client = Either.getOrThrow(Handshake.initiate({ authority: "a", subprotocols: asked }, nonce))
      const [awaiting, bytes] = Handshake.request(client)
      const served = serve(cut(bytes, at), { subprotocols: spoken })
      const common = spoken.find((name) => asked.includes(name))
      const isRefused = asked.length > 0 && spoken.length > 0 && common === undefined
      assert.strictEqual(verdict(served), isRefused ? "NoCommonSubprotocol" : "Accepted")
      if (Either.isLeft(served) || served.right._tag !== "Accepted") return
      const accepted = Either.getOrThrow(Handshake.receiveResponse(awaiting, Handshake.response(served.right)))
      assert.strictEqual(accepted._tag === "Accepted" && accepted.subprotocol, common)
    }
  )
})
