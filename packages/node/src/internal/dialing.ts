/**
 * Connections that are made: straight to a server, or through a proxy and TLS.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type { EventScheduler } from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import { attempt } from "./attempt.js"
import * as ConnectProxy from "./connectProxy.js"
import * as Tls from "./tls.js"
import { sharing, transportOf } from "./transport.js"
import * as UnixSocket from "./unixSocket.js"

/** @internal */
export interface Options {
  readonly noDelay: boolean
  readonly socket: Net.SocketConstructorOpts
  readonly tls: Tls.TlsClientOptions
  readonly proxy: (address: Network.Address) => string | URL | undefined
}

const unnamed = Network.unixSocket("")

/** @internal One attempt; when it fails or is interrupted, nothing is left of it. */
export const make = (options: Options, scheduler: EventScheduler) => {
  const { noDelay } = options

  const connected = (socket: Net.Socket, address: Network.Address): Effect.Effect<void, Network.TransportError> =>
    Effect.async((resume) => {
      const failed = (error: Error) => resume(Effect.fail(Network.fromSystemError(error, "connect")))
      socket.once("error", failed)
      attempt(failed, () => {
        const { host, path, port } = address
        if (path !== undefined) UnixSocket.checkPath(path)
        socket.connect(path === undefined ? { host, port, noDelay } : { path }, () => {
          socket.off("error", failed)
          resume(Effect.void)
        })
      })
    })

  const direct = (address: Network.Address) => {
    const ends = address.path === undefined ? {} : { remote: Network.unixSocket(address.path), local: unnamed }
    const { socket, transport } = sharing(options.socket, scheduler, ends)
    return destroyedUnlessDone(socket, Effect.map(connected(socket, address), transport))
  }

  const layered = (to: Network.ConnectOptions, proxy: ConnectProxy.Proxy | undefined) => {
    // Between the steps nobody else hears an error; who comes next sees that the socket is closed.
    const raw = new Net.Socket(options.socket).on("error", () => {})
    const ends =
      to.path !== undefined
        ? { remote: Network.unixSocket(to.path), local: unnamed }
        : proxy === undefined
          ? {}
          : { remote: { host: to.host, port: to.port } }
    return destroyedUnlessDone(
      raw,
      Effect.gen(function* () {
        yield* connected(raw, proxy?.address ?? to)
        if (proxy !== undefined) yield* ConnectProxy.tunnel(raw, proxy, to)
        const socket = to.tls === undefined ? raw : yield* Tls.connect(raw, to.tls.serverName, options.tls)
        const transport = transportOf(socket, scheduler, ends)
        // The tunnel has left it paused, so that nothing comes before somebody takes it.
        if (socket === raw) raw.resume()
        return transport
      })
    )
  }

  return (to: Network.ConnectOptions): Effect.Effect<Network.Transport, Network.TransportError> =>
    Effect.suspend(() => {
      const url = to.path === undefined ? options.proxy(to) : undefined
      if (url !== undefined) return Effect.flatMap(ConnectProxy.parse(url), (proxy) => layered(to, proxy))
      return to.tls === undefined ? direct(to) : layered(to, undefined)
    })
}

const destroyedUnlessDone = <A, E>(socket: Net.Socket, made: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.onError(Effect.interruptible(made), () => Effect.sync(() => socket.destroy()))
