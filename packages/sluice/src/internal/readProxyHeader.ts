/**
 * Reads the header of the PROXY protocol off a connection: inside the events of its lane, or in a fiber where it has none.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { Limit, Timeout } from "../Limits.js"
import { type Transport, TransportError } from "../Network.js"
import { awaitingHeader, type Received, receive, receivedBytes } from "./awaitingProxyHeader.js"
import { type Deadlines, toMillis } from "./deadlines.js"
import { type Appetite, pump } from "./opening.js"
import { ProxyHeaderError } from "./proxyHeader.js"

/** @internal */
export interface Reading {
  readonly deadlines: Deadlines
  readonly timeout: Timeout
  readonly maxHeaderSize: Limit | undefined
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
}

type Consume = (polled: Uint8Array | "End" | TransportError) => Appetite

/**
 * Calls `done` once, perhaps before it returns. Returns how to stop.
 *
 * @internal
 */
export const readHeader = (
  transport: Transport,
  { deadlines, fork, maxHeaderSize, timeout }: Reading,
  done: (result: Either.Either<Received, ProxyHeaderError | TransportError>) => void
): (() => void) => {
  let state = awaitingHeader({ maxHeaderSize })
  let stopReading = () => {}
  const stop = () => {
    deadlines.cancel(deadline)
    stopReading()
  }
  const finish = (result: Parameters<typeof done>[0]): Appetite => {
    stop()
    done(result)
    return "Enough"
  }
  const failHere = (reason: "UnexpectedEnd" | "Timeout", detail: string) =>
    finish(Either.left(new ProxyHeaderError({ reason, offset: receivedBytes(state), detail })))
  const deadline = deadlines.set(timeout, () =>
    failHere("Timeout", `the header has not come whole within ${toMillis(timeout)} ms`)
  )
  const consume: Consume = (polled) => {
    if (polled === "End") return failHere("UnexpectedEnd", "the peer left before its header was whole")
    if (polled instanceof TransportError) return finish(Either.left(polled))
    const next = receive(state, polled)
    if (Either.isLeft(next)) return finish(Either.left(next.left))
    if (next.right._tag === "Received") return finish(Either.right(next.right))
    state = next.right
    return "More"
  }
  const { lane } = transport
  if (lane === undefined) {
    const fiber = fork(readEach(transport, consume))
    stopReading = () => fiber.unsafeInterruptAsFork(FiberId.none)
  } else {
    // Before anything is read: who gets the connection has it called for himself.
    stopReading = () => lane.onReadable(ignore)
    pump(lane, consume)
  }
  return stop
}

const ignore = () => {}

const readEach = ({ read }: Transport, consume: Consume): Effect.Effect<void> =>
  read.pipe(
    Effect.map(consume),
    Effect.catchAllCause((cause) =>
      Effect.sync(() => (Cause.isInterruptedOnly(cause) ? "Enough" : consume(endOf(cause))))
    ),
    Effect.repeat({ while: (appetite) => appetite === "More" }),
    Effect.asVoid
  )

const endOf = (cause: Cause.Cause<Option.Option<TransportError>>): "End" | TransportError =>
  Option.match(Cause.failureOption(cause), {
    onNone: () =>
      new TransportError({
        reason: "Unknown",
        operation: "read",
        detail: "the transport died",
        cause: Cause.squash(cause)
      }),
    onSome: Option.getOrElse(() => "End" as const)
  })
