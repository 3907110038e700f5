/**
 * The synchronous side of any transport: its own, or one that a fiber plays for it.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { Lane, Transport, TransportError } from "../Network.js"

const ignore = () => {}

/** @internal */
export const laneOf = (transport: Transport): Effect.Effect<Lane, never, Scope.Scope> =>
  transport.lane === undefined ? played(transport) : Effect.succeed(transport.lane)

const played = (transport: Transport): Effect.Effect<Lane, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    // One chunk is read ahead, and what was offered waits for one write after the other.
    let here: ReturnType<Lane["poll"]> = "Pending"
    let readable = ignore
    let writable = ignore
    let polled = ignore
    let failure: TransportError | undefined
    let waiting = 0
    const outgoing = yield* Queue.unbounded<ReadonlyArray<Uint8Array> | "End">()

    const arrive = (next: typeof here) =>
      Effect.async<void>((resume) => {
        here = next
        polled = () => resume(Effect.void)
        readable()
      })

    yield* transport.read.pipe(
      Effect.flatMap(arrive),
      Effect.forever,
      Effect.catchAll((error) => arrive(Option.getOrElse(error, () => "End" as const))),
      Effect.forkScoped
    )

    yield* Queue.take(outgoing).pipe(
      Effect.flatMap((chunks) => (chunks === "End" ? transport.endOfOutput : transport.write(chunks))),
      Effect.catchAll((error) =>
        Effect.sync(() => {
          failure = error
        })
      ),
      Effect.zipRight(
        Effect.sync(() => {
          waiting--
          writable()
        })
      ),
      Effect.forever,
      Effect.forkScoped
    )

    const offer = (next: ReadonlyArray<Uint8Array> | "End"): boolean => {
      if (failure !== undefined) return true
      waiting++
      Queue.unsafeOffer(outgoing, next)
      return false
    }

    return {
      poll: () => {
        const next = here
        if (next instanceof Uint8Array) {
          here = "Pending"
          polled()
        }
        return next
      },
      onReadable: (wake) => {
        readable = wake
      },
      offer,
      isWritable: () => waiting === 0,
      onWritable: (wake) => {
        writable = wake
      },
      failure: () => failure,
      end: () => void offer("End"),
      abort: () => void fork(transport.abort)
    }
  })
