/** The bytes that the codecs decode: masked frames, as a client sends them. */

/** Each frame has another key; a xorshift is random enough for that, and the same in every process. */
const keys = () => {
  let state = 123456789
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state | 0x01010101
  }
}

const headLength = (size: number) => (size < 126 ? 2 : size < 65536 ? 4 : 10)

/** The last byte of every payload of that size, by which a decoder shows that it has unmasked. */
export const lastByte = (size: number) => 97 + ((size - 1) % 26)

export interface Frames {
  readonly count: number
  /** The fragments of one message, not messages. */
  readonly isFragmented: boolean
}

export const make = (size: number, { count, isFragmented }: Frames): Buffer => {
  const head = headLength(size)
  const length = head + 4 + size
  const bytes = Buffer.alloc(count * length)
  const nextKey = keys()
  for (let frame = 0, at = 0; frame < count; frame++, at += length) {
    const isFinal = !isFragmented || frame === count - 1
    const opcode = isFragmented && frame > 0 ? 0 : 2
    bytes[at] = (isFinal ? 0x80 : 0) | opcode
    if (head === 2) bytes[at + 1] = 0x80 | size
    else if (head === 4) {
      bytes[at + 1] = 0xfe
      bytes.writeUInt16BE(size, at + 2)
    } else {
      bytes[at + 1] = 0xff
      bytes.writeBigUInt64BE(BigInt(size), at + 2)
    }
    const key = at + head
    bytes.writeInt32LE(nextKey(), key)
    for (let index = 0; index < size; index++) {
      bytes[key + 4 + index] = (97 + (index % 26)) ^ (bytes[key + (index & 3)] ?? 0)
    }
  }
  return bytes
}

export const chunkSize = 64 * 1024

/** The bytes as a socket hands them out, each chunk with one of its size to be filled from it. */
export const chunks = (bytes: Buffer): ReadonlyArray<{ readonly from: Buffer; readonly to: Buffer }> =>
  Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, index) => {
    const from = bytes.subarray(index * chunkSize, (index + 1) * chunkSize)
    return { from, to: Buffer.alloc(from.length) }
  })
