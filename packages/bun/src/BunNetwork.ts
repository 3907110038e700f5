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
    data: ({ data: lane }, bytes) => lane?.arrived(bytes),
    drain: ({ data: lane }) => lane?.drained(),
    end: ({ data: lane }) => lane?.ended(),
    close: ({ data: lane }, error) => lane?.closed(error),
    // What it says is said by `close` too, or is a fault of a handler, of which there is none.
    error: () => {}
  }

  /** `begun` hears of each socket, and turns it away; `opened` gets its transport, inside the event that opens it. */
  const plain = (opened: Opened, begun: Begun = () => true): BunSocket.Handlers<SocketLane> => ({
    ...ofLane,
    open: (socket) => {
      socket.setNoDelay(noDelay)
      if (begun(socket)) opened(transportOf(socket, false), socket)
      else socket.terminate()
    }
  })

  /** The same once TLS is agreed on; `refused` hears of what came to nothing, perhaps twice. */
  const secure = (opened: Opened, begun: Begun, refused: Refused): BunSocket.Handlers<SocketLane> => ({
    ...ofLane,
    open: (socket) => {
      socket.setNoDelay(noDelay)
      if (!begun(socket)) socket.terminate()
    },
    handshake: (socket, success, error) => {
      if (success) return opened(transportOf(socket, true), socket)
      refused(socket, error ?? undefined)
      socket.terminate()
    },
    timeout: (socket) => socket.terminate(),
    close: (socket, error) => {
      if (socket.data === undefined) refused(socket, error)
      else socket.data.closed(error)
    }
  })

  const connect = (to: Network.ConnectOptions): Effect.Effect<Network.Transport, Network.TransportError, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.flatMap(hostFor("connect", to), (bun) => {
        // Bun cannot give up an attempt: what opens after all is closed.
        let isAbandoned = false
        let socket: BunSocket.Socket<SocketLane> | undefined
        const begun: Begun = (made) => {
          socket = made
          return !isAbandoned
        }
        const connected = Effect.async<Network.Transport, Network.TransportError>((resume) => {
          const failed = (error: BunSocket.SystemError) =>
            resume(Effect.fail(Network.fromSystemError(error, "connect")))
          const opened: Opened = (transport) => resume(Effect.succeed(transport))
          attempt(failed, () => {
            const { host: hostname, port, tls } = to
            checkPort(port)
            const handlers =
              tls === undefined ? plain(opened, begun) : secure(opened, begun, (_, error) => failed(error ?? unagreed))
            bun
              .connect({
                ...{ hostname, port, allowHalfOpen: true },
                ...(tls === undefined ? {} : { tls: Tls.optionsOf(options.tls?.client ?? {}, tls.serverName) }),
                socket: { ...handlers, connectError: (_, error) => failed(error) }
              })
              .catch(failed)
          })
        })
        return Effect.onError(Effect.interruptible(connected), () =>
          Effect.sync(() => {
            isAbandoned = true
            socket?.terminate()
          })
        )
      }),
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
      const { cut, ...accepting } =
        options.tls?.server === undefined ? unsecured(opened) : secured(options.tls.server, opened)
      const listener = yield* Effect.acquireRelease(
        Effect.async<BunSocket.Listener, Network.TransportError>((resume) => {
          const failed = (error: BunSocket.SystemError) => resume(Effect.fail(Network.fromSystemError(error, "listen")))
          attempt(failed, () => {
            const { host = "127.0.0.1", port = 0 } = listenOptions
            checkPort(port)
            const listener = bun.listen({
              ...{ hostname: host, port, allowHalfOpen: true, exclusive: true },
              ...accepting
            })
            resume(Effect.succeed(listener))
          })
        }),
        (listener) =>
          Effect.zipRight(
            // The connections that were accepted are not waited for: they belong to other scopes.
            Effect.sync(() => {
              listener.stop(false)
              cut()
            }),
            arrivals.abort
          )
      )
      return arrivals.listener({ host: listener.hostname, port: listener.port })
    })

  const unsecured = (opened: Opened) => ({ socket: plain(opened), cut: () => {} })

  /** Few handshakes are in flight at one time, none of them for long, and none when the listener has ended. */
  const secured = (server: Tls.TlsServerOptions, opened: Opened) => {
    const { handshakeTimeout = 10_000, maxHandshakes = 1024, ...said } = server
    const pending = new Set<BunSocket.Socket<SocketLane>>()
    const begun: Begun = (socket) => {
      if (pending.size >= maxHandshakes) return false
      pending.add(socket)
      socket.timeout(Math.ceil(handshakeTimeout / 1000))
      return true
    }
    const agreed: Opened = (transport, socket) => {
      pending.delete(socket)
      socket.timeout(0)
      opened(transport, socket)
    }
    return {
      tls: Tls.optionsOf(said),
      socket: secure(agreed, begun, (socket) => pending.delete(socket)),
      cut: () => {
        for (const socket of pending) socket.terminate()
      }
    }
  }

  return { connect, listen }
}

type Opened = (transport: Network.Transport, socket: BunSocket.Socket<SocketLane>) => void
type Begun = (socket: BunSocket.Socket<SocketLane>) => boolean
type Refused = (socket: BunSocket.Socket<SocketLane>, error: BunSocket.SystemError | undefined) => void

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
