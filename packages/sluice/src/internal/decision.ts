/**
 * What becomes of a request: the rules and the policy of the server decide, then the application with effects, if it
 * wants to.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Handshake from "../Handshake.js"
import type * as Limits from "../Limits.js"
import type { Transport } from "../Network.js"
import * as Rejection from "../Rejection.js"
import * as Upgrade from "../Upgrade.js"
import { toMillis } from "./deadlines.js"
import type { Incoming, Options, UpgradeService } from "./service.js"

/** @internal A handshake that led to a WebSocket. */
export interface OpenedWebSocket<S extends string | undefined, Principal> {
  readonly _tag: "WebSocket"
  readonly accepted: Handshake.Accepted<S>
  readonly principal: Principal
}

/** @internal What a handshake has led to. */
export type Opened<S extends string | undefined, Principal, E, R> =
  | OpenedWebSocket<S, Principal>
  | {
      readonly _tag: "Other"
      readonly negotiated: Upgrade.Negotiated<string>
      readonly fields: Upgrade.ExtraFields
      readonly service: UpgradeService<E, R>
    }

/** @internal */
export interface Decision<S extends string | undefined, Principal, E, R> {
  /** Whether the application has a say. */
  readonly isAsked: boolean
  /** Without the application: what the rules and the policy say. */
  readonly judge: (received: Handshake.Received) => Either.Either<Opened<S, Principal, E, R>, Rejection.Rejection>
  /**
   * With it, within the time that the handshake has, counted from `since`. What the rules and the policy refuse does not
   * come to it.
   */
  readonly ask: (
    received: Handshake.Received,
    transport: Transport,
    since: number
  ) => Effect.Effect<Opened<S, Principal, E, R>, Rejection.Rejection, R>
  /** The same where there is no other protocol. */
  readonly askWebSocket: (
    received: Handshake.Received,
    transport: Transport,
    since: number
  ) => Effect.Effect<OpenedWebSocket<S, Principal>, Rejection.Rejection, R>
}

/** @internal What the application gets wrong is logged, and not told to the client. */
export const internalError: Rejection.Rejection = Either.getOrThrow(
  Rejection.custom({ status: 500, body: "The server failed.\n" })
)

/** @internal */
export const make = <P extends ReadonlyArray<string>, Required extends boolean, Principal, E, R>(
  options: Options<P, Required, Principal, E, R>,
  limits: Limits.Limits
): Decision<Handshake.Subprotocol<P, Required>, Principal, E, R> => {
  type Subprotocol = Handshake.Subprotocol<P, Required>
  type Result = Opened<Subprotocol, Principal, E, R>
  const { authenticate, fields, origin, subprotocolRequired, subprotocols, upgrades = [] } = options
  const policy = { origin, subprotocols, subprotocolRequired }
  const supported = ["websocket", ...upgrades.map(({ protocol }) => protocol)] as const
  const timeout = toMillis(limits.handshakeTimeout)
  // Without `authenticate` the type of the principal is `void`.
  const nobody = undefined as Principal

  /** What an application decides takes part of the handshake's time. */
  const decide = <A>(since: number, decision: () => Effect.Effect<A, Rejection.Rejection, R>) => {
    // What cannot be interrupted goes on, but is not waited for.
    const decided = Effect.disconnect(Effect.suspend(decision))
    const timed =
      timeout === Number.POSITIVE_INFINITY
        ? decided
        : Effect.clockWith((clock) =>
            Effect.timeoutFail(decided, {
              duration: Math.max(0, since + timeout - clock.unsafeCurrentTimeMillis()),
              onTimeout: () => new Rejection.HandshakeTimeout({ timeout })
            })
          )
    return Effect.catchAllDefect(timed, (defect) =>
      Effect.zipRight(
        Effect.logError("The decision on a handshake failed", Cause.die(defect)),
        Effect.fail(internalError)
      )
    )
  }

  const extraFields = (entries: Iterable<readonly [name: string, value: string]>) =>
    Effect.catchAll(Upgrade.extraFields(entries), (error) =>
      Effect.zipRight(Effect.logError("The fields of a 101 are not valid", error), Effect.fail(internalError))
    )

  const judge = (received: Handshake.Received): Either.Either<Result, Rejection.Rejection> =>
    Handshake.offer(received).pipe(
      Either.flatMap((offered) => Handshake.negotiate<P, Required>(offered, policy)),
      Either.map((accepted) => ({ _tag: "WebSocket", accepted, principal: nobody }))
    )

  const askWebSocket = (
    received: Handshake.Received,
    transport: Transport,
    since: number
  ): Effect.Effect<OpenedWebSocket<Subprotocol, Principal>, Rejection.Rejection, R> =>
    Effect.gen(function* () {
      const offered = yield* Handshake.offer(received)
      const accepted = yield* Handshake.negotiate<P, Required>(offered, policy)
      const incoming: Incoming = {
        ...offered,
        remote: transport.remote,
        // Few ask for it, and a certificate has to be read.
        get tls() {
          return transport.tls
        }
      }
      const principal = authenticate === undefined ? nobody : yield* decide(since, () => authenticate(incoming))
      if (fields === undefined) return { _tag: "WebSocket", accepted, principal }
      const extra = yield* extraFields(yield* decide(since, () => fields(incoming, principal)))
      const withFields = yield* Handshake.negotiate<P, Required>(offered, { ...policy, fields: extra })
      return { _tag: "WebSocket", accepted: withFields, principal }
    })

  const ask = (
    received: Handshake.Received,
    transport: Transport,
    since: number
  ): Effect.Effect<Result, Rejection.Rejection, R> => {
    if (upgrades.length === 0) return askWebSocket(received, transport, since)
    return Effect.flatMap(Upgrade.negotiate(received, supported), (negotiated): ReturnType<typeof ask> => {
      const service = upgrades.find(({ protocol }) => protocol === negotiated.protocol)
      if (service === undefined) return askWebSocket(received, transport, since)
      return decide(since, () => service.authorize(negotiated)).pipe(
        Effect.flatMap(extraFields),
        Effect.map((fields) => ({ _tag: "Other", negotiated, fields, service }))
      )
    })
  }

  return {
    // A predicate on the origin is of the application, too: what it throws is its failure, not that of the server.
    isAsked: authenticate !== undefined || fields !== undefined || upgrades.length > 0 || typeof origin === "function",
    judge,
    ask,
    askWebSocket
  }
}
