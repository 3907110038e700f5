/**
 * The `Network` of Node: TCP over `node:net`.
 *
 * Backpressure is real both ways: a socket is paused when nobody takes what it read, and a sender waits while the
 * kernel does not take what it sent. A fiber that waits for bytes runs inside the event that brings them.
 *
 * @since 0.1.0
 */
import * as Net from "node:net"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as EventScheduler from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import { onHandle } from "./internal/sharedReads.js"
import { sharing, transportOf } from "./internal/transport.js"

/**
 * How sockets are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether small writes leave at once (TCP_NODELAY); `true` by default. */
  readonly noDelay?: boolean | undefined
  /** Bytes that a socket holds, each way, before a sender waits; 64 KiB by default. */
  readonly highWaterMark?: number | undefined
}

const defaultHighWaterMark = 64 * 1024

/**
 * Makes the network. It holds nothing by itself: connections and listeners live in the scopes that make them.
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

  const connect = (address: Network.Address): Effect.Effect<Network.Transport, Network.TransportError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        const { socket, transport } = sharing(socketOptions, scheduler)
        const connected = Effect.async<Network.Transport, Network.TransportError>((resume) => {
          const failed = (error: Error) => resume(Effect.fail(Network.fromSystemError(error, "connect")))
          socket.once("error", failed)
          attempt(failed, () =>
            socket.connect({ ...address, noDelay }, () => {
              socket.off("error", failed)
              resume(Effect.succeed(transport()))
            })
          )
        })
        return Effect.onError(Effect.interruptible(connected), () => Effect.sync(() => socket.destroy()))
      }),
      (transport) => transport.abort
    )

  const listen = (
    listenOptions: Network.ListenOptions
  ): Effect.Effect<Network.Listener, Network.TransportError, Scope.Scope> =>
    Effect.gen(function* () {
      const arrivals = Network.makeArrivals()
      const server = yield* Effect.acquireRelease(
        Effect.async<Net.Server, Network.TransportError>((resume) => {
          const arrive = (transport: Network.Transport) => {
            arrivals.add(transport)
            scheduler.event(arrivals.arrived)
          }
          const server = Net.createServer({ allowHalfOpen: true, noDelay, highWaterMark }, (socket) =>
            arrive(transportOf(socket, scheduler))
          )
          const failed = (error: Error) => resume(Effect.fail(Network.fromSystemError(error, "listen")))
          server.once("error", failed)
          const { backlog, host = "127.0.0.1", port = 0 } = listenOptions
          attempt(failed, () =>
            server.listen({ host, port, backlog }, () => {
              onHandle(server, (handle) => {
                const accepted = { ...socketOptions, handle }
                const { socket, transport } = sharing(accepted, scheduler)
                socket.setNoDelay(noDelay)
                arrive(transport())
              })
              // What happens from here on, such as a lack of descriptors, is told to who accepts.
              server.on("error", (error) => {
                arrivals.fail(Network.fromSystemError(error, "accept"))
                arrivals.arrived()
              })
              resume(Effect.succeed(server))
            })
          )
        }),
        (server) =>
          Effect.zipRight(
            // The connections that were accepted are not waited for: they belong to other scopes.
            Effect.sync(() => server.close()),
            arrivals.abort
          )
      )
      // A TCP server has an address of this form; only pipes have a string.
      const { address: host, port } = server.address() as Net.AddressInfo
      return arrivals.listener({ host, port })
    })

  return { connect, listen }
}

/** Node throws what it can say at once, such as that a port is none. */
const attempt = (failed: (error: Error) => void, run: () => void): void => {
  try {
    run()
  } catch (error) {
    // What `node:net` throws is an Error.
    failed(error as Error)
  }
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
