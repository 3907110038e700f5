/**
 * Numbers drawn from a seed, in independent streams: what one part of a run draws does not shift what another draws.
 */
import { PCGRandom } from "effect/Utils"

/** @internal What draws. A new one gets a number of its own, so that the others go on as before. */
export const Stream = { Scheduling: 1, Network: 2, Faults: 3, Program: 4, Entropy: 5, Host: 6, Crypto: 7 } as const

/** @internal */
export type Stream = (typeof Stream)[keyof typeof Stream]

/** @internal */
export class Draw {
  private readonly pcg: PCGRandom

  constructor(seed: number, stream: Stream) {
    this.pcg = new PCGRandom(Math.floor(seed / 2 ** 32), seed >>> 0, 0, stream * 2 + 1)
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 4; i++) this.pcg.number()
  }

  /** From 0 up to, but not including, `below`. */
  integer(below: number): number {
    return below <= 1 ? 0 : Math.floor(this.pcg.number() * below)
  }

  /** From 0 up to, but not including, 1. */
  number(): number {
    return this.pcg.number()
  }

  chance(probability: number): boolean {
    return probability > 0 && this.pcg.number() < probability
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.pcg.number()
  }

  /** How many times something with this probability does not happen before it does. */
  failuresBefore(probability: number): number {
    if (probability <= 0) return Number.POSITIVE_INFINITY
    if (probability >= 1) return 0
    return Math.floor(Math.log(1 - this.pcg.number()) / Math.log(1 - probability))
  }

  pick<A>(items: readonly [A, ...ReadonlyArray<A>]): A {
    // The index is below the length.
    return items[this.integer(items.length)] as A
  }

  bytes(into: Uint8Array): Uint8Array {
    for (let at = 0; at < into.length; at++) into[at] = this.integer(256)
    return into
  }
}
