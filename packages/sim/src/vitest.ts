/**
 * `it.simulate` for `@effect/vitest`: a test that runs a program with many seeds.
 *
 * @since 0.1.0
 */
import { it as effectIt } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { RunnerTask } from "vitest"
import * as Simulation from "./Simulation.js"

/** A test of many seeds takes longer than others: milliseconds. */
const defaultTimeout = 120_000

/** As `-t` looks for it. Tests run side by side, so that a global `expect` knows only of the last one. */
const fullName = ({ name, suite }: RunnerTask): string => (suite === undefined ? name : `${fullName(suite)} ${name}`)

/**
 * Runs a program with many seeds as one test. A failure says how to repeat it.
 *
 * @example
 * ```ts
 * import { it } from "@sluice/sim/vitest"
 * import { Effect } from "effect"
 *
 * it.simulate("takes a day", { seeds: 200 }, Effect.sleep("1 day"))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const simulate = <A, E>(
  name: string,
  options: Simulation.ExploreOptions<A> & {
    /** Milliseconds that the test may take; 120,000 by default. */
    readonly timeout?: number | undefined
  },
  program: Effect.Effect<A, E, Simulation.Services>
): void =>
  effectIt(
    name,
    ({ task }) => {
      const file = task.file.filepath.replace(`${process.cwd()}/`, "")
      const title = fullName(task).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
      const command = ["npx", "vitest", "run", file, "-t", `^${title}$`]
      return Effect.runPromise(Simulation.assert(program, { command, ...options }))
    },
    options.timeout ?? defaultTimeout
  )

/**
 * `it` of `@effect/vitest`, with `simulate`.
 *
 * @category running
 * @since 0.1.0
 */
export const it: typeof effectIt & { readonly simulate: typeof simulate } = Object.assign(effectIt, { simulate })
