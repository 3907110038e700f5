/** Waiting without a clock: for turns of the event loop, in each of which all that can happen does. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"

/** One turn of the event loop. */
export const turn: Effect.Effect<void> = Effect.async((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** So many turns: enough for all that was begun to come to its end, where nothing else says that it has. */
export const turns = (count = 32): Effect.Effect<void> => Effect.repeatN(turn, count - 1)

/** More than anything takes that happens at all; what does not happen fails the test by name. */
const patience = 1_000_000

/** Waits until the check holds. */
export const eventually = (what: string, check: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    let waited = 0
    return Effect.whileLoop({
      while: () => !check(),
      body: () => turn,
      step: () => {
        if (++waited > patience) assert.fail(`never: ${what}`)
      }
    })
  })

/** As `eventually`, for a check that is an effect. */
export const eventuallyEffect = <E, R>(what: string, check: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    let waited = 0
    return Effect.iterate(false, {
      while: (holds) => !holds,
      body: () =>
        Effect.zipRight(
          Effect.suspend(() => (++waited > patience ? Effect.sync(() => assert.fail(`never: ${what}`)) : turn)),
          check
        )
    })
  })

/** Waits until a number has not changed for many turns, and gives it. */
export const settled = (read: () => number, quiet = 64): Effect.Effect<number> =>
  Effect.suspend(() => {
    let last = read()
    let same = 0
    return Effect.as(
      Effect.whileLoop({
        while: () => same < quiet,
        body: () => turn,
        step: () => {
          same = read() === last ? same + 1 : 0
          last = read()
        }
      }),
      0
    ).pipe(Effect.map(() => last))
  })
