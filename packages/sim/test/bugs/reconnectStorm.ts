import { Clock, Effect, Ref, Schedule, type Scope } from "effect"
import { CloseCode, type Network, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import type { Bug } from "./bug.js"

const isUp = (start: number) => Effect.map(Clock.currentTimeMillis, (now) => now - start > 5000)

/** After a start it turns everybody away for 5 seconds. */
const server = Effect.gen(function* () {
  const start = yield* Clock.currentTimeMillis
  yield* WebSocketServer.serve({ port: 80 }, (socket) =>
    Effect.if(isUp(start), {
      onTrue: () => WebSocket.runForEach(socket, socket.send),
      onFalse: () => socket.close({ code: CloseCode.TryAgainLater })
    })
  )
  yield* Effect.never
}).pipe(Effect.scoped)

const backoff = Schedule.union(Schedule.exponential("200 millis"), Schedule.spaced("5 seconds"))

type Connect<E> = Effect.Effect<WebSocket.WebSocket, E, Network.Network | Scope.Scope>

const program = (follow: <E>(connect: Connect<E>) => Effect.Effect<unknown, unknown, Network.Network>) =>
  Effect.gen(function* () {
    const attempts = yield* Ref.make(0)
    const count = Ref.update(attempts, (n) => n + 1)
    yield* SimNetwork.spawn("server", server)
    yield* Effect.sleep("10 seconds")
    yield* Effect.timeoutOption(follow(Effect.zipRight(count, WebSocketClient.connect("ws://server/"))), "1 minute")
    return yield* Ref.get(attempts)
  })

const listen = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, () => Effect.void)

export const reconnectStorm: Bug<number, unknown> = {
  name: "reconnect storm",
  what: "The backoff starts anew with each connection, even if the server closes it at once since it has just started.",
  buggy: program((connect) =>
    Effect.retry(connect, backoff).pipe(
      Effect.flatMap((socket) => Effect.ignore(listen(socket))),
      Effect.scoped,
      Effect.forever
    )
  ),
  correct: program((connect) =>
    connect.pipe(
      Effect.flatMap((socket) => Effect.zipRight(listen(socket), Effect.fail("the server has closed"))),
      Effect.scoped,
      Effect.retry(backoff)
    )
  ),
  check: (attempts) => (attempts <= 30 ? undefined : `${attempts} attempts in a minute`),
  options: {
    // It is a matter of time, not of who comes first.
    yieldProbability: 0,
    faults: [
      Fault.latency({ latency: "20 millis" }),
      Fault.chaos({
        hosts: ["server"],
        horizon: "1 minute",
        crashes: 0.5,
        cuts: 0,
        chunking: false,
        maxStall: "3 seconds"
      })
    ]
  },
  kind: "Failed",
  seeds: 100
}
