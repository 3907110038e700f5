/**
 * The scope of a fiber that lives for one effect.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"

/**
 * `Effect.scoped` for an effect that is the last of its fiber: the scope stays in the context, for what it would take to
 * remove it again each idle connection would hold.
 *
 * @internal
 */
export const scoped = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.flatMap(
    Scope.make(),
    (scope) =>
      Effect.zipRight(
        FiberRef.update(FiberRef.currentContext, Context.add(Scope.Scope, scope)),
        Effect.onExit(effect, (exit) => Scope.close(scope, exit))
      )
    // The scope is in the context, of which the type knows nothing.
  ) as Effect.Effect<A, E, Exclude<R, Scope.Scope>>
