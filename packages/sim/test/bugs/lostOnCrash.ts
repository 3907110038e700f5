import { Effect, Ref, Schedule } from "effect"
import { Message, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import type { Bug } from "./bug.js"

const textOf = (message: Message.Message) => new TextDecoder().decode(Message.payload(message))

type Store<E> = (write: Effect.Effect<void>, acknowledge: Effect.Effect<void, E>) => Effect.Effect<void, E>

const program = (store: <E>(...steps: Parameters<Store<E>>) => ReturnType<Store<E>>) =>
  Effect.gen(function* () {
    // Survives a crash of the server.
    const disk = yield* Ref.make<ReadonlyArray<string>>([])
    const write = (text: string) =>
      Effect.zipRight(
        Effect.sleep("2 millis"),
        Ref.update(disk, (all) => [...all, text])
      )
    const server = WebSocketServer.serve({ port: 80 }, (socket) =>
      WebSocket.runForEach(socket, (message) => store(write(textOf(message)), socket.send(message)))
    )
    yield* SimNetwork.spawn("server", Effect.scoped(Effect.zipRight(server, Effect.never)))
    const acknowledged = yield* Ref.make<ReadonlyArray<string>>([])
    const connect = Effect.retry(WebSocketClient.connect("ws://server/"), Schedule.spaced("10 millis"))
    const client = Effect.gen(function* () {
      const socket = yield* connect
      for (let order = 1; order <= 20; order++) {
        yield* socket.send(`order ${order}`)
        const texts = (yield* socket.take).map(textOf)
        yield* Ref.update(acknowledged, (all) => [...all, ...texts])
        yield* Effect.sleep("20 millis")
      }
    }).pipe(Effect.scoped)
    yield* Effect.ignore(client)
    const written = yield* Ref.get(disk)
    return (yield* Ref.get(acknowledged)).filter((order) => !written.includes(order))
  }).pipe(Effect.scoped)

export const lostOnCrash: Bug<ReadonlyArray<string>, unknown> = {
  name: "lost on crash",
  what: "The server acknowledges before it has written, and crashes in between.",
  buggy: program((write, acknowledge) => Effect.zipRight(acknowledge, write)),
  correct: program((write, acknowledge) => Effect.zipRight(write, acknowledge)),
  check: (lost) => (lost.length === 0 ? undefined : `acknowledged and lost: ${lost.join(", ")}`),
  options: {
    faults: [Fault.chaos({ hosts: ["server"], horizon: "500 millis", crashes: 1, stalls: 0, cuts: 0, chunking: false })]
  },
  kind: "Failed",
  seeds: 100
}
