/**
 * The connection as the runner has it: what it sends goes out in pieces, and what comes is read at once, so that neither
 * side ever waits for the other to read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Transport } from "sluice/Network"
import type { Cut } from "./chunks.js"

/** @internal */
export interface Wire {
  /** Sends bytes. That the endpoint does not take them any more shows in what it sends. */
  readonly send: (bytes: Uint8Array) => Effect.Effect<void>
  /** What comes next; after an end nothing does. */
  readonly next: Effect.Effect<Uint8Array | "End" | "Reset">
  readonly endOfOutput: Effect.Effect<void>
  readonly reset: Effect.Effect<void>
}

/** @internal */
export const make = (transport: Transport, cut: Cut): Effect.Effect<Wire, never, Scope.Scope> =>
  Effect.gen(function* () {
    const came = yield* Queue.unbounded<Uint8Array | "End" | "Reset">()
    yield* transport.read.pipe(
      Effect.matchEffect({
        onFailure: (error) => Effect.as(Queue.offer(came, Option.isNone(error) ? "End" : "Reset"), false),
        onSuccess: (bytes) => Effect.as(Queue.offer(came, bytes), true)
      }),
      Effect.repeat({ while: (goesOn) => goesOn }),
      Effect.forkScoped
    )
    return {
      send: (bytes) =>
        Effect.flatMap(cut(bytes), (pieces) =>
          Effect.ignore(Effect.forEach(pieces, (piece) => transport.write(piece), { discard: true }))
        ),
      next: Queue.take(came),
      endOfOutput: transport.endOfOutput,
      reset: transport.abort
    }
  })
