/**
 * Bytes that arrive in pieces, kept in one growing buffer: no object per piece, and linear time for any number of them.
 *
 * Growing is geometric, and to the expected length where that is near: at most `growth` times the bytes received are
 * pinned, or `smallest` bytes. A value is persistent: it may be continued twice with different bytes, because the spare
 * room of a buffer is used by the first who appends to it only.
 */

/** @internal */
export interface Accumulator {
  readonly length: number
  readonly buffer: { readonly bytes: Uint8Array; filled: number }
}

const growth = 4
const smallest = 64

/** @internal */
export const empty: Accumulator = { length: 0, buffer: { bytes: new Uint8Array(0), filled: 0 } }

/**
 * Adds a piece; `expected` is the length that the whole is known to reach, 0 where that is not known.
 *
 * @internal
 */
export const append = (self: Accumulator, piece: Uint8Array, expected = 0): Accumulator => {
  if (piece.length === 0) return self
  const length = self.length + piece.length
  const own = self.buffer
  if (own.filled === self.length && length <= own.bytes.length) {
    own.bytes.set(piece, self.length)
    own.filled = length
    return { length, buffer: own }
  }
  const roomy = Math.max(smallest, length * (growth / 2))
  const bytes = new Uint8Array(expected < length ? roomy : Math.min(expected, Math.max(smallest, length * growth)))
  bytes.set(own.bytes.subarray(0, self.length))
  bytes.set(piece, self.length)
  return { length, buffer: { bytes, filled: length } }
}

/** @internal A view, valid as long as the accumulator is. */
export const toBytes = (self: Accumulator): Uint8Array => self.buffer.bytes.subarray(0, self.length)

/** @internal How many bytes of memory it holds. */
export const pinned = (self: Accumulator): number => self.buffer.bytes.length
