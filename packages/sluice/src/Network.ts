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
import { Waiters } from "./internal/waiters.js"

export { fromSystemError, type SystemError } from "./internal/systemError.js"
export { TransportError }

/**
 * Where a connection goes to or comes from: a TCP host and port, or a unix socket.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** A name or an IP address; empty for a unix socket. */
  readonly host: string
  /** From 0 to 65535; to listen on 0 is to let the network choose. 0 for a unix socket. */
  readonly port: number
  /** The file of a unix socket; empty for its client, which has none. It goes before host and port. */
  readonly path?: string | undefined
}

/**
 * The address of a unix socket.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Network, WebSocketClient } from "sluice"
 *
 * const socket = WebSocketClient.connect({
 *   url: "ws://localhost/chat",
 *   address: Network.unixSocket("/run/chat.sock")
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const unixSocket = (path: string): Address => ({ host: "", port: 0, path })

/**
 * An address as `host:port`, with brackets around an IPv6 address, or as `unix:path`.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatAddress = ({ host, path, port }: Address): string =>
  path !== undefined ? `unix:${path}` : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/**
 * What was agreed on in the TLS handshake of a connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsSession {
  /** As `TLSv1.3`. */
  readonly version: string
  /** The protocol that was chosen by ALPN (RFC 7301), as `http/1.1`; absent if none was. */
  readonly alpnProtocol: string | undefined
  /** Whether the peer has a certificate that was verified. Of a client that is one that the server has asked for. */
  readonly authorized: boolean
  /** The certificate of the peer, if it has sent one; one that is not `authorized` may be anybody's. */
  readonly peerCertificate: Certificate | undefined
}

/**
 * A certificate (RFC 5280).
 *
 * @category models
 * @since 0.1.0
 */
export interface Certificate {
  /** Whose it is, an attribute on each line, as `CN=ada`. */
  readonly subject: string
  /** Who has signed it, in the same form. */
  readonly issuer: string
  /** The names that it is for, as `DNS:ada.example, URI:spiffe://example/ada`; absent if it has none. */
  readonly subjectAltName: string | undefined
  /** SHA-256 over `raw`: pairs of hexadecimal digits with colons between. */
  readonly fingerprint256: string
  /** The certificate in DER. */
  readonly raw: Uint8Array
}

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
   *
   * `room` is memory of the caller, who would copy the next bytes there anyway. Until the next call they may be put
   * there, from its start on, now or as they come: what is given then is a view of it.
   */
  poll(room?: Uint8Array): Uint8Array | "Pending" | "End" | TransportError
  /** Names who is called each time `poll` may have something new; a second call replaces the first. */
  onReadable(wake: () => void): void
  /**
   * Takes all the bytes, in one system call where it can; `false` when it now has so many that the sender should wait.
   * The bytes must not be changed afterwards. Where there is a `failure` they are dropped.
   */
  offer(chunks: ReadonlyArray<Uint8Array>): boolean
  /** Whether a sender need not wait. */
  isWritable(): boolean
  /** Names who is called each time a sender need not wait any more, or in vain; a second call replaces the first. */
  onWritable(wake: () => void): void
  /** Why nothing can be sent any more, if so. */
  failure(): TransportError | undefined
  /** Ends the output; what was offered before still goes out. */
  end(): void
  /** Frees all resources at once. What did not go out is lost, and the peer sees a reset unless the output had ended. */
  abort(): void
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
  /** What was agreed on by TLS; absent where there is none. */
  readonly tls?: TlsSession | undefined
  /** The next bytes, which belong to the caller; fails with `None` at the end of the output of the peer. */
  readonly read: Effect.Effect<Uint8Array, Option.Option<TransportError>>
  /** Sends bytes; succeeds when the transport has taken them and holds less than its high-water mark. */
  readonly write: (bytes: Uint8Array | ReadonlyArray<Uint8Array>) => Effect.Effect<void, TransportError>
  /** Ends the output; reading goes on. */
  readonly endOfOutput: Effect.Effect<void>
  /** Ends the connection at once: the peer sees a reset, unless the output had ended. */
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
  /** Who may connect to a unix socket: its permissions, as `0o660`; those of a new file unless said otherwise. */
  readonly mode?: number | undefined
}

/**
 * Where to connect to, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectOptions extends Address {
  /** Asks for TLS with a server whose certificate is for this name or IP address; none by default. */
  readonly tls?: { readonly serverName: string } | undefined
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
    readonly connect: (options: ConnectOptions) => Effect.Effect<Transport, TransportError, Scope.Scope>
    /** Listens; host `127.0.0.1` and port 0 unless said otherwise. */
    readonly listen: (options: ListenOptions) => Effect.Effect<Listener, TransportError, Scope.Scope>
    /** Whether its bytes never leave the process, so that it stands for TLS without doing any; `false` if absent. */
    readonly isInProcess?: boolean | undefined
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

/**
 * What a transport has beside its synchronous side.
 *
 * @category models
 * @since 0.1.0
 */
export type Facts = Pick<Transport, "remote" | "local" | "tls" | "scheduler">

/**
 * Makes a transport of its synchronous side, for those who write a network.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromLane = (lane: Lane, options: Facts): Transport => new LaneTransport(lane, options)

const ignore = () => {}

// A server has many of them and uses their lanes: the effects are made when they are asked for.
class LaneTransport implements Transport {
  readonly lane: Lane
  private readonly options: Facts
  private writers: Waiters | undefined = undefined

  constructor(lane: Lane, options: Facts) {
    this.lane = lane
    this.options = options
  }

  get remote() {
    return this.options.remote
  }

  get local() {
    return this.options.local
  }

  get tls() {
    return this.options.tls
  }

  get scheduler() {
    return this.options.scheduler
  }

  get read(): Transport["read"] {
    return Effect.suspend(() => this.taken() ?? this.readable)
  }

  private taken(): Transport["read"] | undefined {
    const polled = this.lane.poll()
    if (polled === "Pending") return undefined
    if (polled === "End") return Effect.fail(Option.none())
    return polled instanceof TransportError ? Effect.fail(Option.some(polled)) : Effect.succeed(polled)
  }

  get write(): Transport["write"] {
    return (bytes) =>
      Effect.suspend(() => {
        if (this.lane.failure() === undefined) this.lane.offer(bytes instanceof Uint8Array ? [bytes] : bytes)
        return this.written
      })
  }

  get endOfOutput() {
    return Effect.sync(() => this.lane.end())
  }

  get abort() {
    return Effect.sync(() => this.lane.abort())
  }

  private get readable(): Transport["read"] {
    return Effect.async((resume) => {
      // The fiber may have yielded between its look and this.
      const taken = this.taken()
      if (taken !== undefined) return resume(taken)
      const stop = () => this.lane.onReadable(ignore)
      this.lane.onReadable(() => {
        stop()
        resume(this.read)
      })
      return Effect.sync(stop)
    })
  }

  private get written(): Effect.Effect<void, TransportError> {
    return Effect.suspend(() => {
      const failure = this.lane.failure()
      if (failure !== undefined) return Effect.fail(failure)
      return this.lane.isWritable() ? Effect.void : this.writable
    })
  }

  private get writable(): Effect.Effect<void, TransportError> {
    this.writers ??= new Waiters()
    const { lane, writers } = this
    lane.onWritable(() => writers.wake())
    const waited = writers.wait(() => lane.failure() !== undefined || lane.isWritable())
    return Effect.zipRight(waited, this.written)
  }
}

/**
 * The connections of a listener that wait to be accepted, for those who write a network.
 *
 * A network adds each new connection and then says that one has arrived, in a task or an event of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Arrivals {
  /** How many wait. */
  readonly size: number
  /** Adds one that waits; nobody is told yet. */
  add(transport: Transport): void
  /** Takes back one that waits; `false` if it was accepted. */
  remove(transport: Transport): boolean
  /** Has `accept` fail once, for one of those who call it. */
  fail(error: TransportError): void
  /** Tells who accepts that there is something new. */
  readonly arrived: () => void
  /** The listener that hands them out. */
  listener(address: Address): Listener
  /** Aborts all that wait; for the end of the listener. */
  readonly abort: Effect.Effect<void>
}

/**
 * Makes a queue of arrivals, in which nobody waits yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeArrivals = (): Arrivals => {
  const waiting: Array<Transport> = []
  const acceptors = new Set<() => void>()
  let failure: TransportError | undefined
  const wakeAcceptors = () => {
    const woken = [...acceptors]
    acceptors.clear()
    for (const wake of woken) wake()
  }
  let tell = wakeAcceptors
  const next: Effect.Effect<Transport, TransportError> = Effect.suspend(() => {
    const transport = waiting.shift()
    if (transport !== undefined) return Effect.succeed(transport)
    if (failure === undefined) return Effect.zipRight(Effect.interruptible(arrival), next)
    const error = failure
    failure = undefined
    return Effect.fail(error)
  })
  const arrival = Effect.async<void>((resume) => {
    // The fiber may have yielded between its look and this.
    if (waiting.length > 0 || failure !== undefined) return resume(Effect.void)
    const wake = () => resume(Effect.void)
    acceptors.add(wake)
    return Effect.sync(() => acceptors.delete(wake))
  })
  return {
    get size() {
      return waiting.length
    },
    add: (transport) => waiting.push(transport),
    remove: (transport) => {
      const at = waiting.indexOf(transport)
      if (at >= 0) waiting.splice(at, 1)
      return at >= 0
    },
    fail: (error) => {
      failure = error
    },
    arrived: () => tell(),
    listener: (address) => ({
      address,
      accept: Effect.acquireRelease(next, (transport) => transport.abort),
      onConnection: (take) => {
        const takeAll = () => {
          for (const transport of waiting.splice(0)) take(transport)
        }
        tell = takeAll
        takeAll()
        return () => {
          if (tell === takeAll) tell = wakeAcceptors
        }
      }
    }),
    abort: Effect.suspend(() => Effect.forEach(waiting.splice(0), (transport) => transport.abort, { discard: true }))
  }
}

/**
 * Listens on a unix socket, also where the file of one is still there on which nobody listens any more, for those who
 * write a network.
 *
 * `remove` removes the file of a socket, and says whether it did. A path on which somebody listens, or which is another
 * file, fails with `AddressInUse` as ever.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reclaim = (
  { connect, listen }: Network["Type"],
  remove: (path: string) => boolean
): ((options: ListenOptions) => Effect.Effect<Listener, TransportError, Scope.Scope>) => {
  const isStale = (path: string) =>
    connect(unixSocket(path)).pipe(
      Effect.as(false),
      Effect.catchTag("TransportError", ({ reason }) => Effect.succeed(reason === "ConnectionRefused")),
      Effect.scoped
    )
  return (options) => {
    const { path } = options
    if (path === undefined) return listen(options)
    return Effect.catchIf(
      listen(options),
      ({ reason }) => reason === "AddressInUse",
      (error) =>
        Effect.flatMap(isStale(path), (stale) => (stale && remove(path) ? listen(options) : Effect.fail(error)))
    )
  }
}
