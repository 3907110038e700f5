/** A second reading of headers of the PROXY protocol: regular expressions, `node:net` and a `DataView` over all bytes. */
import { isIPv4, isIPv6 } from "node:net"

export interface Read {
  readonly size: number
  /** Addresses and ports as they are compared: `undefined` where the header names nobody. */
  readonly ends: ReadonlyArray<string> | undefined
  readonly tlvs: ReadonlyArray<string>
}

/** One spelling for each address; an abstract socket keeps its NUL. */
export const canonical = (host: string): string => (isIPv6(host) ? new URL(`http://[${host}]/`).hostname : host)

const line = /^PROXY (?:(UNKNOWN)(?: [^\r\n]*)?|(TCP[46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4}))\r\n/

const readLine = (text: string): Read | undefined => {
  const found = line.exec(text.slice(0, 107))
  if (found === null) return undefined
  const [{ length: size }, unknown, family, source = "", destination = "", from, to] = found
  if (unknown !== undefined) return { size, ends: undefined, tlvs: [] }
  const isRight = family === "TCP4" ? isIPv4 : isIPv6
  if (![source, destination].every(isRight) || Number(from) > 65535 || Number(to) > 65535) return undefined
  return { size, ends: [canonical(source), canonical(destination), `${from}`, `${to}`], tlvs: [] }
}

const signature = "\r\n\r\n\0\r\nQUIT\n"

const sizes: { readonly [family: number]: number } = { 17: 4, 33: 16, 49: 108 }

const pathOf = (bytes: Buffer): string => {
  const isAbstract = bytes[0] === 0
  const text = bytes.toString("latin1")
  return Buffer.from(isAbstract ? text.replace(/\0+$/, "") : text.replace(/\0.*$/s, ""), "latin1").toString("utf8")
}

const hostOf = (bytes: Buffer): string =>
  bytes.length === 4
    ? bytes.join(".")
    : bytes.length === 16
      ? canonical(bytes.toString("hex").replace(/(....)(?!$)/g, "$1:"))
      : pathOf(bytes)

const readBinary = (bytes: Buffer, limit: number): Read | undefined => {
  if (bytes.length < 16 || bytes[12]! >> 4 !== 2 || (bytes[12]! & 15) > 1) return undefined
  const size = 16 + bytes.readUInt16BE(14)
  const [isLocal, family] = [bytes[12] === 0x20, bytes[13]!]
  if (size > limit || size > bytes.length || (!isLocal && (family >> 4 > 3 || (family & 15) > 2))) return undefined
  const width = sizes[family]
  if (isLocal || width === undefined) return { size, ends: undefined, tlvs: [] }
  const ports = width === 108 ? 0 : 4
  let at = 16 + 2 * width + ports
  if (size < at) return undefined
  const hosts = [0, 1].map((index) => hostOf(bytes.subarray(16 + index * width, 16 + (index + 1) * width)))
  const numbers = [0, 2].map((offset) => (ports === 0 ? "0" : String(bytes.readUInt16BE(16 + 2 * width + offset))))
  const tlvs: Array<string> = []
  while (at < size) {
    if (at + 3 > size) return undefined
    const [type, length] = [bytes[at]!, bytes.readUInt16BE(at + 1)]
    if (at + 3 + length > size) return undefined
    // Whether the checksum is right is for the vectors to say; here it is only known to be one.
    if (type === 3 && length !== 4) return undefined
    if (type !== 3 && type !== 4) tlvs.push(`${type} ${bytes.toString("hex", at + 3, at + 3 + length)}`)
    at += 3 + length
  }
  return { size, ends: [...hosts, ...numbers], tlvs }
}

/** What the header at the start says; `undefined` where there is none that is whole and right, but for its checksum. */
export const read = (input: Uint8Array, limit: number): Read | undefined => {
  const bytes = Buffer.from(input)
  const text = bytes.toString("latin1")
  return text.startsWith(signature) ? readBinary(bytes, limit) : readLine(text)
}
