import { Effect, Queue, Ref, Schedule } from "effect"
import { WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import { type Bug, late } from "./bug.js"

const capacity = 4

const program = (makeBuffer: Effect.Effect<Queue.Queue<string>>) =>
  Effect.gen(function* () {
    const most = yield* Ref.make(0)
    const handler = (socket: WebSocket.WebSocket) =>
      Effect.gen(function* () {
        const buffer = yield* makeBuffer
        const price = Effect.gen(function* () {
          yield* Queue.offer(buffer, "price ".padEnd(1000, "9"))
          const size = yield* Queue.size(buffer)
          yield* Ref.update(most, (n) => Math.max(n, size))
        })
        const feed = Effect.repeat(price, Schedule.spaced("200 millis").pipe(Schedule.upTo("5 seconds")))
        yield* Effect.race(feed, Effect.forever(Effect.flatMap(Queue.take(buffer), socket.send)))
      })
    const limits = { sendHighWaterMark: 1024 }
    yield* SimNetwork.on("server", WebSocketServer.serve({ port: 80, limits }, handler))
    const socket = yield* WebSocketClient.connect("ws://server/")
    yield* WebSocket.runForEach(socket, () => Effect.void)
    return yield* Ref.get(most)
  }).pipe(Effect.scoped)

export const unboundedBuffer: Bug<number, unknown> = {
  name: "unbounded buffer",
  what: "What a client does not take, because its network stalls, is kept for it without a bound.",
  buggy: program(Queue.unbounded<string>()),
  correct: program(Queue.sliding<string>(capacity)),
  check: (most) => (most <= capacity ? undefined : `${most} prices waited for one client`),
  options: {
    network: { window: 1024, sendBuffer: 1024 },
    faults: [Fault.chaos({ ...late, chunking: false, horizon: 5000, stalls: 0.5 })]
  },
  kind: "Failed",
  seeds: 50
}
