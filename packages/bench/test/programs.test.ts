import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { NodeNetwork } from "@sluice/node"
import { Effect, Stream } from "effect"
import { Message, Network, Rejection, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { WebSocketServer as WsServer, type WebSocket as WsSocket } from "ws"
import { start } from "./program.js"

/** A server of the library `ws`, and its address. */
const wsServer = (onConnection: (socket: WsSocket, path: string) => void) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => {
        const server = new WsServer({
          host: "127.0.0.1",
          port: 0,
          handleProtocols: (offered) => [...offered][0] ?? false
        })
        return once(server, "listening").then(() => server)
      }),
      (server) =>
        Effect.sync(() => {
          for (const client of server.clients) client.terminate()
          server.close()
        })
    )
    server.on("connection", (socket, request) => {
      // what the client does at its end is not what is tested
      socket.on("error", () => {})
      onConnection(socket, request.url ?? "")
    })
    // it listens on TCP
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

/** An HTTP server that refuses every upgrade. */
const refusing = (reply: string) =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => {
        const server = createServer().listen(0, "127.0.0.1")
        server.on("upgrade", (_request, socket) => socket.end(reply))
        return once(server, "listening").then(() => server)
      }),
      (server) => Effect.sync(() => server.close())
    )
    // it listens on TCP
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

describe.sequential("ProbeClient", () => {
  it.scopedLive("says what was accepted, echoes, and says how it ended", () =>
    Effect.gen(function* () {
      const echoes: Array<string> = []
      const url = yield* wsServer((socket) => {
        socket.send("first")
        socket.on("message", (message) => {
          echoes.push(String(message))
          socket.close(4001, "enough")
        })
      })
      const probe = yield* start("ProbeClient", [url, "b.v1", "a.v1"])
      assert.deepStrictEqual(JSON.parse(yield* probe.line), { result: "accepted", subprotocol: "b.v1" })
      assert.deepStrictEqual(JSON.parse(yield* probe.line), {
        result: "closed",
        clean: true,
        code: 4001,
        reason: "enough"
      })
      assert.strictEqual(yield* probe.exit, 0)
      assert.deepStrictEqual(echoes, ["first"])
    })
  )

  it.scopedLive("says that an end without a Close frame is not clean", () =>
    Effect.gen(function* () {
      const url = yield* wsServer((socket) => socket.terminate())
      const probe = yield* start("ProbeClient", [url])
      assert.deepStrictEqual(JSON.parse(yield* probe.line), { result: "accepted", subprotocol: null })
      const closed = JSON.parse(yield* probe.line)
      assert.deepStrictEqual([closed.result, closed.clean, closed.code], ["closed", false, 1006])
      assert.strictEqual(yield* probe.exit, 0)
    })
  )

  it.scopedLive("tells the refusal of a sluice server", () =>
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve(
        { authenticate: () => new Rejection.TooManyRequests({ retryAfter: 7, detail: "Slow down." }) },
        () => Effect.void
      )
      const probe = yield* start("ProbeClient", [`ws://${Network.formatAddress(server.address)}/`])
      const said = JSON.parse(yield* probe.line)
      assert.deepStrictEqual([said.result, said.tag, said.status], ["rejected", "TooManyRequests", 429])
      assert.deepInclude(said.fields, ["Retry-After", "7"])
      assert.include(said.body, "Slow down.")
      assert.strictEqual(yield* probe.exit, 0)
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )

  it.scopedLive("tells all that a foreign server refused with", () =>
    Effect.gen(function* () {
      const url = yield* refusing("HTTP/1.1 401 Who?\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nnope")
      const probe = yield* start("ProbeClient", [url])
      const said = JSON.parse(yield* probe.line)
      assert.deepStrictEqual([said.result, said.tag, said.status, said.body], ["rejected", "Custom", 401, "nope"])
      assert.deepInclude(said.fields, ["WWW-Authenticate", "Basic"])
      assert.strictEqual(yield* probe.exit, 0)
    })
  )

  it.scopedLive("tells an answer that is not valid, and a connection that cannot be made", () =>
    Effect.gen(function* () {
      const url = yield* refusing("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      const answered = yield* start("ProbeClient", [url])
      const invalid = JSON.parse(yield* answered.line)
      assert.deepStrictEqual([invalid.result, invalid.tag], ["failed", "InvalidResponse"])
      const address = yield* Effect.scoped(
        Effect.flatMap(Network.Network, (network) => Effect.map(network.listen({}), (listener) => listener.address))
      )
      const alone = yield* start("ProbeClient", [`ws://${Network.formatAddress(address)}/`])
      const failed = JSON.parse(yield* alone.line)
      assert.deepStrictEqual([failed.result, failed.tag], ["failed", "TransportError"])
      assert.match(failed.detail, /ConnectionRefused/)
      assert.strictEqual(yield* alone.exit, 0)
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )
})

describe.sequential("TesteeClient", () => {
  it.scopedLive("runs each case by echoing, then asks for the reports", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const url = yield* wsServer((socket, path) => {
        seen.push(path)
        if (path === "/getCaseCount") {
          socket.send("2")
          socket.close(1000)
        } else if (path.startsWith("/runCase")) {
          socket.send(Buffer.from([1, 2, 3]))
          socket.send("text", { fin: false })
          socket.send("…", { fin: true })
          socket.on("message", (message, isBinary) => {
            seen.push(isBinary ? `binary ${(message as Buffer).length}` : String(message))
            if (!isBinary) socket.close(1000)
          })
        } else socket.close(1000)
      })
      const testee = yield* start("TesteeClient", [url])
      assert.strictEqual(yield* testee.line, "ran 2 cases")
      assert.strictEqual(yield* testee.exit, 0)
      assert.deepStrictEqual(seen, [
        "/getCaseCount",
        "/runCase?case=1&agent=sluice",
        "binary 3",
        "text…",
        "/runCase?case=2&agent=sluice",
        "binary 3",
        "text…",
        "/updateReports?agent=sluice"
      ])
    })
  )
})

describe.sequential("EchoNode", () => {
  it.scopedLive("obeys the contract of the load generator", () =>
    Effect.gen(function* () {
      const echo = yield* start("EchoNode", [], { PORT: "0" })
      const ready = yield* echo.line
      assert.match(ready, /^ready gc=SIGUSR2 port=\d+$/)
      const url = `ws://127.0.0.1:${ready.split("port=")[1]}`
      const limits = { maxFramePayload: 32 * 1024 * 1024, maxMessageSize: 32 * 1024 * 1024 }

      const client = yield* WebSocketClient.connect({
        url: `${url}/any/path`,
        origin: "https://elsewhere.example",
        limits
      })
      const large = new Uint8Array(16 * 1024 * 1024).fill(7)
      yield* client.sendAll(["text", large])
      const back = yield* Stream.runCollect(Stream.take(client.messages, 2))
      assert.deepStrictEqual(
        [...back].map(Message.payload).map((bytes) => bytes.length),
        [4, large.length]
      )

      const subscribers = yield* Effect.all([
        WebSocketClient.connect(`${url}/sub`),
        WebSocketClient.connect(`${url}/sub`)
      ])
      // a round trip each: both are known to the server then
      yield* Effect.forEach(subscribers, (subscriber) => subscriber.ping)
      const publisher = yield* WebSocketClient.connect(`${url}/pub`)
      yield* publisher.send(new Uint8Array([1, 2, 3]))
      for (const subscriber of subscribers) {
        assert.deepStrictEqual(
          (yield* subscriber.take).map(Message.payload).map((bytes) => [...bytes]),
          [[1, 2, 3]]
        )
      }

      yield* echo.kill("SIGUSR2")
      assert.match(yield* echo.line, /^gc \{"rss":\d+/)
      const ended = yield* Effect.fork(WebSocket.runForEach(client, () => Effect.void))
      yield* echo.kill("SIGTERM")
      yield* ended
      assert.strictEqual((yield* client.closed)._tag, "Clean")
      yield* Effect.forEach([...subscribers, publisher], (socket) => socket.close(), { discard: true })
      assert.strictEqual(yield* echo.exit, 0)
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )
})

describe.sequential("SimulationSpeed", () => {
  it.scopedLive("prints a table, a row for each scenario", () =>
    Effect.gen(function* () {
      const program = yield* start("SimulationSpeed", [], { SECONDS: "0.05" })
      const lines = yield* Effect.all(Array.from({ length: 8 }, () => program.line))
      assert.match(lines[0] ?? "", /^\| scenario /)
      for (const row of lines.slice(2))
        assert.match(row, /^\| [\d,]+ messages .* \| (?:once|twice) \| [\d,]+ \| [\d,]+ \|$/)
      assert.strictEqual(yield* program.exit, 0)
    })
  )
})
