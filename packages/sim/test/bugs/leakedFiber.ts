import { Deferred, Effect, Option, Random, type Scope } from "effect"
import type { Bug } from "./bug.js"

const ask = (replica: string) =>
  Effect.gen(function* () {
    yield* Effect.sleep(yield* Random.nextIntBetween(5, 100))
    return replica
  })

/** Asks a second replica if the first one is slow; the first answer counts. */
const program = (fork: (lookup: Effect.Effect<boolean>) => Effect.Effect<unknown, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<string>()
    yield* fork(Effect.intoDeferred(ask("first"), answer))
    const early = yield* Effect.timeoutOption(Deferred.await(answer), "80 millis")
    if (Option.isSome(early)) return early.value
    yield* fork(Effect.intoDeferred(ask("second"), answer))
    return yield* Deferred.await(answer)
  }).pipe(Effect.scoped)

export const leakedFiber: Bug<string> = {
  name: "leaked fiber",
  what: "A lookup that took too long is asked of a second replica, and the slower of both goes on after the answer.",
  buggy: program(Effect.forkDaemon),
  correct: program(Effect.forkScoped),
  kind: "Leak",
  seeds: 50
}
