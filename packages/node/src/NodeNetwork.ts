/**
 * The `Network` of Node: TCP and unix sockets over `node:net`, TLS over `node:tls`.
 *
 * Backpressure is real both ways: a socket is paused when nobody takes what it read, and a sender waits while the
 * kernel does not take what it sent. A fiber that waits for bytes runs inside the event that brings them.
 *
 * @since 0.1.0
 */
import type * as Net from "node:net"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EventScheduler from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import * as Dialing from "./internal/dialing.js"
import * as Listening from "./internal/listening.js"
import type { TlsClientOptions, TlsServerOptions } from "./internal/tls.js"
import * as UnixSocket from "./internal/unixSocket.js"

export type { TlsClientOptions, TlsServerOptions }

/**
 * How sockets are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether small writes leave at once (TCP_NODELAY); `true` by default. */
  readonly noDelay?: boolean | undefined
  /**
   * Bytes that a socket holds, each way, before a sender waits; 64 KiB by default. A TLS connection has what Node gives it.
   */
  readonly highWaterMark?: number | undefined
  /** TLS; without it, listeners have none, and clients trust who Node trusts. */
  readonly tls?:
    | {
        /** Has all listeners speak TLS, with a certificate. */
        readonly server?: TlsServerOptions | undefined
        /** What clients trust and who they are, where they connect to `wss:`. */
        readonly client?: TlsClientOptions | undefined
      }
    | undefined
  /**
   * The HTTP proxy that clients connect through, by `CONNECT` (RFC 9110 §9.3.6): `http://user:password@host:port`, or
   * one for each address, where `undefined` is none. None by default; a unix socket is connected to without one.
   */
  readonly proxy?: string | URL | ((address: Network.Address) => string | URL | undefined) | undefined
}

const defaultHighWaterMark = 64 * 1024

/**
 * Makes the network. It holds nothing by itself: connections and listeners live in the scopes that make them.
 *
 * To connect fails with `CertificateRejected` where the certificate of a TLS server is not trusted or is for another
 * name, and with `TlsFailed` where there is no agreement. A unix socket whose file is still there, but on which nobody
 * listens any more, is listened on again; two processes that do so in the same moment may take it from each other.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Network.Network["Type"] => {
  const scheduler = EventScheduler.make()
  const noDelay = options.noDelay ?? true
  const highWaterMark = options.highWaterMark ?? defaultHighWaterMark
  // Node hands all options on to Duplex, which its types do not say.
  const socketOptions = { allowHalfOpen: true, highWaterMark } as Net.SocketConstructorOpts

  const { proxy, tls } = options
  const proxyOf = typeof proxy === "function" ? proxy : () => proxy
  const dial = Dialing.make({ noDelay, socket: socketOptions, tls: tls?.client ?? {}, proxy: proxyOf }, scheduler)
  const connect = (to: Network.ConnectOptions) => Effect.acquireRelease(dial(to), ({ abort }) => abort)
  const listen = Listening.make({ noDelay, socket: socketOptions, tls: tls?.server }, scheduler)
  return { connect, listen: Network.reclaim({ connect, listen }, UnixSocket.remove) }
}

/**
 * Provides the network of Node.
 *
 * @example
 * ```ts
 * import { NodeNetwork } from "@sluice/node"
 * import { Effect } from "effect"
 * import { Network } from "sluice"
 *
 * const port = Effect.gen(function* () {
 *   const network = yield* Network.Network
 *   const listener = yield* network.listen({ port: 0 })
 *   return listener.address.port
 * }).pipe(Effect.scoped, Effect.provide(NodeNetwork.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Network.Network> =>
  Layer.sync(Network.Network, () => make(options))

/**
 * Provides the network of Node, with options from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (options: Config.Config.Wrap<Options>): Layer.Layer<Network.Network, ConfigError> =>
  Layer.effect(Network.Network, Effect.map(Config.unwrap(options), make))
