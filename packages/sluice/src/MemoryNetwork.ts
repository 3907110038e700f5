/**
 * A `Network` in memory: bounded windows, half-close and reset as TCP has them, but no faults, no delay and no timers.
 *
 * The same program runs on it as on a real network, and always in the same way: what happens next depends on the
 * scheduler of its fibers alone. Bytes are copied on their way, so the two sides share no memory.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import type { Scheduler } from "effect/Scheduler"
import * as Network from "./Network.js"

/**
 * How the network is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Bytes that one direction of a connection holds before a sender waits; 64 KiB by default. */
  readonly window?: number | undefined
}

/** What one side sends and the other reads. */
interface Direction {
  readonly chunks: Array<Uint8Array>
  size: number
  ended: boolean
  /** The side that read it has left, and what is still sent goes nowhere. */
  isDeserted: boolean
  readable: () => void
  writable: () => void
}

const ignore = () => {}

const direction = (): Direction => ({
  chunks: [],
  size: 0,
  ended: false,
  isDeserted: false,
  readable: ignore,
  writable: ignore
})

interface Pair {
  readonly scheduler: Scheduler
  readonly window: number
  /** The side that aborted, if one did. */
  aborted: Network.Lane | undefined
}

const reset = (operation: "read" | "write") =>
  new Network.TransportError({ reason: "ConnectionReset", operation, detail: "the peer reset the connection" })

const gone = (operation: "read" | "write") =>
  new Network.TransportError({ reason: "Closed", operation, detail: "this side has closed the connection" })

const left = new Network.TransportError({ reason: "BrokenPipe", operation: "write", detail: "the peer has left" })

const lane = (pair: Pair, incoming: Direction, outgoing: Direction): Network.Lane => {
  // As a task of its own: the other side never runs inside a call of this one.
  const later = (wake: () => void) => pair.scheduler.scheduleTask(wake, 0)
  const broken = (operation: "read" | "write") =>
    pair.aborted === self || incoming.isDeserted
      ? gone(operation)
      : pair.aborted === undefined
        ? undefined
        : reset(operation)
  const isWritable = () =>
    pair.aborted !== undefined || outgoing.ended || outgoing.isDeserted || outgoing.size < pair.window
  const self: Network.Lane = {
    poll: () => {
      const error = broken("read")
      if (error !== undefined) return error
      const chunk = incoming.chunks.shift()
      if (chunk === undefined) return incoming.ended ? "End" : "Pending"
      const wasFull = incoming.size >= pair.window
      incoming.size -= chunk.length
      if (wasFull && incoming.size < pair.window) later(() => incoming.writable())
      return chunk
    },
    onReadable: (wake) => {
      incoming.readable = wake
    },
    offer: (chunks) => {
      if (pair.aborted !== undefined || outgoing.ended || outgoing.isDeserted) return true
      const wasEmpty = outgoing.chunks.length === 0
      for (const chunk of chunks) {
        if (chunk.length === 0) continue
        // Not a slice of it, which of a subclass may be a view.
        outgoing.chunks.push(new Uint8Array(chunk))
        outgoing.size += chunk.length
      }
      if (wasEmpty && outgoing.chunks.length > 0) later(() => outgoing.readable())
      return isWritable()
    },
    isWritable,
    onWritable: (wake) => {
      outgoing.writable = wake
    },
    failure: () => broken("write") ?? (outgoing.ended ? gone("write") : outgoing.isDeserted ? left : undefined),
    end: () => {
      if (outgoing.ended) return
      outgoing.ended = true
      later(() => outgoing.readable())
      later(() => outgoing.writable())
    },
    abort: () => {
      if (pair.aborted !== undefined || incoming.isDeserted) return
      if (outgoing.ended) {
        // All was said: the peer gets to read it.
        incoming.isDeserted = true
        incoming.chunks.length = 0
        later(() => incoming.readable())
        later(() => incoming.writable())
        return
      }
      pair.aborted = self
      incoming.chunks.length = 0
      outgoing.chunks.length = 0
      for (const each of [incoming, outgoing]) {
        later(() => each.readable())
        later(() => each.writable())
      }
    }
  }
  return self
}

interface Listening {
  readonly backlog: number
  readonly arrivals: Network.Arrivals
}

/**
 * Makes a network in memory, on which nobody listens yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Network.Network["Type"] => {
  const window = options.window ?? 64 * 1024
  const listeners = new Map<string, Listening>()
  // As the hosts of a real network do, ports that nobody asked for are taken from the upper range, in order.
  let lastPort = 49151

  const freePort = (host: string): number => {
    do lastPort = lastPort === 65535 ? 49152 : lastPort + 1
    while (listeners.has(Network.formatAddress({ host, port: lastPort })))
    return lastPort
  }

  const connect = ({ host, path, port }: Network.ConnectOptions) =>
    Effect.acquireRelease(open(path === undefined ? { host, port } : Network.unixSocket(path)), ({ abort }) => abort)

  const open = (remote: Network.Address) =>
    Effect.gen(function* () {
      const scheduler = yield* FiberRef.get(FiberRef.currentScheduler)
      const listening = listeners.get(Network.formatAddress(remote))
      if (listening === undefined || listening.arrivals.size >= listening.backlog) {
        const detail =
          listening === undefined
            ? `nobody listens on ${Network.formatAddress(remote)}`
            : `${listening.backlog} connections to ${Network.formatAddress(remote)} wait to be accepted already`
        return yield* new Network.TransportError({ reason: "ConnectionRefused", operation: "connect", detail })
      }
      // The client of a unix socket has no name.
      const local =
        remote.path === undefined ? { host: remote.host, port: freePort(remote.host) } : Network.unixSocket("")
      const pair: Pair = { scheduler, window, aborted: undefined }
      const there = direction()
      const back = direction()
      listening.arrivals.add(Network.fromLane(lane(pair, there, back), { remote: local, local: remote }))
      scheduler.scheduleTask(listening.arrivals.arrived, 0)
      return Network.fromLane(lane(pair, back, there), { remote, local })
    })

  const listen = ({ backlog = 511, host = "127.0.0.1", path, port = 0 }: Network.ListenOptions) =>
    Effect.gen(function* () {
      if (!Number.isInteger(port) || port < 0 || port > 65535) {
        const detail = `${port} is no port; it is a number from 0 to 65535`
        return yield* new Network.TransportError({ reason: "AddressNotAvailable", operation: "listen", detail })
      }
      const address = path === undefined ? { host, port: port === 0 ? freePort(host) : port } : Network.unixSocket(path)
      const key = Network.formatAddress(address)
      if (listeners.has(key)) {
        const detail = `somebody listens on ${key} already${path === undefined ? "; port 0 takes a free one" : ""}`
        return yield* new Network.TransportError({ reason: "AddressInUse", operation: "listen", detail })
      }
      const arrivals = Network.makeArrivals()
      yield* Effect.acquireRelease(
        Effect.sync(() => listeners.set(key, { backlog, arrivals })),
        () =>
          Effect.zipRight(
            Effect.sync(() => listeners.delete(key)),
            arrivals.abort
          )
      )
      return arrivals.listener(address)
    })

  return { connect, listen, isInProcess: true }
}

/**
 * Provides a network in memory; each build of the layer is a network of its own.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryNetwork, Network } from "sluice"
 *
 * const program = Effect.gen(function* () {
 *   const network = yield* Network.Network
 *   const listener = yield* network.listen({ port: 80 })
 *   const client = yield* network.connect(listener.address)
 *   yield* client.write(new Uint8Array([1, 2, 3]))
 *   const server = yield* listener.accept
 *   return yield* server.read
 * }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Network.Network> =>
  Layer.sync(Network.Network, () => make(options))
