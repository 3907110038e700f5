/**
 * What a server says of its connections: metrics, log lines, and a span for each where somebody keeps them.
 *
 * Every line has the number of the connection, which its handler's lines have too.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as LogLevel from "effect/LogLevel"
import { FrameError } from "../Frame.js"
import type * as Handshake from "../Handshake.js"
import type * as Limits from "../Limits.js"
import { MessageError } from "../Message.js"
import { type Address, formatAddress, TransportError } from "../Network.js"
import * as Protocol from "../Protocol.js"
import type { Rejection } from "../Rejection.js"
import * as ConnectionSpan from "./connectionSpan.js"
import type { Deadlines } from "./deadlines.js"
import * as Meter from "./meter.js"

/** @internal A connection as it is seen. */
export interface Seen {
  readonly id: number
  readonly remote: Address
  /** When its first byte could have come, in milliseconds. */
  readonly since: number
  readonly span: ConnectionSpan.ConnectionSpan | undefined
}

/** @internal */
export interface Observer {
  readonly meter: Meter.Meter
  readonly begin: (id: number, remote: Address) => Seen
  readonly requested: (seen: Seen, received: Handshake.Received) => void
  readonly rejected: (seen: Seen, rejection: Rejection, limit: keyof Limits.Limits | undefined) => void
  /** Was too much even for a reply. */
  readonly turnedAway: (seen: Seen, limit: keyof Limits.Limits) => void
  readonly accepted: (seen: Seen, subprotocol: string | undefined) => void
  readonly closed: (seen: Seen, reason: Protocol.CloseReason) => void
  /** Broke off before its handshake had an end, or was switched to another protocol that has ended. */
  readonly left: (seen: Seen, error: TransportError | undefined) => void
  /** A peer that breaks a rule or leaves is no news; what else fails is. */
  readonly failed: (seen: Seen, cause: Cause.Cause<unknown>) => void
  /** The fiber of a connection. */
  readonly within: <A, E, R>(seen: Seen, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** @internal `run` starts a fiber that belongs to the server. */
export const make = (deadlines: Deadlines, run: (effect: Effect.Effect<void>) => void): Effect.Effect<Observer> =>
  Effect.gen(function* () {
    const meter = yield* Meter.make("server")
    const spans = yield* ConnectionSpan.make("server")
    const isDebugging = LogLevel.lessThanEqual(yield* FiberRef.get(FiberRef.currentMinimumLogLevel), LogLevel.Debug)

    const log = ({ id, remote }: Seen, line: Effect.Effect<void>) =>
      run(Effect.annotateLogs(line, { connection: id, remote: formatAddress(remote) }))
    const debug = (seen: Seen, line: () => Effect.Effect<void>) => {
      if (isDebugging) log(seen, line())
    }

    return {
      meter,
      begin: (id, remote) => ({ id, remote, since: deadlines.now(), span: spans.begin({ id, remote }) }),
      requested: ({ span }, { request }) => span?.requested(request.target),
      rejected: (seen, rejection, limit) => {
        meter.rejected(rejection, deadlines.now() - seen.since, limit)
        seen.span?.rejected(rejection)
        debug(seen, () =>
          Effect.annotateLogs(Effect.logDebug(`connection refused with ${rejection.message}`), "reason", rejection._tag)
        )
      },
      turnedAway: (seen, limit) => {
        meter.broken(limit)
        seen.span?.left(Exit.void)
      },
      accepted: (seen, subprotocol) => {
        meter.accepted(deadlines.now() - seen.since)
        seen.span?.accepted(subprotocol)
        debug(seen, () =>
          Effect.logDebug("connection opened").pipe(
            subprotocol === undefined ? (line) => line : Effect.annotateLogs({ subprotocol })
          )
        )
      },
      closed: (seen, reason) => {
        seen.span?.closed(reason)
        debug(seen, () =>
          Effect.annotateLogs(Effect.logDebug("connection closed"), {
            reason: reason._tag,
            code: Protocol.codeOf(reason)
          })
        )
      },
      left: (seen, error) => {
        seen.span?.left(error === undefined ? Exit.void : Exit.fail(error))
        if (error !== undefined) debug(seen, () => Effect.logDebug(error.message))
      },
      failed: (seen, cause) => {
        if (Cause.isInterruptedOnly(cause)) return
        const error = Cause.squash(cause)
        if (isUsual(error)) debug(seen, () => Effect.logDebug(error.message))
        else log(seen, Effect.logError("The handler of a connection failed", cause))
      },
      within: ({ id, span }, effect) => {
        // The fiber is that of the connection: what it would cost to undo the annotation, each idle one would hold.
        const annotated = Effect.zipRight(
          FiberRef.update(FiberRef.currentLogAnnotations, (all) => HashMap.set(all, "connection", id)),
          effect
        )
        return span === undefined ? annotated : Effect.withParentSpan(annotated, span.span)
      }
    }
  })

const isUsual = (error: unknown): error is Error =>
  error instanceof FrameError ||
  error instanceof MessageError ||
  error instanceof Protocol.ProtocolError ||
  error instanceof TransportError ||
  error instanceof Protocol.SendError
