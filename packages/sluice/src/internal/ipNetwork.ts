/**
 * Networks of IP addresses: a prefix and its length (RFC 4632 §3.1, RFC 4291 §2.3).
 */
import * as Grammar from "./grammar.js"
import * as IpAddress from "./ipAddress.js"

/** @internal The addresses of as many bytes whose first bits are these. */
export interface IpNetwork {
  readonly prefix: Uint8Array
  readonly bits: number
}

/** @internal Reads `10.0.0.0/8` or a single address, or says what is wrong with it. */
export const parse = (text: string): IpNetwork | string => {
  const slash = text.indexOf("/")
  const address = IpAddress.parse(slash === -1 ? text : text.slice(0, slash))
  if (address === undefined) return "is neither an IP address nor a network such as 10.0.0.0/8"
  const most = address.length * 8
  const bits = slash === -1 ? most : Grammar.parseDigits(text.slice(slash + 1))
  if (bits === undefined || bits > most) return `has no prefix length from 0 to ${most} behind its slash`
  const prefix = address.map((byte, at) => byte & mask(bits, at))
  if (prefix.some((byte, at) => byte !== address[at])) {
    return `has bits behind its prefix; its network is ${IpAddress.format(prefix)}/${bits}`
  }
  return IpAddress.isMapped(prefix) && bits >= mappedBits
    ? { prefix: IpAddress.unmapped(prefix), bits: bits - mappedBits }
    : { prefix, bits }
}

/** Those of `::ffff:0:0/96`. */
const mappedBits = 96

/** The bits of the byte that belong to the prefix. */
const mask = (bits: number, at: number): number => {
  const own = Math.min(8, Math.max(0, bits - 8 * at))
  return (0xff00 >> own) & 0xff
}

/** @internal `bytes` is not a mapped address. */
export const has = ({ bits, prefix }: IpNetwork, bytes: Uint8Array): boolean =>
  bytes.length === prefix.length && prefix.every((byte, at) => byte === (bytes[at] & mask(bits, at)))
