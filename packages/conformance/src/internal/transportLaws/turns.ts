/**
 * Waiting without a deadline: for turns, in each of which all that can happen does.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { defaultScheduler } from "effect/Scheduler"
import { Unmet } from "./expectation.js"

/** @internal The turns after which what has not happened never will. */
export class Patience extends Context.Reference<Patience>()("@sluice/conformance/Patience", {
  defaultValue: () => 2000
}) {}

const host = Clock.make()

const moment = Duration.millis(1)

/**
 * One turn. On the scheduler that Effect has by itself it is one of the event loop of the host, and no time passes on
 * the clock of the test. Another scheduler may be drained without the host, as that of a simulation is: there it is a
 * millisecond on the clock of the context, which passes when nothing else can be done.
 *
 * @internal
 */
export const turn: Effect.Effect<void> = Effect.flatMap(FiberRef.get(FiberRef.currentScheduler), (scheduler) =>
  scheduler === defaultScheduler ? host.sleep(Duration.zero) : Effect.sleep(moment)
)

/** @internal So many turns: enough for all that was begun to come to its end, where nothing else says that it has. */
export const turns = (count = 32): Effect.Effect<void> => Effect.repeatN(turn, count - 1)

/** Waits until a check holds, or for as long without progress as patience lasts. */
const until = (expected: string, check: () => boolean, progress: () => number): Effect.Effect<void, Unmet> =>
  Effect.flatMap(Patience, (patience) => {
    let waited = 0
    let last = progress()
    const look = Effect.suspend(() => {
      waited = progress() === last ? waited + 1 : 0
      last = progress()
      return waited < patience ? turn : new Unmet({ expected, seen: `nothing of it in ${patience} turns` })
    })
    return Effect.whileLoop({ while: () => !check(), body: () => look, step: () => {} })
  })

/** @internal Waits until a check holds. */
export const eventually = (expected: string, check: () => boolean): Effect.Effect<void, Unmet> =>
  until(expected, check, () => 0)

/** @internal Waits for an effect that has to come to its end: for as long as there is progress, if that can be told. */
export const soon = <A, E, R>(
  expected: string,
  effect: Effect.Effect<A, E, R>,
  progress: () => number = () => 0
): Effect.Effect<A, E | Unmet, R> =>
  // What does not end may not be interruptible either, and is left behind.
  Effect.raceFirst(
    Effect.disconnect(effect),
    Effect.zipRight(
      until(expected, () => false, progress),
      Effect.never
    )
  )

/** @internal Waits until a number has not changed for many turns, and gives it. */
export const settled = (read: () => number, quiet = 64): Effect.Effect<number> =>
  Effect.suspend(() => {
    let last = read()
    let same = 0
    const waiting = Effect.whileLoop({
      while: () => same < quiet,
      body: () => turn,
      step: () => {
        same = read() === last ? same + 1 : 0
        last = read()
      }
    })
    return Effect.map(waiting, () => last)
  })
