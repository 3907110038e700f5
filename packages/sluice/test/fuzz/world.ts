/**
 * Runs an effect to its end in one go, on a scheduler, a clock and a supervisor of its own: the tasks in the order in which
 * they come, on which Effect 3 counts, and when nothing can run the next timer at once. What hangs, throws or is left is
 * seen as such.
 */
import {
  Clock,
  Context,
  DefaultServices,
  Duration,
  Effect,
  Random as EffectRandom,
  Exit,
  type Fiber,
  FiberRef,
  FiberRefs,
  HashSet,
  Logger,
  LogLevel,
  type Option,
  type Scheduler,
  Supervisor
} from "effect"
import { Entropy } from "../../src/Entropy.js"
import type { Random } from "./random.js"
import { Broken, must } from "./target.js"

const mostTasks = 1_000_000

interface Timer {
  readonly at: number
  readonly wake: () => void
}

class Timers implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly waiting = new Set<Timer>()
  now = 0

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(this.now) * 1_000_000n
  }

  readonly currentTimeMillis = Effect.sync(() => this.now)

  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async((resume) => {
      const timer = { at: this.now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      this.waiting.add(timer)
      return Effect.sync(() => this.waiting.delete(timer))
    })
  }

  /** Goes on to the next timer; whether there was one. */
  advance(): boolean {
    let next: Timer | undefined
    for (const timer of this.waiting) if (next === undefined || timer.at < next.at) next = timer
    if (next === undefined) return false
    this.waiting.delete(next)
    this.now = next.at
    next.wake()
    return true
  }
}

class Living extends Supervisor.AbstractSupervisor<number> {
  readonly fibers = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  override readonly value = Effect.sync(() => this.fibers.size)
  override onStart<A, E, R>(
    _context: Context.Context<R>,
    _effect: Effect.Effect<A, E, R>,
    _parent: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>,
    fiber: Fiber.RuntimeFiber<A, E>
  ): void {
    this.fibers.add(fiber)
  }
  override onEnd<A, E>(_exit: Exit.Exit<A, E>, fiber: Fiber.RuntimeFiber<A, E>): void {
    this.fibers.delete(fiber)
  }
}

/** The value of the effect, after which nothing that it began is left. Nothing may be logged as an error. */
export const play = <A, E>(effect: Effect.Effect<A, E>, random: Random): A => {
  const ready: Array<Scheduler.Task> = []
  const scheduler: Scheduler.Scheduler = {
    shouldYield: () => false,
    scheduleTask: (task) => {
      ready.push(task)
    }
  }
  const timers = new Timers()
  const living = new Living()
  const errors: Array<string> = []
  const logger = Logger.make((entry) => {
    if (LogLevel.greaterThanEqual(entry.logLevel, LogLevel.Error)) errors.push(Logger.stringLogger.log(entry))
  })
  const services = DefaultServices.liveServices.pipe(
    Context.add(Clock.Clock, timers),
    Context.add(EffectRandom.Random, EffectRandom.make(random.next()))
  )
  let exit: Exit.Exit<A, E> | undefined
  const entropy = (size: number) => random.bytes(size)
  Effect.runFork(Effect.provideService(effect, Entropy, entropy), {
    scheduler,
    updateRefs: (refs, fiberId) => {
      const set = <T>(to: FiberRefs.FiberRefs, fiberRef: FiberRef.FiberRef<T>, value: T) =>
        FiberRefs.updateAs(to, { fiberId, fiberRef, value })
      const supervised = set(refs, FiberRef.currentSupervisor, living)
      const logged = set(supervised, FiberRef.currentLoggers, HashSet.make(logger))
      return set(logged, DefaultServices.currentServices, services)
    }
  }).addObserver((result) => {
    exit = result
  })
  for (let tasks = 0; ; tasks++) {
    if (tasks > mostTasks) throw new Broken("a run ends", `after ${timers.now} ms it goes on`)
    if (ready.length === 0) {
      if (exit !== undefined) break
      if (!timers.advance())
        throw new Broken("nobody waits for ever", `${living.fibers.size} fibers after ${timers.now} ms`)
      continue
    }
    ready.shift()?.()
  }
  if (Exit.isFailure(exit)) throw new Broken("no run fails", String(exit.cause))
  must(living.fibers.size === 0, "no fiber is left", () => `${living.fibers.size} fibers`)
  must(timers.waiting.size === 0, "no timer is left", () => `${timers.waiting.size} timers`)
  must(errors.length === 0, "nothing is logged as an error", () => errors.join("\n"))
  return exit.value
}
