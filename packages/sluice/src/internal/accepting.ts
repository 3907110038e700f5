/**
 * The connections of a listener, one after the other, for as long as a scope is open.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type { Listener, Transport, TransportError } from "../Network.js"

/** Takes a connection, and aborts it at its end; calls `done` then, where there is one. */
type Take = (transport: Transport, done?: () => void) => void

/**
 * Has each connection handed to `take`, in the turn in which it arrives where the network can do so.
 *
 * @internal
 */
export const acceptAll = (
  listener: Listener,
  take: Take,
  failed: (error: TransportError) => void = () => {}
): Effect.Effect<void, never, Scope.Scope> => {
  const { onConnection } = listener
  return onConnection === undefined
    ? acceptOnes(listener, take, failed)
    : Effect.acquireRelease(
        Effect.sync(() => onConnection((transport) => take(transport))),
        (stop) => Effect.sync(stop)
      )
}

const acceptOnes = (listener: Listener, take: Take, failed: (error: TransportError) => void) =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const acceptOne = Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) =>
        restore(Scope.extend(listener.accept, scope)).pipe(
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))),
          Effect.map((transport) => take(transport, () => runFork(Scope.close(scope, Exit.void))))
        )
      )
    )
    yield* acceptOne.pipe(
      // Such as having no descriptor left, which passes.
      Effect.catchAll((error) => {
        failed(error)
        return Effect.zipRight(
          Effect.logWarning("A connection could not be accepted", error),
          Effect.sleep(retryAccept)
        )
      }),
      Effect.forever,
      Effect.forkScoped
    )
  })

const retryAccept = "100 millis"
