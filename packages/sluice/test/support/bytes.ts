/** Byte arrays for the tests: written as hex, joined, cut, compared. */
import { assert } from "@effect/vitest"
import { FastCheck } from "effect"

/** Bytes written as hex, with white space wherever it helps to read them. */
export const hex = (text: string): Uint8Array => {
  const digits = text.replaceAll(/\s/g, "")
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

export const concat = (parts: Iterable<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat([...parts]))

/** Bytes in which no two neighbours are the same and no period is that of a masking key. */
export const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8)) & 0xff)

/** `deepStrictEqual` looks at each byte by itself, which is too slow for a megabyte. */
export const assertBytes = (actual: Uint8Array, expected: Uint8Array, message?: string): void => {
  if (Buffer.compare(actual, expected) === 0) return
  const at = expected.findIndex((byte, i) => actual[i] !== byte)
  assert.fail(
    `${message ?? "the bytes differ"}: ${actual.length} and ${expected.length} bytes, first at ${at}: ` +
      `${toHex(actual.subarray(at, at + 16))} and ${toHex(expected.subarray(at, at + 16))}`
  )
}

/** Copies of the bytes, cut at the indices (any numbers, taken modulo the length); equal indices give empty chunks. */
export const cut = (bytes: Uint8Array, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const indices = at.map((index) => index % (bytes.length + 1)).sort((a, b) => a - b)
  return [...indices, bytes.length].map((end, i) => bytes.slice(i === 0 ? 0 : indices[i - 1], end))
}

export const byteByByte = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from(bytes, (byte) => Uint8Array.of(byte))

/** Where to `cut`. */
export const cuts = FastCheck.array(FastCheck.nat({ max: 0xffff }), { maxLength: 12 })
