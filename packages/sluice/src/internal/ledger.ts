/**
 * What all connections of one server hold together.
 */
import type { Limits } from "../Limits.js"
import { isAbove } from "../Limits.js"

/**
 * What a server has in hand, at one moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Usage {
  /** Connections, those in their handshake included. */
  readonly connections: number
  /** Opening handshakes in flight. */
  readonly handshakes: number
  /** Bytes of memory kept for unfinished messages and heads. */
  readonly pinnedBytes: number
  /** Bytes for peers that do not read. */
  readonly pendingBytes: number
}

/** @internal */
export class Ledger {
  private readonly limits: Limits
  /** Bytes kept for unfinished messages and heads. */
  pinned = 0
  /** Bytes that peers who do not read were sent. */
  pending = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Counts bytes more or less; `false` when there are now too many. */
  pin(bytes: number): boolean {
    this.pinned += bytes
    return !isAbove(this.pinned, this.limits.maxPinnedBytes)
  }

  /** The same for bytes that wait for peers. */
  pend(bytes: number): boolean {
    this.pending += bytes
    return !isAbove(this.pending, this.limits.maxPendingBytes)
  }
}
