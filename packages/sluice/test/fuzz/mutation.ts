/** Inputs from inputs: what a byte-wise fuzzer changes, and what is worth changing in heads and frames. */
import { concat, utf8 } from "../support/bytes.js"
import type { Random } from "./random.js"

export interface Materials {
  readonly words: ReadonlyArray<Uint8Array>
  /** Another input, to take a part of. */
  readonly other: () => Uint8Array
  readonly maxSize: number
}

type Mutation = (bytes: Uint8Array, random: Random, materials: Materials) => Uint8Array

/** The bytes with something else between two indices. */
export const replaced = (bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array =>
  concat([bytes.subarray(0, start), by, bytes.subarray(end)])

const place = (bytes: Uint8Array, random: Random): number => random.below(bytes.length + 1)

/** Short ones are more likely. */
const range = (bytes: Uint8Array, random: Random): readonly [start: number, end: number] => {
  const start = place(bytes, random)
  const most = random.oneIn(4) ? bytes.length : 16
  return [start, Math.min(bytes.length, start + 1 + random.below(Math.max(1, most)))]
}

const withByte = (bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array => {
  const copy = bytes.slice()
  const at = random.below(Math.max(1, copy.length))
  if (at < copy.length) copy[at] = change(copy[at])
  return copy
}

const special = [0, 1, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3b, 0x3d, 0x5c, 0x7d, 0x7e, 0x7f, 0x80, 0x8a, 0xff]

/** Lengths at which something changes (RFC 6455 §5.2), and at which numbers do. */
const lengths: ReadonlyArray<bigint> = [0, 1, 2, 123, 124, 125, 126, 127, 128, 255, 256, 65535, 65536, 1048576, 1048577]
  .map(BigInt)
  .concat([1n << 31n, 1n << 32n, (1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, 1n << 63n])

/** Overwrites 1, 2, 4 or 8 bytes with a number, the most significant byte first. */
const lengthField: Mutation = (bytes, random) => {
  const at = place(bytes, random)
  const size = random.pick([1, 2, 2, 4, 8])
  if (at + size > bytes.length) return bytes
  const rest = BigInt(bytes.length - at - size)
  const length = random.oneIn(3) ? rest + BigInt(random.below(3)) - 1n : random.pick(lengths)
  const copy = bytes.slice()
  for (let i = 0; i < size; i++) copy[at + i] = Number((length >> BigInt(8 * (size - 1 - i))) & 0xffn)
  return copy
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

/** Another decimal number in the place of one. */
const decimalField: Mutation = (bytes, random) => {
  let start = place(bytes, random)
  while (start < bytes.length && !isDigit(bytes[start])) start++
  let end = start
  while (end < bytes.length && isDigit(bytes[end])) end++
  return start === end ? bytes : replaced(bytes, start, end, utf8(random.pick(lengths).toString()))
}

/** The lines, each with its end. */
const linesOf = (bytes: Uint8Array): Array<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  for (let start = 0; start < bytes.length; ) {
    const lineFeed = bytes.indexOf(0x0a, start)
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1
    lines.push(bytes.subarray(start, end))
    start = end
  }
  return lines
}

/** Takes a line out, or puts one of this or of another input in another place. */
const lineWise: Mutation = (bytes, random, { other }) => {
  const lines = linesOf(bytes)
  if (lines.length === 0) return bytes
  const [line] = random.oneIn(2) ? lines.splice(random.below(lines.length), 1) : [random.pick(lines)]
  const foreign = random.oneIn(3) ? linesOf(other()) : []
  if (!random.oneIn(3)) {
    lines.splice(random.below(lines.length + 1), 0, foreign.length > 0 ? random.pick(foreign) : line)
  }
  return concat(lines)
}

/** A part of the input again and again, seldom until the input is as long as it may be. */
const repetition: Mutation = (bytes, random, { maxSize }) => {
  const [start, end] = range(bytes, random)
  if (start === end) return bytes
  const most = random.oneIn(20) ? (random.oneIn(8) ? maxSize : 4096) : 256
  const count = Math.floor(random.below(most) / (end - start))
  return replaced(bytes, end, end, concat(Array.from({ length: count }, () => bytes.subarray(start, end))))
}

const otherCase = (byte: number): number => ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a ? byte ^ 0x20 : byte)

const mutations: ReadonlyArray<Mutation> = [
  (bytes, random) => withByte(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => withByte(bytes, random, () => random.next()),
  (bytes, random) => withByte(bytes, random, () => random.pick(special)),
  (bytes, random) => withByte(bytes, random, (byte) => byte + random.below(33) - 16),
  (bytes, random) => withByte(bytes, random, otherCase),
  (bytes, random) => replaced(bytes, ...range(bytes, random), new Uint8Array(0)),
  (bytes, random) => bytes.slice(0, place(bytes, random)),
  (bytes, random) => {
    const at = place(bytes, random)
    return replaced(
      bytes,
      at,
      at,
      random.oneIn(2) ? random.bytes(1 + random.below(8)) : Uint8Array.of(random.pick(special))
    )
  },
  (bytes, random, { words }) => {
    const at = place(bytes, random)
    return words.length === 0 ? bytes : replaced(bytes, at, at, random.pick(words))
  },
  (bytes, random, { words }) =>
    words.length === 0 ? bytes : replaced(bytes, ...range(bytes, random), random.pick(words)),
  (bytes, random, { other }) => {
    const foreign = other()
    return replaced(bytes, ...range(bytes, random), foreign.subarray(...range(foreign, random)))
  },
  (bytes, random, { other }) => {
    const foreign = other()
    return concat([bytes.subarray(0, place(bytes, random)), foreign.subarray(place(foreign, random))])
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random)
    const at = place(bytes, random)
    return replaced(bytes, at, at, bytes.slice(start, end))
  },
  lengthField,
  decimalField,
  lineWise,
  lineWise,
  repetition
]

/** A few mutations, one on the other. */
export const mutate = (input: Uint8Array, random: Random, materials: Materials): Uint8Array => {
  let bytes = input
  do bytes = random.pick(mutations)(bytes, random, materials)
  while (!random.oneIn(3))
  return bytes.length > materials.maxSize ? bytes.slice(0, materials.maxSize) : bytes.slice()
}
