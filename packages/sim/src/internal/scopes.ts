/**
 * The scopes of a run that have something to release, to find those that nobody has closed.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { ownerOf } from "./fibers.js"
import type { Owner } from "./world.js"

/** What a scope of Effect 3 is inside; there is no other way to ask one whether it was closed. */
interface ScopeState {
  readonly state?: { readonly _tag: string; readonly finalizers?: ReadonlyMap<unknown, unknown> }
}

/** `Scope.addFinalizer` calls it. */
interface Prototype {
  addFinalizer(this: object, finalizer: Scope.Scope.Finalizer): Effect.Effect<void>
}

const prototype: Prototype = Object.getPrototypeOf(Effect.runSync(Scope.make()))

/** @internal */
export class Scopes {
  private readonly seen = new Map<ScopeState, Owner | undefined>()

  /** Watches until the returned function is called. */
  watch(): () => void {
    const { addFinalizer } = prototype
    const { seen } = this
    prototype.addFinalizer = function (finalizer) {
      if (!seen.has(this)) {
        const fiber = Fiber.getCurrentFiber()
        seen.set(this, fiber._tag === "Some" ? ownerOf(fiber.value) : undefined)
      }
      return addFinalizer.call(this, finalizer)
    }
    return () => {
      prototype.addFinalizer = addFinalizer
    }
  }

  /** How many scopes have finalizers that did not run. */
  get open(): number {
    let open = 0
    for (const [{ state }, owner] of this.seen) {
      if (owner?.isDead !== true && state?._tag === "Open" && (state.finalizers?.size ?? 0) > 0) open++
    }
    return open
  }
}
