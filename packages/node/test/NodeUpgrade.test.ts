import {
  createServer,
  get,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server
} from "node:http"
import { connect as netConnect, type Socket } from "node:net"
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Equal, Exit, Fiber, Queue, Scope, Stream } from "effect"
import { Limits, Message, Network, Rejection, WebSocket, WebSocketClient } from "sluice"
import { closing } from "../../sluice/test/suites/closing.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { scenario, urlOf } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import { latin1, toLatin1 } from "../../sluice/test/support/http.js"
import * as Peer from "../../sluice/test/support/peer.js"
import { eventually, settled, turns } from "../../sluice/test/support/turns.js"
import * as NodeUpgrade from "../src/NodeUpgrade.js"
import { addressOf, listening, upgrade } from "./support/hosts.js"

messages(upgrade)
closing(upgrade)
flow(upgrade)
serving(upgrade)
upgrading(upgrade)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const routes = () => createServer((request, response) => response.end(`an ordinary route: ${request.url}`))

/** An ordinary request, with its body. */
const fetched = (server: Server, options: RequestOptions = {}) =>
  Effect.async<{ readonly status: number | undefined; readonly body: string }>((resume) => {
    const { host, port } = addressOf(server)
    const received = (response: IncomingMessage) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => {
        body += text
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode, body })))
    }
    get({ host, port, path: "/", agent: false, ...options }, received).on("error", (error) => resume(Effect.die(error)))
  })

const assertEchoes = (server: Server, path: string) =>
  Effect.gen(function* () {
    const client = yield* WebSocketClient.connect(urlOf(addressOf(server), path))
    yield* client.send(path)
    assert.deepStrictEqual(yield* client.take, [Message.text(path)])
  }).pipe(Effect.scoped)

const assertNotFound = (server: Server, path: string) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(WebSocketClient.connect(urlOf(addressOf(server), path)))
    assert.isTrue(Equal.equals(error, new Rejection.NotFound()), String(error))
  }).pipe(Effect.scoped)

describe("NodeUpgrade", () => {
  const test = scenario(upgrade)

  test(
    "ordinary routes go on, before, beside and after the service",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      const expected = { status: 200, body: "an ordinary route: /" }
      assert.deepStrictEqual(yield* fetched(server), expected)
      const scope = yield* Scope.make()
      yield* Scope.extend(NodeUpgrade.serve(server, {}, echo), scope)
      assert.deepStrictEqual(yield* fetched(server), expected)
      const client = yield* WebSocketClient.connect(urlOf(addressOf(server)))
      assert.deepStrictEqual(yield* fetched(server), expected)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* client.closed)._tag, "Clean")
      assert.deepStrictEqual(yield* fetched(server), expected)
      assert.strictEqual(server.listenerCount("upgrade"), 0)
      // Now it is an ordinary route again: what asks for an upgrade gets what Node makes of it.
      const error = yield* Effect.flip(WebSocketClient.connect(urlOf(addressOf(server))))
      assert.strictEqual(error._tag, "InvalidResponse")
    })
  )

  test(
    "a connection may have had ordinary requests before",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      yield* NodeUpgrade.serve(server, {}, echo)
      const network = yield* Network.Network
      const transport = yield* network.connect(addressOf(server))
      yield* transport.write(latin1("GET /first HTTP/1.1\r\nHost: h\r\n\r\n"))
      let text = ""
      while (!text.includes("route: /first")) text += toLatin1(yield* transport.read)
      yield* transport.write(Peer.opening(Peer.text("hello")))
      const { rest } = yield* Peer.readHead(transport)
      assert.strictEqual(yield* Peer.make(transport, "client", rest).hear, 'Text "hello"')
    })
  )

  test(
    "a path belongs to the service, every other is not found",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      yield* NodeUpgrade.serve(server, { path: "/chat" }, echo)
      yield* assertEchoes(server, "/chat")
      yield* assertEchoes(server, "/chat?room=1")
      for (const path of ["/", "/chat/", "/chats", "/Chat", "/?/chat"]) yield* assertNotFound(server, path)
    })
  )

  test(
    "other listeners of the event get what is not for the service",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
        if (request.url !== "/other") return
        socket.on("error", () => {})
        socket.end("HTTP/1.1 418 Teapot\r\nContent-Length: 3\r\n\r\ntea")
      })
      yield* NodeUpgrade.serve(server, { path: "/chat" }, echo)
      yield* assertEchoes(server, "/chat")
      const error = yield* Effect.flip(WebSocketClient.connect(urlOf(addressOf(server), "/other")))
      assert.isTrue(error._tag === "Custom" && error.status === 418)
    })
  )

  test(
    "a request that every listener leaves to the others does no harm when it is reset",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      const seen = yield* Deferred.make<Socket>()
      server.on("upgrade", (_: IncomingMessage, socket: Socket) => {
        Deferred.unsafeDone(seen, Effect.succeed(socket))
      })
      yield* NodeUpgrade.serve(server, { path: "/chat" }, echo)
      const { host, port } = addressOf(server)
      const client = netConnect(port, host)
      client.on("error", () => {})
      client.write(Peer.request("/nobody"))
      const socket = yield* Deferred.await(seen)
      client.resetAndDestroy()
      // Somebody has to read, or nobody hears of it.
      socket.resume()
      yield* eventually("the socket is closed", () => socket.destroyed)
      yield* assertEchoes(server, "/chat")
    })
  )

  test(
    "several services share a server by their paths, and one of them refuses the rest",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      const scope = yield* Scope.make()
      yield* Scope.extend(NodeUpgrade.serve(server, { path: "/a" }, echo), scope)
      yield* NodeUpgrade.serve(server, { path: "/b" }, echo)
      yield* assertEchoes(server, "/a")
      yield* assertEchoes(server, "/b")
      yield* assertNotFound(server, "/c")
      yield* Scope.close(scope, Exit.void)
      yield* assertNotFound(server, "/a")
      yield* assertEchoes(server, "/b")
    })
  )

  test(
    "a client that was not found and goes on sending is cut",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      yield* NodeUpgrade.serve(server, { path: "/chat" }, echo)
      const network = yield* Network.Network
      const transport = yield* network.connect(addressOf(server))
      yield* transport.write(Peer.request("/other"))
      const more = transport.write(new Uint8Array(64 * 1024))
      yield* Effect.flip(Effect.repeatN(more, Math.ceil(upgrade.held / (64 * 1024)) + 8))
    })
  )

  test(
    "repeated fields are seen as they were sent",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      yield* NodeUpgrade.serve(server, { origin: "any" }, echo)
      const network = yield* Network.Network
      const transport = yield* network.connect(addressOf(server))
      yield* transport.write(Peer.request("/", "Origin: https://a.example", "Origin: https://b.example"))
      assert.match(yield* Peer.readText(transport), /^HTTP\/1\.1 400 /)
      yield* transport.endOfOutput
    })
  )

  test(
    "a client of node:http sees the refusal as an ordinary response",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      yield* NodeUpgrade.serve(server, { authenticate: () => new Rejection.Forbidden({ detail: "not you" }) }, echo)
      const { host, port } = addressOf(server)
      const answer = yield* Effect.async<readonly [number | undefined, string]>((resume) => {
        const request = httpRequest({
          host,
          port,
          headers: {
            Connection: "Upgrade",
            Upgrade: "websocket",
            "Sec-WebSocket-Key": Peer.key,
            "Sec-WebSocket-Version": "13"
          }
        })
        request.on("error", (error) => resume(Effect.die(error)))
        request.on("response", (response) => {
          let body = ""
          response.setEncoding("utf8").on("data", (text: string) => {
            body += text
          })
          response.on("close", () => resume(Effect.succeed([response.statusCode, body])))
        })
        request.end()
      })
      assert.deepStrictEqual(answer, [403, "not you\n"])
    })
  )

  test(
    "what a peer that never reads costs in this process is bounded",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      const sockets: Array<Socket> = []
      server.on("connection", (socket) => sockets.push(socket))
      const size = 10_000
      let sent = 0
      let most = 0
      const handled = yield* Queue.unbounded<void>()
      yield* NodeUpgrade.serve(server, {}, (socket) =>
        Effect.zipRight(
          Queue.offer(handled, undefined),
          socket.send(new Uint8Array(size)).pipe(
            Effect.tap(() =>
              Effect.sync(() => {
                sent++
                most = Math.max(most, sockets[0]?.writableLength ?? 0)
              })
            ),
            Effect.forever
          )
        )
      )
      const { host, port } = addressOf(server)
      const client = netConnect(port, host)
      client.on("error", () => {})
      client.pause()
      client.write(Peer.request("/"))
      yield* Queue.take(handled)
      const before = yield* settled(() => sent)
      assert.isAbove(before * size, 64 * 1024, "the kernel takes some of it")
      const mark = sockets[0]?.writableHighWaterMark ?? 0
      const held = Math.max(most, sockets[0]?.writableLength ?? 0)
      assert.isAbove(held, 0, "the kernel has all it takes")
      assert.isAtMost(held, mark + (Limits.defaults.sendHighWaterMark as number) + size + 14)
      // It goes on when the peer reads.
      client.resume()
      yield* eventually("more is sent", () => sent > before + 100)
      client.resetAndDestroy()
      yield* turns()
    })
  )

  test(
    "a consumer that never pulls stops the peer: its socket is paused",
    Effect.gen(function* () {
      const server = yield* listening(routes())
      const sockets: Array<Socket> = []
      server.on("connection", (socket) => sockets.push(socket))
      const opened = yield* Queue.unbounded<WebSocket.WebSocket>()
      yield* NodeUpgrade.serve(server, {}, (socket) => Effect.zipRight(Queue.offer(opened, socket), socket.closed))
      const client = yield* WebSocketClient.connect(urlOf(addressOf(server)))
      const socket = yield* Queue.take(opened)
      const size = 60_000
      const count = Math.ceil(upgrade.held / size) + 50
      let sent = 0
      const sending = yield* Effect.fork(
        Effect.repeatN(
          Effect.zipRight(
            client.send(new Uint8Array(size)),
            Effect.sync(() => sent++)
          ),
          count - 1
        )
      )
      assert.isBelow(yield* settled(() => sent), count)
      assert.isTrue(sockets[0]?.isPaused())
      // Beside what was handed over, Node has read one chunk when the pause comes.
      assert.isAtMost(sockets[0]?.readableLength ?? 0, 64 * 1024)
      yield* Stream.runDrain(Stream.take(socket.messages, count))
      yield* Fiber.join(sending)
    })
  )
})
