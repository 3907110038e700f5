/**
 * Masking of RFC 6455 §5.3, over words where the run is long enough to pay for them.
 *
 * A masking key is an unsigned 32-bit number whose most significant byte is the first on the wire.
 */

// One view over the whole buffer serves every frame of a chunk; making one for each frame would cost more than it saves.
let buffer: ArrayBufferLike = new ArrayBuffer(0)
let words: Int32Array = new Int32Array(0)
let longs: BigUint64Array = new BigUint64Array(0)

const keyBytes = new Uint8Array(8)
const keyWord = new Int32Array(keyBytes.buffer)
const keyLong = new BigUint64Array(keyBytes.buffer)

const shortest = 24
const long = 512

const view = (bytes: Uint8Array): void => {
  if (bytes.buffer === buffer) return
  buffer = bytes.buffer
  words = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
  longs = new BigUint64Array(buffer, 0, buffer.byteLength >>> 3)
}

const octet = (key: number, phase: number): number => (key >>> (24 - ((phase & 3) << 3))) & 0xff

/**
 * Masks or unmasks the bytes from `start` to `end`, in place; `phase` is the index of the first of them in the payload.
 *
 * @internal
 */
export const mask = (bytes: Uint8Array, start: number, end: number, key: number, phase: number): void => {
  let at = start
  if (end - start >= shortest) {
    view(bytes)
    const base = bytes.byteOffset
    while (((base + at) & 7) !== 0) {
      bytes[at] = bytes[at] ^ octet(key, phase + at - start)
      at++
    }
    // In the byte order of the machine, so that it does not matter which one that is.
    for (let i = 0; i < 8; i++) keyBytes[i] = octet(key, phase + at - start + i)
    if (end - at >= long) {
      const last = (base + end) >>> 3
      const k = keyLong[0]
      for (let i = (base + at) >>> 3; i < last; i++) longs[i] = longs[i] ^ k
      at = (last << 3) - base
    } else {
      const last = (base + end) >>> 2
      const k = keyWord[0]
      for (let i = (base + at) >>> 2; i < last; i++) words[i] = words[i] ^ k
      at = (last << 2) - base
    }
  }
  for (; at < end; at++) bytes[at] = bytes[at] ^ octet(key, phase + at - start)
}

/** @internal The keys of a server, which masks nothing. */
export const noKeys = () => undefined

/**
 * The keys of a client, each a fresh one (RFC 6455 §5.3), taken from the source of randomness many at a time.
 *
 * @internal
 */
export const maskingKeys = (entropy: (size: number) => Uint8Array): (() => number) => {
  const size = 256
  let bytes: DataView = new DataView(new ArrayBuffer(0))
  let at = 0
  return () => {
    if (at + 4 > bytes.byteLength) {
      const fresh = entropy(size)
      bytes = new DataView(fresh.buffer, fresh.byteOffset, fresh.byteLength)
      at = 0
    }
    at += 4
    return bytes.getUint32(at - 4)
  }
}
