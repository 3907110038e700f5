import { Effect, Queue } from "effect"
import { WebSocket, WebSocketClient } from "sluice"
import { decodeOutgoing, encodeIncoming, type Incoming, type Outgoing } from "../../chat/messages.js"

/** Somebody in the chat, until the scope ends. */
export const visitor = (url: string) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url, subprotocols: ["chat.v1"] })
    const received = yield* Queue.unbounded<Outgoing>()
    yield* WebSocket.runForEach(socket, (message) =>
      message._tag === "Text"
        ? Effect.flatMap(decodeOutgoing(message.text), (outgoing) => Queue.offer(received, outgoing))
        : Effect.die("the chat is text")
    ).pipe(Effect.forkScoped)
    return {
      socket,
      say: (incoming: Incoming) => socket.send(encodeIncoming(incoming)),
      next: Queue.take(received)
    }
  })
