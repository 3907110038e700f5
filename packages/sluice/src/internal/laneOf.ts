/**
 * The synchronous side of any transport: its own, or one that a fiber plays for it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { type Lane, type Transport, TransportError } from "../Network.js"

const ignore = () => {}

const died = (operation: "read" | "write", cause: Cause.Cause<unknown>) =>
  new TransportError({ reason: "Unknown", operation, detail: "the transport died", cause: Cause.squash(cause) })

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
    let hasEnded = false
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
      Effect.catchAllCause((cause) =>
        arrive(
          Option.match(Cause.failureOption(cause), {
            onNone: () => died("read", cause),
            onSome: Option.getOrElse(() => "End" as const)
          })
        )
      ),
      Effect.forkScoped
    )

    yield* Queue.take(outgoing).pipe(
      Effect.flatMap((chunks) => (chunks === "End" ? transport.endOfOutput : transport.write(chunks))),
      Effect.catchAllCause((cause) =>
        Effect.sync(() => {
          failure = Option.getOrElse(Cause.failureOption(cause), () => died("write", cause))
        })
      ),
      Effect.zipRight(
        Effect.sync(() => {
          waiting--
          writable()
          if (here === "End") readable()
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
        // Who has ended and sees the end of the peer takes all for done, and aborts; what was offered goes out first.
        if (next === "End" && hasEnded && waiting > 0) return "Pending"
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
      end: () => {
        if (!hasEnded) offer("End")
        hasEnded = true
      },
      abort: () => void fork(transport.abort)
    }
  })
