/** The client half of `Upgrade`: what is asked for, and what a reply stands for. */
import { assert, describe, it } from "@effect/vitest"
import { Either, Equal, FastCheck } from "effect"
import * as Handshake from "../src/Handshake.js"
import * as Http1 from "../src/Http1.js"
import * as Rejection from "../src/Rejection.js"
import * as Upgrade from "../src/Upgrade.js"
import { concat } from "./support/bytes.js"
import { head, latin1, tokens, toLatin1, values } from "./support/http.js"
import { rejections } from "./support/rejections.js"

const asked = ["tail/2", "tail/1", "HTTP/2.0", "mirror"] as const

type Asked = (typeof asked)[number]

// Within the tests, so that each of them notices when it cannot be made.
const initiated = () =>
  Either.getOrThrow(Upgrade.initiate({ authority: "server.example.com", target: "/log", protocols: asked }))

type Answered = Either.Either<
  Upgrade.AwaitingResponse<Asked> | Upgrade.Upgraded<Asked>,
  Rejection.Rejection | Upgrade.InvalidResponse
>

/** A client that is fed the chunks of a reply, and then, if it waits for more, the end of the connection. */
const read = (chunks: ReadonlyArray<Uint8Array>, limits: Http1.Options = {}): Answered => {
  let [state] = Upgrade.request(initiated(), limits)
  for (const [index, chunk] of chunks.entries()) {
    const answered: Answered = Upgrade.receiveResponse(state, chunk)
    if (Either.isLeft(answered)) return answered
    if (answered.right._tag === "Upgraded") {
      return Either.right({ ...answered.right, rest: concat([answered.right.rest, ...chunks.slice(index + 1)]) })
    }
    state = answered.right
  }
  return Either.left(Upgrade.endOfResponse(state))
}

/** As text, so that what is compared is also what is shown. */
const outcome = (answered: Answered): unknown =>
  Either.match(answered, {
    onLeft: (error) =>
      error._tag === "InvalidResponse"
        ? { reason: error.reason, detail: error.detail }
        : { tag: error._tag, bytes: toLatin1(Rejection.toBytes(error)) },
    onRight: (state) =>
      state._tag === "Upgraded"
        ? { protocol: state.protocol, response: { ...state.response }, rest: toLatin1(state.rest) }
        : "more"
  })

const verdict = (answered: Answered): string =>
  Either.match(answered, {
    onLeft: (error) => (error._tag === "InvalidResponse" ? error.reason : `${error._tag} ${error.status}`),
    onRight: (state) => (state._tag === "Upgraded" ? state.protocol : "more")
  })

const cuts = FastCheck.array(FastCheck.nat({ max: 300 }), { maxLength: 6 })

const cut = (bytes: Uint8Array, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...at.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.slice(places[index], end))
}

const switched = (upgrade: string, ...lines: ReadonlyArray<string>): string =>
  head("HTTP/1.1 101 Switching Protocols", `Upgrade: ${upgrade}`, "Connection: Upgrade", ...lines)

describe("initiate", () => {
  it("is a GET that asks for the protocols in their order (RFC 9110 §7.8)", () => {
    const [, bytes] = Upgrade.request(
      Either.getOrThrow(
        Upgrade.initiate({
          authority: "example.com:8080",
          target: "/a?b",
          protocols: ["tail/2", "tail/1"],
          fields: [
            ["Authorization", "Bearer x"],
            ["Origin", "https://example.com"]
          ]
        })
      )
    )
    assert.strictEqual(
      toLatin1(bytes),
      head(
        "GET /a?b HTTP/1.1",
        "Host: example.com:8080",
        "Upgrade: tail/2, tail/1",
        "Connection: Upgrade",
        "Authorization: Bearer x",
        "Origin: https://example.com"
      )
    )
  })

  it("asks for / where nothing else is said, and has the head to look at", () => {
    const made = Either.getOrThrow(Upgrade.initiate({ authority: "a", protocols: ["b"] }))
    assert.deepStrictEqual(
      [made._tag, made.request.method, made.request.target, made.request.version, made.protocols],
      ["Initiated", "GET", "/", "1.1", ["b"]]
    )
    const read = Either.getOrThrow(Http1.receive(Http1.request(), Upgrade.request(made)[1]))
    assert.isTrue(read._tag === "Complete" && read.rest.length === 0)
    if (read._tag === "Complete") assert.deepStrictEqual({ ...read.head }, { ...made.request })
  })

  const wrong: ReadonlyArray<
    readonly [what: string, options: Partial<Upgrade.InitiateOptions<[string, ...Array<string>]>>, reason: string]
  > = [
    ["no host", { authority: "" }, "Authority"],
    ["a host with a path", { authority: "a/b" }, "Authority"],
    ["a host with a user", { authority: "a@b" }, "Authority"],
    ["a host with a line break", { authority: "a\r\nX: y" }, "Authority"],
    ["a port that is none", { authority: "a:65536" }, "Authority"],
    ["a target that is no path", { target: "a" }, "Target"],
    ["an empty target", { target: "" }, "Target"],
    ["a target with a fragment", { target: "/a#b" }, "Target"],
    ["a target with a space", { target: "/a b" }, "Target"],
    ["a target with a line break", { target: "/ HTTP/1.1\r\nX: y" }, "Target"],
    ["a target that is not ASCII", { target: "/caf\u00e9" }, "Target"],
    ["a whole URL", { target: "http://a/" }, "Target"],
    ["*", { target: "*" }, "Target"],
    // The type forbids it.
    ["no protocol", { protocols: [] as unknown as [string] }, "Protocols"],
    ["an empty protocol", { protocols: [""] }, "Protocols"],
    ["a protocol without its version", { protocols: ["a/"] }, "Protocols"],
    ["a version without its protocol", { protocols: ["/1"] }, "Protocols"],
    ["a protocol with two slashes", { protocols: ["a/1/2"] }, "Protocols"],
    ["a protocol with a comma", { protocols: ["a,b"] }, "Protocols"],
    ["a protocol with a line break", { protocols: ["a\r\nX: y"] }, "Protocols"],
    ["a protocol that is not ASCII", { protocols: ["caf\u00e9"] }, "Protocols"],
    ["a protocol twice", { protocols: ["a/1", "b", "a/1"] }, "Protocols"],
    ["a protocol twice, in two spellings", { protocols: ["tail/1", "TAIL/1"] }, "Protocols"],
    ...[
      "Host",
      "upgrade",
      "CONNECTION",
      "Content-Length",
      "Transfer-Encoding",
      "expect",
      "Sec-WebSocket-Key",
      "Sec-WebSocket-X"
    ].map((name) => [`the field ${name}`, { fields: [[name, "1"]] }, "Reserved"] as const),
    ["a field with a line break", { fields: [["X", "1\r\nY: 2"]] }, "InvalidValue"],
    ["a field without a name", { fields: [["", "1"]] }, "InvalidName"]
  ]
  for (const [what, options, reason] of wrong) {
    it(`${reason}: ${what}`, () => {
      const error = Either.getOrThrow(Either.flip(Upgrade.initiate({ authority: "a", protocols: ["b"], ...options })))
      assert.strictEqual(error.reason, reason)
      assert.match(error.message, /^[ -~§]{10,}$/)
    })
  }

  it("takes protocols that differ in their version only", () => {
    assert.isTrue(Either.isRight(Upgrade.initiate({ authority: "a", protocols: ["a", "a/1", "a/2", "b"] })))
  })

  it.prop(
    "what it takes a server reads, and nothing else is in it",
    [tokens, FastCheck.array(FastCheck.tuple(tokens, values), { maxLength: 4 })],
    ([name, fields]) => {
      const made = Upgrade.initiate({ authority: "a", target: "/b", protocols: [name], fields })
      if (Either.isLeft(made)) return
      const read = Either.getOrThrow(Http1.receive(Http1.request(), Upgrade.request(made.right)[1]))
      if (read._tag !== "Complete") assert.fail()
      assert.strictEqual(read.head.fields.length, 3 + fields.length)
      const negotiated = Either.getOrThrow(Upgrade.negotiate(Upgrade.received(read.head, read.rest), ["x", name]))
      assert.strictEqual(negotiated.protocol.toLowerCase(), name.toLowerCase())
    }
  )
})

const replies: ReadonlyArray<readonly [id: string, expected: string, reply: string]> = [
  ["the one that is wanted most", "tail/2", switched("tail/2")],
  ["one that is wanted less", "mirror", switched("mirror")],
  ["in another case, which the client's own spelling takes the place of", "HTTP/2.0", switched("http/2.0")],
  ["after interim replies", "tail/1", `${head("HTTP/1.1 100 Continue")}${head("HTTP/1.1 103 x")}${switched("tail/1")}`],
  ["16 interim replies", "tail/1", `${head("HTTP/1.1 100 Continue").repeat(16)}${switched("tail/1")}`],
  ["17 interim replies", "Interim", `${head("HTTP/1.1 100 Continue").repeat(17)}${switched("tail/1")}`],
  ["fields of a body, which a 101 has not (RFC 9112 §6.3)", "tail/1", switched("tail/1", "Content-Length: 9")],
  ["HTTP/1.2", "tail/1", switched("tail/1").replace("1.1", "1.2")],
  ["HTTP/1.0", "Version", switched("tail/1").replace("1.1", "1.0")],
  ["HTTP/2.0", "Version", switched("tail/1").replace("1.1", "2.0")],
  ["a version that was not asked for", "Upgrade", switched("tail/3")],
  ["no version", "Upgrade", switched("tail")],
  ["a version where none was asked for", "Upgrade", switched("mirror/1")],
  ["a protocol that was not asked for", "Upgrade", switched("websocket")],
  ["two layers", "Upgrade", switched("tail/1, mirror")],
  ["the same twice", "Upgrade", switched("tail/1", "Upgrade: tail/1")],
  ["an empty Upgrade", "Upgrade", switched("")],
  ["an Upgrade that is none", "Upgrade", switched("a b")],
  ["a hostile Upgrade", "Upgrade", switched("__proto__")],
  ["no Upgrade", "Upgrade", head("HTTP/1.1 101 x", "Connection: Upgrade")],
  ["no Connection", "Connection", head("HTTP/1.1 101 x", "Upgrade: tail/1")],
  ["Connection: close", "Connection", head("HTTP/1.1 101 x", "Upgrade: tail/1", "Connection: close")],
  ["a server that ignores Upgrade (RFC 9110 §7.8)", "Status", head("HTTP/1.1 200 OK", "Content-Length: 0")],
  ["a 299", "Status", head("HTTP/1.1 299 x", "Content-Length: 0")],
  ["a 300", "Custom 300", head("HTTP/1.1 300 x", "Content-Length: 0")],
  ["a 426 of ours", "NotAnUpgrade 426", toLatin1(Rejection.toBytes(new Rejection.NotAnUpgrade({ supported: ["x"] })))],
  ["a 426 of others", "Custom 426", head("HTTP/1.1 426 Upgrade Required", "Upgrade: x", "Content-Length: 0")],
  ["a redirection", "Custom 307", head("HTTP/1.1 307 x", "Location: /", "Content-Length: 0")],
  ["a body of unknown length", "Framing", head("HTTP/1.1 403 x", "Content-Length: x")],
  ["something else", "Syntax", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["a head without end", "HeadTooLarge", `HTTP/1.1 101 ${"a".repeat(16 * 1024)}`],
  ["nothing", "UnexpectedEnd", ""],
  ["half a head", "UnexpectedEnd", switched("tail/1").slice(0, -1)]
]

describe("receiveResponse", () => {
  for (const [id, expected, reply] of replies) {
    it(`${expected}: ${id}`, () => {
      const bytes = latin1(reply)
      assert.strictEqual(verdict(read([bytes])), expected)
      assert.deepStrictEqual(outcome(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))), outcome(read([bytes])))
    })
  }

  it("says what was asked for, beside what was answered", () => {
    const answered = read([latin1(switched("websocket"))])
    assert.match(`${Either.isLeft(answered) && answered.left}`, /"websocket", not tail\/2 or tail\/1 or HTTP\/2\.0 or/)
  })

  it("hands over the heads, and what comes after the 101", () => {
    const state = Either.getOrThrow(read([latin1(`${switched("TAIL/1", "X: y")}\u0000\u0001`)]))
    if (state._tag !== "Upgraded") assert.fail()
    const protocol: Asked = state.protocol
    assert.strictEqual(protocol, "tail/1")
    assert.deepStrictEqual({ ...state.request }, { ...initiated().request })
    assert.deepStrictEqual([state.response.status, toLatin1(state.rest)], [101, "\u0000\u0001"])
    assert.deepStrictEqual(state.response.fields.at(-1), ["X", "y"])
  })

  it.prop("does not depend on how a reply is cut", [FastCheck.constantFrom(...replies), cuts], ([[, , reply], at]) => {
    const bytes = latin1(`${reply}rest`)
    assert.deepStrictEqual(outcome(read(cut(bytes, at))), outcome(read([bytes])))
  })

  it.prop("reads any bytes without a throw", [FastCheck.uint8Array(), cuts], ([noise, at]) => {
    const bytes = concat([latin1("HTTP/1.1 101 x\r\nUpgrade: "), noise])
    for (const reply of [noise, bytes]) assert.deepStrictEqual(outcome(read(cut(reply, at))), outcome(read([reply])))
  })

  it.prop("gives the refusal back that the server meant", [rejections, cuts], ([rejection, at]) => {
    const back = read(cut(Rejection.toBytes(rejection), at))
    assert.isTrue(Either.isLeft(back) && Equal.equals(back.left, rejection), `${back}`)
  })

  it("keeps to the limits, at their edge", () => {
    const reply = switched("tail/1")
    assert.strictEqual(verdict(read([latin1(reply)], { maxHeadSize: reply.length, maxFields: 2 })), "tail/1")
    assert.strictEqual(verdict(read([latin1(reply)], { maxHeadSize: reply.length - 1 })), "HeadTooLarge")
    assert.strictEqual(verdict(read([latin1(reply)], { maxFields: 1 })), "HeadTooLarge")
  })
})

describe("the two halves", () => {
  it.prop(
    "agree on the protocol, and lose no byte behind the heads",
    [FastCheck.uniqueArray(tokens, { minLength: 1, maxLength: 4, selector: (name) => name.toLowerCase() }), cuts],
    ([names, at]) => {
      const [first, ...others] = names
      const client = Either.getOrThrow(Upgrade.initiate({ authority: "a", protocols: [first as string, ...others] }))
      let [state, bytes] = Upgrade.request(client)
      const received = Either.getOrThrow(Http1.receive(Http1.request(), concat([bytes, latin1("up")])))
      if (received._tag !== "Complete") assert.fail()
      const own = [names.at(-1) as string, ...names] as const
      const server = Either.getOrThrow(Upgrade.negotiate(Upgrade.received(received.head, received.rest), own))
      assert.strictEqual(toLatin1(server.rest), "up")
      const answer = concat([Upgrade.encodeSwitching(Upgrade.switching(server)), latin1("down")])
      const rest: Array<Uint8Array> = []
      let protocol: string | undefined
      for (const chunk of cut(answer, at)) {
        if (protocol !== undefined) {
          rest.push(chunk)
          continue
        }
        const next = Either.getOrThrow(Upgrade.receiveResponse(state, chunk))
        if (next._tag === "AwaitingResponse") {
          state = next
          continue
        }
        protocol = next.protocol
        rest.push(next.rest)
      }
      assert.deepStrictEqual([protocol, toLatin1(concat(rest))], [server.protocol, "down"])
      assert.strictEqual(protocol, first)
    }
  )
})

describe("one reader of replies", () => {
  it.prop(
    "a WebSocket and any other protocol make the same of the same reply",
    [FastCheck.constantFrom(...replies), FastCheck.constantFrom("websocket", "WEBSOCKET", "websocket/13", "tail/1")],
    ([[, , reply], name]) => {
      const [upgrade] = Upgrade.request(
        Either.getOrThrow(Upgrade.initiate({ authority: "a", protocols: ["websocket"] }))
      )
      const [webSocket] = Handshake.request(
        Either.getOrThrow(Handshake.initiate({ authority: "a" }, new Uint8Array(16)))
      )
      const accept = `Sec-WebSocket-Accept: ${Handshake.acceptKey(webSocket.initiated.key)}`
      const bytes = latin1(
        reply.replaceAll(/tail\/[12]|mirror/g, name).replace("Connection: Upgrade", `Connection: Upgrade\r\n${accept}`)
      )
      const plain = Upgrade.receiveResponse(upgrade, bytes)
      const opened = Handshake.receiveResponse(webSocket, bytes)
      const said = Either.match({
        onLeft: (error: Rejection.Rejection | Upgrade.InvalidResponse) => `${error._tag} ${error.message}`,
        onRight: (state: { readonly _tag: string }) => (state._tag === "AwaitingResponse" ? "more" : "switched")
      })
      assert.strictEqual(said(opened), said(plain))
    }
  )
})
