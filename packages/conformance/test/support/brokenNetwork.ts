/** Networks that are a `MemoryNetwork` but for one fault. */
import { Effect, Layer } from "effect"
import { MemoryNetwork, Network } from "sluice"

type Service = Network.Network["Type"]

/** What one end has done. */
export interface Done {
  hasEnded: boolean
  hasLeft: boolean
  /** The chunks that it has offered, those first that are not read yet. */
  readonly offered: Array<Uint8Array>
}

/** Changes the network as a whole. */
export const network = (change: (network: Service) => Partial<Service>): Layer.Layer<Network.Network> =>
  Layer.effect(
    Network.Network,
    Effect.map(Network.Network, (network) => ({ ...network, ...change(network) }))
  ).pipe(Layer.provide(MemoryNetwork.layer()))

/** Changes each transport; it is told what its own end and the other one have done. */
export const transports = (
  change: (transport: Network.Transport, own: Done, peer: Done) => Network.Transport
): Layer.Layer<Network.Network> => {
  // With the end of the scope the changed one is aborted, too, and before the one in it.
  const scoped = (changed: Network.Transport) => Effect.acquireRelease(Effect.succeed(changed), ({ abort }) => abort)
  return network(({ connect, listen }) => {
    const connections = new Map<number, readonly [client: Done, server: Done]>()
    const endsOf = (port: number) => {
      const done = () => ({ hasEnded: false, hasLeft: false, offered: [] })
      const ends = connections.get(port) ?? [done(), done()]
      connections.set(port, ends)
      return ends
    }
    const clientOf = (transport: Network.Transport) => {
      const [client, server] = endsOf(transport.local.port)
      return change(transport, client, server)
    }
    const serverOf = (transport: Network.Transport) => {
      const [client, server] = endsOf(transport.remote.port)
      return change(transport, server, client)
    }
    return {
      connect: (address) => Effect.flatMap(connect(address), (transport) => scoped(clientOf(transport))),
      listen: (options) =>
        Effect.map(listen(options), ({ accept, address, onConnection }) => ({
          address,
          accept: Effect.flatMap(accept, (transport) => scoped(serverOf(transport))),
          onConnection: onConnection && ((take) => onConnection((transport) => take(serverOf(transport))))
        }))
    }
  })
}

/** Changes the lane of each transport, and so its effects too. */
export const lanes = (
  change: (lane: Network.Lane, own: Done, peer: Done) => Partial<Network.Lane>
): Layer.Layer<Network.Network> =>
  transports((transport, own, peer) => {
    const lane = transport.lane!
    const noted: Network.Lane = {
      ...lane,
      end: () => {
        own.hasEnded = true
        lane.end()
      },
      abort: () => {
        own.hasLeft = true
        lane.abort()
      }
    }
    return Network.fromLane({ ...noted, ...change(noted, own, peer) }, transport)
  })

/** The transport with something changed; its effects are made when they are asked for, and are no own properties. */
export const changed = (transport: Network.Transport, change: Partial<Network.Transport>): Network.Transport => {
  const { abort, endOfOutput, lane, local, read, remote, scheduler, write } = transport
  return { abort, endOfOutput, lane, local, read, remote, scheduler, write, ...change }
}

/** Changes the effects of each transport, which has no lane then. */
export const effects = (
  change: (transport: Network.Transport) => Partial<Network.Transport>
): Layer.Layer<Network.Network> =>
  transports((transport) => changed(transport, { lane: undefined, ...change(transport) }))

/** Changes each listener. */
export const listeners = (
  change: (listener: Network.Listener, service: Service) => Partial<Network.Listener>
): Layer.Layer<Network.Network> =>
  network((service) => ({
    listen: (options) =>
      Effect.map(service.listen(options), (listener) => ({ ...listener, ...change(listener, service) }))
  }))

export const reset = (operation: "read" | "write") =>
  new Network.TransportError({ reason: "ConnectionReset", operation, detail: "a planted reset" })
