/**
 * What a service is made of, as the application writes it and as its handler sees it.
 */
import type * as Effect from "effect/Effect"
import type * as Handshake from "../Handshake.js"
import type * as Limits from "../Limits.js"
import type * as Network from "../Network.js"
import type * as Rejection from "../Rejection.js"
import type * as Upgrade from "../Upgrade.js"
import type * as WebSocket from "../WebSocket.js"
import type { DrainOptions } from "./drain.js"

/**
 * A request that may become a WebSocket, as `authenticate` sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Incoming extends Handshake.Offered {
  /** Where it comes from. Behind a reverse proxy this is the proxy, unless `ProxyProtocol.layer` knows better. */
  readonly remote: Network.Address
  /** What was agreed on by TLS, with the certificate of the client if it was asked for one; absent where there is none. */
  readonly tls?: Network.TlsSession | undefined
}

/**
 * How a WebSocket came to be, as its handler sees it beside the WebSocket itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connected<out Subprotocol extends string | undefined = string | undefined, out Principal = unknown> {
  /** The number of the connection, from 1 on, which its log lines have as `connection`; refused ones count, too. */
  readonly id: number
  /** Where it comes from. */
  readonly remote: Network.Address
  /** What `authenticate` made of it. */
  readonly principal: Principal
  /** The opening handshake: the request, what was chosen, the 101. */
  readonly accepted: Handshake.Accepted<Subprotocol>
  /** Waits until the server begins to drain, so that the handler can bring its work to an end. */
  readonly draining: Effect.Effect<void>
}

/**
 * A connection that was switched to a protocol other than WebSocket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Switched<out P extends string = string> {
  /** The protocol, and the request that asked for it. */
  readonly negotiated: Upgrade.Negotiated<P>
  /** The byte connection, behind the 101. */
  readonly transport: Network.Transport
  /** The first bytes of the protocol, which came with the request: they are before all that `transport` reads. */
  readonly rest: Uint8Array
  /** Waits until the server begins to drain. */
  readonly draining: Effect.Effect<void>
}

/**
 * A protocol other than WebSocket that is served on the same address; made by `upgrade`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UpgradeService<out E = never, out R = never> {
  /** What clients ask for in `Upgrade`: a name, or a name, a slash and a version. */
  readonly protocol: string
  /** Decides, and gives the fields that go out with the 101. */
  readonly authorize: (
    negotiated: Upgrade.Negotiated<string>
  ) => Effect.Effect<Iterable<readonly [name: string, value: string]>, Rejection.Rejection, R>
  /** Has the connection, until it ends. */
  readonly handler: (switched: Switched) => Effect.Effect<unknown, E, R>
}

/**
 * What a server accepts. All of it may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<
  P extends ReadonlyArray<string> = readonly [],
  Required extends boolean = false,
  Principal = void,
  E = never,
  R = never
> extends Omit<Handshake.Policy<P, Required>, "fields" | "extensions"> {
  /**
   * Decides who the client is, before the 101 and after the checks of the RFC and of `origin`. The principal goes to
   * the handler; a `Rejection` goes to the client.
   */
  readonly authenticate?: ((incoming: Incoming) => Effect.Effect<Principal, Rejection.Rejection, R>) | undefined
  /** Fields that go out with the 101, such as `Set-Cookie`. */
  readonly fields?:
    | ((
        incoming: Incoming,
        principal: Principal
      ) => Effect.Effect<Iterable<readonly [name: string, value: string]>, Rejection.Rejection, R>)
    | undefined
  /** Limits and timeouts, of each connection and of the server. */
  readonly limits?: Limits.Options | undefined
  /** How the server drains when its scope ends. */
  readonly drain?: DrainOptions | undefined
  /** Other protocols that can be asked for. */
  readonly upgrades?: ReadonlyArray<UpgradeService<E, R>> | undefined
}

/**
 * Handles one WebSocket. It is closed when the handler ends: with 1000, or with 1011 if the handler fails.
 *
 * A handler that does not end by itself when its connection has ended, because it waits for something else, is
 * interrupted after `closeTimeout`.
 *
 * @category models
 * @since 0.1.0
 */
export type Handler<Subprotocol extends string | undefined, Principal, E, R> = (
  socket: WebSocket.WebSocket<Subprotocol>,
  connected: Connected<Subprotocol, Principal>
) => Effect.Effect<unknown, E, R>
