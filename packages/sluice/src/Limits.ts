/**
 * The limits and timeouts of a connection and of a server, as one record with defaults.
 *
 * Every bound that sluice keeps is here, so that there is one place to look when a peer is refused or cut. The module
 * holds numbers only: the module that enforces a limit names it in its error, with the limit and the number seen.
 *
 * @since 0.1.0
 */
import type { DurationInput } from "effect/Duration"

/**
 * A size or a count; `"unbounded"` lets the peer decide.
 *
 * @category models
 * @since 0.1.0
 */
export type Limit = number | "unbounded"

/**
 * A span of time (milliseconds when it is a number); `"unbounded"` means that nothing happens when it has passed.
 *
 * @category models
 * @since 0.1.0
 */
export type Timeout = DurationInput | "unbounded"

/**
 * All limits and timeouts, with the sizes in bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Bytes of a request or response head, up to and with its empty line. Broken: 431. */
  readonly maxHeadSize: Limit
  /** Field lines of a head. Broken: 431. */
  readonly maxFields: Limit
  /** Bytes of the request target. Broken: 414. */
  readonly maxTarget: Limit
  /** Payload bytes of one frame, checked on its header. Broken: close code 1009. */
  readonly maxFramePayload: Limit
  /** Payload bytes of one message, all its fragments together. Broken: close code 1009. */
  readonly maxMessageSize: Limit
  /** Fragments of one message, empty ones too. Broken: close code 1008. */
  readonly maxFragments: Limit
  /** From the first byte of a message to its last. Broken: close code 1008. */
  readonly messageTimeout: Timeout
  /** Messages that wait for the application before the reader stops. */
  readonly receiveWindowMessages: Limit
  /** Payload bytes that wait for the application before the reader stops. */
  readonly receiveWindowBytes: Limit
  /** Outgoing bytes that wait for the peer before `send` suspends. */
  readonly sendHighWaterMark: Limit
  /** Ping and Pong frames that a peer may send in one second. Broken: close code 1008. */
  readonly maxControlFramesPerSecond: Limit
  /** Messages that a peer may begin in one second. Broken: close code 1008. */
  readonly maxMessagesPerSecond: Limit
  /** From the first byte of the connection to the end of the opening handshake. Broken: 408. */
  readonly handshakeTimeout: Timeout
  /** From our Close frame to the end of the connection, which is then aborted; and from there to that of the handler. */
  readonly closeTimeout: Timeout
  /** Silence of the peer after which a Ping is sent. */
  readonly pingInterval: Timeout
  /** Silence of the peer after a Ping that ends the connection as `HeartbeatLost`. */
  readonly pingTimeout: Timeout
  /** Connections of a server, those in their handshake included. Broken: 503. */
  readonly maxConnections: Limit
  /** Opening handshakes in flight of a server. Broken: 503. */
  readonly maxHandshakes: Limit
  /**
   * Connections of a server from one remote address. Broken: 429. Unbounded by default, because behind a reverse proxy
   * all clients have the address of the proxy.
   */
  readonly maxConnectionsPerAddress: Limit
  /**
   * Bytes that a server keeps for unfinished messages and heads, all connections together, or all servers and clients
   * that share a `Ledger`. Broken: close code 1013 for the connection that goes beyond it, 503 for the request.
   */
  readonly maxPinnedBytes: Limit
  /**
   * Bytes that a server has for peers that do not read, all connections together, or all servers and clients that share
   * a `Ledger`. Broken: close code 1013 for the connection that goes beyond it.
   */
  readonly maxPendingBytes: Limit
}

/**
 * The limits of a connection for which nothing else was said.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: Limits = {
  maxHeadSize: 16 * 1024,
  maxFields: 128,
  maxTarget: 8 * 1024,
  maxFramePayload: 1024 * 1024,
  maxMessageSize: 1024 * 1024,
  maxFragments: 1024,
  messageTimeout: "60 seconds",
  receiveWindowMessages: 16,
  receiveWindowBytes: 64 * 1024,
  sendHighWaterMark: 64 * 1024,
  maxControlFramesPerSecond: 256,
  maxMessagesPerSecond: "unbounded",
  handshakeTimeout: "10 seconds",
  closeTimeout: "10 seconds",
  pingInterval: "20 seconds",
  pingTimeout: "20 seconds",
  maxConnections: 16 * 1024,
  maxHandshakes: 1024,
  maxConnectionsPerAddress: "unbounded",
  maxPinnedBytes: 256 * 1024 * 1024,
  maxPendingBytes: 256 * 1024 * 1024
}

/**
 * Completes a partial record with the defaults; a field that is `undefined` counts as absent.
 *
 * @example
 * ```ts
 * import { Limits } from "sluice"
 *
 * const limits = Limits.make({ maxMessageSize: 64 * 1024, pingInterval: "unbounded" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): Limits => {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  // the entries are those of `Options`, less the undefined ones
  return { ...defaults, ...(Object.fromEntries(given) as Partial<Limits>) }
}

/**
 * Limits of which each may be left out, as taken by every constructor.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = { readonly [K in keyof Limits]?: Limits[K] | undefined }

/**
 * Whether a size or count is above its limit.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAbove = (value: number, limit: Limit): boolean => limit !== "unbounded" && value > limit
