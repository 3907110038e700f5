/** Lists of cases as tests, that fail with the report a person would read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, type Scope, TestClock, TestServices } from "effect"
import type { Network } from "sluice"
import { turn } from "../../../sluice/test/support/turns.js"
import type * as Case from "../../src/Case.js"
import * as Cases from "../../src/Cases.js"
import * as Conformance from "../../src/Conformance.js"
import * as Outcome from "../../src/Outcome.js"
import * as Report from "../../src/Report.js"
import * as Subject from "../../src/Subject.js"

/** Real time, more than any case takes; only what hangs is waited for so long. */
const patience = "20 seconds"

/**
 * Plays cases while no time passes. One that hangs is shown its deadline after all, so that the test ends with what was
 * waited for.
 */
export const playing = <R>(
  cases: ReadonlyArray<Case.Case>,
  options: Conformance.Options<R>
): Effect.Effect<ReadonlyArray<Outcome.Outcome>, never, Exclude<R, Scope.Scope>> =>
  Effect.suspend(() => {
    let ended = 0
    const late = Effect.suspend(() => {
      const before = ended
      return Effect.zipRight(
        TestServices.provideLive(Effect.sleep(patience)),
        Effect.suspend(() => (ended === before ? TestClock.adjust("5 seconds") : Effect.void))
      )
    }).pipe(Effect.forever)
    const played = Effect.forEach(cases, (each) =>
      Effect.tap(Conformance.run([each], options), () => {
        ended++
        // A network in memory never lets the event loop go on, of which the test runner has need.
        return turn
      })
    )
    return Effect.map(Effect.raceFirst(played, late), (outcomes) => outcomes.flat())
  })

/** Where the RFC says SHOULD and sluice does otherwise; the cases are informational. */
export const otherwise = new Set([
  // RFC 9112 §3.2: a request line with characters that no URI has SHOULD be refused
  "opening/target/quotes"
])

/** One test for each group and each cutting: sluice does all that the cases describe, on the network. */
export const conforms = (
  name: string,
  network: Layer.Layer<Network.Network>,
  chunkings: ReadonlyArray<Conformance.Chunking>
): void => {
  describe(`sluice on ${name}`, () => {
    for (const [group, cases] of Object.entries(Cases.byGroup)) {
      for (const chunking of chunkings) {
        const cutting = typeof chunking === "string" ? chunking : `seed ${chunking.seed}`
        it.effect(
          `${group}, ${cutting}`,
          () =>
            Effect.gen(function* () {
              const outcomes = yield* playing(cases, { subject: Subject.sluice, chunking })
              const wrong = outcomes.filter((outcome) => !Outcome.isExemplary(outcome) && !otherwise.has(outcome.id))
              assert.strictEqual(outcomes.length, cases.length)
              assert.isTrue(wrong.length === 0, `\n${Report.format(Report.make(wrong))}`)
            }).pipe(Effect.provide(network)),
          240_000
        )
      }
    }
  })
}
