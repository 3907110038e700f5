/**
 * Laws of interruption: who is interrupted has taken nothing, lost nothing and left nothing.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Network from "sluice/Network"
import {
  accept,
  ascii,
  connect,
  connected,
  type Draft,
  type End,
  each,
  end,
  fails,
  heldUp,
  join,
  listen,
  pieces,
  readAll,
  readSome,
  write
} from "./ends.js"
import { expectBytes } from "./expectation.js"
import { soon, turn, turns } from "./turns.js"

const interrupt = <A, E>(what: string, fiber: Fiber.Fiber<A, E>) =>
  soon(`${what} can be interrupted`, Fiber.interrupt(fiber))

const yields = (count: number) => Effect.repeatN(Effect.yieldNow(), count)

/** A whole conversation, and the address at which it was held. */
const conversation = (tell: (address: Network.Address) => void) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* network.listen({})
    tell(listener.address)
    const client = yield* network.connect(listener.address)
    const server = yield* listener.accept
    yield* Effect.fork(Effect.forever(server.read))
    yield* client.write(ascii("question"))
    yield* Effect.all([client.endOfOutput, server.write(ascii("answer"))], { concurrency: 2 })
    yield* client.read
    yield* server.endOfOutput
    yield* Effect.option(client.read)
  }).pipe(Effect.scoped)

/** @internal */
export const interruptionLaws = (held: number): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `an interrupted read of the ${side} takes nothing`,
    demand: `What the ${other} writes after the interruption is read by the next one.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      for (let i = 0; i < 5; i++) {
        const reading = yield* Effect.fork(near.transport.read)
        yield* turn
        yield* interrupt("a read that waits", reading)
        const word = ascii(`word ${i}`)
        yield* write(far, word)
        yield* expectBytes(`what the ${side} reads next`, yield* readSome(near, 6), word)
      }
    })
  })),

  ...each((side, other) => ({
    name: `a read of the ${side} that is interrupted while bytes arrive has them, or leaves them`,
    demand: `All that the ${other} writes comes out of the reads that succeeded before their interruption, and the next ones.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const parts: Array<Uint8Array> = []
      const words: Array<Uint8Array> = []
      for (let i = 0; i < 24; i++) {
        const reading = yield* Effect.fork(near.transport.read)
        yield* turn
        const word = ascii(`word ${i}.`)
        words.push(word)
        yield* write(far, word)
        yield* i % 4 === 3 ? turn : yields(i)
        const exit = yield* interrupt("a read that waits", reading)
        if (Exit.isSuccess(exit)) parts.push(exit.value)
      }
      yield* end(far)
      parts.push(yield* readAll(near))
      yield* expectBytes(`what the ${side} reads`, join(parts), join(words))
    })
  })),

  ...each((side, other) => ({
    name: `an interrupted write of the ${side} leaves the connection as it is`,
    demand: `The chunk that waited arrives, like those before it, and the next write comes after it; the ${other} reads all.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const { atRest, fiber } = yield* heldUp(near, held)
      yield* interrupt("a write that waits", fiber)
      const reading = yield* Effect.fork(readAll(far))
      yield* write(near, ascii("end"))
      yield* end(near)
      const expected = join([pieces(atRest + 1), ascii("end")])
      yield* expectBytes(`what the ${other} reads`, yield* Fiber.join(reading), expected)
    })
  })),

  {
    name: "an interrupted accept takes no connection",
    demand: "The connection that comes after the interruption is accepted by the next one.",
    test: Effect.gen(function* () {
      const listener = yield* listen()
      const accepting = yield* Effect.fork(listener.accept)
      yield* turns()
      yield* interrupt("an accept that waits", accepting)
      const client: End = { side: "client", transport: yield* connect(listener.address) }
      yield* write(client, ascii("hello"))
      const server: End = { side: "server", transport: yield* accept(listener) }
      yield* expectBytes("what the server reads", yield* readSome(server, 5), ascii("hello"))
    })
  },

  {
    name: "an interrupted connect leaves nothing behind",
    demand: "Whether the connection came into being or not, it is gone, and the next one works.",
    test: Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* listen()
      const connecting = yield* Effect.fork(Effect.scoped(network.connect(listener.address)))
      yield* Effect.yieldNow()
      yield* interrupt("a connect", connecting)
      const client: End = { side: "client", transport: yield* connect(listener.address) }
      yield* write(client, ascii("x"))
      const arrived = yield* Effect.iterate(Option.none<Uint8Array>(), {
        while: Option.isNone,
        body: () =>
          Effect.flatMap(accept(listener), (server) =>
            soon("a connection is read, or broken", Effect.option(server.read))
          )
      })
      yield* expectBytes("what is read", Option.getOrThrow(arrived), ascii("x"))
    })
  },

  {
    name: "a conversation that is interrupted anywhere leaves nothing behind",
    demand: "Nobody listens any more where it was held, and no fiber of it is left.",
    test: Effect.gen(function* () {
      const network = yield* Network.Network
      for (let i = 0; i < 48; i++) {
        let address: Network.Address | undefined
        const talking = yield* Effect.fork(
          conversation((at) => {
            address = at
          })
        )
        yield* i < 32 ? yields(i) : turns(i - 31)
        yield* interrupt("a conversation", talking)
        if (address === undefined) continue
        const connecting = Effect.scoped(network.connect(address))
        yield* fails("a connect to who was interrupted", connecting, "connect", "ConnectionRefused")
      }
    })
  }
]
