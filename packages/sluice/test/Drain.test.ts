/** How a server empties itself, on virtual time. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Scope, TestClock } from "effect"
import * as Network from "../src/Network.js"
import * as Protocol from "../src/Protocol.js"
import * as Rejection from "../src/Rejection.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { memory, scenario, urlOf } from "./suites/host.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"
import { turns } from "./support/turns.js"

const test = scenario(memory)

const pass = (time: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(time), turns(8))

const ignored = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, () => Effect.void)

const counts = ({ elapsed: _, ...report }: WebSocketServer.DrainReport) => report

describe("draining", () => {
  test(
    "reports how many left how, and refuses who comes meanwhile",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({ limits: { closeTimeout: "5 seconds" } }, ignored)
      const url = urlOf(server.address)
      assert.strictEqual(yield* server.state, "Serving")
      const polite = yield* WebSocketClient.connect(url)
      const alsoPolite = yield* WebSocketClient.connect(url)
      const deaf = yield* Peer.connect(server.address)
      const leaver = yield* Peer.connect(server.address)
      const network = yield* Network.Network
      const halfway = yield* network.connect(server.address)
      yield* halfway.write(Peer.request("/").slice(0, 20))
      yield* turns()
      const draining = yield* Effect.fork(server.drain({ notice: "2 seconds", retryAfter: 7 }))
      yield* turns()
      assert.strictEqual(yield* server.state, "Draining")
      const unavailable = new Rejection.Unavailable({ retryAfter: 7, detail: "The server is shutting down." })
      assert.match(yield* Peer.readText(halfway), /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 7\r\n/)
      yield* halfway.endOfOutput
      const late = yield* Effect.flip(Effect.scoped(WebSocketClient.connect(url)))
      assert.deepStrictEqual(late, unavailable)
      // Within the notice nobody is asked to leave; who does it by itself has left.
      yield* leaver.send(Peer.close(1000))
      assert.deepStrictEqual(yield* leaver.hearAll, ['Close 1000 ""', "End"])
      yield* leaver.transport.endOfOutput
      yield* pass("1999 millis")
      assert.isTrue((yield* polite.isOpen) && (yield* alsoPolite.isOpen))
      yield* pass("1 millis")
      for (const client of [polite, alsoPolite]) assert.strictEqual(Protocol.codeOf(yield* client.closed), 1001)
      assert.strictEqual(yield* deaf.hear, 'Close 1001 ""')
      yield* pass("4999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(draining)))
      yield* pass("1 millis")
      const report = yield* Fiber.join(draining)
      assert.deepStrictEqual(counts(report), { connections: 4, left: 1, closed: 2, aborted: 1, refused: 2 })
      assert.deepStrictEqual(report.elapsed, Duration.seconds(7))
      assert.strictEqual(yield* deaf.hear, "Reset")
      assert.strictEqual(yield* server.state, "Drained")
      assert.deepStrictEqual(yield* Effect.flip(Effect.scoped(WebSocketClient.connect(url))), unavailable)
      // Again: nothing is left to do.
      const again = yield* server.drain()
      assert.deepStrictEqual(counts(again), { ...counts(report), refused: 3 })
    })
  )

  test(
    "asks batch by batch, in an order of its own and at uneven times",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({}, ignored)
      const left: Array<number> = []
      for (let i = 0; i < 30; i++) {
        const client = yield* WebSocketClient.connect(urlOf(server.address))
        yield* Effect.fork(Effect.map(client.closed, () => left.push(i)))
      }
      yield* turns()
      const draining = yield* Effect.fork(server.drain({ batchSize: 10, batchInterval: "1 second" }))
      const times: Array<number> = []
      for (let at = 0; at <= 3000; at += 100) {
        yield* turns(8)
        while (times.length < left.length) times.push(at)
        yield* TestClock.adjust("100 millis")
      }
      const report = yield* Fiber.join(draining)
      assert.deepStrictEqual(counts(report), { connections: 30, left: 0, closed: 30, aborted: 0, refused: 0 })
      const batches = [...new Set(times)]
      assert.strictEqual(batches.length, 3)
      for (const at of batches) assert.strictEqual(times.filter((time) => time === at).length, 10)
      const [first = 0, second = 0, third = 0] = batches
      for (const wait of [second - first, third - second]) assert.isTrue(wait >= 500 && wait <= 1600, `${wait} ms`)
      assert.notDeepEqual(
        left,
        [...left].sort((a, b) => a - b)
      )
    })
  )

  test(
    "1012 and a reason, cut where it does not fit",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve(
        { drain: { code: 1012, reason: `${"x".repeat(122)}é and so on` } },
        ignored
      )
      const client = yield* WebSocketClient.connect(urlOf(server.address))
      yield* turns()
      yield* server.drain()
      const reason = Protocol.CloseReason.Clean({ code: 1012, reason: "x".repeat(122), initiator: "peer" })
      assert.deepStrictEqual(yield* client.closed, reason)
    })
  )

  test(
    "tells the handler, which can bring its work to an end within the notice",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({ drain: { notice: "10 seconds" } }, (socket, { draining }) =>
        Effect.zipRight(draining, socket.send("goodbye"))
      )
      const client = yield* WebSocketClient.connect(urlOf(server.address))
      yield* turns()
      const report = yield* server.drain()
      assert.deepStrictEqual(counts(report), { connections: 1, left: 1, closed: 0, aborted: 0, refused: 0 })
      assert.deepStrictEqual(report.elapsed, Duration.zero)
      assert.strictEqual(Protocol.codeOf(yield* client.closed), 1000)
    })
  )

  test(
    "tells the handler of another protocol, and cuts one that does not end",
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const told = WebSocketServer.upgrade("told", ({ draining }) => draining)
      const hangs = WebSocketServer.upgrade("hangs", () =>
        Effect.onExit(Effect.never, () => Deferred.succeed(ended, undefined))
      )
      const scope = yield* Scope.make()
      const server = yield* Scope.extend(WebSocketServer.serve({ upgrades: [told, hangs] }, ignored), scope)
      const network = yield* Network.Network
      for (const name of ["told", "hangs"]) {
        const transport = yield* network.connect(server.address)
        yield* transport.write(Peer.request("/").slice(0, 0))
        yield* transport.write(
          new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: ${name}\r\n\r\n`)
        )
        assert.match((yield* Peer.readHead(transport)).head, /^HTTP\/1\.1 101 /)
        yield* transport.endOfOutput
      }
      const draining = yield* Effect.fork(server.drain())
      yield* pass("10 seconds")
      const report = yield* Fiber.join(draining)
      assert.deepStrictEqual(counts(report), { connections: 2, left: 1, closed: 0, aborted: 1, refused: 0 })
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* Deferred.isDone(ended))
    })
  )

  test(
    "goes on where it was interrupted, and two at once are one",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({}, ignored)
      const client = yield* WebSocketClient.connect(urlOf(server.address))
      yield* turns()
      const first = yield* Effect.fork(server.drain({ notice: "1 hour" }))
      yield* turns()
      yield* Fiber.interrupt(first)
      assert.isTrue(yield* client.isOpen)
      assert.strictEqual(yield* server.state, "Draining")
      const [second, third] = yield* Effect.all([server.drain(), server.drain()], { concurrency: 2 })
      assert.deepStrictEqual(counts(second), { connections: 1, left: 0, closed: 1, aborted: 0, refused: 0 })
      assert.deepStrictEqual(counts(third), counts(second))
    })
  )

  test(
    "at the end of the scope says in one line what became of whom",
    logged((logs) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const server = yield* Scope.extend(WebSocketServer.serve({ drain: { code: 1012 } }, ignored), scope)
        const client = yield* WebSocketClient.connect(urlOf(server.address))
        yield* turns()
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(Protocol.codeOf(yield* client.closed), 1012)
        const [line] = logs.filter(({ level }) => level === "INFO")
        const said = /message="The server was drained" (.*)$/
          .exec(line?.text ?? "")?.[1]
          ?.split(" ")
          .sort()
        assert.deepStrictEqual(said, ["aborted=0", "closed=1", "connections=1", "elapsed=0", "left=0", "refused=0"])
      })
    )
  )
})
