/**
 * Reads a header of the PROXY protocol: where it ends, as its bytes come, and what it says, once it is whole.
 */

import * as Either from "effect/Either"
import { isAbove, type Limit } from "../Limits.js"
import type { Address } from "../Network.js"
import { crc32c } from "./crc32c.js"
import * as Grammar from "./grammar.js"
import * as IpAddress from "./ipAddress.js"
import * as Latin1 from "./latin1.js"
import * as Model from "./proxyHeader.js"
import { decodeUtf8 } from "./webPlatform.js"

type Read<A> = Either.Either<A, Model.ProxyHeaderError>

const fault = (reason: Model.ProxyHeaderError["reason"], offset: number, detail: string) =>
  Either.left(new Model.ProxyHeaderError({ reason, offset, detail }))

const hexadecimal = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`

const cr = 0x0d
const lf = 0x0a

/**
 * Looks at the bytes from `from` on, and gives the length of the whole header, once it is known. In version 2 more bytes
 * may have to come; in version 1 it is the end of the line.
 *
 * @internal
 */
export const findEnd = (bytes: Uint8Array, from: number, maxHeaderSize: Limit): Read<number | undefined> =>
  bytes[0] === Model.signature[0] ? fixedEnd(bytes, from, maxHeaderSize) : lineEnd(bytes, from)

const lineEnd = (bytes: Uint8Array, from: number): Read<number | undefined> => {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (at < Model.lineStart.length) {
      if (byte !== Model.lineStart.charCodeAt(at)) return noHeader(byte, at)
    } else if (byte === lf) {
      if (bytes[at - 1] === cr) return Either.right(at + 1)
      return fault("Line", at, "an LF without a CR before it; the line ends in CRLF")
    } else if (bytes[at - 1] === cr) {
      // §2.1: "The receiver must not tolerate a single CR or LF character to end the line"
      return fault("Line", at, "a CR without an LF behind it; the line ends in CRLF")
    }
    // §2.1: "If the CRLF sequence is not found in the first 107 characters, the receiver should declare the line invalid."
    if (at === Model.maxLine - 1) return tooLong(at, Model.maxLine, Model.maxLine + 1)
  }
  return Either.right(undefined)
}

const noHeader = (byte: number, at: number) =>
  fault("Signature", at, `${hexadecimal(byte)} where a header of the PROXY protocol, version 1 or 2, is expected`)

const tooLong = (offset: number, limit: number, seen: number) =>
  Either.left(
    new Model.ProxyHeaderError({
      reason: "TooLong",
      offset,
      limit,
      seen,
      detail: `a header of ${seen} bytes or more; the limit is ${limit}`
    })
  )

const fixedEnd = (bytes: Uint8Array, from: number, maxHeaderSize: Limit): Read<number | undefined> => {
  for (let at = from; at < Math.min(bytes.length, Model.fixedSize); at++) {
    const byte = bytes[at]
    if (at < Model.signature.length) {
      if (byte !== Model.signature[at]) return noHeader(byte, at)
    } else if (at === versionAt) {
      if (byte >> 4 !== 2) return fault("Version", at, `version ${byte >> 4} of the binary header; 2 is the only one`)
      // §2.2: "Receivers must drop connections presenting unexpected values here."
      if ((byte & 0xf) > 1) return fault("Command", at, `command ${byte & 0xf}; 0 is LOCAL and 1 is PROXY`)
    } else if (at === familyAt && !isLocal(bytes) && (byte >> 4 > 3 || (byte & 0xf) > 2)) {
      // §2.2: "other values are unspecified and [...] must be rejected as invalid by receivers"
      return fault("Family", at, `${hexadecimal(byte)} is no family and transport that is assigned`)
    }
  }
  if (bytes.length < Model.fixedSize) return Either.right(undefined)
  const length = number16(bytes, lengthAt)
  const size = Model.fixedSize + length
  if (maxHeaderSize !== "unbounded" && isAbove(size, maxHeaderSize)) return tooLong(lengthAt, maxHeaderSize, size)
  const family = streamFamily(bytes)
  if (family !== undefined && length < Model.addressesSize(family)) {
    const detail = `${length} bytes behind the first 16, where the addresses have ${Model.addressesSize(family)}`
    return fault("TooShort", lengthAt, detail)
  }
  return Either.right(size)
}

const versionAt = 12
const familyAt = 13
const lengthAt = 14

const number16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

const isLocal = (bytes: Uint8Array): boolean => (bytes[versionAt] & 0xf) === 0

const families: ReadonlyArray<Model.Family | undefined> = [undefined, "inet", "inet6", "unix"]

/** The family whose addresses are read. §2.2: the family of a LOCAL header is ignored, and so may be what is no stream. */
const streamFamily = (bytes: Uint8Array): Model.Family | undefined =>
  isLocal(bytes) || (bytes[familyAt] & 0xf) !== 1 ? undefined : families[bytes[familyAt] >> 4]

/**
 * Reads a whole header, whose end was found by `findEnd`.
 *
 * @internal
 */
export const read = (bytes: Uint8Array): Read<Model.Header> =>
  bytes[0] === Model.signature[0] ? readBinary(bytes) : readLine(bytes)

const readLine = (bytes: Uint8Array): Read<Model.Header> => {
  const start = Model.lineStart.length
  const [family = "", ...parts] = Latin1.decode(bytes.subarray(start, -2)).split(" ")
  // §2.1: "the receiver must ignore anything presented before the CRLF is found"
  if (family === "UNKNOWN") return Either.right({ _tag: "Unknown", version: 1 })
  const parse = family === "TCP4" ? IpAddress.parseIpv4 : family === "TCP6" ? IpAddress.parseIpv6 : undefined
  if (parse === undefined) {
    return fault("Family", start, `${Grammar.printable(family)} where TCP4, TCP6 or UNKNOWN is expected`)
  }
  const values: Array<string | number> = []
  let at = start + family.length + 1
  for (const [index, name] of lineParts.entries()) {
    const part = parts[index]
    if (part === undefined) return fault("Line", bytes.length - 2, `the line ends where the ${name} is expected`)
    const isPort = index >= 2
    const address = isPort ? undefined : parse(part)
    const value = isPort ? parsePort(part) : address && IpAddress.format(address)
    if (value === undefined) {
      const what = isPort ? "no number from 0 to 65535 without heading zeros" : `no address of ${family}`
      return fault(isPort ? "Port" : "Address", at, `the ${name} ${Grammar.printable(part)} is ${what}`)
    }
    values.push(value)
    at += part.length + 1
  }
  if (parts.length > lineParts.length) return fault("Line", at - 1, "the line goes on behind the destination port")
  const endpoint = (index: number) => ({ host: String(values[index]), port: Number(values[index + 2]) })
  return Either.right({ _tag: "Proxied", version: 1, source: endpoint(0), destination: endpoint(1), tlvs: [] })
}

const lineParts = ["source address", "destination address", "source port", "destination port"] as const

const portPattern = /^(0|[1-9]\d{0,4})$/

const parsePort = (text: string): number | undefined => {
  const port = portPattern.test(text) ? Number(text) : undefined
  return port === undefined || port > 0xffff ? undefined : port
}

const readBinary = (bytes: Uint8Array): Read<Model.Header> => {
  if (isLocal(bytes)) return Either.right({ _tag: "Local", version: 2 })
  const family = streamFamily(bytes)
  // §2.2: "it automatically falls back to the UNSPEC mode for the valid combinations above that it does not support"
  if (family === undefined) return Either.right({ _tag: "Unknown", version: 2 })
  const size = Model.addressSizes[family]
  const first = Model.fixedSize
  const endpoint = (index: number): Address => {
    const address = bytes.subarray(first + index * size, first + (index + 1) * size)
    if (family === "unix") return { host: "", port: 0, path: pathOf(address) }
    return { host: IpAddress.format(address), port: number16(bytes, first + 2 * size + 2 * index) }
  }
  return Either.map(readTlvs(bytes, first + Model.addressesSize(family)), (tlvs) => ({
    _tag: "Proxied",
    version: 2,
    source: endpoint(0),
    destination: endpoint(1),
    tlvs
  }))
}

/** Up to the first NUL; behind one at the start, which an abstract socket has, all but the NULs at the end. */
const pathOf = (address: Uint8Array): string => {
  let end = address[0] === 0 ? address.length : address.indexOf(0)
  if (end === -1) end = address.length
  while (end > 0 && address[end - 1] === 0) end--
  return decodeUtf8(address.subarray(0, end))
}

const tlvHead = 3

const readTlvs = (bytes: Uint8Array, from: number): Read<ReadonlyArray<Model.Tlv>> => {
  const tlvs: Array<Model.Tlv> = []
  let checksumAt: number | undefined
  let at = from
  while (at < bytes.length) {
    const left = bytes.length - at - tlvHead
    if (left < 0) return fault("Tlv", at, `${bytes.length - at} bytes at the end, where a TLV has 3 or more`)
    const type = bytes[at]
    const length = number16(bytes, at + 1)
    if (length > left) return fault("Tlv", at + 1, `a TLV of ${length} bytes, where the header has ${left} left`)
    const start = at + tlvHead
    if (type === Model.TlvType.Crc32c) {
      if (length !== checksumSize) return fault("Tlv", at + 1, `a checksum of ${length} bytes; it has ${checksumSize}`)
      if (checksumAt !== undefined) return fault("Checksum", at, "a second checksum")
      checksumAt = start
    } else if (type !== Model.TlvType.NoOp) {
      tlvs.push({ type, value: bytes.slice(start, start + length) })
    }
    at = start + length
  }
  return checksumAt === undefined || isIntact(bytes, checksumAt)
    ? Either.right(tlvs)
    : fault("Checksum", checksumAt, "the CRC32c of the header is another than the one that it gives")
}

const checksumSize = 4

/** §2.2.3: the checksum is that of the header with zeros in its place. */
const isIntact = (bytes: Uint8Array, at: number): boolean => {
  const zeroed = bytes.slice()
  zeroed.fill(0, at, at + checksumSize)
  const crc = crc32c(zeroed)
  return [24, 16, 8, 0].every((shift, index) => bytes[at + index] === ((crc >>> shift) & 0xff))
}
