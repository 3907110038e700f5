/**
 * What all connections of one server, or of a whole process, hold together.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isAbove, type Limit, type Limits } from "../Limits.js"

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

/**
 * Two sums of bytes, and how high they may be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Account {
  /** The limit of the bytes kept for unfinished messages and heads. */
  readonly maxPinnedBytes: Limit
  /** The limit of the bytes for peers that do not read. */
  readonly maxPendingBytes: Limit
  /** How many are kept for unfinished messages and heads. */
  readonly pinnedBytes: number
  /** How many there are for peers that do not read. */
  readonly pendingBytes: number
  /** Counts bytes more or less that are kept; `false` when there are now too many. */
  readonly pin: (bytes: number) => boolean
  /** The same for bytes that wait for peers. */
  readonly pend: (bytes: number) => boolean
}

/**
 * One account for all servers and clients that are made with it in their context, in place of one for each.
 *
 * @category services
 * @since 0.1.0
 */
export class Ledger extends Context.Tag("sluice/Ledger")<Ledger, Account>() {}

class Sums implements Account {
  readonly maxPinnedBytes: Limit
  readonly maxPendingBytes: Limit
  pinnedBytes = 0
  pendingBytes = 0

  constructor({ maxPendingBytes, maxPinnedBytes }: Pick<Limits, "maxPinnedBytes" | "maxPendingBytes">) {
    this.maxPinnedBytes = maxPinnedBytes
    this.maxPendingBytes = maxPendingBytes
  }

  pin(bytes: number): boolean {
    this.pinnedBytes += bytes
    return !isAbove(this.pinnedBytes, this.maxPinnedBytes)
  }

  pend(bytes: number): boolean {
    this.pendingBytes += bytes
    return !isAbove(this.pendingBytes, this.maxPendingBytes)
  }
}

/** @internal */
export const make = (limits: Pick<Limits, "maxPinnedBytes" | "maxPendingBytes">): Account => new Sums(limits)

/** @internal The shared account, or a new one. */
export const current = (limits: Limits): Effect.Effect<Account> =>
  Effect.map(
    Effect.serviceOption(Ledger),
    Option.getOrElse(() => make(limits))
  )
