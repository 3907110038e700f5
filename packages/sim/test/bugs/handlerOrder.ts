import { Effect, Random, Ref, Stream } from "effect"
import { Message, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import { type Bug, late } from "./bug.js"

const edits = ["a", "b", "c", "d", "e"]

const program = (handle: (edit: Effect.Effect<void, unknown>) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const document = yield* Ref.make("")
    const edit = (socket: WebSocket.WebSocket, message: Message.Message) =>
      Effect.gen(function* () {
        // Looks up whether the author may do so.
        yield* Effect.sleep(yield* Random.nextIntBetween(1, 10))
        yield* Ref.update(document, (text) => text + new TextDecoder().decode(Message.payload(message)))
        yield* socket.send("done")
      })
    yield* SimNetwork.on(
      "server",
      WebSocketServer.serve({ port: 80 }, (socket) =>
        WebSocket.runForEach(socket, (message) => handle(edit(socket, message)))
      )
    )
    const socket = yield* WebSocketClient.connect("ws://server/")
    yield* Effect.forEach(edits, (text) => Effect.zipRight(Effect.sleep("20 millis"), socket.send(text)))
    yield* Stream.runDrain(Stream.take(socket.messages, edits.length))
    return yield* Ref.get(document)
  }).pipe(Effect.scoped)

export const handlerOrder: Bug<string, unknown> = {
  name: "handler order",
  what: "Each message is handled in a fiber of its own, and two that come at once overtake each other.",
  buggy: program(Effect.fork),
  correct: program((edit) => edit),
  check: (document) => (document === edits.join("") ? undefined : `the document is ${document}`),
  options: {
    faults: [Fault.chaos({ ...late, chunking: false, horizon: 100, stalls: 0.3 })]
  },
  kind: "Failed",
  seeds: 20
}
