/**
 * Where what is sent is cut: TCP promises no boundaries, so an endpoint must not depend on any.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** @internal */
export type Cut = (bytes: Uint8Array) => Effect.Effect<ReadonlyArray<Uint8Array>>

/** @internal */
export const whole: Cut = (bytes) => Effect.succeed([bytes])

/** Up to here each byte goes by itself; of what is longer only so many at both ends do. */
const most = 2048
const edge = 64
const piece = 1021

/** @internal One byte at a time. The middle of what is long goes in pieces, whose size is prime so that none fits. */
export const bytes: Cut = (bytes) =>
  Effect.sync(() => {
    const sizes: Array<number> = []
    for (let at = 0; at < bytes.length; at += sizes.at(-1) ?? 1) {
      const isMiddle = bytes.length > most && at >= edge && at < bytes.length - edge
      sizes.push(isMiddle ? Math.min(piece, bytes.length - edge - at) : 1)
    }
    return split(bytes, sizes)
  })

/** @internal Cut by chance: now a few bytes, now many. */
export const random = (seed: string): Cut => {
  const random = Random.make(seed)
  return (bytes) =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      for (let left = bytes.length; left > 0; left -= sizes.at(-1) ?? 0) {
        const most = (yield* random.nextBoolean) ? 8 : left
        sizes.push(Math.min(left, yield* random.nextIntBetween(1, most + 1)))
      }
      return split(bytes, sizes)
    })
}

const split = (bytes: Uint8Array, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  let end = 0
  return sizes.map((size) => {
    end += size
    return bytes.subarray(end - size, end)
  })
}
