/** Clients: what they ask for, what they make of the answer, and what they leave; on every network. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Queue, Ref } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { assertBytes, concat } from "../support/bytes.js"
import { head, latin1 } from "../support/http.js"
import * as Peer from "../support/peer.js"
import { site } from "../support/site.js"
import { turns } from "../support/turns.js"
import { type Host, scenario, urlOf } from "./host.js"

/** A network that nobody may use. */
const untouched = Effect.provideService(Network.Network, {
  connect: () => Effect.dieMessage("connected"),
  listen: () => Effect.dieMessage("listened")
})

const wrongRequests: ReadonlyArray<
  readonly [what: string, request: WebSocketClient.Request, tag: string, reason: string]
> = [
  ...[
    "",
    "nothing",
    "/path",
    "//localhost/",
    "http://localhost/",
    "https://localhost/",
    "file:///etc",
    "ws:",
    "ws://",
    "ws://local host/",
    "ws://localhost:65536/",
    "ws://localhost/#fragment",
    "ws://localhost/#",
    "ws://ada:secret@localhost/",
    "ws://ada@localhost/"
  ].map((url) => [`the URL ${JSON.stringify(url)}`, { url }, "RequestError", "Url"] as const),
  ["a subprotocol that is no token", { url: "ws://h/", subprotocols: ["a b"] }, "RequestError", "Subprotocol"],
  ["a subprotocol with a line break", { url: "ws://h/", subprotocols: ["a\r\nX: 1"] }, "RequestError", "Subprotocol"],
  ["a subprotocol twice", { url: "ws://h/", subprotocols: ["a", "a"] }, "RequestError", "Subprotocol"],
  ["an origin with a line break", { url: "ws://h/", origin: "https://a\r\nX: 1" }, "RequestError", "Origin"],
  ["a field with CR LF", { url: "ws://h/", fields: [["X", "1\r\nY: 2"]] }, "FieldError", "InvalidValue"],
  ["a field with LF", { url: "ws://h/", fields: [["X", "1\nY: 2"]] }, "FieldError", "InvalidValue"],
  ["a field with NUL", { url: "ws://h/", fields: [["X", "\u0000"]] }, "FieldError", "InvalidValue"],
  ["a field beyond ISO-8859-1", { url: "ws://h/", fields: [["X", "\u20ac"]] }, "FieldError", "InvalidValue"],
  ["a field without a name", { url: "ws://h/", fields: [["", "1"]] }, "FieldError", "InvalidName"],
  ["a name with a colon", { url: "ws://h/", fields: [["X: 1\r\nY", "1"]] }, "FieldError", "InvalidName"],
  ...["Host", "upgrade", "Connection", "Sec-WebSocket-Key", "sec-websocket-extensions", "Content-Length"].map(
    (name) => [`the field ${name}`, { url: "ws://h/", fields: [[name, "1"]] }, "FieldError", "Reserved"] as const
  )
]

/** What a server may answer that is neither a 101 nor a refusal. */
const wrongAnswers: ReadonlyArray<readonly [what: string, answer: (request: string) => Uint8Array, reason: string]> = [
  ["something else", () => latin1("220 smtp.example.com ESMTP\r\n\r\n"), "Syntax"],
  ["bytes", () => Uint8Array.from({ length: 64 }, (_, i) => i * 37), "Syntax"],
  ["a 200", () => latin1(head("HTTP/1.1 200 OK", "Content-Length: 0")), "Status"],
  ["a 101 of HTTP/1.0", (request) => replace(request, "HTTP/1.1", "HTTP/1.0"), "Version"],
  ["a 101 for another protocol", (request) => replace(request, "Upgrade: websocket", "Upgrade: h2c"), "Upgrade"],
  ["a 101 without Upgrade", (request) => replace(request, "Upgrade: websocket\r\n", ""), "Upgrade"],
  ["a 101 without Connection", (request) => replace(request, "Connection: Upgrade\r\n", ""), "Connection"],
  ["a 101 without an answer to the key", (request) => replace(request, /Sec-WebSocket-Accept.*\r\n/, ""), "Accept"],
  ["a 101 for another key", () => Peer.switching(`Sec-WebSocket-Key: ${Peer.key}\r\n`), "Accept"],
  ["a subprotocol not asked for", (request) => Peer.switching(request, "Sec-WebSocket-Protocol: c"), "Subprotocol"],
  [
    "an extension not asked for",
    (request) => Peer.switching(request, "Sec-WebSocket-Extensions: permessage-deflate"),
    "Extensions"
  ],
  ["a head without end", () => latin1(`HTTP/1.1 101 ${"x".repeat(17 * 1024)}`), "HeadTooLarge"],
  [
    "too many fields",
    (request) => Peer.switching(request, ...Array.from({ length: 130 }, (_, i) => `X-${i}: 1`)),
    "HeadTooLarge"
  ],
  ["more 1xx than anybody needs", () => latin1(head("HTTP/1.1 102 Processing").repeat(20)), "Interim"],
  ["a body of a length that cannot be", () => latin1(head("HTTP/1.1 403 No", "Content-Length: x")), "Framing"]
]

const replace = (request: string, what: string | RegExp, by: string): Uint8Array =>
  latin1(new TextDecoder("latin1").decode(Peer.switching(request)).replace(what, by))

/** Such a site, and a URL that leads to it. */
const answering = (answer: Parameters<typeof site>[0]) =>
  Effect.map(site(answer), (made) => ({ ...made, url: urlOf(made.address, "/path?a=b") }))

export const connecting = (host: Host): void => {
  const test = scenario(host)

  // Without resets an abort looks like an end.
  const cutOff = host.hasResets === false ? ["InvalidResponse", "UnexpectedEnd"] : ["TransportError", "ConnectionReset"]

  describe(`the request of a client on ${host.name}`, () => {
    for (const [what, request, tag, reason] of wrongRequests) {
      test(
        `${what} is an error before anything is done`,
        Effect.gen(function* () {
          const error = yield* untouched(Effect.scoped(Effect.flip(WebSocketClient.connect(request))))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], [tag, reason])
          assert.isAbove(error.message.length, 10)
        })
      )
    }

    test(
      "says what was asked for, and the answer is there to see",
      Effect.gen(function* () {
        const { address, requests, url } = yield* answering((request, transport) =>
          transport.write([
            Peer.switching(request, "Sec-WebSocket-Protocol: b", "Set-Cookie: a=1", "Set-Cookie: b=2"),
            Peer.make(transport, "server").bytes(Peer.text("at once"))
          ])
        )
        const client = yield* WebSocketClient.connect({
          url,
          subprotocols: ["a", "b"],
          origin: "https://example.com",
          fields: [
            ["Authorization", "Bearer x"],
            ["Cookie", "a=1"]
          ]
        })
        const subprotocol: "a" | "b" | undefined = client.subprotocol
        assert.deepStrictEqual([subprotocol, client.role], ["b", "client"])
        assert.deepStrictEqual(Fields.getAll(client.response.fields, "Set-Cookie"), ["a=1", "b=2"])
        assert.deepStrictEqual(yield* client.take, [Message.text("at once")])
        const lines = (yield* Queue.take(requests)).split("\r\n")
        assert.strictEqual(lines[0], "GET /path?a=b HTTP/1.1")
        for (const line of [
          `Host: ${Network.formatAddress(address)}`,
          "Upgrade: websocket",
          "Connection: Upgrade",
          "Sec-WebSocket-Version: 13",
          "Origin: https://example.com",
          "Sec-WebSocket-Protocol: a, b",
          "Authorization: Bearer x",
          "Cookie: a=1"
        ]) {
          assert.include(lines, line)
        }
        assert.isFalse(lines.some((line) => line.startsWith("Sec-WebSocket-Extensions")))
      })
    )

    test(
      "has a new key each time",
      Effect.gen(function* () {
        const { requests, url } = yield* answering((_, { endOfOutput }) => endOfOutput)
        for (let i = 0; i < 20; i++) yield* Effect.flip(WebSocketClient.connect(url))
        const keys = [...(yield* Queue.takeN(requests, 20))].map((request) => /Key: (.*)\r/.exec(request)?.[1])
        assert.strictEqual(new Set(keys).size, 20)
        for (const key of keys) assert.match(key ?? "", /^[A-Za-z0-9+/]{22}==$/)
      })
    )

    test(
      "is an effect that is evaluated for each attempt",
      Effect.gen(function* () {
        const issued = yield* Ref.make(0)
        const seen: Array<string | undefined> = []
        const { address, connections } = yield* host.serve(
          {
            authenticate: ({ request }) => {
              const token = Fields.get(request.fields, "Authorization")
              seen.push(token)
              return token === "Bearer 3" ? Effect.void : new Rejection.Unauthorized({ challenges: [Rejection.bearer] })
            }
          },
          (socket) => socket.closed
        )
        const request = Effect.map(
          Ref.updateAndGet(issued, (count) => count + 1),
          (count) => ({
            url: urlOf(address),
            fields: [["Authorization", `Bearer ${count}`]] as const
          })
        )
        yield* Effect.retry(WebSocketClient.connect(request), {
          times: 5,
          while: (error) => error._tag === "Unauthorized"
        })
        assert.deepStrictEqual(seen, ["Bearer 1", "Bearer 2", "Bearer 3"])
        assert.strictEqual(yield* connections, 1)
      })
    )

    test(
      "that cannot be made is the error of its effect, and nothing is done",
      Effect.gen(function* () {
        const request = Effect.fail({ _tag: "NoToken" } as const)
        const error = yield* untouched(Effect.scoped(Effect.flip(WebSocketClient.connect(request))))
        assert.deepStrictEqual(error, { _tag: "NoToken" })
      })
    )
  })

  describe(`the answer to a client on ${host.name}`, () => {
    for (const [what, answer, reason] of wrongAnswers) {
      test(
        `${what} is no WebSocket, and the connection is left at once`,
        Effect.gen(function* () {
          const { ends, url } = yield* answering((request, transport) => transport.write(answer(request)))
          const error = yield* Effect.flip(WebSocketClient.connect({ url, subprotocols: ["a", "b"] }))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["InvalidResponse", reason])
          // While the scope of the client is open.
          yield* Queue.take(ends)
        })
      )
    }

    test(
      "an end or a reset is no answer, wherever it comes",
      Effect.gen(function* () {
        const whole = (request: string) => Peer.switching(request)
        for (const size of [0, 1, 12, 60, 120]) {
          const ended = yield* answering((request, transport) =>
            Effect.zipRight(transport.write(whole(request).slice(0, size)), transport.endOfOutput)
          )
          const end = yield* Effect.flip(WebSocketClient.connect(ended.url))
          assert.deepStrictEqual([end._tag, "reason" in end && end.reason], ["InvalidResponse", "UnexpectedEnd"])
          const aborted = yield* answering((request, transport) =>
            transport
              .write(whole(request).slice(0, size))
              .pipe(Effect.zipRight(turns()), Effect.zipRight(transport.abort))
          )
          const reset = yield* Effect.flip(WebSocketClient.connect(aborted.url))
          assert.deepStrictEqual([reset._tag, "reason" in reset && reset.reason], cutOff)
        }
      })
    )

    test(
      "a refusal of a foreign server is there with all that it said",
      Effect.gen(function* () {
        const body = "<p>who are you?</p>"
        const reply = head(
          "HTTP/1.1 401 Who Are You",
          "WWW-Authenticate: Basic realm=x",
          "Retry-After: 7",
          "X-Twice: 1",
          "X-Twice: 2"
        )
        const bodies: ReadonlyArray<readonly [answer: string, ends: boolean, truncated: boolean]> = [
          [reply.replace("\r\n\r\n", `\r\nContent-Length: ${body.length}\r\n\r\n${body}`), false, false],
          [
            reply.replace(
              "\r\n\r\n",
              `\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${body.slice(0, 5)}\r\ne\r\n${body.slice(5)}\r\n0\r\n\r\n`
            ),
            false,
            false
          ],
          [reply + body, true, false],
          [reply.replace("\r\n\r\n", `\r\nContent-Length: 99\r\n\r\n${body}`), true, true]
        ]
        for (const [answer, ends, truncated] of bodies) {
          const { url } = yield* answering((_, transport) =>
            Effect.zipRight(transport.write(latin1(answer)), ends ? transport.endOfOutput : Effect.void)
          )
          const error = yield* Effect.flip(WebSocketClient.connect(url))
          assert.strictEqual(error._tag, "Custom")
          if (error._tag !== "Custom") continue
          assert.deepStrictEqual([error.status, error.reason, error.truncated], [401, "Who Are You", truncated])
          assertBytes(error.body, latin1(body))
          assert.deepStrictEqual(Fields.getAll(error.fields, "X-Twice"), ["1", "2"])
          assert.strictEqual(Fields.get(error.fields, "WWW-Authenticate"), "Basic realm=x")
          assert.strictEqual(Fields.get(error.fields, "Retry-After"), "7")
        }
      })
    )

    test(
      "a body of a refusal is taken up to a limit",
      Effect.gen(function* () {
        const { url } = yield* answering((_, transport) =>
          Effect.zipRight(
            transport.write(latin1(head("HTTP/1.1 500 No"))),
            Effect.forever(transport.write(new Uint8Array(16 * 1024)))
          )
        )
        const error = yield* Effect.flip(WebSocketClient.connect(url))
        assert.isTrue(error._tag === "Custom" && error.truncated && error.body.length === Rejection.maxBody)
      })
    )

    test(
      "interim answers come before the 101, and all may be cut anywhere",
      Effect.gen(function* () {
        const { url } = yield* answering((request, transport) => {
          const bytes = concat([
            latin1(head("HTTP/1.1 103 Early Hints", "Link: </a>")),
            Peer.switching(request),
            Peer.make(transport, "server").bytes(Peer.text("hello"))
          ])
          return Effect.forEach(bytes, (byte) => transport.write(Uint8Array.of(byte)), { discard: true })
        })
        const client = yield* WebSocketClient.connect(url)
        assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
      })
    )

    test(
      "nobody listens",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const { address } = yield* Effect.scoped(network.listen({}))
        const error = yield* Effect.flip(WebSocketClient.connect(urlOf(address)))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "ConnectionRefused"])
      })
    )
  })

  describe(`what a client leaves on ${host.name}`, () => {
    test(
      "an attempt that failed is over at once, not with the scope",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { authenticate: () => new Rejection.Forbidden() },
          (socket) => socket.closed
        )
        for (let i = 0; i < 10; i++) yield* Effect.flip(WebSocketClient.connect(urlOf(address)))
        yield* turns(64)
        assert.strictEqual(yield* connections, 0)
      })
    )

    const stages: ReadonlyArray<readonly [when: string, frames: (request: string) => Uint8Array]> = [
      ["before the answer", () => new Uint8Array(0)],
      ["within the answer", (request) => Peer.switching(request).slice(0, 40)]
    ]
    for (const [when, answer] of stages) {
      test(
        `a client that is interrupted ${when} leaves`,
        Effect.gen(function* () {
          const written = yield* Deferred.make<void>()
          const { ends, url } = yield* answering((request, transport) =>
            Effect.zipRight(transport.write(answer(request)), Deferred.succeed(written, undefined))
          )
          const connecting = yield* Effect.fork(WebSocketClient.connect(url))
          yield* Deferred.await(written)
          yield* turns()
          yield* Fiber.interrupt(connecting)
          assert.strictEqual(yield* Queue.take(ends), host.hasResets === false ? "End" : "Reset")
        })
      )
    }

    test(
      "connects again and again in one scope",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, (socket) => socket.closed)
        for (let i = 0; i < 10; i++) {
          const client = yield* WebSocketClient.connect(urlOf(address))
          assert.strictEqual((yield* client.close())._tag, "Clean")
        }
        yield* turns(64)
        assert.strictEqual(yield* connections, 0)
      })
    )
  })
}
