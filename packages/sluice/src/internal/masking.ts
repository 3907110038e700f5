/**
 * Masking of RFC 6455 §5.3, over words where the run is long enough to pay for them.
 *
 * A masking key is an unsigned 32-bit number whose most significant byte is the first on the wire.
 */

// One view over the whole buffer serves every frame of a chunk.
let buffer: ArrayBufferLike = new ArrayBuffer(0)
let words: Words = new Int32Array(0)

/**
 * Words of 64 bits are more than twice as fast in V8, and 70 times slower in JavaScriptCore, which makes an object of
 * each; that one is known by what its errors have. The operators are the same for both, and a process has only one kind.
 */
const shift = "sourceURL" in new Error() ? 2 : 3
type Words = Int32Array

const wordsOf = (buffer: ArrayBufferLike): Words =>
  shift === 2
    ? new Int32Array(buffer, 0, buffer.byteLength >>> 2)
    : // TypeScript has no type for "bigints throughout or numbers throughout".
      (new BigUint64Array(buffer, 0, buffer.byteLength >>> 3) as unknown as Words)

const keyBytes = new Uint8Array(8)
const keyWord = wordsOf(keyBytes.buffer)

// A run that is shorter is done before the words are aligned.
const shortest = 64
// To make a view costs as much as some hundred bytes: so many have to come, here or in the frames behind.
const worthAView = 512

const octet = (key: number, phase: number): number => (key >>> (24 - ((phase & 3) << 3))) & 0xff

/** Whether there is a view over the buffer, or it is worth to have one. */
const hasView = (bytes: Uint8Array, start: number): boolean => {
  if (bytes.buffer === buffer) return true
  if (bytes.length - start < worthAView) return false
  buffer = bytes.buffer
  words = wordsOf(buffer)
  return true
}

const maskBytes = (bytes: Uint8Array, start: number, end: number, key: number, phase: number): void => {
  const k0 = octet(key, phase)
  const k1 = octet(key, phase + 1)
  const k2 = octet(key, phase + 2)
  const k3 = octet(key, phase + 3)
  let at = start
  for (; at + 3 < end; at += 4) {
    bytes[at] ^= k0
    bytes[at + 1] ^= k1
    bytes[at + 2] ^= k2
    bytes[at + 3] ^= k3
  }
  if (at < end) bytes[at] ^= k0
  if (at + 1 < end) bytes[at + 1] ^= k1
  if (at + 2 < end) bytes[at + 2] ^= k2
}

/** Masks the words from index `first` to `last`; `phase` is that of the first byte. */
const maskWords = (words: Words, first: number, last: number, key: number, phase: number): void => {
  // In the byte order of the machine, so that it does not matter which one that is.
  for (let i = 0; i < 4; i++) keyBytes[i] = keyBytes[i + 4] = octet(key, phase + i)
  const k = keyWord[0]
  let at = first
  // Four in a turn are more than twice as fast as one.
  for (; at + 3 < last; at += 4) {
    words[at] ^= k
    words[at + 1] ^= k
    words[at + 2] ^= k
    words[at + 3] ^= k
  }
  for (; at < last; at++) words[at] ^= k
}

/**
 * Masks or unmasks the bytes from `start` to `end`, in place; `phase` is the index of the first of them in the payload.
 *
 * @internal
 */
export const mask = (bytes: Uint8Array, start: number, end: number, key: number, phase: number): void => {
  if (end - start < shortest || !hasView(bytes, start)) {
    maskBytes(bytes, start, end, key, phase)
    return
  }
  const base = bytes.byteOffset
  const first = (base + start + (1 << shift) - 1) >>> shift
  const last = (base + end) >>> shift
  const from = (first << shift) - base
  const to = (last << shift) - base
  maskBytes(bytes, start, from, key, phase)
  maskWords(words, first, last, key, phase + from - start)
  maskBytes(bytes, to, end, key, phase + to - start)
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
