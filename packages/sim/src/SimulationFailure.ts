/**
 * What is wrong with a run, as a value.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * What went wrong:
 *
 * - `Failed`: the program failed, or what it gave did not pass the check.
 * - `Deadlock`: nothing can run, and no timer is set, but the program has not ended.
 * - `Leak`: the program has ended, but fibers, scopes, connections or listeners of it have not.
 * - `Budget`: it took more steps, or more virtual time, than it should.
 * - `HostAsynchrony`: it asked the host for a timer, a promise or a device, which no seed can repeat.
 * - `Nondeterminism`: the same seed gave two different traces.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "Failed" | "Deadlock" | "Leak" | "Budget" | "HostAsynchrony" | "Nondeterminism"

/**
 * A fiber that has not ended, and where it waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  /** Its number in the trace. */
  readonly fiber: number
  /** The host that it runs on. */
  readonly host: string
  /** The innermost span in which it is, if in one. */
  readonly span: string | undefined
  /** The lines of its last `yield*`: the innermost, and that of the program if the innermost is in a library. */
  readonly at: ReadonlyArray<string>
}

/**
 * A run that did not come to a good end.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationFailure extends Data.TaggedError("SimulationFailure")<{
  /** What went wrong. */
  readonly kind: Kind
  /** The seed of the run. */
  readonly seed: number
  /** The particulars, in words. */
  readonly detail: string
  /** The fibers that have not ended. */
  readonly waiting: ReadonlyArray<Waiting>
  /** What the program failed with. */
  readonly cause?: unknown
  /** A command that repeats the run. */
  readonly command?: string | undefined
}> {
  /** Several lines for a person. */
  override get message(): string {
    return [
      `${this.kind} with seed ${this.seed}: ${this.detail}`,
      ...this.waiting.map(formatWaiting),
      ...(this.command === undefined ? [] : [`again: ${this.command}`])
    ].join("\n")
  }
}

/**
 * A waiting fiber as one line.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatWaiting = ({ at, fiber, host, span }: Waiting): string => {
  const where = at.length === 0 ? "in a pipeline (a span or Effect.gen would say where)" : `at ${at.join(", in ")}`
  return `  fiber #${fiber} on ${host}${span === undefined ? "" : `, in span ${span}`}: waits ${where}`
}
