/** Which fibers an effect has started, and which of them still live. */
import { type Context, Effect, type Exit, Fiber, type Option, Supervisor } from "effect"
import { eventually } from "./turns.js"

class Living extends Supervisor.AbstractSupervisor<number> {
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

/** Runs the effect, then waits until all fibers that it has started have ended; never, if one is left. */
export const leavesNoFiber = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const living = new Living()
    // In a fiber of its own, with which the fibers end that belong to it.
    return Effect.supervised(Effect.flatMap(Effect.fork(effect), Fiber.join), living).pipe(
      Effect.zipLeft(
        Effect.suspend(() => eventually(`all ${living.started} fibers have ended`, () => living.fibers.size === 0))
      )
    )
  })
