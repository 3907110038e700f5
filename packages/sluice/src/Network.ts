/**
 * Byte connections as a service: what a WebSocket needs of TCP, and nothing of frames.
 *
 * `Network` connects and listens; a `Transport` is one duplex byte connection. Packages provide networks for hosts
 * (`@sluice/node`), `MemoryNetwork` is one in memory. A network that has a synchronous side offers it as a `Lane`, so
 * that a busy connection costs no fiber suspension per chunk.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scheduler } from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TransportError } from "./internal/transportError.js"

export { TransportError }

/**
 * Where a connection goes to or comes from: a TCP host and port.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** A name or an IP address. */
  readonly host: string
  /** From 0 to 65535; to listen on 0 is to let the network choose. */
  readonly port: number
}

/**
 * An address as `host:port`, with brackets around an IPv6 address.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/**
 * The synchronous side of a transport: it takes and gives what it can at once and tells when there is more to do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lane {
  /**
   * Takes the next bytes, which belong to the caller from then on; `"Pending"` when none are here, `"End"` after the
   * last of them, an error when the connection broke. Nothing is read ahead of it beyond one chunk.
   */
  readonly poll: () => Uint8Array | "Pending" | "End" | TransportError
  /** Names who is called each time `poll` may have something new; a second call replaces the first. */
  readonly onReadable: (wake: () => void) => void
  /**
   * Takes all the bytes, in one system call where it can; `false` when it now has so many that the sender should wait.
   * The bytes must not be changed afterwards. Where there is a `failure` they are dropped.
   */
  readonly offer: (chunks: ReadonlyArray<Uint8Array>) => boolean
  /** Whether a sender need not wait. */
  readonly isWritable: () => boolean
  /** Names who is called each time a sender need not wait any more, or in vain; a second call replaces the first. */
  readonly onWritable: (wake: () => void) => void
  /** Why nothing can be sent any more, if so. */
  readonly failure: () => TransportError | undefined
  /** Ends the output; what was offered before still goes out. */
  readonly end: () => void
  /** Ends both directions at once and frees all resources; what did not go out is lost. */
  readonly abort: () => void
}

/**
 * One duplex byte connection. It lives in a scope, at whose end it is aborted unless both sides have ended it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transport {
  /** The other end. */
  readonly remote: Address
  /** This end. */
  readonly local: Address
  /** The next bytes, which belong to the caller; fails with `None` at the end of the output of the peer. */
  readonly read: Effect.Effect<Uint8Array, Option.Option<TransportError>>
  /** Sends bytes; succeeds when the transport has taken them and holds less than its high-water mark. */
  readonly write: (bytes: Uint8Array | ReadonlyArray<Uint8Array>) => Effect.Effect<void, TransportError>
  /** Ends the output; reading goes on. */
  readonly endOfOutput: Effect.Effect<void>
  /** Ends the connection at once: the peer sees a reset. */
  readonly abort: Effect.Effect<void>
  /** The synchronous side, if the network has one; not to be used together with `read` at one time. */
  readonly lane?: Lane | undefined
  /** Runs the fiber of a served connection, for a network that can wake it without a turn of the event loop. */
  readonly scheduler?: Scheduler | undefined
}

/**
 * Accepts connections on one address, for as long as its scope is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  /** Where it listens, with the port that was chosen. */
  readonly address: Address
  /** The next connection, which lives in the scope of the caller. */
  readonly accept: Effect.Effect<Transport, TransportError, Scope.Scope>
  /**
   * The synchronous side, if the network has one: has each connection handed to `take`, in the turn in which it arrives
   * and instead of to `accept`. Who takes it aborts it. Returns how to stop.
   */
  readonly onConnection?: ((take: (transport: Transport) => void) => () => void) | undefined
}

/**
 * How to listen.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListenOptions extends Partial<Address> {
  /** Connections that may wait to be accepted; 511 by default. */
  readonly backlog?: number | undefined
}

/**
 * Makes byte connections.
 *
 * @category services
 * @since 0.1.0
 */
export class Network extends Context.Tag("sluice/Network")<
  Network,
  {
    /** Connects; the connection lives in the scope. */
    readonly connect: (address: Address) => Effect.Effect<Transport, TransportError, Scope.Scope>
    /** Listens; host `127.0.0.1` and port 0 unless said otherwise. */
    readonly listen: (options: ListenOptions) => Effect.Effect<Listener, TransportError, Scope.Scope>
  }
>() {}

/**
 * The input of a transport as a stream of chunks.
 *
 * @category getters
 * @since 0.1.0
 */
export const reads = (self: Transport): Stream.Stream<Uint8Array, TransportError> =>
  Stream.repeatEffectOption(self.read)

const ended = Effect.fail(Option.none())

/**
 * Makes a transport of its synchronous side, for those who write a network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromLane = (lane: Lane, options: Pick<Transport, "remote" | "local" | "scheduler">): Transport => {
  const take = (): Effect.Effect<Uint8Array, Option.Option<TransportError>> => {
    const polled = lane.poll()
    if (polled === "Pending") return readable
    if (polled === "End") return ended
    return polled instanceof TransportError ? Effect.fail(Option.some(polled)) : Effect.succeed(polled)
  }
  const readable = Effect.async<Uint8Array, Option.Option<TransportError>>((resume) => {
    const stop = () => lane.onReadable(ignore)
    lane.onReadable(() => {
      stop()
      resume(Effect.suspend(take))
    })
    return Effect.sync(stop)
  })
  const waiting = new Set<() => void>()
  const writable = Effect.async<void, TransportError>((resume) => {
    const wake = () => resume(sent)
    waiting.add(wake)
    lane.onWritable(() => {
      for (const wake of waiting) wake()
      waiting.clear()
    })
    return Effect.sync(() => waiting.delete(wake))
  })
  const sent = Effect.suspend(() => {
    const failure = lane.failure()
    if (failure !== undefined) return Effect.fail(failure)
    return lane.isWritable() ? Effect.void : writable
  })
  return {
    ...options,
    lane,
    read: Effect.suspend(take),
    write: (bytes) =>
      Effect.suspend(() => {
        if (lane.failure() === undefined) lane.offer(bytes instanceof Uint8Array ? [bytes] : bytes)
        return sent
      }),
    endOfOutput: Effect.sync(lane.end),
    abort: Effect.sync(lane.abort)
  }
}

const ignore = () => {}
