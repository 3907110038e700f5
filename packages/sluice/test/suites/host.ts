/** What the suites run on: a network, and a way to serve WebSockets that its connections reach. */
import { it } from "@effect/vitest"
import { Effect, Layer, Queue, type Scope } from "effect"
import type * as Limits from "../../src/Limits.js"
import * as MemoryNetwork from "../../src/MemoryNetwork.js"
import * as Network from "../../src/Network.js"
import type * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { leavesNoFiber } from "../support/fibers.js"
import * as Peer from "../support/peer.js"
import type * as Wire from "../support/wire.js"

export interface Host {
  readonly name: string
  readonly network: Layer.Layer<Network.Network>
  readonly serve: typeof WebSocketServer.serve
  /** The most bytes that a connection takes for a peer that does not read: buffers of the transport, and of the kernel. */
  readonly held: number
  /** The sizes of messages with which so much can be filled in a moment. */
  readonly sizes: ReadonlyArray<number>
  /** Whether an abort can be told from an end; on a unix socket it cannot. */
  readonly hasResets?: boolean
  /** Whether somebody else reads the head of the request and listens, with rules of his own. */
  readonly isGuest: boolean
}

/** The network without its synchronous side, as one that somebody else writes may be. */
export const withoutLanes = (network: Layer.Layer<Network.Network>): Layer.Layer<Network.Network> =>
  Layer.effect(
    Network.Network,
    Effect.map(Network.Network, ({ connect, listen }) => ({
      connect: (address: Network.Address) => Effect.map(connect(address), withoutLane),
      listen: (options: Network.ListenOptions) =>
        Effect.map(listen(options), ({ accept, address }) => ({ address, accept: Effect.map(accept, withoutLane) }))
    }))
  ).pipe(Layer.provide(network))

const withoutLane = (transport: Network.Transport): Network.Transport => ({
  remote: transport.remote,
  local: transport.local,
  read: transport.read,
  write: (bytes) => transport.write(bytes),
  endOfOutput: transport.endOfOutput,
  abort: transport.abort
})

export const memory: Host = {
  name: "memory",
  network: MemoryNetwork.layer(),
  serve: WebSocketServer.serve,
  held: 64 * 1024,
  sizes: [10, 1000, 10_000, 200_000],
  isGuest: false
}

export const laneless: Host = {
  ...memory,
  name: "memory without lanes",
  network: withoutLanes(MemoryNetwork.layer())
}

/**
 * A test on a host; when it ends, so must all fibers that it started. No time passes in it, however slow the machine is,
 * and so no timeout.
 */
export const scenario =
  (host: Host) =>
  <E>(what: string, test: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    it.effect(what, () => leavesNoFiber(Effect.scoped(Effect.provide(test, host.network))))

export const urlOf = (address: Network.Address, path = "/"): string => `ws://${Network.formatAddress(address)}${path}`

/** A client and a server, both ours. The handler of the server leaves its socket to the test. */
export const opened = (
  host: Host,
  limits: { readonly client?: Limits.Options; readonly server?: Limits.Options } = {}
): Effect.Effect<
  {
    readonly client: WebSocket.WebSocket
    readonly server: WebSocket.WebSocket
    readonly address: Network.Address
    readonly connections: Effect.Effect<number>
  },
  WebSocketClient.ConnectError,
  Network.Network | Scope.Scope
> =>
  Effect.gen(function* () {
    const sockets = yield* Queue.unbounded<WebSocket.WebSocket>()
    const { address, connections } = yield* host.serve({ limits: limits.server }, (socket) =>
      Effect.zipRight(Queue.offer(sockets, socket), socket.closed)
    )
    const client = yield* WebSocketClient.connect({ url: urlOf(address), limits: limits.client })
    return { client, server: yield* Queue.take(sockets), address, connections }
  })

export const roles: ReadonlyArray<Wire.Role> = ["client", "server"]

/** Our side in a role, and a played peer. `early` are frames that come with the opening handshake. */
export const against = (
  host: Host,
  role: Wire.Role,
  limits?: Limits.Options,
  early: ReadonlyArray<Wire.Raw> = []
): Effect.Effect<
  { readonly socket: WebSocket.WebSocket; readonly peer: Peer.Peer },
  unknown,
  Network.Network | Scope.Scope
> =>
  role === "client"
    ? Peer.accept(limits, early)
    : Effect.gen(function* () {
        const sockets = yield* Queue.unbounded<WebSocket.WebSocket>()
        const { address } = yield* host.serve({ limits }, (socket) =>
          Effect.zipRight(Queue.offer(sockets, socket), socket.closed)
        )
        const peer = yield* Peer.connect(address, Peer.opening(...early))
        return { socket: yield* Queue.take(sockets), peer }
      })

/** What the peer hears first when it has sent frames to our side, each time on a connection of its own. */
export const hearsFor =
  (host: Host, role: Wire.Role) =>
  (frames: ReadonlyArray<Wire.Raw>, limits?: Limits.Options): Effect.Effect<string, unknown, Network.Network> =>
    Effect.gen(function* () {
      const { peer } = yield* against(host, role, limits)
      yield* peer.send(...frames)
      const heard = yield* peer.hear
      yield* peer.transport.abort
      return heard
    }).pipe(Effect.scoped)
