/**
 * Bytes that arrive in pieces, kept in one growing buffer: no object per piece, and linear time for any number of them.
 *
 * Growing is geometric, and to the expected length where that is near: at most 4 times the bytes received are pinned, 16
 * times from 32 KiB on, or 64 bytes. A value is persistent: it may be continued twice with different bytes, because the spare
 * room of a buffer is used by the first who appends to it only.
 */

/** @internal */
export interface Accumulator {
  readonly length: number
  readonly buffer: { readonly bytes: Uint8Array; filled: number }
}

const smallest = 64
const few = 4

/** Who has sent so much may be believed more: each step that is left out is a copy of all that came. */
const growthOf = (length: number): number => (length < 32 * 1024 ? few : 16)

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
    if (!isInPlace(own.bytes, self.length, piece)) own.bytes.set(piece, self.length)
    own.filled = length
    return { length, buffer: own }
  }
  const roomy = Math.max(smallest, length * (few / 2))
  const bytes = new Uint8Array(
    expected < length ? roomy : Math.min(expected, Math.max(smallest, length * growthOf(length)))
  )
  bytes.set(own.bytes.subarray(0, self.length))
  bytes.set(piece, self.length)
  return { length, buffer: { bytes, filled: length } }
}

const isInPlace = (bytes: Uint8Array, at: number, piece: Uint8Array): boolean =>
  piece.buffer === bytes.buffer && piece.byteOffset === bytes.byteOffset + at

/**
 * Where at most `max` bytes that come next can be put, which `append` then need not copy; until something is appended.
 *
 * @internal
 */
export const room = (self: Accumulator, max: number): Uint8Array | undefined => {
  const { bytes, filled } = self.buffer
  const end = Math.min(bytes.length, filled + max)
  return filled !== self.length || filled === end ? undefined : bytes.subarray(filled, end)
}

/** @internal A view, valid as long as the accumulator is. */
export const toBytes = (self: Accumulator): Uint8Array => self.buffer.bytes.subarray(0, self.length)

/** @internal How many bytes of memory it holds. */
export const pinned = (self: Accumulator): number => self.buffer.bytes.length
