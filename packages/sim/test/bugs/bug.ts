import type { Effect } from "effect"
import type * as Fault from "../../src/Fault.js"
import type * as Simulation from "../../src/Simulation.js"
import type * as SimulationFailure from "../../src/SimulationFailure.js"

/** A small program with one bug, and its twin, which is the same but for the fix. */
export interface Bug<A, E = never> {
  readonly name: string
  /** What goes wrong, and when, in one sentence. */
  readonly what: string
  readonly buggy: Effect.Effect<A, E, Simulation.Services>
  readonly correct: Effect.Effect<A, E, Simulation.Services>
  /** What is wrong with what either of them gave, if something is. */
  readonly check?: (value: A) => string | undefined
  readonly options?: Simulation.Options
  /** How the bug shows. */
  readonly kind: SimulationFailure.Kind
  /** Of the seeds from 1 on, so many are enough to find it. */
  readonly seeds: number
}

/** A network that loses nothing: all arrives, though late. */
export const late: Fault.ChaosOptions = { cuts: 0, partitions: 0, refuse: 0, unanswered: 0, resetInBacklog: 0 }
