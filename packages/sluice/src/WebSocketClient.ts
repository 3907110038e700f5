/**
 * Connects to WebSocket services.
 *
 * `connect` leads one connection through the opening handshake. What the server refuses with comes back as the same
 * `Rejection` that the server meant, with status, fields and body. The request may be an effect: it is evaluated anew
 * for each attempt, so that a retry has fresh credentials. Redirections are followed only if `maxRedirects` says so.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Entropy } from "./Entropy.js"
import * as Handshake from "./Handshake.js"
import * as ConnectionSpan from "./internal/connectionSpan.js"
import * as Deadlines from "./internal/deadlines.js"
import type { ConnectError } from "./internal/dialing.js"
import * as Dialing from "./internal/dialing.js"
import { attach } from "./internal/handle.js"
import { laneOf } from "./internal/laneOf.js"
import * as Ledger from "./internal/ledger.js"
import * as Meter from "./internal/meter.js"
import * as Opening from "./internal/opening.js"
import { RedirectError } from "./internal/redirectError.js"
import * as Redirection from "./internal/redirection.js"
import * as Limits from "./Limits.js"
import type * as Network from "./Network.js"
import * as Rejection from "./Rejection.js"
import type * as WebSocket from "./WebSocket.js"

export { type ConnectError, RedirectError }

/**
 * What to connect to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request<P extends ReadonlyArray<string> = ReadonlyArray<string>> {
  /** `ws://host:port/path?query`, or `wss:` for TLS (RFC 6455 §3). */
  readonly url: string
  /**
   * Where to connect to, if not to the host and port of the URL: a unix socket, or an IP address that is known. The
   * `Host` field, and the name that the certificate must be for, stay those of the URL. A redirection to another origin
   * goes where its own URL leads.
   */
  readonly address?: Network.Address | undefined
  /** What the client wants to speak, the most wanted first. */
  readonly subprotocols?: P | undefined
  /**
   * Fields of the request besides those of the handshake, such as `Authorization`. A value that is redacted is a secret:
   * as `Authorization`, `Cookie` and `Proxy-Authorization` it does not go to another origin than that of `url`. Nor does
   * a token that `SubprotocolToken.encode` has put among the subprotocols, with the prefix that it has by default.
   */
  readonly fields?: Iterable<readonly [name: string, value: string | Redacted.Redacted<string>]> | undefined
  /** The `Origin`, for a client that acts for a page; none by default. */
  readonly origin?: string | undefined
  /**
   * How many redirections are followed, one after the other (RFC 9110 §15.4); none by default, so that each is a
   * `Rejection`. They lead to `ws:` or `wss:`, and never from `wss:` to `ws:`.
   */
  readonly maxRedirects?: number | undefined
  /** Limits and timeouts. */
  readonly limits?: Limits.Options | undefined
}

/**
 * An open connection of a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientWebSocket<out Subprotocol extends string | undefined = string | undefined>
  extends WebSocket.WebSocket<Subprotocol> {
  /** The head of the 101, with the fields that the server added. */
  readonly response: Handshake.Response
  /** Where it has ended: the URL that was asked for, or the one that redirections have led to. */
  readonly url: string
}

/**
 * Connects. The connection is closed with 1000, or 1011 after a failure, when the scope ends.
 *
 * Takes at most `handshakeTimeout`, redirections included. Fails with the `Rejection` of the server; `InvalidResponse` for
 * an answer that is no valid 101 and no refusal; `RedirectError` for a redirection that is not followed;
 * `TransportError` of the network; `RequestError` or `FieldError` for a request that cannot be sent, before a byte is
 * written.
 *
 * @example
 * ```ts
 * import { Effect, Schedule } from "effect"
 * import { WebSocketClient } from "sluice"
 *
 * const token = Effect.succeed("fresh")
 *
 * const session = Effect.gen(function* () {
 *   const request = Effect.map(token, (token) => ({
 *     url: "ws://127.0.0.1:8080/echo/ada",
 *     fields: [["Authorization", `Bearer ${token}`]] as const
 *   }))
 *   const socket = yield* WebSocketClient.connect(request)
 *   yield* socket.send("Hello")
 *   return yield* socket.take
 * })
 *
 * const retried = session.pipe(Effect.scoped, Effect.retry(Schedule.jittered(Schedule.exponential("100 millis"))))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const connect = <const P extends ReadonlyArray<string> = readonly [], E = never, R = never>(
  request: string | Request<P> | Effect.Effect<Request<P>, E, R>
): Effect.Effect<ClientWebSocket<P[number] | undefined>, ConnectError | E, Network.Network | Scope.Scope | R> => {
  const asked: Effect.Effect<Request<P>, E, R> = Effect.isEffect(request)
    ? request
    : Effect.succeed(typeof request === "string" ? { url: request } : request)
  return Dialing.attempt(Effect.flatMap(asked, dial))
}

const dial = <P extends ReadonlyArray<string>>(request: Request<P>) => {
  const limits = Limits.make(request.limits)
  return Dialing.dial(request, "ws", limits, (hop) => open(request, hop, limits))
}

const open = <P extends ReadonlyArray<string>>(request: Request<P>, hop: Redirection.Hop, limits: Limits.Limits) =>
  Effect.gen(function* () {
    const destination = yield* Dialing.destinationOf(hop, request, "ws")
    const { address, authority, target } = destination
    const spans = yield* ConnectionSpan.make("client")
    const span = yield* Effect.acquireRelease(
      Effect.sync(() => spans.begin({ remote: address })),
      // Of a connection that was opened, the end has come before.
      (span, exit) => Effect.sync(() => span?.left(exit))
    )
    span?.requested(target)
    const subprotocols = Redirection.subprotocolsOf<P[number]>(hop, request.subprotocols)
    const entropy = yield* Entropy
    const initiated = yield* Handshake.initiate<ReadonlyArray<P[number]>>(
      { authority, target, subprotocols, fields: Redirection.fieldsOf(hop), origin: request.origin },
      entropy(16)
    )
    const transport = yield* Dialing.reach(destination)
    const lane = yield* laneOf(transport)
    const meter = yield* Meter.make("client")
    const deadlines = yield* Deadlines.make
    const since = deadlines.now()
    const [awaiting, bytes] = Handshake.request(initiated, limits)
    lane.offer([bytes])
    const accepted = yield* Effect.async<
      Handshake.ClientAccepted<P[number], never>,
      Rejection.Rejection | Handshake.InvalidResponse | Network.TransportError
    >((resume) => Effect.sync(Opening.readResponse(lane, awaiting, resume))).pipe(
      // A refused client leaves; it does not break off.
      Effect.tapError((error) =>
        Effect.sync(() => {
          lane.end()
          if (!Rejection.isRejection(error)) return
          meter.rejected(error, deadlines.now() - since)
          span?.rejected(error)
        })
      )
    )
    const { response, rest, subprotocol } = accepted
    meter.accepted(deadlines.now() - since)
    span?.accepted(subprotocol)
    const socket = yield* attach(
      { role: "client", rest, limits, lane, deadlines, ledger: yield* Ledger.current(limits), meter },
      subprotocol
    )
    socket.connection.whenClosed((reason) => span?.closed(reason))
    return Object.assign(socket, { response, url: hop.url })
  })
