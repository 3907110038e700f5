/**
 * What a header of the PROXY protocol says, and what can be wrong with it.
 */
import * as Data from "effect/Data"
import type { Address } from "../Network.js"

/**
 * A further fact that version 2 can carry (§2.2): a type and a value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tlv {
  /** From 0 to 255, as in `TlvType`. */
  readonly type: number
  /** At most 65,535 bytes. */
  readonly value: Uint8Array
}

/**
 * A connection that the proxy relays for a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface Proxied {
  /** Tells it from the other headers. */
  readonly _tag: "Proxied"
  /** 1 is a line of text, 2 is binary. */
  readonly version: 1 | 2
  /** The client. */
  readonly source: Address
  /** What the client has connected to. */
  readonly destination: Address
  /** What else the proxy says, in order; nothing in version 1. */
  readonly tlvs: ReadonlyArray<Tlv>
}

/**
 * A connection that the proxy relays for a client of which it says nothing, or nothing that a stream can have: `UNKNOWN`
 * of version 1; `UNSPEC` and datagrams of version 2.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unknown {
  /** Tells it from the other headers. */
  readonly _tag: "Unknown"
  /** 1 is a line of text, 2 is binary. */
  readonly version: 1 | 2
}

/**
 * A connection of the proxy itself, such as one that looks whether the server is there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Local {
  /** Tells it from the other headers. */
  readonly _tag: "Local"
  /** Version 1 has no such header. */
  readonly version: 2
}

/**
 * What a proxy says of a connection, before all else that comes on it.
 *
 * @category models
 * @since 0.1.0
 */
export type Header = Proxied | Unknown | Local

/**
 * The types of the facts that are registered (§2.2).
 *
 * @category constants
 * @since 0.1.0
 */
export const TlvType = {
  Alpn: 0x01,
  Authority: 0x02,
  Crc32c: 0x03,
  NoOp: 0x04,
  UniqueId: 0x05,
  Ssl: 0x20,
  NetworkNamespace: 0x30
} as const

/**
 * What came is no header of the PROXY protocol, or did not come in time; at which byte, counted from 0.
 *
 * - `Signature`: neither `PROXY ` nor the signature of version 2, so there is no header at all.
 * - `Version`, `Command`: version 2 with another version, or a command that is not assigned.
 * - `Family`: a family or a transport that is not assigned.
 * - `Line`: version 1 without exactly one space between its parts, with more or fewer of them, or with half of its CRLF.
 * - `Address`, `Port`: no address of the family, or no port from 0 to 65535 without heading zeros.
 * - `TooLong`: more than 107 bytes in version 1, or than the option says in version 2; with both numbers.
 * - `TooShort`: version 2 that has no room for the addresses of its family.
 * - `Tlv`, `Checksum`: a fact that goes beyond the header, or a CRC32c that is another.
 * - `UnexpectedEnd`, `Timeout`: the connection has ended, or the time was over, before the header was whole.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProxyHeaderError extends Data.TaggedError("ProxyHeaderError")<{
  /** Which rule or limit was broken. */
  readonly reason:
    | "Signature"
    | "Version"
    | "Command"
    | "Family"
    | "Line"
    | "Address"
    | "Port"
    | "TooLong"
    | "TooShort"
    | "Tlv"
    | "Checksum"
    | "UnexpectedEnd"
    | "Timeout"
  /** What was seen, and what would be right. */
  readonly detail: string
  /** The byte at which it was known. */
  readonly offset: number
  /** The limit that was broken, if it was one. */
  readonly limit?: number | undefined
  /** What was compared with the limit. */
  readonly seen?: number | undefined
}> {
  /** The detail and the place. */
  override get message(): string {
    return `${this.detail} (byte ${this.offset} of the PROXY header)`
  }
}

/**
 * A header that cannot be written.
 *
 * - `Address`, `Port`: no IP address and no path of at most 108 bytes, or no port from 0 to 65535.
 * - `Family`: the two ends are not of one family.
 * - `Version`: version 1 knows neither unix sockets nor further facts.
 * - `Tlv`: a type that is none, or one that the encoder writes itself.
 * - `TooLong`: more than 65,535 bytes behind the first 16.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProxyEncodeError extends Data.TaggedError("ProxyEncodeError")<{
  /** Which part cannot be written. */
  readonly reason: "Address" | "Port" | "Family" | "Version" | "Tlv" | "TooLong"
  /** What was given, and what would be right. */
  readonly detail: string
}> {
  /** One line for a person. */
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}

/** @internal The first 12 bytes of version 2. */
export const signature: ReadonlyArray<number> = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

/** @internal What version 2 begins with: signature, version and command, family and transport, length. */
export const fixedSize = 16

/** @internal What version 1 begins with. */
export const lineStart = "PROXY "

/** @internal The most bytes of version 1, its CRLF included. */
export const maxLine = 107

/** @internal Of the families of version 2, how many bytes an address has. */
export const addressSizes = { inet: 4, inet6: 16, unix: 108 } as const

/** @internal The codes of the families. */
export const families = { inet: 1, inet6: 2, unix: 3 } as const

/** @internal */
export type Family = keyof typeof families

/** @internal Both addresses, and both ports where there are some. */
export const addressesSize = (family: Family): number => 2 * addressSizes[family] + (family === "unix" ? 0 : 4)
