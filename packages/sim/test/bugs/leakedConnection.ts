import { Effect, Exit, Scope } from "effect"
import { Network } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import { type Bug, late } from "./bug.js"

const greet = (transport: Network.Transport) =>
  Effect.zipRight(transport.write(new TextEncoder().encode("hello")), transport.endOfOutput)

const server = Effect.gen(function* () {
  const { listen } = yield* Network.Network
  const { accept } = yield* listen({ port: 7 })
  yield* Effect.forkScoped(Effect.forever(Effect.scoped(Effect.flatMap(accept, greet))))
})

type Close = (scope: Scope.CloseableScope) => <A, E>(greeting: Effect.Effect<A, E>) => Effect.Effect<A, E>

const program = (close: Close) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    yield* SimNetwork.on("server", server)
    const greeting = Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) =>
        network.connect({ host: "server", port: 7 }).pipe(
          Effect.flatMap(({ read }) => read),
          Effect.timeout("1 second"),
          Scope.extend(scope),
          restore,
          close(scope)
        )
      )
    )
    for (let probe = 0; probe < 3; probe++) yield* Effect.delay(Effect.option(greeting), "1 second")
  })

export const leakedConnection: Bug<void, unknown> = {
  name: "leaked connection",
  what: "The connection of a health probe is closed after the greeting, but not if there was no greeting in time.",
  buggy: program((scope) => Effect.tap(Scope.close(scope, Exit.void))),
  correct: program((scope) => Effect.onExit((exit) => Scope.close(scope, exit))),
  options: { faults: [Fault.chaos({ ...late, horizon: 4000, stalls: 0.5 })] },
  kind: "Leak",
  seeds: 20
}
