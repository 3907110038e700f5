/**
 * Connects to servers of other protocols than WebSocket that begin with a `101 Switching Protocols` (RFC 9110 §7.8).
 *
 * `connect` asks for protocols, in the order in which they are wanted, and gives the byte connection behind the 101 with
 * the protocol that the server has chosen, typed by the names that were asked for. What the server refuses with comes
 * back as the same `Rejection` that the server meant. `WebSocketServer.upgrade` is the other side, and `Upgrade` the
 * machine of both.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Http1 from "./Http1.js"
import type { ConnectError } from "./internal/dialing.js"
import * as Dialing from "./internal/dialing.js"
import { pushBack } from "./internal/pushBack.js"
import { RedirectError } from "./internal/redirectError.js"
import * as Redirection from "./internal/redirection.js"
import * as Limits from "./Limits.js"
import type * as Network from "./Network.js"
import type * as Rejection from "./Rejection.js"
import * as Upgrade from "./Upgrade.js"

export { type ConnectError, RedirectError }

/**
 * What to connect to, and what to speak there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request<P extends readonly [string, ...ReadonlyArray<string>] = readonly [string, ...Array<string>]> {
  /** `http://host:port/path?query`, or `https:` for TLS (RFC 9110 §4.2). */
  readonly url: string
  /**
   * Where to connect to, if not to the host and port of the URL: a unix socket, or an IP address that is known. The
   * `Host` field, and the name that the certificate must be for, stay those of the URL. A redirection to another origin
   * goes where its own URL leads.
   */
  readonly address?: Network.Address | undefined
  /** What the client wants to speak, the most wanted first: distinct names, each with a slash and a version or without. */
  readonly protocols: P
  /**
   * Fields of the request besides those of the switch, such as `Authorization`. A value that is redacted is a secret: as
   * `Authorization`, `Cookie` and `Proxy-Authorization` it does not go to another origin than that of `url`.
   */
  readonly fields?: Iterable<readonly [name: string, value: string | Redacted.Redacted<string>]> | undefined
  /** How many redirections are followed, one after the other; none by default, so that each is a `Rejection`. */
  readonly maxRedirects?: number | undefined
  /** Limits on the heads of replies, and the time that all of it may take. */
  readonly limits?: Pick<Limits.Options, "maxHeadSize" | "maxFields" | "handshakeTimeout"> | undefined
}

/**
 * A connection that was switched to another protocol.
 *
 * @category models
 * @since 0.1.0
 */
export interface Switched<out P extends string = string> {
  /** The protocol that the server has chosen, as the client writes its name. */
  readonly protocol: P
  /**
   * The byte connection. It reads all that follows the 101, also what came together with it. At the end of the scope it
   * is aborted unless both sides have ended it.
   */
  readonly transport: Network.Transport
  /** The head of the 101, with the fields that the server added. */
  readonly response: Http1.ResponseHead
  /** Where it has ended: the URL that was asked for, or the one that redirections have led to. */
  readonly url: string
}

/**
 * Connects, and switches the connection to one of the protocols.
 *
 * Takes at most `handshakeTimeout`, redirections included. Fails with the `Rejection` of the server; `InvalidResponse`
 * for an answer that is no valid 101 and no refusal, such as that of a server that ignores `Upgrade`; `RedirectError` for
 * a redirection that is not followed; `TransportError` of the network; `RequestError` or `FieldError` for a request that
 * cannot be sent, before a byte is written.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { Network, UpgradeClient } from "sluice"
 *
 * const lines = Effect.gen(function* () {
 *   const { protocol, transport } = yield* UpgradeClient.connect({
 *     url: "http://127.0.0.1:8080/log",
 *     protocols: ["tail/2", "tail/1"]
 *   })
 *   yield* transport.write(new TextEncoder().encode(protocol === "tail/2" ? "follow\n" : "all\n"))
 *   return yield* Network.reads(transport).pipe(Stream.decodeText(), Stream.splitLines, Stream.runCollect)
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const connect = <const P extends readonly [string, ...ReadonlyArray<string>], E = never, R = never>(
  request: Request<P> | Effect.Effect<Request<P>, E, R>
): Effect.Effect<Switched<P[number]>, ConnectError | E, Network.Network | Scope.Scope | R> => {
  const asked: Effect.Effect<Request<P>, E, R> = Effect.isEffect(request) ? request : Effect.succeed(request)
  return Dialing.attempt(Effect.flatMap(asked, dial))
}

const dial = <P extends readonly [string, ...ReadonlyArray<string>]>(request: Request<P>) => {
  const limits = Limits.make(request.limits)
  return Dialing.dial(request, "http", limits, (hop) =>
    Effect.gen(function* () {
      const destination = yield* Dialing.destinationOf(hop, request, "http")
      const { authority, target } = destination
      const { protocols } = request
      const fields = Redirection.fieldsOf(hop)
      const initiated = yield* Upgrade.initiate<P>({ authority, target, protocols, fields })
      const transport = yield* Dialing.reach(destination)
      const [awaiting, bytes] = Upgrade.request(initiated, limits)
      // Side by side, since a server may answer before it has read all. That it does not read tells nothing: its answer,
      // or the end of the connection, does.
      const sent = Effect.zipRight(Effect.ignore(transport.write(bytes)), Effect.never)
      const { protocol, response, rest } = yield* Effect.raceFirst(sent, reply(transport, awaiting)).pipe(
        // A refused client leaves; it does not break off.
        Effect.tapError(() => transport.endOfOutput)
      )
      return { protocol, transport: pushBack(transport, rest), response, url: hop.url }
    })
  )
}

const reply = <P extends string>(
  transport: Network.Transport,
  state: Upgrade.AwaitingResponse<P>
): Effect.Effect<Upgrade.Upgraded<P>, Rejection.Rejection | Upgrade.InvalidResponse | Network.TransportError> =>
  transport.read.pipe(
    Effect.mapError(Option.getOrElse(() => Upgrade.endOfResponse(state))),
    Effect.flatMap((chunk) => Upgrade.receiveResponse(state, chunk)),
    Effect.flatMap((next) => (next._tag === "Upgraded" ? Effect.succeed(next) : reply(transport, next)))
  )
