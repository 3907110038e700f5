/**
 * Which fibers an effect has started, and which of them still live.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import { Unmet } from "./expectation.js"
import { eventually } from "./turns.js"

class LivingFibers extends Supervisor.AbstractSupervisor<number> {
  readonly fibers = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  started = 0
  override readonly value = Effect.sync(() => this.fibers.size)
  override onStart<A, E, R>(
    _context: Context.Context<R>,
    _effect: Effect.Effect<A, E, R>,
    _parent: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>,
    fiber: Fiber.RuntimeFiber<A, E>
  ): void {
    this.started++
    this.fibers.add(fiber)
  }
  override onEnd<A, E>(_exit: Exit.Exit<A, E>, fiber: Fiber.RuntimeFiber<A, E>): void {
    this.fibers.delete(fiber)
  }
}

/** @internal Runs the effect, then waits until all fibers that it has started have ended. */
export const leavesNoFiber = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unmet, R> =>
  Effect.suspend(() => {
    const living = new LivingFibers()
    const ended = Effect.suspend(() => {
      const expected = `the ${living.started} fibers that were started have ended`
      return Effect.catchAll(
        eventually(expected, () => living.fibers.size === 0),
        () => new Unmet({ expected, seen: `${living.fibers.size} of them live` })
      )
    })
    // In a fiber of its own, with which the fibers end that belong to it.
    return Effect.zipLeft(Effect.supervised(Effect.flatMap(Effect.fork(effect), Fiber.join), living), ended)
  })
