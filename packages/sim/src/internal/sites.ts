/**
 * Where the fibers of a run are: the line of the last `yield*` that each has come to.
 *
 * Looking for it at each step is slow, so it is done when a run that has failed is repeated.
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Fiber from "effect/Fiber"
import { frames } from "./stack.js"

type Prototype = { [Symbol.iterator]: () => Iterator<unknown> }

const isIterable = (value: object): value is Prototype => Object.hasOwn(value, Symbol.iterator)

/** The prototypes of all that `yield*` takes in `Effect.gen`. */
const prototypes: ReadonlyArray<Prototype> = (() => {
  const found = new Set<Prototype>()
  const samples = [
    Effect.void,
    Effect.fail(0),
    Effect.sync(() => 0),
    Effectable.EffectPrototype,
    Effectable.CommitPrototype
  ]
  for (const sample of samples) {
    for (let at: object | null = sample; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      if (isIterable(at)) found.add(at)
    }
  }
  return [...found]
})()

/** @internal */
export class Sites {
  private readonly last = new Map<object, ReadonlyArray<string>>()

  /** Watches until the returned function is called. */
  watch(): () => void {
    const { last } = this
    const originals = prototypes.map((prototype) => [prototype, prototype[Symbol.iterator]] as const)
    for (const [prototype, iterate] of originals) {
      prototype[Symbol.iterator] = function (this: unknown) {
        const fiber = Fiber.getCurrentFiber()
        if (fiber._tag === "Some") last.set(fiber.value, frames())
        return iterate.call(this)
      }
    }
    return () => {
      for (const [prototype, iterate] of originals) prototype[Symbol.iterator] = iterate
    }
  }

  /** The innermost frame, and the innermost of the program itself if that is another. */
  of(fiber: object): ReadonlyArray<string> {
    const found = this.last.get(fiber) ?? []
    const own = found.find((frame) => !frame.includes("node_modules") && !/packages\/(?:sluice|node)\/src/.test(frame))
    return [...new Set([found[0], own])].filter((frame) => frame !== undefined)
  }
}
