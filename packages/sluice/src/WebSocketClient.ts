/**
 * Connects to WebSocket services.
 *
 * `connect` leads one connection through the opening handshake. What the server refuses with comes back as the same
 * `Rejection` that the server meant, with status, fields and body. The request may be an effect: it is evaluated anew
 * for each attempt, so that a retry has fresh credentials.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Scope from "effect/Scope"
import { Entropy } from "./Entropy.js"
import type * as Fields from "./Fields.js"
import * as Handshake from "./Handshake.js"
import * as ConnectionSpan from "./internal/connectionSpan.js"
import * as Deadlines from "./internal/deadlines.js"
import * as Grammar from "./internal/grammar.js"
import { attach } from "./internal/handle.js"
import { laneOf } from "./internal/laneOf.js"
import * as Ledger from "./internal/ledger.js"
import * as Meter from "./internal/meter.js"
import * as Opening from "./internal/opening.js"
import { RequestError } from "./internal/requestError.js"
import { parseUrl } from "./internal/webPlatform.js"
import * as Limits from "./Limits.js"
import * as Network from "./Network.js"
import * as Rejection from "./Rejection.js"
import type * as WebSocket from "./WebSocket.js"

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
   * `Host` field, and the name that the certificate must be for, stay those of the URL.
   */
  readonly address?: Network.Address | undefined
  /** What the client wants to speak, the most wanted first. */
  readonly subprotocols?: P | undefined
  /** Fields of the request besides those of the handshake, such as `Authorization`. */
  readonly fields?: Iterable<readonly [name: string, value: string]> | undefined
  /** The `Origin`, for a client that acts for a page; none by default. */
  readonly origin?: string | undefined
  /** Limits and timeouts. */
  readonly limits?: Limits.Options | undefined
}

/**
 * Why there is no connection: the server refused it, its answer is not valid, the network failed, or the request
 * cannot be sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type ConnectError =
  | Rejection.Rejection
  | Handshake.InvalidResponse
  | Network.TransportError
  | Handshake.RequestError
  | Fields.FieldError

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
}

/**
 * Connects. The connection is closed with 1000, or 1011 after a failure, when the scope ends.
 *
 * Takes at most `handshakeTimeout`. Fails with the `Rejection` of the server; `InvalidResponse` for an answer that is
 * no valid 101 and no refusal; `TransportError` of the network; `RequestError` or `FieldError` for a request that
 * cannot be sent, before a byte is written.
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
  // What a failed attempt has acquired is released at once, not when the caller's scope ends.
  return Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* restore(Effect.flatMap(asked, dial)).pipe(
        Scope.extend(scope),
        Effect.onExit((exit) => (exit._tag === "Failure" ? Scope.close(scope, exit) : Effect.void))
      )
    })
  )
}

const dial = <P extends ReadonlyArray<string>>(request: Request<P>) => {
  const limits = Limits.make(request.limits)
  const timeout = Deadlines.toMillis(limits.handshakeTimeout)
  const opened = open(request, limits)
  return timeout === Number.POSITIVE_INFINITY
    ? opened
    : Effect.timeoutFail(opened, { duration: timeout, onTimeout: () => timedOut(request.url, timeout) })
}

const timedOut = (url: string, timeout: number) => {
  const detail = `the opening handshake with ${Grammar.withoutQuery(url)} was not complete after ${timeout} ms`
  return new Network.TransportError({ reason: "TimedOut", operation: "connect", detail })
}

const open = <P extends ReadonlyArray<string>>(request: Request<P>, limits: Limits.Limits) =>
  Effect.gen(function* () {
    const destination = yield* destinationOf(request.url)
    const { authority, target, tls } = destination
    const address = request.address ?? destination.address
    const spans = yield* ConnectionSpan.make("client")
    const span = yield* Effect.acquireRelease(
      Effect.sync(() => spans.begin({ remote: address })),
      // Of a connection that was opened, the end has come before.
      (span, exit) => Effect.sync(() => span?.left(exit))
    )
    span?.requested(target)
    const entropy = yield* Entropy
    const initiated = yield* Handshake.initiate<P>(
      { authority, target, subprotocols: request.subprotocols, fields: request.fields, origin: request.origin },
      entropy(16)
    )
    const network = yield* Network.Network
    const transport = yield* network.connect({ ...address, tls })
    if (tls !== undefined && transport.tls === undefined && network.isInProcess !== true) {
      const detail = `the URL asks for TLS, which this network does not have; it connects to ws:`
      return yield* new Network.TransportError({ reason: "Unsupported", operation: "connect", detail })
    }
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
    return Object.assign(socket, { response })
  })

interface Destination {
  readonly address: Network.Address
  readonly authority: string
  readonly target: string
  readonly tls: Network.ConnectOptions["tls"]
}

const destinationOf = (text: string): Either.Either<Destination, Handshake.RequestError> => {
  const url = parseUrl(text)
  const shown = Grammar.withoutQuery(text)
  if (url === undefined) return wrongUrl(`${shown} is not a URL; ws://host:port/path is one`)
  const isSecure = url.protocol === "wss:"
  if (!isSecure && url.protocol !== "ws:") return wrongUrl(`the scheme of ${shown} is neither ws: nor wss:`)
  // RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used"
  if (url.hash !== "" || text.includes("#")) return wrongUrl(`${shown} has a fragment, which a WebSocket URL must not`)
  if (url.username !== "" || url.password !== "") {
    return wrongUrl("the URL has credentials, which would not be sent; put them into the field Authorization")
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  return Either.right({
    address: { host, port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port) },
    tls: isSecure ? { serverName: host } : undefined,
    authority: url.host,
    target: url.pathname + url.search
  })
}

const wrongUrl = (detail: string) => Either.left(new RequestError({ reason: "Url", detail }))
