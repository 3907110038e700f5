/**
 * Connections that come: on a TCP port or a unix socket, as they are or through TLS.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { EventScheduler } from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import { attempt } from "./attempt.js"
import { onHandle } from "./sharedReads.js"
import * as Tls from "./tls.js"
import { sharing, transportOf } from "./transport.js"
import * as UnixSocket from "./unixSocket.js"

/** @internal */
export interface Options {
  readonly noDelay: boolean
  readonly socket: Net.SocketConstructorOpts
  readonly tls: Tls.TlsServerOptions | undefined
}

/** @internal */
export const make = (
  options: Options,
  scheduler: EventScheduler
): ((options: Network.ListenOptions) => Effect.Effect<Network.Listener, Network.TransportError, Scope.Scope>) => {
  const { noDelay } = options

  /** The address at which it listens once it does, and how it ends. */
  const open = (
    { backlog, host = "127.0.0.1", mode, path, port = 0 }: Network.ListenOptions,
    arrivals: Network.Arrivals
  ): Effect.Effect<{ readonly address: Network.Address; readonly close: () => void }, Network.TransportError> =>
    Effect.async((resume) => {
      const failed = (error: Error) => resume(Effect.fail(Network.fromSystemError(error, "listen")))
      const ends = path === undefined ? {} : { remote: Network.unixSocket(""), local: Network.unixSocket(path) }
      const arrive = (transport: Network.Transport) => {
        arrivals.add(transport)
        scheduler.event(arrivals.arrived)
      }
      const take = (socket: Net.Socket) => arrive(transportOf(socket, scheduler, ends))
      attempt(failed, () => {
        if (path !== undefined) UnixSocket.checkPath(path)
        const tls = options.tls === undefined ? undefined : Tls.server(options.tls, take)
        const server = Net.createServer({ ...options.socket, noDelay }, tls?.accept ?? take)
        server.once("error", failed)
        const onListening = () => {
          if (tls === undefined) {
            onHandle(server, (handle) => {
              const { socket, transport } = sharing({ ...options.socket, handle }, scheduler, ends)
              if (path === undefined) socket.setNoDelay(noDelay)
              arrive(transport())
            })
          }
          // What happens from here on, such as a lack of descriptors, is told to who accepts.
          server.off("error", failed).on("error", (error) => {
            arrivals.fail(Network.fromSystemError(error, "accept"))
            arrivals.arrived()
          })
          const close = () => {
            // The connections that were accepted are not waited for: they belong to other scopes.
            server.close()
            tls?.close()
          }
          resume(Effect.succeed({ address: addressOf(server), close }))
        }
        if (path === undefined) server.listen({ host, port, backlog }, onListening)
        else UnixSocket.withMode(path, mode, () => server.listen({ path, backlog }, onListening))
      })
    })

  return (listenOptions) =>
    Effect.gen(function* () {
      const arrivals = Network.makeArrivals()
      const opened = yield* Effect.acquireRelease(open(listenOptions, arrivals), ({ close }) =>
        Effect.zipRight(Effect.sync(close), arrivals.abort)
      )
      return arrivals.listener(opened.address)
    })
}

const addressOf = (server: Net.Server): Network.Address => {
  const address = server.address()
  // A server that listens has one.
  if (address === null || typeof address === "string") return Network.unixSocket(address ?? "")
  return { host: address.address, port: address.port }
}
