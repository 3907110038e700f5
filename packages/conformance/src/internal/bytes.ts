/**
 * Bytes: made from what a case says, compared, shown as hexadecimal digits.
 */
import type { Bytes } from "../Case.js"

const encoder = new TextEncoder()

/** @internal */
export const none = new Uint8Array(0)

/** @internal */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** @internal White space may stand wherever it helps to read them. */
export const fromHex = (text: string): Uint8Array => {
  const digits = text.replaceAll(/\s/g, "")
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** @internal */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** @internal */
export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** @internal */
export const equals = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

const isMany = (bytes: Bytes): bytes is ReadonlyArray<Bytes> => Array.isArray(bytes)

/** @internal The bytes that a case means. */
export const toBytes = (bytes: Bytes): Uint8Array => {
  if (typeof bytes === "string") return utf8(bytes)
  if (isMany(bytes)) return concat(bytes.map(toBytes))
  if ("hex" in bytes) return fromHex(bytes.hex)
  const part = toBytes(bytes.repeat)
  const all = new Uint8Array(part.length * bytes.times)
  if (all.length === 0) return all
  all.set(part)
  // What is there already is copied behind itself, twice as much each time.
  for (let done = part.length; done < all.length; done *= 2) all.copyWithin(done, 0, Math.min(done, all.length - done))
  return all
}
