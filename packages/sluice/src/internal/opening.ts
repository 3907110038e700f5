/**
 * What is read and written of HTTP on a new connection: a server reads the head of the request and may refuse it, a
 * client reads the reply. All of it happens inside the events of the lane: a handshake needs no fiber.
 */
import * as Either from "effect/Either"
import * as Handshake from "../Handshake.js"
import type { Limits } from "../Limits.js"
import { type Lane, TransportError } from "../Network.js"
import * as Rejection from "../Rejection.js"
import { tooManyPinned } from "./admission.js"
import { type Deadlines, toMillis } from "./deadlines.js"
import type { Account } from "./ledger.js"

const ignore = () => {}

/** @internal Whether a consumer wants to be called again. */
export type Appetite = "More" | "Enough"

/**
 * Feeds what the lane has to a consumer, until that says that it has enough; returns how to stop it.
 *
 * @internal
 */
export const pump = (lane: Lane, consume: (polled: Uint8Array | "End" | TransportError) => Appetite): (() => void) => {
  const stop = () => lane.onReadable(ignore)
  const read = () => {
    for (;;) {
      const polled = lane.poll()
      if (polled === "Pending") return
      if (consume(polled) === "Enough") return
    }
  }
  lane.onReadable(read)
  read()
  return stop
}

/**
 * Reads the head of the request, and calls `done` once. `onWaiting` gets how to refuse the request until then. Returns
 * how to stop.
 *
 * @internal
 */
export const readHead = (
  lane: Lane,
  limits: Limits,
  deadlines: Deadlines,
  ledger: Account,
  onWaiting: (refuse: (rejection: Rejection.Rejection) => void) => void,
  done: (
    result: Either.Either<Handshake.Received, Rejection.Rejection | TransportError>,
    limit?: "maxPinnedBytes"
  ) => void
): (() => void) => {
  let state = Handshake.awaitingHead(limits)
  let pinned = 0
  let isDone = false
  const isWithin = (bytes: number): boolean => {
    const before = pinned
    pinned = bytes
    return bytes === before || ledger.pin(bytes - before)
  }
  const stop = () => {
    if (isDone) return
    isDone = true
    deadlines.cancel(deadline)
    isWithin(0)
    lane.onReadable(ignore)
  }
  const finish = (...result: Parameters<typeof done>): Appetite => {
    if (isDone) return "Enough"
    stop()
    done(...result)
    return "Enough"
  }
  const refuse = (rejection: Rejection.Rejection) => finish(Either.left(rejection))
  const deadline = deadlines.set(limits.handshakeTimeout, () =>
    refuse(new Rejection.HandshakeTimeout({ timeout: toMillis(limits.handshakeTimeout) }))
  )
  onWaiting(refuse)
  pump(lane, (polled) => {
    if (polled === "End") return finish(Either.left(leftEarly))
    if (polled instanceof TransportError) return finish(Either.left(polled))
    const next = Handshake.receive(state, polled)
    if (Either.isLeft(next)) return refuse(next.left)
    if (next.right._tag === "Received") return finish(Either.right(next.right))
    state = next.right
    return isWithin(Handshake.pinned(state)) ? "More" : finish(Either.left(tooManyPinned(ledger)), "maxPinnedBytes")
  })
  return stop
}

const leftEarly = new TransportError({
  reason: "UnexpectedEnd",
  operation: "read",
  detail: "the peer left before its request was complete"
})

/**
 * Reads the reply of a server, and calls `done` once. Returns how to stop.
 *
 * @internal
 */
export const readResponse = <S extends string>(
  lane: Lane,
  awaiting: Handshake.AwaitingResponse<S, never>,
  done: (
    result: Either.Either<
      Handshake.ClientAccepted<S, never>,
      Rejection.Rejection | Handshake.InvalidResponse | TransportError
    >
  ) => void
): (() => void) => {
  let state = awaiting
  const finish = (result: Parameters<typeof done>[0]): Appetite => {
    lane.onReadable(ignore)
    done(result)
    return "Enough"
  }
  return pump(lane, (polled) => {
    if (polled === "End") return finish(Either.left(Handshake.endOfResponse(state)))
    if (polled instanceof TransportError) return finish(Either.left(polled))
    const next = Handshake.receiveResponse(state, polled)
    if (Either.isLeft(next)) return finish(Either.left(next.left))
    if (next.right._tag === "Accepted") return finish(Either.right(next.right))
    state = next.right
    return "More"
  })
}

/**
 * What a client may still send after it was refused, in bytes; closing with some of them unread would reset the
 * connection, and the reply could be lost with it (RFC 9112 §9.6).
 *
 * @internal
 */
export const maxLinger = 64 * 1024

/**
 * Ends the output, waits for the peer to leave for as long as a close may take, and calls `done` once. Returns how to
 * stop.
 *
 * @internal
 */
export const linger = (
  lane: Lane,
  limits: Limits,
  deadlines: Deadlines,
  most: number,
  done: () => void
): (() => void) => {
  let lingered = 0
  const stop = () => {
    deadlines.cancel(deadline)
    lane.onReadable(ignore)
  }
  const finish = (): Appetite => {
    stop()
    done()
    return "Enough"
  }
  const deadline = deadlines.set(limits.closeTimeout, finish)
  lane.end()
  pump(lane, (polled) => {
    if (!(polled instanceof Uint8Array)) return finish()
    lingered += polled.length
    return lingered > most ? finish() : "More"
  })
  return stop
}
