import { Effect, Random, Schedule } from "effect"
import { type Protocol, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as SimNetwork from "../../src/SimNetwork.js"
import type { Bug } from "./bug.js"

const program = (tell: (member: WebSocket.WebSocket) => Effect.Effect<void, Protocol.SendError>) =>
  Effect.gen(function* () {
    const room = new Set<WebSocket.WebSocket>()
    const server = WebSocketServer.serve({ port: 80 }, (socket) =>
      Effect.acquireRelease(
        Effect.sync(() => room.add(socket)),
        () => Effect.sync(() => room.delete(socket))
      ).pipe(Effect.zipRight(WebSocket.runForEach(socket, () => Effect.void)))
    )
    yield* SimNetwork.on("server", server)
    const visit = Effect.gen(function* () {
      const socket = yield* WebSocketClient.connect("ws://server/")
      yield* Effect.sleep(yield* Random.nextIntBetween(10, 60))
      yield* socket.close()
    })
    yield* Effect.forkScoped(Effect.all([visit, visit].map(Effect.scoped), { concurrency: "unbounded" }))
    yield* Effect.suspend(() => Effect.forEach(room, tell)).pipe(
      Effect.repeat(Schedule.spaced("10 millis").pipe(Schedule.upTo("80 millis")))
    )
  })

export const messageAfterClose: Bug<void, unknown> = {
  name: "message after close",
  what: "A broadcast reaches a member who has left but is still in the room, and ends for all others.",
  buggy: program((member) => member.send("tick")),
  correct: program((member) => Effect.ignore(member.send("tick"))),
  kind: "Failed",
  seeds: 200
}
