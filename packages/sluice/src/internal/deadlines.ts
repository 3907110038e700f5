/**
 * Many deadlines on one fiber and one timer, all from the `Clock` of the context.
 *
 * A server has a few kinds of deadlines (handshake, ping, pong, close) and many connections. Deadlines of one kind last
 * equally long, so the order in which they were set is the order in which they end: setting and cancelling cost O(1),
 * and an idle connection costs no fiber.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Timeout } from "../Limits.js"

/** @internal */
export interface Deadline {
  readonly after: number
  at: number
  readonly run: () => void
}

/** @internal */
export interface Deadlines {
  readonly now: () => number
  /** Runs the task once when the time has passed; never, if it is unbounded. The task must not throw. */
  readonly set: (after: Timeout, run: () => void) => Deadline | undefined
  readonly cancel: (deadline: Deadline | undefined) => void
}

/** @internal At least one: what is to happen after no time at all would happen again and again in one turn. */
export const toMillis = (timeout: Timeout): number =>
  timeout === "unbounded" ? Number.POSITIVE_INFINITY : Math.max(1, Duration.toMillis(timeout))

/** @internal */
export const make: Effect.Effect<Deadlines, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const kinds = new Map<number, Set<Deadline>>()
  // The time until which the fiber sleeps, and how to have it look again.
  let sleeping = Number.POSITIVE_INFINITY
  let wake: (() => void) | undefined

  const earliest = (): number => {
    let at = Number.POSITIVE_INFINITY
    for (const kind of kinds.values()) {
      for (const deadline of kind) {
        if (deadline.at < at) at = deadline.at
        break
      }
    }
    return at
  }

  const runDue = (now: number): void => {
    for (const kind of kinds.values()) {
      for (const deadline of kind) {
        if (deadline.at > now) break
        kind.delete(deadline)
        deadline.run()
      }
    }
  }

  const wokenBefore = (at: number) =>
    Effect.async<void>((resume) => {
      // An earlier deadline may have been set since the look at the earliest.
      if (sleeping < at) return resume(Effect.void)
      wake = () => resume(Effect.void)
      return Effect.sync(() => {
        wake = undefined
      })
    })

  yield* Effect.suspend(() => {
    const at = earliest()
    sleeping = at
    if (at === Number.POSITIVE_INFINITY) return wokenBefore(at)
    // A clock may have fractions of a millisecond, and a wait that rounds to none would be taken again and again.
    const wait = Math.max(0, Math.ceil(at - clock.unsafeCurrentTimeMillis()))
    return Effect.raceFirst(Clock.sleep(Duration.millis(wait)), wokenBefore(at))
  }).pipe(
    Effect.zipRight(Effect.sync(() => runDue(clock.unsafeCurrentTimeMillis()))),
    // A task that throws must not take the deadlines of all others with it.
    Effect.catchAllDefect((defect) => Effect.logError("A deadline could not be kept", Cause.die(defect))),
    Effect.forever,
    Effect.interruptible,
    Effect.forkScoped
  )

  return {
    now: () => clock.unsafeCurrentTimeMillis(),
    set: (timeout, run) => {
      const after = toMillis(timeout)
      if (after === Number.POSITIVE_INFINITY) return undefined
      const deadline: Deadline = { after, at: clock.unsafeCurrentTimeMillis() + after, run }
      const kind = kinds.get(after)
      if (kind === undefined) kinds.set(after, new Set([deadline]))
      else kind.add(deadline)
      if (deadline.at < sleeping) {
        sleeping = deadline.at
        wake?.()
      }
      return deadline
    },
    cancel: (deadline) => {
      if (deadline !== undefined) kinds.get(deadline.after)?.delete(deadline)
    }
  }
})
