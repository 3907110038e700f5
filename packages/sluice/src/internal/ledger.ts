/**
 * What all connections of one server hold together.
 */
import type { Limits } from "../Limits.js"
import { isAbove } from "../Limits.js"

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
