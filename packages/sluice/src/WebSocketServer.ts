/**
 * WebSocket services: accepts connections of a `Network`, leads them through the opening handshake, and runs a handler
 * for each, in a scope of its own.
 *
 * `serve` and `layer` listen on an address; `make` serves connections that come from elsewhere, such as the `upgrade`
 * event of an HTTP server. Who is refused gets the one reply of its `Rejection`. When the scope ends the server drains:
 * nobody new comes in, everybody is closed with 1001, and who does not leave in time is cut.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Handshake from "./Handshake.js"
import { acceptAll } from "./internal/accepting.js"
import type { DrainOptions, DrainReport, ServerState } from "./internal/drain.js"
import type { Usage } from "./internal/ledger.js"
import { sequentially } from "./internal/sequentially.js"
import type { Connected, Handler, Incoming, Options, Switched, UpgradeService } from "./internal/service.js"
import * as Serving from "./internal/serving.js"
import * as Network from "./Network.js"
import type * as Rejection from "./Rejection.js"
import type * as Upgrade from "./Upgrade.js"
import type * as WebSocket from "./WebSocket.js"

export type {
  Connected,
  DrainOptions,
  DrainReport,
  Handler,
  Incoming,
  Options,
  ServerState,
  Switched,
  UpgradeService,
  Usage
}

/**
 * Serves a protocol of your own, or any other that starts with a 101 (RFC 9110 §7.8).
 *
 * When the handler ends, so does the output; the connection is closed when the peer has ended its own, or in time.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Network, WebSocketServer } from "sluice"
 *
 * // sends back what it gets
 * const mirror = WebSocketServer.upgrade("mirror/1", ({ rest, transport }) =>
 *   Stream.make(rest).pipe(
 *     Stream.concat(Network.reads(transport)),
 *     Stream.runForEach((bytes) => transport.write(bytes))
 *   )
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const upgrade = <const P extends string, E, R, R2 = never>(
  protocol: P,
  handler: (switched: Switched<P>) => Effect.Effect<unknown, E, R>,
  options: {
    readonly authorize?: (
      negotiated: Upgrade.Negotiated<P>
    ) => Effect.Effect<Iterable<readonly [name: string, value: string]>, Rejection.Rejection, R2>
  } = {}
): UpgradeService<E, R | R2> => ({
  protocol,
  // The server calls both for what was negotiated as `protocol` only.
  authorize: (options.authorize ?? (() => Effect.succeed([]))) as UpgradeService<E, R | R2>["authorize"],
  handler: handler as UpgradeService<E, R | R2>["handler"]
})

/**
 * What can be seen of a server, and how to empty it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /** How many connections there are, those in their handshake included. */
  readonly connections: Effect.Effect<number>
  /** What it has in hand: connections, handshakes, bytes. */
  readonly usage: Effect.Effect<Usage>
  /** Whether it serves: for a probe that tells a load balancer where to go. */
  readonly state: Effect.Effect<ServerState>
  /**
   * Empties the server, for good: who comes is refused with 503 and `Retry-After`, the application is told
   * (`Connected.draining`), the connections are closed in batches, and those that are left at the deadline are reset.
   * What is not said here is as the options of the service say. Interrupting it stops the clock, not the draining: call
   * it again to go on. Happens when the scope ends, too.
   */
  readonly drain: (options?: DrainOptions) => Effect.Effect<DrainReport>
}

/**
 * Serves connections that somebody else accepts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Acceptor extends Service {
  /**
   * Serves one connection, in the background, and aborts it at the end. `received` is the request if somebody else has
   * read it.
   */
  readonly accept: (transport: Network.Transport, received?: Handshake.Received) => Effect.Effect<void>
}

const serviceOf = ({ drain, state, usage }: Serving.Serving): Service => ({
  connections: Effect.sync(() => usage().connections),
  usage: Effect.sync(usage),
  state: Effect.sync(state),
  drain: (options = {}) => drain(options)
})

/**
 * Makes a service for connections that come from elsewhere. It drains when its scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const P extends ReadonlyArray<string> = readonly [],
  const Required extends boolean = false,
  Principal = void,
  UE = never,
  UR = never,
  E = never,
  R = never
>(
  options: Options<P, Required, Principal, UE, UR>,
  handler: Handler<Handshake.Subprotocol<P, Required>, Principal, E, R>
): Effect.Effect<Acceptor, never, Scope.Scope | UR | Exclude<R, Scope.Scope>> =>
  sequentially(
    Effect.gen(function* () {
      const serving = yield* Serving.make(options, handler)
      yield* Serving.drainAtEnd(serving)
      return {
        ...serviceOf(serving),
        accept: (transport, received) => Effect.sync(() => serving.accept(transport, ignore, received))
      }
    })
  )

const ignore = () => {}

/**
 * Leads one connection through the opening handshake: the WebSocket, in the scope of the caller, and how it came to be.
 *
 * Who is refused gets the reply of the `Rejection`, with which the effect then fails. `TransportError` when the client
 * leaves before that. `upgrades` are not looked at, and the limits that count connections are those of a server.
 *
 * @category running
 * @since 0.1.0
 */
export const accept = <
  const P extends ReadonlyArray<string> = readonly [],
  const Required extends boolean = false,
  Principal = void,
  R = never
>(
  transport: Network.Transport,
  options: Omit<Options<P, Required, Principal, never, R>, "upgrades"> = {}
): Effect.Effect<
  readonly [
    socket: WebSocket.WebSocket<Handshake.Subprotocol<P, Required>>,
    connected: Connected<Handshake.Subprotocol<P, Required>, Principal>
  ],
  Rejection.Rejection | Network.TransportError,
  Scope.Scope | R
> => sequentially(Serving.acceptOne(transport, options))

/**
 * A server that listens.
 *
 * @category services
 * @since 0.1.0
 */
export class WebSocketServer extends Context.Tag("sluice/WebSocketServer")<
  WebSocketServer,
  Service & {
    /** Where it listens, with the port that was chosen. */
    readonly address: Network.Address
  }
>() {}

/**
 * Listens, and serves each connection in the background until the scope ends.
 *
 * A failure of the handler ends its connection with 1011 and is logged; it does not end the server. Fails with
 * `TransportError` when the address cannot be listened on.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Rejection, WebSocket, WebSocketServer } from "sluice"
 *
 * const server = WebSocketServer.serve(
 *   {
 *     port: 8080,
 *     subprotocols: ["echo.v1"],
 *     authenticate: ({ resource }) =>
 *       resource.startsWith("/echo/")
 *         ? Effect.succeed({ user: resource.slice(6) })
 *         : new Rejection.NotFound()
 *   },
 *   (socket, { principal }) =>
 *     WebSocket.runForEach(socket, (message) =>
 *       message._tag === "Text" ? socket.send(`${principal.user}: ${message.text}`) : socket.send(message)
 *     )
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const serve = <
  const P extends ReadonlyArray<string> = readonly [],
  const Required extends boolean = false,
  Principal = void,
  UE = never,
  UR = never,
  E = never,
  R = never
>(
  options: Options<P, Required, Principal, UE, UR> & Network.ListenOptions,
  handler: Handler<Handshake.Subprotocol<P, Required>, Principal, E, R>
): Effect.Effect<
  WebSocketServer["Type"],
  Network.TransportError,
  Network.Network | Scope.Scope | UR | Exclude<R, Scope.Scope>
> =>
  sequentially(
    Effect.gen(function* () {
      const network = yield* Network.Network
      const serving = yield* Serving.make(options, handler)
      const listener = yield* network.listen(options)
      const server = { ...serviceOf(serving), address: listener.address }
      yield* acceptAll(listener, (transport, done) => serving.accept(transport, done ?? ignore))
      yield* Serving.drainAtEnd(serving)
      return server
    })
  )

/**
 * Serves for as long as the layer lives; see `serve`. Provides the server, which knows its address.
 *
 * @example
 * ```ts
 * import { NodeNetwork } from "@sluice/node"
 * import { Layer } from "effect"
 * import { WebSocket, WebSocketServer } from "sluice"
 *
 * const main = WebSocketServer.layer({ port: 8080 }, (socket) =>
 *   WebSocket.runForEach(socket, (message) => socket.send(message))
 * ).pipe(Layer.provide(NodeNetwork.layer()), Layer.launch)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <
  const P extends ReadonlyArray<string> = readonly [],
  const Required extends boolean = false,
  Principal = void,
  UE = never,
  UR = never,
  E = never,
  R = never
>(
  options: Options<P, Required, Principal, UE, UR> & Network.ListenOptions,
  handler: Handler<Handshake.Subprotocol<P, Required>, Principal, E, R>
): Layer.Layer<WebSocketServer, Network.TransportError, Network.Network | Exclude<UR | R, Scope.Scope>> =>
  Layer.scoped(WebSocketServer, serve(options, handler))
