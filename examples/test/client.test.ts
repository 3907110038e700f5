import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Queue, Ref, Scope, TestClock } from "effect"
import { Fields, MemoryNetwork, Rejection, WebSocket, WebSocketServer } from "sluice"
import { stayConnected } from "../client/client.js"

/** The client on a network in memory and a clock that stands still, with what it reports and with fresh tokens. */
const start = Effect.gen(function* () {
  const lines = yield* Queue.unbounded<string>()
  const attempt = yield* Ref.make(0)
  const fiber = yield* stayConnected({
    url: "ws://service.example/",
    token: Effect.map(
      Ref.updateAndGet(attempt, (n) => n + 1),
      (n) => `token ${n}`
    ),
    report: (line) => Queue.offer(lines, line)
  }).pipe(Effect.forkScoped)
  return { attempt: Ref.get(attempt), fiber, next: Queue.take(lines) }
})

const echo = (authenticate: WebSocketServer.Options["authenticate"]) =>
  WebSocketServer.serve({ host: "service.example", port: 80, authenticate }, (socket) =>
    WebSocket.runForEach(socket, (message) => socket.send(message))
  )

describe("client", () => {
  it.scoped("comes back when the server comes back, with a fresh token each time", () =>
    Effect.gen(function* () {
      const tokens = yield* Queue.unbounded<string | undefined>()
      const server = echo(({ request }) =>
        Queue.offer(tokens, Fields.get(request.fields, "Authorization")).pipe(Effect.asVoid)
      )
      const client = yield* start

      // 0.2 s, 0.4 s and 0.8 s, each a fifth more or less
      const scope = yield* Scope.make()
      for (const [failed, wait] of [240, 480, 960].entries()) {
        assert.strictEqual(yield* client.next, "connecting to ws://service.example/")
        assert.match(yield* client.next, /^failed: ConnectionRefused/)
        assert.strictEqual(yield* client.attempt, failed + 1)
        if (failed === 2) yield* Scope.extend(server, scope)
        yield* TestClock.adjust(wait)
      }
      assert.strictEqual(yield* client.next, "connecting to ws://service.example/")
      assert.strictEqual(yield* client.next, "connected")
      assert.strictEqual(yield* client.next, "received Hello")
      assert.strictEqual(yield* Queue.take(tokens), "Bearer token 4")

      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* client.next, "closed with 1001 (Clean)")

      yield* server
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* client.next, "connecting to ws://service.example/")
      assert.strictEqual(yield* client.next, "connected")
      assert.strictEqual(yield* Queue.take(tokens), "Bearer token 5")
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )

  it.scoped("stays away for as long as the server wants", () =>
    Effect.gen(function* () {
      const isBusy = yield* Ref.make(true)
      yield* echo(() =>
        Effect.flatMap(Ref.get(isBusy), (isBusy) =>
          isBusy ? new Rejection.Unavailable({ retryAfter: 30 }) : Effect.void
        )
      )
      const client = yield* start
      assert.strictEqual(yield* client.next, "connecting to ws://service.example/")
      assert.match(yield* client.next, /^refused with 503: /)
      yield* Ref.set(isBusy, false)
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual(yield* client.attempt, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* client.next, "connecting to ws://service.example/")
      assert.strictEqual(yield* client.next, "connected")
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )

  it.scoped("gives up when trying again cannot help", () =>
    Effect.gen(function* () {
      yield* echo(() => new Rejection.Forbidden())
      const client = yield* start
      const error = yield* Effect.flip(Fiber.join(client.fiber))
      assert.strictEqual(error._tag, "Forbidden")
      assert.strictEqual(yield* client.attempt, 1)
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )
})
