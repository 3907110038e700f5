/**
 * Fibers that wait for something to change.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { add, none } from "./fewItems.js"

interface Waiter {
  readonly resume: (effect: Effect.Effect<void>) => void
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
}

const few = 8

const isAlive = ({ fiber }: Waiter): boolean => fiber === undefined || fiber.unsafePoll() === null

/**
 * Who is interrupted is not taken out at once: to be able to would cost each wait more than all else about it. The dead
 * are forgotten when they could be half of those who wait.
 *
 * @internal
 */
export class Waiters {
  private waiting: Array<Waiter> = none
  private most = few

  get size(): number {
    return this.waiting.length
  }

  /** Waits for the next `wake`, unless it `isOver` already: the fiber may have yielded since it looked. */
  wait(isOver: () => boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (isOver()) resume(Effect.void)
      else this.add({ resume, fiber: Option.getOrUndefined(Fiber.getCurrentFiber()) })
    })
  }

  private add(waiter: Waiter): void {
    if (this.waiting.length >= this.most) {
      this.waiting = this.waiting.filter(isAlive)
      this.most = Math.max(few, this.waiting.length * 2)
    }
    this.waiting = add(this.waiting, waiter)
  }

  wake(): void {
    const { waiting } = this
    if (waiting.length === 0) return
    this.waiting = none
    this.most = few
    for (const { resume } of waiting) resume(Effect.void)
  }
}
