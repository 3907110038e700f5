import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Equal, FastCheck, Redacted, Ref } from "effect"
import * as Credential from "../src/Credential.js"
import * as Handshake from "../src/Handshake.js"
import * as Rejection from "../src/Rejection.js"
import * as SubprotocolToken from "../src/SubprotocolToken.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { memory, scenario, urlOf } from "./suites/host.js"
import { ask, plain101 } from "./support/asking.js"
import { fields } from "./support/http.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"

const secret = "correct horse battery staple \u00e9\u20ac\u{1f600}"
const entry = SubprotocolToken.encode(Redacted.make(secret))

const unauthorized = (detail: string) => new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail })

const missing = unauthorized("Sec-WebSocket-Protocol has no token: an entry of bearer. and the token in base64url.")
const two = unauthorized("Sec-WebSocket-Protocol has 2 entries that begin with bearer.; one is right.")
const malformed = unauthorized(
  "What follows bearer. in Sec-WebSocket-Protocol is not text in UTF-8 and base64url, without padding."
)
const wrong = unauthorized("This is not the token.")

const isSecret = Credential.equalTo(Redacted.make(secret))

const verify = (token: Redacted.Redacted<string>) => (isSecret(token) ? Effect.succeed({ user: "Ada" }) : wrong)

/** A server that says to who comes in who that is. */
const serve = <R = never>(
  options: Partial<SubprotocolToken.Options<readonly ["chat.v2", "chat.v1"], { readonly user: string }, R>> = {}
) =>
  Effect.gen(function* () {
    const token = yield* SubprotocolToken.make({ subprotocols: ["chat.v2", "chat.v1"], verify, ...options })
    const { address } = yield* WebSocketServer.serve({ ...token }, (socket, { principal }) =>
      Effect.zipRight(socket.send(`${principal.user} speaks ${socket.subprotocol}`), socket.closed)
    )
    return {
      address,
      get: (...fields: ReadonlyArray<string>) =>
        ask(address, Peer.request("/", ...fields.map((field) => `Sec-WebSocket-Protocol: ${field}`)))
    }
  })

const bytesOf = (rejection: Rejection.Rejection) => Buffer.from(Rejection.toBytes(rejection)).toString("latin1")

/** What of the token may be in nothing that the server says. */
const pieces = [secret, entry, entry.slice("bearer.".length), entry.slice(10, 30)]

const assertSilent = (text: string) => {
  for (const piece of pieces) assert.notInclude(text, piece)
}

const test = scenario(memory)

/** A request that offers these. */
const incomingOf = (subprotocols: ReadonlyArray<string>): WebSocketServer.Incoming => ({
  ...Either.getOrThrow(Handshake.offer(received)),
  subprotocols,
  remote: { host: "127.0.0.1", port: 1 }
})

const received = Handshake.received({
  method: "GET",
  target: "/",
  version: "1.1",
  fields: fields(
    ["Host", "localhost"],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", Peer.key],
    ["Sec-WebSocket-Version", "13"]
  )
})

const entries = FastCheck.uniqueArray(
  FastCheck.oneof(
    FastCheck.constantFrom(entry, "chat.v1", "bearer."),
    FastCheck.string({ unit: "binary-ascii", maxLength: 12 }).map((text) => `bearer.${text}`),
    FastCheck.uint8Array({ minLength: 1, maxLength: 12 }).map(
      (bytes) => `bearer.${Buffer.from(bytes).toString("base64url")}`
    )
  ),
  { maxLength: 4 }
)

describe("a token among the subprotocols", () => {
  test(
    "lets its principal in, and is not in the 101",
    logged((logs) =>
      Effect.gen(function* () {
        const { address, get } = yield* serve()
        for (const [fields, chosen] of [
          [[`chat.v1, ${entry}`], "chat.v1"],
          [[`${entry}, chat.v1`], "chat.v1"],
          [[entry, "other, chat.v1", "chat.v2"], "chat.v2"]
        ] as const) {
          const answer = yield* get(...fields)
          assert.deepStrictEqual(answer, {
            status: 101,
            text: plain101(chosen),
            frame: `Text "Ada speaks ${chosen}"`
          })
        }
        const socket = yield* WebSocketClient.connect({ url: urlOf(address), subprotocols: [entry, "chat.v2"] })
        assert.strictEqual(socket.subprotocol, "chat.v2")
        for (const { text } of logs) assertSilent(text)
      })
    )
  )

  test(
    "is refused without being repeated, where it is missing, malformed, or one of two",
    logged((logs) =>
      Effect.gen(function* () {
        const { get } = yield* serve()
        const payload = entry.slice("bearer.".length)
        const supported = new Rejection.NoCommonSubprotocol({ supported: ["chat.v2", "chat.v1"] })
        const cases: ReadonlyArray<readonly [field: string, expected: Rejection.Rejection]> = [
          ["chat.v1", missing],
          [`chat.v1, ${payload}`, missing],
          [`chat.v1, Bearer.${payload}`, missing],
          [`chat.v1, bearer${payload}`, missing],
          [`chat.v1, x${entry}`, missing],
          ["chat.v1, bearer.", malformed],
          ["chat.v1, bearer.QUFBQ", malformed],
          // QQ is an A: the same byte, and a bit that is of none
          ["chat.v1, bearer.QR", malformed],
          [`chat.v1, ${entry}.`, malformed],
          [`chat.v1, ${entry}+`, malformed],
          [`chat.v1, bearer.${entry}`, malformed],
          [`chat.v1, bearer.%${entry.slice(10)}`, malformed],
          // not UTF-8: a byte alone, a surrogate, a form that is too long, half a character
          ...["ff", "eda080", "c080", "f09f98"].map(
            (hex) => [`chat.v1, bearer.${Buffer.from(hex, "hex").toString("base64url")}`, malformed] as const
          ),
          [`chat.v1, ${entry}, ${entry}AA`, two],
          [`chat.v1, ${entry}, bearer.`, two],
          [`chat.v1, bearer.${Buffer.from("another").toString("base64url")}`, wrong],
          [`chat.v1, bearer.${Buffer.from(`${secret}x`).toString("base64url")}`, wrong],
          [`chat.v1, bearer.${"QUFB".repeat(3500)}`, wrong],
          // what is spoken is looked at first
          [entry, supported],
          [`mqtt, ${entry}`, supported]
        ]
        for (const [field, expected] of cases) {
          const { text } = yield* get(field)
          assert.strictEqual(text, bytesOf(expected), field.slice(0, 100))
          assertSilent(text)
        }
        assert.strictEqual((yield* get()).text, bytesOf(supported))
        const tooLarge = yield* get(`chat.v1, bearer.${entry.slice(7).repeat(400)}`)
        assert.strictEqual(tooLarge.status, 431)
        assertSilent(tooLarge.text)
        // refusals are logged at this level, so that it would be seen
        assert.isTrue(logs.some(({ text }) => text.includes("refused with 401")))
        for (const { text } of logs) assertSilent(text)
      })
    )
  )

  test(
    "is not repeated by the checks that come before `authenticate` either",
    logged((logs) =>
      Effect.gen(function* () {
        const { get } = yield* serve()
        const padded = `bearer.${Buffer.from(`${secret}xx`).toString("base64")}`
        for (const field of [
          `chat.v1, ${padded}`,
          `chat.v1, ${entry}=`,
          `chat.v1, ${entry}\u00e9`,
          `chat.v1, ${entry}, ${entry}`,
          `chat.v1, ${entry};x`,
          `chat.v1, "${entry}`
        ]) {
          const { status, text } = yield* get(field)
          assert.strictEqual(status, 400)
          for (const said of [text, ...logs.map(({ text }) => text)]) assertSilent(said)
        }
      })
    )
  )

  test(
    "is not in what a client is told whose request cannot be sent",
    Effect.gen(function* () {
      const url = "ws://127.0.0.1:1/"
      for (const subprotocols of [
        [entry, entry],
        [entry, "chat v1"],
        [SubprotocolToken.encode(Redacted.make(secret), { prefix: "not a token" })]
      ]) {
        const error = yield* Effect.flip(WebSocketClient.connect({ url, subprotocols }))
        assert.strictEqual(error._tag, "RequestError")
        assertSilent(String(error))
      }
    })
  )

  test(
    "is verified as the application wants, which sees the request",
    Effect.gen(function* () {
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      const { address } = yield* serve({
        verify: (token, { resource }) =>
          Ref.update(seen, (seen) => [...seen, resource, String(token), Redacted.value(token)]).pipe(
            Effect.zipRight(resource === "/ada" ? Effect.succeed({ user: "Ada" }) : new Rejection.NotFound())
          )
      })
      const connect = (path: string, token: string) =>
        WebSocketClient.connect({
          url: urlOf(address, path),
          subprotocols: ["chat.v1", SubprotocolToken.encode(Redacted.make(token))]
        })
      const socket = yield* connect("/ada", "one")
      assert.deepStrictEqual(yield* socket.take, [{ _tag: "Text", text: "Ada speaks chat.v1" }])
      const error = yield* Effect.flip(connect("/", "two"))
      assert.isTrue(Equal.equals(error, new Rejection.NotFound()))
      assert.deepStrictEqual(yield* Ref.get(seen), ["/ada", "<redacted>", "one", "/", "<redacted>", "two"])
    })
  )

  test(
    "may have another prefix, and then only that",
    Effect.gen(function* () {
      const prefix = "base64url.bearer.authorization.k8s.io."
      const { get } = yield* serve({ prefix })
      const own = SubprotocolToken.encode(Redacted.make(secret), { prefix })
      assert.isTrue(own.startsWith(prefix))
      assert.strictEqual((yield* get(`chat.v1, ${own}, ${entry}`)).text, plain101("chat.v1"))
      const answer = yield* get(`chat.v1, ${entry}`)
      const detail = `Sec-WebSocket-Protocol has no token: an entry of ${prefix} and the token in base64url.`
      assert.strictEqual(answer.text, bytesOf(unauthorized(detail)))
    })
  )

  const tokens = FastCheck.string({ unit: "grapheme", minLength: 1, maxLength: 200 })

  it.prop("is the same for the server as for the client, whatever is in it", [tokens], ([token]) => {
    const encoded = SubprotocolToken.encode(Redacted.make(token))
    // RFC 9110 §5.6.2, and what a browser takes for a subprotocol
    assert.match(encoded, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
    assert.strictEqual(encoded, `bearer.${Buffer.from(token).toString("base64url")}`)
    const options = Either.getOrThrow(
      SubprotocolToken.make({ subprotocols: ["chat.v1"], verify: (token) => Effect.succeed(Redacted.value(token)) })
    )
    assert.strictEqual(Effect.runSync(options.authenticate(incomingOf([encoded, "chat.v1"]))), token)
  })

  it.prop("takes any entries, and fails with Unauthorized at most", [entries], ([entries]) => {
    const options = Either.getOrThrow(SubprotocolToken.make({ subprotocols: ["chat.v1"], verify }))
    const result = Effect.runSync(Effect.either(options.authenticate(incomingOf(entries))))
    const own = entries.filter((name) => name.startsWith("bearer."))
    const isRight = own.length === 1 && own[0] === entry
    assert.strictEqual(result._tag, isRight ? "Right" : "Left")
    if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "Unauthorized")
  })
})

describe("the options", () => {
  const reasonOf = (subprotocols: ReadonlyArray<string>, prefix?: string) =>
    // the type asks for one subprotocol at least; what comes from elsewhere may have none
    SubprotocolToken.make({
      subprotocols: subprotocols as readonly [string, ...ReadonlyArray<string>],
      verify,
      prefix
    }).pipe(Either.match({ onLeft: ({ message, reason }) => `${reason}: ${message}`, onRight: () => "right" }))

  it("name a subprotocol that a browser can be answered with", () => {
    assert.match(reasonOf([]), /^NoSubprotocol: a browser that offers a token fails if no subprotocol is chosen/)
    assert.strictEqual(reasonOf(["chat.v1"]), "right")
  })

  it("never have the server choose a token", () => {
    for (const name of ["bearer.", "bearer.v1", entry]) {
      assert.match(reasonOf(["chat.v1", name]), /^Subprotocol: .* begins with bearer\./)
    }
    assert.strictEqual(reasonOf(["bearer", "Bearer.v1"]), "right")
    assert.match(reasonOf(["chat.v1"], "chat."), /^Subprotocol: "chat\.v1" /)
  })

  it("hold tokens of RFC 9110 §5.6.2", () => {
    for (const name of ["", "chat v1", "chat/v1", "chat,v1", "caf\u00e9"])
      assert.match(reasonOf([name]), /^Subprotocol: /)
    for (const prefix of ["", "a b", "bearer:", "\u00e9"]) assert.match(reasonOf(["chat.v1"], prefix), /^Prefix: /)
  })
})
