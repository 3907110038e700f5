/**
 * Fibers that wait for something to change.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { add, none } from "./fewItems.js"

const few = 8

/**
 * A class, and no array for one of it: V8 puts what a literal makes among the old objects once it has seen that much of it
 * lives long, as this does; and what an old object holds stays until all old ones are collected, even if it is dead.
 */
class Waiter {
  readonly resume: (effect: Effect.Effect<void>) => void
  private readonly fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined

  constructor(resume: (effect: Effect.Effect<void>) => void) {
    this.resume = resume
    this.fiber = Option.getOrUndefined(Fiber.getCurrentFiber())
  }

  get isAlive(): boolean {
    return this.fiber === undefined || this.fiber.unsafePoll() === null
  }
}

/**
 * Who is interrupted is not taken out at once: to be able to would cost each wait more than all else about it. The dead
 * are forgotten when they could be half of those who wait.
 *
 * @internal
 */
export class Waiters {
  private first: Waiter | undefined = undefined
  private others: Array<Waiter> = none
  private most = few

  get size(): number {
    return this.first === undefined ? 0 : 1 + this.others.length
  }

  /** Waits for the next `wake`, unless it `isOver` already: the fiber may have yielded since it looked. */
  wait(isOver: () => boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (isOver()) resume(Effect.void)
      else this.add(new Waiter(resume))
    })
  }

  private add(waiter: Waiter): void {
    if (this.size >= this.most) this.forget()
    if (this.first === undefined) this.first = waiter
    else this.others = add(this.others, waiter)
  }

  private forget(): void {
    const all = this.first === undefined ? this.others : [this.first, ...this.others]
    const [first, ...others] = all.filter(({ isAlive }) => isAlive)
    this.first = first
    this.others = others
    this.most = Math.max(few, this.size * 2)
  }

  wake(): void {
    const { first, others } = this
    if (first === undefined) return
    this.first = undefined
    this.others = none
    this.most = few
    first.resume(Effect.void)
    for (const { resume } of others) resume(Effect.void)
  }
}
