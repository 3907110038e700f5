/** Networks for suites that know of hosts and ports only. */
import { Effect, Layer } from "effect"
import * as Network from "../../src/Network.js"

/** The network on which every connection is made as to a `wss:` URL, for suites that know of none. */
export const withTls = (network: Layer.Layer<Network.Network>): Layer.Layer<Network.Network> =>
  Layer.effect(
    Network.Network,
    Effect.map(Network.Network, ({ connect, listen }) => ({
      connect: (to: Network.ConnectOptions) => connect({ ...to, tls: { serverName: to.host } }),
      listen
    }))
  ).pipe(Layer.provide(network))

/**
 * The network on which every address is a unix socket, for suites that know of hosts and ports only: who connects has an
 * address of the loopback, and a port that nobody else has.
 */
export const onUnixSockets = (
  network: Layer.Layer<Network.Network>,
  freshPath: () => string
): Layer.Layer<Network.Network> =>
  Layer.effect(
    Network.Network,
    Effect.map(Network.Network, ({ connect, listen }) => {
      const paths = new Map<string, string>()
      let lastPort = 1024
      const loopback = () => ({ host: "127.0.0.1", port: ++lastPort })
      return {
        connect: ({ host, port }: Network.ConnectOptions) => {
          const key = Network.formatAddress({ host, port })
          return connect(Network.unixSocket(paths.get(key) ?? freshPath()))
        },
        listen: ({ backlog, host = "127.0.0.1", port = 0 }: Network.ListenOptions) => {
          const address = { ...loopback(), host, ...(port === 0 ? {} : { port }) }
          const path = paths.get(Network.formatAddress(address)) ?? freshPath()
          paths.set(Network.formatAddress(address), path)
          const named = (transport: Network.Transport): Network.Transport =>
            Network.fromLane(transport.lane ?? absurd(), { ...transport, remote: loopback(), local: address })
          return Effect.map(listen({ path, backlog }), ({ accept, onConnection }) => ({
            address,
            accept: Effect.map(accept, named),
            onConnection: (take: (transport: Network.Transport) => void) =>
              (onConnection ?? absurd())((transport) => take(named(transport)))
          }))
        }
      }
    })
  ).pipe(Layer.provide(network))

const absurd = (): never => {
  throw new Error("a network of sockets has a synchronous side")
}
