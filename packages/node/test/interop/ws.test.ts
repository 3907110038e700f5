/** `ws` in this process: what it and we can say to each other, in both roles. */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Queue, type Scope, Stream } from "effect"
import { Fields, Message, type Network, Protocol, Rejection, WebSocket, WebSocketClient } from "sluice"
import Ws, { WebSocketServer as WsServer } from "ws"
import type { Host } from "../../../sluice/test/suites/host.js"
import { urlOf } from "../../../sluice/test/suites/host.js"
import { assertBytes, pattern } from "../../../sluice/test/support/bytes.js"
import { leavesNoFiber } from "../../../sluice/test/support/fibers.js"
import { eventuallyEffect } from "../../../sluice/test/support/turns.js"
import { addressOf, listening, node, upgrade } from "../support/hosts.js"

const megabyte = pattern(1024 * 1024)

const texts = ["Hello", "", "\u00e9 \u20ac \u{1f600}", "x".repeat(125), "x".repeat(126), "x".repeat(65536)]
const binaries = [0, 1, 125, 126, 65535, 65536, 1024 * 1024].map((size) => megabyte.subarray(0, size))

const test = <E>(what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
  it.effect(what, () => leavesNoFiber(Effect.scoped(Effect.provide(run, node.network))))

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

/** What a `ws` tells: messages as text or bytes, and then its end. */
interface Told {
  readonly ws: Ws
  readonly messages: Queue.Dequeue<string | Uint8Array>
  readonly pongs: Queue.Dequeue<Uint8Array>
  readonly pings: Queue.Dequeue<Uint8Array>
  readonly closed: Effect.Effect<readonly [code: number, reason: string]>
}

const listenTo = (ws: Ws): Effect.Effect<Told> =>
  Effect.gen(function* () {
    const messages = yield* Queue.unbounded<string | Uint8Array>()
    const pongs = yield* Queue.unbounded<Uint8Array>()
    const pings = yield* Queue.unbounded<Uint8Array>()
    const closed = yield* Deferred.make<readonly [number, string]>()
    ws.on("message", (data: Buffer, isBinary: boolean) => {
      messages.unsafeOffer(isBinary ? new Uint8Array(data) : data.toString("utf8"))
    })
    ws.on("pong", (data: Buffer) => pongs.unsafeOffer(new Uint8Array(data)))
    ws.on("ping", (data: Buffer) => pings.unsafeOffer(new Uint8Array(data)))
    ws.on("close", (code: number, reason: Buffer) => {
      Deferred.unsafeDone(closed, Effect.succeed([code, reason.toString("utf8")] as const))
    })
    ws.on("error", () => {})
    return { ws, messages, pongs, pings, closed: Deferred.await(closed) }
  })

/** A client of `ws` that is connected, until the scope ends. */
const wsClient = (url: string, protocols: ReadonlyArray<string> = [], options: Ws.ClientOptions = {}) =>
  Effect.gen(function* () {
    const ws = yield* Effect.acquireRelease(
      Effect.sync(() => new Ws(url, [...protocols], { perMessageDeflate: false, ...options })),
      (ws) => Effect.sync(() => ws.terminate())
    )
    const told = yield* listenTo(ws)
    yield* Effect.async<void>((resume) => {
      ws.once("open", () => resume(Effect.void))
    })
    return told
  })

/** A client of `ws` that is refused: the status, the fields and the body. */
const wsRefused = (url: string, protocols: ReadonlyArray<string> = [], options: Ws.ClientOptions = {}) =>
  Effect.async<{
    readonly status: number | undefined
    readonly headers: IncomingMessage["headers"]
    readonly body: string
  }>((resume) => {
    const ws = new Ws(url, [...protocols], options)
    ws.on("error", () => {})
    ws.on("unexpected-response", (_request, response: IncomingMessage) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => {
        body += text
      })
      response.on("close", () => {
        resume(Effect.succeed({ status: response.statusCode, headers: response.headers, body }))
      })
    })
  })

/** A server of `ws`, and the connections it gets. */
const wsServer = (options: Omit<Ws.ServerOptions, "server"> = {}) =>
  Effect.gen(function* () {
    const http = yield* listening(createServer())
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => new WsServer({ server: http, ...options })),
      (server) =>
        Effect.sync(() => {
          for (const ws of server.clients) ws.terminate()
          server.close()
        })
    )
    const sockets = yield* Queue.unbounded<Ws>()
    server.on("connection", (ws) => sockets.unsafeOffer(ws))
    return { http, server, sockets, url: urlOf(addressOf(http)) }
  })

for (const host of [node, upgrade] satisfies ReadonlyArray<Host>) {
  describe(`ws as a client of ${host.name}`, () => {
    test(
      "texts and binaries, to 1 MiB",
      Effect.gen(function* () {
        const { address } = yield* host.serve({}, echo)
        const { messages, ws } = yield* wsClient(urlOf(address))
        for (const text of texts) {
          ws.send(text)
          assert.strictEqual(yield* Queue.take(messages), text)
        }
        for (const bytes of binaries) {
          ws.send(bytes)
          const answer = yield* Queue.take(messages)
          assert.instanceOf(answer, Uint8Array)
          if (answer instanceof Uint8Array) assertBytes(answer, bytes)
        }
      })
    )

    test(
      "fragments and many messages in order",
      Effect.gen(function* () {
        const { address } = yield* host.serve({}, echo)
        const { messages, ws } = yield* wsClient(urlOf(address))
        ws.send("He", { fin: false })
        ws.send("llo", { fin: true })
        assert.strictEqual(yield* Queue.take(messages), "Hello")
        for (let i = 0; i < 2000; i++) ws.send(String(i))
        const all = yield* Queue.takeN(messages, 2000)
        assert.deepStrictEqual(
          [...all],
          Array.from({ length: 2000 }, (_, i) => String(i))
        )
      })
    )

    test(
      "Pings, both ways",
      Effect.gen(function* () {
        const pinged = yield* Deferred.make<Duration.Duration>()
        const { address } = yield* host.serve({}, (socket) =>
          Effect.zipRight(
            Effect.flatMap(socket.ping, (time) => Deferred.succeed(pinged, time)),
            socket.closed
          )
        )
        const { pongs, ws } = yield* wsClient(urlOf(address))
        assert.isTrue(Duration.greaterThanOrEqualTo(yield* Deferred.await(pinged), 0))
        ws.ping("are you there?")
        assertBytes(yield* Queue.take(pongs), new TextEncoder().encode("are you there?"))
      })
    )

    test(
      "close codes and reasons, both ways",
      Effect.gen(function* () {
        const reasons = yield* Queue.unbounded<Protocol.CloseReason>()
        const { address, connections } = yield* host.serve({}, (socket, { accepted }) =>
          Effect.gen(function* () {
            if (accepted.resource === "/close") yield* socket.close({ code: 4321, reason: "enough \u20ac" })
            yield* Queue.offer(reasons, yield* socket.closed)
          })
        )
        for (const [code, reason] of [
          [1000, ""],
          [1001, "bye"],
          [3000, "\u20ac"],
          [4999, "x".repeat(123)]
        ] as const) {
          const { closed, ws } = yield* wsClient(urlOf(address))
          ws.close(code, reason)
          assert.deepStrictEqual(yield* closed, [code, ""])
          assert.deepStrictEqual(
            yield* Queue.take(reasons),
            Protocol.CloseReason.Clean({ code, reason, initiator: "peer" })
          )
        }
        const without = yield* wsClient(urlOf(address))
        without.ws.close()
        assert.deepStrictEqual(yield* without.closed, [1005, ""])
        assert.strictEqual(Protocol.codeOf(yield* Queue.take(reasons)), 1005)
        const { closed } = yield* wsClient(urlOf(address, "/close"))
        assert.deepStrictEqual(yield* closed, [4321, "enough \u20ac"])
        assert.deepStrictEqual(
          yield* Queue.take(reasons),
          // ws sends back what it got, with the reason.
          Protocol.CloseReason.Clean({ code: 4321, reason: "enough \u20ac", initiator: "local" })
        )
        const terminated = yield* wsClient(urlOf(address))
        terminated.ws.terminate()
        assert.strictEqual((yield* Queue.take(reasons))._tag, "Aborted")
        yield* eventuallyEffect(
          "nobody is connected",
          Effect.map(connections, (count) => count === 0)
        )
      })
    )

    test(
      "subprotocols: the server's choice, and none that it did not choose",
      Effect.gen(function* () {
        const { address } = yield* host.serve({ subprotocols: ["b", "a"] }, echo)
        assert.strictEqual((yield* wsClient(urlOf(address), ["a", "c", "b"])).ws.protocol, "b")
        assert.strictEqual((yield* wsClient(urlOf(address))).ws.protocol, "")
        const refused = yield* wsRefused(urlOf(address), ["c"])
        assert.strictEqual(refused.status, 400)
        assert.include(refused.body, "b, a")
      })
    )

    test(
      "refusals are ordinary responses",
      Effect.gen(function* () {
        const { address } = yield* host.serve(
          {
            authenticate: ({ resource }) =>
              resource === "/busy"
                ? new Rejection.TooManyRequests({ retryAfter: 7, detail: "Slowly." })
                : new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail: "Who are you?" })
          },
          echo
        )
        const unauthorized = yield* wsRefused(urlOf(address))
        assert.deepStrictEqual([unauthorized.status, unauthorized.body], [401, "Who are you?\n"])
        assert.strictEqual(unauthorized.headers["www-authenticate"], "Bearer")
        const busy = yield* wsRefused(urlOf(address, "/busy"))
        assert.deepStrictEqual([busy.status, busy.headers["retry-after"], busy.body], [429, "7", "Slowly.\n"])
        const foreign = yield* wsRefused(urlOf(address), [], { origin: "https://evil.example" })
        assert.strictEqual(foreign.status, 403)
        const old = yield* wsRefused(urlOf(address), [], { protocolVersion: 8 })
        assert.deepStrictEqual([old.status, old.headers["sec-websocket-version"]], [426, "13"])
      })
    )

    test(
      "permessage-deflate is offered and declined",
      Effect.gen(function* () {
        const { address } = yield* host.serve({}, echo)
        const { messages, ws } = yield* wsClient(urlOf(address), [], { perMessageDeflate: true })
        assert.strictEqual(ws.extensions, "")
        ws.send("x".repeat(5000))
        assert.strictEqual(yield* Queue.take(messages), "x".repeat(5000))
      })
    )

    test(
      "fields of the 101",
      Effect.gen(function* () {
        const { address } = yield* host.serve(
          {
            fields: () =>
              Effect.succeed([
                ["Set-Cookie", "a=1"],
                ["Set-Cookie", "b=2"]
              ])
          },
          echo
        )
        const cookies = yield* Effect.async<ReadonlyArray<string> | undefined>((resume) => {
          const ws = new Ws(urlOf(address))
          ws.on("upgrade", (response) => {
            ws.on("close", () => resume(Effect.succeed(response.headers["set-cookie"])))
          })
          ws.on("open", () => ws.close())
        })
        assert.deepStrictEqual(cookies, ["a=1", "b=2"])
      })
    )

    test(
      "a message that breaks a rule is answered by its close code",
      Effect.gen(function* () {
        const { address } = yield* host.serve({ limits: { maxMessageSize: 1000 } }, echo)
        const { closed, ws } = yield* wsClient(urlOf(address))
        ws.send(new Uint8Array(1001))
        assert.deepStrictEqual(yield* closed, [1009, "MessageTooBig"])
      })
    )
  })
}

describe("a server of ws", () => {
  test(
    "texts and binaries, to 1 MiB",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer()
      const client = yield* WebSocketClient.connect(url)
      const { ws } = yield* listenTo(yield* Queue.take(sockets))
      ws.on("message", (data: Buffer, isBinary: boolean) => ws.send(data, { binary: isBinary }))
      for (const message of [...texts.map(Message.text), ...binaries.map(Message.binary)]) {
        yield* client.send(message)
        const [answer] = yield* client.take
        assert.strictEqual(answer?._tag, message._tag)
        if (answer?._tag === "Text" && message._tag === "Text") assert.strictEqual(answer.text, message.text)
        if (answer?._tag === "Binary" && message._tag === "Binary") assertBytes(answer.bytes, message.bytes)
      }
      ws.send("He", { fin: false })
      ws.send("llo", { fin: true })
      assert.deepStrictEqual(yield* client.take, [Message.text("Hello")])
      yield* client.sendAll(Array.from({ length: 1000 }, (_, i) => String(i)))
      let i = 0
      while (i < 1000) {
        for (const message of yield* client.take) assert.deepStrictEqual(message, Message.text(String(i++)))
      }
    })
  )

  test(
    "Pings, both ways",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer()
      const client = yield* WebSocketClient.connect(url)
      const { pongs, ws } = yield* listenTo(yield* Queue.take(sockets))
      assert.isTrue(Duration.greaterThanOrEqualTo(yield* client.ping, 0))
      ws.ping("hello?")
      assertBytes(yield* Queue.take(pongs), new TextEncoder().encode("hello?"))
    })
  )

  test(
    "close codes and reasons, both ways",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer()
      for (const [code, reason] of [
        [1000, ""],
        [3000, "\u20ac"],
        [4999, "x".repeat(123)]
      ] as const) {
        const client = yield* WebSocketClient.connect(url)
        const { closed } = yield* listenTo(yield* Queue.take(sockets))
        const ours = yield* client.close({ code, reason })
        assert.deepStrictEqual(yield* closed, [code, reason])
        // ws sends back what it got, with the reason.
        assert.deepStrictEqual(ours, Protocol.CloseReason.Clean({ code, reason, initiator: "local" }))
      }
      const closedByPeer = yield* WebSocketClient.connect(url)
      const { closed, ws } = yield* listenTo(yield* Queue.take(sockets))
      ws.close(4321, "enough")
      assert.deepStrictEqual(
        yield* closedByPeer.closed,
        Protocol.CloseReason.Clean({ code: 4321, reason: "enough", initiator: "peer" })
      )
      assert.deepStrictEqual(yield* closed, [4321, ""])
      const terminated = yield* WebSocketClient.connect(url)
      const last = yield* listenTo(yield* Queue.take(sockets))
      last.ws.terminate()
      const reason = yield* terminated.closed
      assert.strictEqual(reason._tag, "Aborted")
      assert.isFalse(Protocol.isClean(reason))
    })
  )

  test(
    "subprotocols",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer({
        handleProtocols: (protocols) => (protocols.has("b") ? "b" : false)
      })
      const chosen = yield* WebSocketClient.connect({ url, subprotocols: ["a", "b"] })
      assert.strictEqual(chosen.subprotocol, "b")
      yield* Queue.take(sockets)
      const none = yield* WebSocketClient.connect({ url, subprotocols: ["a"] })
      assert.strictEqual(none.subprotocol, undefined)
      yield* Queue.take(sockets)
    })
  )

  test(
    "the request has what was asked for",
    Effect.gen(function* () {
      const { server, url } = yield* wsServer()
      const seen = yield* Deferred.make<IncomingMessage>()
      server.on("connection", (_, request) => Deferred.unsafeDone(seen, Effect.succeed(request)))
      yield* WebSocketClient.connect({
        url: `${url}room?a=b`,
        fields: [["Authorization", "Bearer x"]],
        origin: "https://example.com"
      })
      const { headers, url: target } = yield* Deferred.await(seen)
      assert.deepStrictEqual(
        [target, headers.authorization, headers.origin],
        ["/room?a=b", "Bearer x", "https://example.com"]
      )
    })
  )

  test(
    "a refusal is there with all that it said",
    Effect.gen(function* () {
      const { url } = yield* wsServer({
        verifyClient: (_info, refuse) => refuse(false, 401, "Who are you?", { "Retry-After": "7", "X-A": "1" })
      })
      const error = yield* Effect.flip(WebSocketClient.connect(url))
      assert.strictEqual(error._tag, "Custom")
      if (error._tag !== "Custom") return
      assert.deepStrictEqual([error.status, error.reason, error.truncated], [401, "Unauthorized", false])
      assert.strictEqual(Fields.get(error.fields, "Retry-After"), "7")
      assert.strictEqual(Fields.get(error.fields, "X-A"), "1")
      assert.strictEqual(new TextDecoder().decode(error.body), "Who are you?")
    })
  )

  test(
    "a socket that the server ends is a refusal or an end, never a hang",
    Effect.gen(function* () {
      const http = yield* listening(createServer((_request, response) => response.writeHead(404).end("no")))
      const plain = yield* Effect.flip(WebSocketClient.connect(urlOf(addressOf(http))))
      // Without a listener for upgrades the request is an ordinary one.
      assert.strictEqual(plain._tag, "Custom")
      http.on("upgrade", (_request, socket) => socket.destroy())
      const ended = yield* Effect.flip(WebSocketClient.connect(urlOf(addressOf(http))))
      assert.include(["InvalidResponse", "TransportError"], ended._tag)
    })
  )

  test(
    "permessage-deflate is not asked for, and so not used",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer({ perMessageDeflate: true })
      const client = yield* WebSocketClient.connect(url)
      const { messages, ws } = yield* listenTo(yield* Queue.take(sockets))
      assert.strictEqual(ws.extensions, "")
      yield* client.send("x".repeat(5000))
      assert.strictEqual(yield* Queue.take(messages), "x".repeat(5000))
    })
  )

  test(
    "pieces go through",
    Effect.gen(function* () {
      const { sockets, url } = yield* wsServer()
      const client = yield* WebSocketClient.connect(url)
      const { messages } = yield* listenTo(yield* Queue.take(sockets))
      yield* WebSocket.sendStream(
        client,
        "Binary",
        Stream.make(megabyte.subarray(0, 10), megabyte.subarray(10, 90_000))
      )
      const message = yield* Queue.take(messages)
      assert.instanceOf(message, Uint8Array)
      if (message instanceof Uint8Array) assertBytes(message, megabyte.subarray(0, 90_000))
    })
  )
})

describe("what others and we agree on", () => {
  test(
    "the answer to a key",
    Effect.gen(function* () {
      const { server, url } = yield* wsServer()
      const seen = yield* Deferred.make<IncomingMessage>()
      server.on("connection", (_, request) => Deferred.unsafeDone(seen, Effect.succeed(request)))
      const client = yield* WebSocketClient.connect(url)
      const key = (yield* Deferred.await(seen)).headers["sec-websocket-key"] ?? ""
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
      assert.strictEqual(Fields.get(client.response.fields, "Sec-WebSocket-Accept"), accept)
    })
  )
})
