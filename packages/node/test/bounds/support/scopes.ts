/** How many scopes there are that have something to release. */
import { Effect, type Exit, Scope } from "effect"

/** What all scopes of Effect 3 inherit; there is no other way to see each of them. */
interface Prototype {
  addFinalizer(this: object, finalizer: Scope.Scope.Finalizer): Effect.Effect<void>
  close(this: object, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void>
}

/** Counts those that get their first finalizer from now on, and are not closed yet. */
export const watchScopes = (): (() => number) => {
  const prototype: Prototype = Object.getPrototypeOf(Effect.runSync(Scope.make()))
  const { addFinalizer, close } = prototype
  const open = new Set<object>()
  prototype.addFinalizer = function (finalizer) {
    open.add(this)
    return addFinalizer.call(this, finalizer)
  }
  prototype.close = function (exit) {
    return Effect.ensuring(
      close.call(this, exit),
      Effect.sync(() => open.delete(this))
    )
  }
  return () => open.size
}
