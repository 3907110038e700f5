/**
 * IP addresses as text and as bytes: 4 for IPv4, 16 for IPv6.
 */

/** Four numbers without heading zeros, as `inet_pton` and the PROXY protocol have them. */
const dottedQuad = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/

const group = /^[0-9a-f]{1,4}$/i

/** That of `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`. */
const longest = 45

/** @internal Four decimal numbers with dots between. */
export const parseIpv4 = (text: string): Uint8Array | undefined => {
  if (text.length > longest) return undefined
  const numbers = dottedQuad.exec(text)?.slice(1).map(Number)
  return numbers === undefined || numbers.some((number) => number > 255) ? undefined : Uint8Array.from(numbers)
}

/** @internal All forms of RFC 4291 §2.2, the one with an IPv4 address at the end too; no zone. */
export const parseIpv6 = (text: string): Uint8Array | undefined => {
  if (text.length > longest) return undefined
  const sides = text.split("::")
  const before = groups(sides[0] ?? "", sides.length === 1)
  const after = sides.length === 1 ? [] : groups(sides[1] ?? "", true)
  if (before === undefined || after === undefined || sides.length > 2) return undefined
  const missing = 8 - before.length - after.length
  // RFC 4291 §2.2: "The use of "::" indicates one or more groups of 16 bits of zeros."
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined
  const all = [...before, ...new Array<number>(missing).fill(0), ...after]
  return Uint8Array.from(all.flatMap((number) => [number >> 8, number & 0xff]))
}

/** The 16-bit numbers between colons; the last may be an IPv4 address, if it ends the whole. */
const groups = (text: string, isEnd: boolean): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const numbers: Array<number> = []
  for (const [at, part] of parts.entries()) {
    if (group.test(part)) numbers.push(Number.parseInt(part, 16))
    else {
      const quad = isEnd && at === parts.length - 1 ? parseIpv4(part) : undefined
      if (quad === undefined) return undefined
      numbers.push((quad[0] << 8) | quad[1], (quad[2] << 8) | quad[3])
    }
  }
  return numbers
}

/** @internal */
export const parse = (text: string): Uint8Array | undefined => parseIpv4(text) ?? parseIpv6(text)

const mappedPrefix = 12

/** @internal Whether it is an IPv4 address in the form of an IPv6 one, `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
export const isMapped = (bytes: Uint8Array): boolean =>
  bytes.length === 16 && bytes.subarray(0, mappedPrefix).every((byte, at) => byte === (at < 10 ? 0 : 0xff))

/** @internal The IPv4 address that is mapped, or the address itself. */
export const unmapped = (bytes: Uint8Array): Uint8Array => (isMapped(bytes) ? bytes.subarray(mappedPrefix) : bytes)

/** @internal The one text for an address (RFC 5952 §4 and §5), which hosts print, too. */
export const format = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return bytes.join(".")
  if (isMapped(bytes)) return `::ffff:${format(unmapped(bytes))}`
  const numbers = Array.from({ length: 8 }, (_, at) => (bytes[2 * at] << 8) | bytes[2 * at + 1])
  const { length, start } = longestZeros(numbers)
  const text = (part: ReadonlyArray<number>) => part.map((number) => number.toString(16)).join(":")
  // RFC 5952 §4.2.2: "The symbol "::" MUST NOT be used to shorten just one 16-bit 0 field."
  return length < 2 ? text(numbers) : `${text(numbers.slice(0, start))}::${text(numbers.slice(start + length))}`
}

/** RFC 5952 §4.2.3: the longest run, and the first of equally long ones. */
const longestZeros = (numbers: ReadonlyArray<number>): { readonly start: number; readonly length: number } => {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [at, number] of numbers.entries()) {
    length = number === 0 ? length + 1 : 0
    if (length > longest.length) longest = { start: at - length + 1, length }
  }
  return longest
}
