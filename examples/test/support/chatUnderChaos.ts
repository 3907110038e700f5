/**
 * The chat on a bad network, as a function of a seed. Run by itself it prints the hash of the trace of each seed from the
 * first argument on, as many as the second says.
 */
import { Fault, SimNetwork, Simulation } from "@sluice/sim"
import { Effect, Random, Schedule } from "effect"
import { type Message, WebSocketClient, WebSocketServer } from "sluice"
import { encodeIncoming } from "../../chat/messages.js"
import * as Chat from "../../chat/service.js"

const serve = Effect.gen(function* () {
  yield* WebSocketServer.serve({ ...Chat.options, port: 80 }, yield* Chat.make)
  return yield* Effect.never
}).pipe(Effect.scoped)

/** Comes into a room, says something a few times, hears what the others say, and leaves; some times, as the network has it. */
const visit = (name: string) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url: "ws://server/chat", subprotocols: ["chat.v1"] })
    yield* socket.send(encodeIncoming({ _tag: "Join", name, room: "lobby" }))
    for (let i = 0; i < 2; i++) {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 500))
      yield* socket.send(encodeIncoming({ _tag: "Say", text: `${i} from ${name}` }))
      const messages: ReadonlyArray<Message.Message> = yield* socket.take
      yield* Effect.logInfo(`${name} has ${messages.length}`)
    }
    return (yield* socket.close())._tag
  }).pipe(Effect.scoped, Effect.retry(Schedule.recurs(2)), Effect.either)

export const chat = Effect.gen(function* () {
  yield* SimNetwork.spawn("server", serve)
  yield* Effect.sleep("10 millis")
  const visitors = ["Ada", "Grace", "Edith"]
  return yield* Effect.forEach(visitors, (name) => SimNetwork.on(name, visit(name)), { concurrency: "unbounded" })
}).pipe(Effect.scoped)

const faults = [Fault.chaos({ horizon: "3 seconds", cuts: 1, hosts: ["server"] })]

/** The hash of one run; what is wrong, if something is. */
export const hashOf = (seed: number): string => {
  const { failure, hash } = Simulation.run(chat, { seed, faults, verify: false })
  return failure === undefined ? hash : `${hash} ${failure.kind}`
}

const [, program, from, count] = process.argv
if (program?.includes("chatUnderChaos") === true) {
  for (let seed = Number(from); seed < Number(from) + Number(count); seed++) process.stdout.write(`${hashOf(seed)}\n`)
}
