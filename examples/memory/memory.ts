/**
 * The service of the chat example, not a line of it changed, on a network that is only in memory.
 *
 * Nothing here leaves the process, takes a port or waits for a clock: what happens next depends on the program alone,
 * so that it comes out the same every time. This is how a service is tested.
 */
import { Effect } from "effect"
import { CloseCode, Entropy, MemoryNetwork, type Message, WebSocketClient, WebSocketServer } from "sluice"
import { decodeOutgoing, encodeIncoming, type Outgoing } from "../chat/messages.js"
import * as Chat from "../chat/service.js"

/** Joins a room, waits until three are there, says hello, waits until all three have, and leaves. */
const visit = (url: string, name: string, note: (line: string) => void) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url, subprotocols: ["chat.v1"] })
    let present = 0
    let greetings = 0

    yield* socket.send(encodeIncoming({ _tag: "Join", name, room: "lobby" }))
    while (greetings < 3) {
      for (const message of yield* socket.take) {
        const received = yield* decode(message)
        note(`${name.padEnd(5)} ${describe(received)}`)
        if (received._tag === "Room") present = received.members.length
        if (received._tag === "Joined") present += 1
        if (received._tag === "Said") greetings += 1
        const isComplete = present === 3 && (received._tag === "Room" || received._tag === "Joined")
        if (isComplete) yield* socket.send(encodeIncoming({ _tag: "Say", text: `Hello from ${name}` }))
      }
    }
    const { _tag } = yield* socket.close({ code: CloseCode.NormalClosure, reason: "seen it all" })
    note(`${name.padEnd(5)} left: ${_tag}`)
  }).pipe(Effect.scoped)

const decode = (message: Message.Message) => decodeOutgoing(message._tag === "Text" ? message.text : "")

const describe = (message: Outgoing): string => {
  switch (message._tag) {
    case "Hello":
      return `is number ${message.id}, speaks ${message.subprotocol}`
    case "Room":
      return `is in ${message.room} with ${message.members.map(({ name }) => name).join(", ")}`
    case "Joined":
      return `sees ${message.member.name} come in`
    case "Left":
      return `sees ${message.member.name} go`
    case "Said":
      return `hears ${message.from.name} say: ${message.text}`
    case "Problem":
      return `is told: ${message.detail}`
  }
}

/** The chat with three visitors at once: what they saw, in the order in which they saw it. */
export const transcript = Effect.gen(function* () {
  const lines: Array<string> = []
  const chat = yield* Chat.make
  yield* WebSocketServer.serve({ ...Chat.options, host: "chat.example", port: 80 }, chat)

  const visitors = ["Ada", "Grace", "Edith"]
  yield* Effect.forEach(visitors, (name) => visit("ws://chat.example/chat", name, (line) => lines.push(line)), {
    concurrency: "unbounded",
    discard: true
  })
  return lines
}).pipe(
  Effect.scoped,
  Effect.provide(MemoryNetwork.layer()),
  // The keys of the handshakes and the masks of the frames are random otherwise. Here even the bytes are the same.
  Effect.provideService(Entropy.Entropy, (size) => new Uint8Array(size))
)
