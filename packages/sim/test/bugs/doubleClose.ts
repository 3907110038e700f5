import { Effect, Ref } from "effect"
import { Network } from "sluice"
import * as SimNetwork from "../../src/SimNetwork.js"
import type { Bug } from "./bug.js"

const goodbye = new TextEncoder().encode("goodbye")

const idleTimeout = "30 seconds"

const program = (isFirst: (isClosed: Ref.Ref<boolean>) => Effect.Effect<boolean>) => {
  const session = (transport: Network.Transport) =>
    Effect.gen(function* () {
      const isClosed = yield* Ref.make(false)
      const close = Effect.gen(function* () {
        if (!(yield* isFirst(isClosed))) return
        yield* transport.write(goodbye)
        yield* Ref.set(isClosed, true)
        yield* transport.endOfOutput
      })
      const onGoodbye = Effect.zipRight(transport.read, close)
      const onIdle = Effect.zipRight(Effect.sleep(idleTimeout), close)
      yield* Effect.all([onGoodbye, onIdle], { concurrency: "unbounded" })
    })
  return Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* SimNetwork.on(
      "server",
      Effect.flatMap(Network.Network, ({ listen }) => listen({ port: 7 }))
    )
    const server = Effect.flatMap(listener.accept, session)
    const client = Effect.flatMap(network.connect({ host: "server", port: 7 }), session)
    yield* Effect.all([SimNetwork.on("server", server), client], { concurrency: "unbounded" })
  })
}

export const doubleClose: Bug<void, unknown> = {
  name: "double close",
  what: "The goodbye of the peer comes as the own idle timer fires, and both close: one writes after the end of output.",
  buggy: program((isClosed) => Effect.map(Ref.get(isClosed), (closed) => !closed)),
  correct: program((isClosed) => Effect.map(Ref.getAndSet(isClosed, true), (closed) => !closed)),
  kind: "Failed",
  seeds: 50
}
