import { Effect, Fiber, Schedule } from "effect"
import { WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import type { Bug } from "./bug.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, socket.send)

const heartbeat = (socket: WebSocket.WebSocket) =>
  Effect.repeat(Effect.ignore(socket.ping), Schedule.spaced("5 seconds"))

const talk = Effect.gen(function* () {
  const socket = yield* WebSocketClient.connect("ws://server/")
  yield* Effect.forEach(["one", "two", "three"], (word) => Effect.zipRight(socket.send(word), socket.take))
}).pipe(Effect.scoped)

const program = <E>(handler: WebSocketServer.Handler<undefined, void, E, never>) =>
  Effect.gen(function* () {
    yield* SimNetwork.on("server", WebSocketServer.serve({ port: 80 }, handler))
    yield* Effect.repeatN(Effect.ignore(talk), 1)
  })

export const pingTimer: Bug<void, unknown> = {
  name: "ping timer never cancelled",
  what: "A heartbeat is cancelled after a conversation that came to its end, but not after one that broke off.",
  buggy: program((socket) =>
    Effect.gen(function* () {
      const timer = yield* Effect.forkDaemon(heartbeat(socket))
      yield* echo(socket)
      yield* Fiber.interrupt(timer)
    })
  ),
  correct: program((socket) =>
    Effect.gen(function* () {
      yield* Effect.forkScoped(heartbeat(socket))
      yield* echo(socket)
    }).pipe(Effect.scoped)
  ),
  options: { faults: [Fault.chaos({ cuts: 0.5, chunking: false })] },
  kind: "Leak",
  seeds: 50
}
