/**
 * Deterministic simulation: a run of a program is a function of its seed.
 *
 * `run` does an Effect program to its end, synchronously: a seeded choice among all fibers that can run, a virtual clock
 * that advances when none can, and seeded randomness, entropy and network. The same seed gives the same run, in every
 * process and on every runtime. `explore` tries many seeds, and makes the first failures small; `assert` is for tests.
 *
 * Any program can be run, with its own codec and without a socket or a host timer; it need not use sluice.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Fault from "./Fault.js"
import { Draw, Stream } from "./internal/draw.js"
import { Notes } from "./internal/notes.js"
import { Peers } from "./internal/peers.js"
import * as Progress from "./internal/progress.js"
import * as Replay from "./internal/replay.js"
import { type Ended, runOnce, type Services, type Settings } from "./internal/run.js"
import { type Case, shrink } from "./internal/shrink.js"
import type * as SimNetwork from "./SimNetwork.js"
import { SimulationFailure } from "./SimulationFailure.js"
import * as Trace from "./Trace.js"

export { Peers, type Services }

/**
 * What a run depends on besides its program and its seed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Faults for the whole run, or from their `after` on; those of `Fault.chaos` are drawn from the seed. */
  readonly faults?: ReadonlyArray<Fault.Fault | Fault.Chaos> | undefined
  /** What `Peers` gives, for programs that ask for it; 2 by default. */
  readonly peers?: number | undefined
  /** How the network is made. */
  readonly network?: SimNetwork.Options | undefined
  /**
   * The probability with which a fiber yields before an operation, so that others get between; 0.95 at most. By default
   * each seed draws one of 0, 0.02, 0.1 and 0.4. Where a fiber cannot be interrupted, it does not yield.
   */
  readonly yieldProbability?: number | undefined
  /** Tasks that a run may do; 1,000,000 by default. */
  readonly maxSteps?: number | undefined
  /** Virtual time that a run may take; 1 hour by default. */
  readonly maxDuration?: Duration.DurationInput | undefined
  /** Whether fibers, scopes and connections may be left at the end; `false` by default. */
  readonly allowLeaks?: boolean | undefined
  /** Whether each seed is run twice, to see that both runs are the same; `true` by default. */
  readonly verify?: boolean | undefined
}

/**
 * How one run ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run<out A, out E> {
  /** From which all else follows. */
  readonly seed: number
  /** What the program gave; `undefined` if it did not come to its end. */
  readonly exit: Exit.Exit<A, E> | undefined
  /** Virtual time that has passed. */
  readonly duration: Duration.Duration
  /** Tasks that were done. */
  readonly steps: number
  /** A digest of all that happened, in order: 16 hexadecimal digits. */
  readonly hash: string
  /** The faults of the run, those that were drawn among them. */
  readonly faults: ReadonlyArray<Fault.Fault>
  /** What is wrong, if something is. */
  readonly failure: SimulationFailure | undefined
  /** All that happened; there is one if the run failed, or if it was asked for. */
  readonly trace: Trace.Trace | undefined
}

const settingsOf = (options: Options, { faults, peers, seed }: Case): Settings => ({
  seed,
  faults,
  peers,
  network: options.network ?? {},
  yieldProbability: options.yieldProbability,
  maxSteps: options.maxSteps ?? 1_000_000,
  maxDuration: Duration.toMillis(options.maxDuration ?? "1 hour"),
  allowLeaks: options.allowLeaks ?? false
})

const caseOf = (options: Options, seed: number): Case => ({
  seed,
  faults: Fault.drawAll(options.faults ?? [], new Draw(seed, Stream.Faults)),
  peers: options.peers ?? defaultPeers
})

const defaultPeers = 2

const toRun = <A, E>(ended: Ended<A, E>, { faults, seed }: Case, hasTrace: boolean): Run<A, E> => ({
  seed,
  exit: ended.exit,
  duration: Duration.millis(ended.duration),
  steps: ended.steps,
  hash: ended.hash,
  faults,
  failure: ended.failure,
  trace: hasTrace ? { seed, entries: ended.entries } : undefined
})

const fast = { isRecording: false, isLooking: false }

const runCase = <A, E>(
  program: Effect.Effect<A, E, Services>,
  options: Options,
  wanted: Case,
  withTrace: boolean
): Run<A, E> => {
  const settings = settingsOf(options, wanted)
  const first = runOnce(program, settings, withTrace ? { ...fast, isRecording: true } : fast)
  const hasFailed = first.failure !== undefined
  if (!hasFailed && options.verify === false) return toRun(first, wanted, withTrace)
  // Of a run that has failed, the second one finds out where.
  const second = runOnce(program, settings, { isRecording: withTrace || hasFailed, isLooking: hasFailed })
  if (second.hash === first.hash) return toRun(second, wanted, withTrace || hasFailed)
  return nondeterministic(program, settings, wanted)
}

/** Two runs with one seed were not the same: two more are recorded, to see where they part. */
const nondeterministic = <A, E>(
  program: Effect.Effect<A, E, Services>,
  settings: Settings,
  wanted: Case
): Run<A, E> => {
  const record = () => toRun(runOnce(program, settings, { ...fast, isRecording: true }), wanted, true)
  const [one, other] = [record(), record()]
  const parting =
    one.trace === undefined || other.trace === undefined ? undefined : Trace.divergence(one.trace, other.trace)
  const where =
    parting === undefined
      ? "two runs were not the same, and two more were not recorded as different"
      : `two runs part at line ${parting.line + 1} of their traces: one has\n${parting.one}\nthe other\n${parting.other}`
  const detail = `${where}\nSomething outlives a run (a variable of a module, a service that was made before it), or the host answered (node:crypto, process.hrtime).`
  const failure = new SimulationFailure({ kind: "Nondeterminism", seed: wanted.seed, detail, waiting: [] })
  return { ...one, failure }
}

/**
 * Runs a program with one seed, 1 by default, and tells how it ended. Does not throw, and is done when it returns.
 *
 * What the program asks the host for is answered from the seed (`Date`, `Math.random`, `performance.now`, `crypto`), or
 * ends the run as `HostAsynchrony` (timers, promises, devices). What it logs goes into the trace.
 *
 * @example
 * ```ts
 * import { Simulation } from "@sluice/sim"
 * import { Effect, Ref } from "effect"
 *
 * const count = Effect.gen(function* () {
 *   const ref = yield* Ref.make(0)
 *   const increment = Effect.flatMap(Ref.get(ref), (n) => Ref.set(ref, n + 1))
 *   yield* Effect.all([increment, increment], { concurrency: "unbounded" })
 *   return yield* Ref.get(ref)
 * })
 *
 * const { exit, hash } = Simulation.run(count, { seed: 17 })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <A, E>(
  program: Effect.Effect<A, E, Services>,
  options: Options & {
    readonly seed?: number | undefined
    /** Whether the result has a trace even if nothing is wrong; `false` by default. */
    readonly trace?: boolean | undefined
  } = {}
): Run<A, E> => runCase(program, options, caseOf(options, options.seed ?? 1), options.trace ?? false)

/**
 * How to explore.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExploreOptions<in A> extends Options {
  /** How many seeds; 100 by default. The environment variable `SLUICE_SIM_SEEDS` takes its place. */
  readonly seeds?: number | undefined
  /** The first seed; 1 by default. The environment variable `SLUICE_SIM_FROM` takes its place. */
  readonly from?: number | undefined
  /** Says what is wrong with what the program gave, if something is. It may throw, as assertions do. */
  readonly check?: ((value: A) => string | undefined | void) | undefined
  /** Failures to collect before it stops; 1 by default. */
  readonly maxFailures?: number | undefined
  /** Runs that may be tried to make a failure smaller; 400 by default, 0 to leave it as it is. */
  readonly maxShrinkRuns?: number | undefined
  /** The words of the command that runs the exploration, for the line that repeats a failure; of this process by default. */
  readonly command?: ReadonlyArray<string> | undefined
  /** Whether progress is shown if standard error is a terminal; `true` by default. */
  readonly progress?: boolean | undefined
}

/**
 * A failure that was found, and made smaller.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finding<out A, out E> {
  /** The seed with which it was found. */
  readonly seed: number
  /** The run as it was found. */
  readonly found: Run<A, E>
  /** The smallest run that fails in the same way, with its trace. */
  readonly smallest: Run<A, E>
  /** What is wrong with it; it has the command that repeats it. */
  readonly failure: SimulationFailure
  /** A command that repeats the run as it was found. */
  readonly command: string
  /** A command that repeats the smallest run. */
  readonly smallestCommand: string
}

/**
 * What an exploration has found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report<out A, out E> {
  /** Seeds that were run. */
  readonly seeds: number
  /** Tasks that were done in all runs. */
  readonly steps: number
  /** Time of the machine that it took, without the time for making failures smaller. */
  readonly elapsed: Duration.Duration
  /** The first failures. */
  readonly failures: ReadonlyArray<Finding<A, E>>
}

/** The verdict of the check counts as that of the run. */
const checked = <A, E>(run: Run<A, E>, check: ExploreOptions<A>["check"]): Run<A, E> => {
  if (check === undefined || run.failure !== undefined || run.exit?._tag !== "Success") return run
  const { value } = run.exit
  const wrong = (detail: string, cause?: unknown): Run<A, E> => ({
    ...run,
    failure: new SimulationFailure({ kind: "Failed", seed: run.seed, detail, waiting: [], cause })
  })
  try {
    const complaint = check(value)
    return typeof complaint === "string" ? wrong(complaint) : run
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error), error)
  }
}

// After so many milliseconds others on the event loop get their turn.
const turn = 50

// By the timer of the host, and not by a clock, which may be one of a test.
const nextTurn: Effect.Effect<void> = Effect.async((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 0)
  return Effect.sync(() => clearTimeout(timer))
})

const ownCommand = (): ReadonlyArray<string> => ["node", ...process.execArgv, ...process.argv.slice(1)]

/**
 * Runs a program with many seeds, and makes the first failures smaller: fewer faults, fewer peers, less time, and of
 * other seeds the one with the shortest run.
 *
 * The environment variable `SLUICE_SIM_REPLAY` has one run repeated instead; the commands of a finding set it. Fails
 * with `ConfigError` if one of the variables is not what it should be.
 *
 * @example
 * ```ts
 * import { Fault, Simulation } from "@sluice/sim"
 * import { Console, Effect } from "effect"
 *
 * const program = Effect.succeed(1)
 *
 * const main = Effect.gen(function* () {
 *   const report = yield* Simulation.explore(program, { seeds: 1000, faults: [Fault.chaos()] })
 *   yield* Console.log(Simulation.format(report))
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const explore = <A, E>(
  program: Effect.Effect<A, E, Services>,
  options: ExploreOptions<A> = {}
): Effect.Effect<Report<A, E>, ConfigError> =>
  Effect.gen(function* () {
    const replay = yield* Config.option(Schema.Config(Replay.variables.replay, Replay.Replay))
    const seeds = yield* Config.withDefault(Config.integer(Replay.variables.seeds), options.seeds ?? 100)
    const from = yield* Config.withDefault(Config.integer(Replay.variables.from), options.from ?? 1)
    const clock = yield* Effect.clock
    const runChecked = (wanted: Case, withTrace = false) =>
      checked(runCase(program, options, wanted, withTrace), options.check)
    const command = options.command ?? ownCommand()

    if (Option.isSome(replay)) {
      const start = clock.unsafeCurrentTimeMillis()
      const drawn = caseOf(options, replay.value.seed)
      const wanted = {
        ...drawn,
        faults: replay.value.faults ?? drawn.faults,
        peers: replay.value.peers ?? drawn.peers
      }
      const repeated = runChecked(wanted, true)
      const elapsed = Duration.millis(clock.unsafeCurrentTimeMillis() - start)
      const line = Replay.commandLine(replay.value, command)
      const failures = repeated.failure === undefined ? [] : [findingOf(repeated, repeated, line, line)]
      return { seeds: 1, steps: repeated.steps, elapsed, failures }
    }

    const failed: Array<Run<A, E>> = []
    const { maxFailures = 1, maxShrinkRuns = 400 } = options
    const progress = options.progress === false ? Progress.none : Progress.make(seeds)
    let steps = 0
    let done = 0
    let elapsed = 0
    const aWhile = Effect.sync(() => {
      const start = clock.unsafeCurrentTimeMillis()
      let now = start
      for (; done < seeds && failed.length < maxFailures && now - start < turn; now = clock.unsafeCurrentTimeMillis()) {
        const run = runChecked(caseOf(options, from + done++))
        steps += run.steps
        if (run.failure !== undefined) failed.push(run)
      }
      elapsed += now - start
      progress.show({ done, elapsed, failed: failed.length })
    })
    yield* Effect.whileLoop({
      while: () => done < seeds && failed.length < maxFailures,
      body: () => Effect.zipRight(aWhile, nextTurn),
      step: () => {}
    }).pipe(Effect.ensuring(Effect.sync(progress.clear)))

    const failures = failed.map((found): Finding<A, E> => {
      const start = caseOf(options, found.seed)
      const smallest = shrink(start, found, {
        maxRuns: maxShrinkRuns,
        attempt: (smaller) => {
          const run = runChecked(smaller)
          return run.failure?.kind === found.failure?.kind ? run : undefined
        }
      })
      // What a check has found was not recorded.
      const recorded = (run: Run<A, E>, its: Case) => (run.trace === undefined ? runChecked(its, true) : run)
      const line = Replay.commandLine({ seed: found.seed }, command)
      const whole = recorded(found, start)
      return smallest.case === start
        ? findingOf(whole, whole, line, line)
        : findingOf(whole, recorded(smallest.run, smallest.case), line, Replay.commandLine(smallest.case, command))
    })
    return { seeds: done, steps, elapsed: Duration.millis(elapsed), failures }
  })

const findingOf = <A, E>(
  found: Run<A, E>,
  smallest: Run<A, E>,
  command: string,
  smallestCommand: string
): Finding<A, E> => {
  // Runs become findings only if they have failed.
  const { cause, detail, kind, seed, waiting } = smallest.failure as SimulationFailure
  const failure = new SimulationFailure({ kind, seed, detail, waiting, cause, command: smallestCommand })
  return { seed: found.seed, found, smallest, failure, command, smallestCommand }
}

/**
 * Runs a program with many seeds, and fails with the first failure, made smaller; for tests.
 *
 * @example
 * ```ts
 * import { Simulation } from "@sluice/sim"
 * import { Effect } from "effect"
 *
 * const test = Simulation.assert(Effect.sleep("1 day"), { seeds: 200, maxDuration: "2 days" })
 *
 * // with any test runner
 * const promise = Effect.runPromise(test)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const assert = <A, E>(
  program: Effect.Effect<A, E, Services>,
  options: ExploreOptions<A> = {}
): Effect.Effect<void, SimulationFailure | ConfigError> =>
  Effect.flatMap(explore(program, options), ({ failures: [first] }) =>
    first === undefined ? Effect.void : first.failure
  )

/**
 * Writes a line into the trace, if the program is simulated; otherwise into the log, at level Debug.
 *
 * @category combinators
 * @since 0.1.0
 */
export const note = (text: string): Effect.Effect<void> =>
  Effect.flatMap(Notes, (write) => (write === undefined ? Effect.logDebug(text) : Effect.sync(() => write(text))))

/**
 * A report as text: how many seeds, how fast, and for each failure what is wrong, how to repeat it, and with which
 * faults.
 *
 * @category encoding
 * @since 0.1.0
 */
export const format = <A, E>(self: Report<A, E>): string => {
  const rate = Math.round((self.seeds / Math.max(1, Duration.toMillis(self.elapsed))) * 1000)
  const sizeOf = ({ duration, steps }: Run<A, E>) => `${steps} steps and ${Math.round(Duration.toMillis(duration))} ms`
  const findings = self.failures.flatMap(({ command, failure, found, smallest }) => [
    failure.message,
    `  found with seed ${found.seed} in ${sizeOf(found)}: ${command}`,
    `  at its smallest ${sizeOf(smallest)}`,
    ...smallest.faults.map((fault) => `  with ${Fault.format(fault)}`)
  ])
  const failures = self.failures.length === 0 ? "no failure" : `${self.failures.length} failed`
  return [`${self.seeds} ${self.seeds === 1 ? "seed" : "seeds"}, ${rate} a second, ${failures}`, ...findings].join("\n")
}
