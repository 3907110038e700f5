/**
 * The `Network` of Bun: TCP and TLS over its own sockets, `Bun.listen` and `Bun.connect`.
 *
 * Backpressure is real both ways: a socket is paused when nobody takes what it read, and what the kernel does not take of
 * a write waits, in order, while the sender does. A fiber that waits for bytes runs inside the event that brings them.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as EventScheduler from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import * as BunSocket from "./internal/bunSocket.js"
import { SocketLane } from "./internal/socketLane.js"
import * as Tls from "./internal/tls.js"

export type { TlsClientOptions, TlsServerOptions } from "./internal/tls.js"

/**
 * How sockets are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether small writes leave at once (TCP_NODELAY); `true` by default. */
  readonly noDelay?: boolean | undefined
  /** Bytes that the kernel did not take and that wait, before a sender waits; 64 KiB by default. */
  readonly highWaterMark?: number | undefined
  /** TLS; without it, listeners have none, and clients trust who Bun trusts. */
  readonly tls?:
    | {
        /** Has all listeners speak TLS, with a certificate. */
        readonly server?: Tls.TlsServerOptions | undefined
        /** What clients trust and who they are, where they connect to `wss:`. */
        readonly client?: Tls.TlsClientOptions | undefined
      }
    | undefined
}

const defaultHighWaterMark = 64 * 1024

/**
 * Makes the network. It holds nothing by itself: connections and listeners live in the scopes that make them. Where the
 * program does not run on Bun, `connect` and `listen` fail with a `TransportError` of reason `Unsupported`, and so they do
 * for a unix socket.
 *
 * To connect fails with `CertificateRejected` where the certificate of a TLS server is not trusted or is for another
 * name, and with `TlsFailed` where there is no agreement.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Network.Network["Type"] => {
  const scheduler = EventScheduler.make()
  const noDelay = options.noDelay ?? true
  const highWaterMark = options.highWaterMark ?? defaultHighWaterMark

  const transportOf = (socket: BunSocket.Socket<SocketLane>, isSecure: boolean): Network.Transport => {
    const lane = new SocketLane(socket, scheduler, highWaterMark)
    socket.data = lane
    return Network.fromLane(lane, {
      remote: { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
      local: { host: socket.localAddress ?? "", port: socket.localPort ?? 0 },
      // Few ask for it.
      get tls() {
        return isSecure ? Tls.sessionOf(socket) : undefined
      },
      scheduler
    })
  }

  const ofLane: Omit<BunSocket.Handlers<SocketLane>, "open"> = {
    binaryType: "uint8array",
    data: ({ data: lane }, bytes) => lane.arrived(bytes),
    drain: ({ data: lane }) => lane?.drained(),
    end: ({ data: lane }) => lane?.ended(),
    close: ({ data: lane }, error) => lane?.closed(error),
    // What it says is said by `close` too, or is a fault of a handler, of which there is none.
    error: () => {}
  }

  /** `opened` gets the transport of each socket, inside the event that opens it. */
  const plain = (opened: (transport: Network.Transport) => void): BunSocket.Handlers<SocketLane> => ({
    ...ofLane,
    open: (socket) => {
      socket.setNoDelay(noDelay)
      opened(transportOf(socket, false))
    }
  })

  /** The same once TLS is agreed on; `begin` turns a socket away, and `refused` hears of what came to nothing. */
  const secure = (
    opened: (transport: Network.Transport, socket: BunSocket.Socket<SocketLane>) => void,
    refused: (error: BunSocket.SystemError | undefined) => void,
    begin: (socket: BunSocket.Socket<SocketLane>) => boolean = () => true
  ): BunSocket.Handlers<SocketLane> => ({
    ...ofLane,
    open: (socket) => {
      socket.setNoDelay(noDelay)
      if (!begin(socket)) socket.terminate()
    },
    handshake: (socket, success, error) => {
      if (success) opened(transportOf(socket, true), socket)
      else {
        refused(error ?? undefined)
        socket.terminate()
      }
    },
    timeout: (socket) => socket.terminate(),
    close: (socket, error) => {
      const { data: lane } = socket
      if (lane === undefined) refused(error)
      else lane.closed(error)
    }
  })

  const connect = (to: Network.ConnectOptions): Effect.Effect<Network.Transport, Network.TransportError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.flatMap(hostFor("connect", to), (bun) =>
        Effect.interruptible(
          Effect.async<Network.Transport, Network.TransportError>((resume) => {
            // Bun cannot give up an attempt: what opens after all is closed.
            let isAbandoned = false
            const failed = (error: BunSocket.SystemError) =>
              resume(Effect.fail(Network.fromSystemError(error, "connect")))
            attempt(failed, () => {
              checkPort(to.port)
              const opened = (transport: Network.Transport) => {
                if (isAbandoned) transport.lane?.abort()
                else resume(Effect.succeed(transport))
              }
              const { host: hostname, port, tls } = to
              const handlers = tls === undefined ? plain(opened) : secure(opened, (error) => failed(error ?? unagreed))
              bun
                .connect({
                  ...{ hostname, port, allowHalfOpen: true },
                  ...(tls === undefined ? {} : { tls: Tls.optionsOf(options.tls?.client ?? {}, tls.serverName) }),
                  socket: { ...handlers, connectError: (_, error) => failed(error) }
                })
                .catch(failed)
            })
            return Effect.sync(() => {
              isAbandoned = true
            })
          })
        )
      ),
      (transport) => transport.abort
    )

  const listen = (
    listenOptions: Network.ListenOptions
  ): Effect.Effect<Network.Listener, Network.TransportError, Scope.Scope> =>
    Effect.gen(function* () {
      const bun = yield* hostFor("listen", listenOptions)
      const arrivals = Network.makeArrivals()
      const opened = (transport: Network.Transport) => {
        arrivals.add(transport)
        scheduler.event(arrivals.arrived)
      }
      const listener = yield* Effect.acquireRelease(
        Effect.async<BunSocket.Listener, Network.TransportError>((resume) => {
          const failed = (error: BunSocket.SystemError) => resume(Effect.fail(Network.fromSystemError(error, "listen")))
          attempt(failed, () => {
            const { host = "127.0.0.1", port = 0 } = listenOptions
            checkPort(port)
            const listener = bun.listen({
              ...{ hostname: host, port, allowHalfOpen: true, exclusive: true },
              ...(options.tls?.server === undefined ? { socket: plain(opened) } : secured(options.tls.server, opened))
            })
            resume(Effect.succeed(listener))
          })
        }),
        (listener) =>
          Effect.zipRight(
            // The connections that were accepted are not waited for: they belong to other scopes.
            Effect.sync(() => listener.stop(false)),
            arrivals.abort
          )
      )
      return arrivals.listener({ host: listener.hostname, port: listener.port })
    })

  /** Few handshakes are in flight at one time, and none of them for long. */
  const secured = (server: Tls.TlsServerOptions, opened: (transport: Network.Transport) => void) => {
    const { handshakeTimeout = 10, maxHandshakes = 1024, ...said } = server
    let pending = 0
    const begin = (socket: BunSocket.Socket<SocketLane>) => {
      pending++
      socket.timeout(handshakeTimeout)
      return pending <= maxHandshakes
    }
    const agreed = (transport: Network.Transport, socket: BunSocket.Socket<SocketLane>) => {
      pending--
      socket.timeout(0)
      opened(transport)
    }
    const handlers = secure(agreed, () => pending--, begin)
    return { tls: Tls.optionsOf(said), socket: handlers }
  }

  return { connect, listen }
}

const unagreed = Object.assign(new Error("the peer has left the TLS handshake"), { code: "EPROTO" })

const hostFor = (operation: "connect" | "listen", { path }: Partial<Network.Address>) =>
  Effect.suspend(() => {
    const host = BunSocket.host()
    if (host !== undefined && path === undefined) return Effect.succeed(host)
    const detail =
      host === undefined
        ? "this program does not run on Bun; on Node.js there is @sluice/node"
        : "the network of Bun has no unix sockets yet; that of @sluice/node has"
    return new Network.TransportError({ reason: "Unsupported", operation, detail })
  })

/** Bun takes what is no port for another one. */
const checkPort = (port: number): void => {
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return
  const message = `${port} is no port; one is from 0 to 65535`
  throw Object.assign(new RangeError(message), { code: "ERR_SOCKET_BAD_PORT" })
}

/** Bun throws what it can say at once, such as that an address is taken. */
const attempt = (failed: (error: BunSocket.SystemError) => void, run: () => void): void => {
  try {
    run()
  } catch (error) {
    // What Bun throws is an Error, and so is what we throw.
    failed(error as BunSocket.SystemError)
  }
}

/**
 * Provides the network of Bun.
 *
 * @example
 * ```ts
 * import { BunNetwork } from "@sluice/bun"
 * import { Effect } from "effect"
 * import { Network } from "sluice"
 *
 * const port = Effect.gen(function* () {
 *   const network = yield* Network.Network
 *   const listener = yield* network.listen({ port: 0 })
 *   return listener.address.port
 * }).pipe(Effect.scoped, Effect.provide(BunNetwork.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Network.Network> =>
  Layer.sync(Network.Network, () => make(options))

/**
 * Provides the network of Bun, with options from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (options: Config.Config.Wrap<Options>): Layer.Layer<Network.Network, ConfigError> =>
  Layer.effect(Network.Network, Effect.map(Config.unwrap(options), make))
