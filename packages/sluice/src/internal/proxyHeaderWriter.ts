/**
 * Writes a header of the PROXY protocol.
 */

import * as Either from "effect/Either"
import type { Address } from "../Network.js"
import { crc32c } from "./crc32c.js"
import * as Grammar from "./grammar.js"
import * as IpAddress from "./ipAddress.js"
import * as Latin1 from "./latin1.js"
import * as Model from "./proxyHeader.js"
import { encodeUtf8 } from "./webPlatform.js"

type Written<A> = Either.Either<A, Model.ProxyEncodeError>

const fault = (reason: Model.ProxyEncodeError["reason"], detail: string) =>
  Either.left(new Model.ProxyEncodeError({ reason, detail }))

/** An end with its address in bytes. */
interface End {
  readonly family: Model.Family
  readonly address: Uint8Array
  readonly port: number
}

const endOf = ({ host, path, port }: Address): Written<End> => {
  if (path !== undefined) {
    const address = encodeUtf8(path)
    if (address.length > Model.addressSizes.unix) {
      return fault("Address", `a path of ${address.length} bytes; it has at most ${Model.addressSizes.unix}`)
    }
    return Either.right({ family: "unix", address, port: 0 })
  }
  const address = IpAddress.parse(host)
  if (address === undefined) return fault("Address", `${Grammar.printable(host)} is no IP address`)
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    return fault("Port", `${port} is no port; it is a number from 0 to 65535`)
  }
  return Either.right({ family: address.length === 4 ? "inet" : "inet6", address, port })
}

const number16 = (number: number): ReadonlyArray<number> => [number >> 8, number & 0xff]

const number32 = (number: number): ReadonlyArray<number> => [...number16(number >>> 16), ...number16(number & 0xffff)]

/** @internal */
export const write = (header: Model.Header, hasChecksum: boolean): Written<Uint8Array> => {
  if (header._tag !== "Proxied") {
    if (header.version === 1) return hasChecksum ? notInLine("checksum") : Either.right(line("UNKNOWN"))
    return binary(header._tag === "Local" ? 0 : 1, 0, [], [], hasChecksum)
  }
  return Either.flatMap(Either.all([endOf(header.source), endOf(header.destination)]), ([source, destination]) => {
    const { family } = source
    if (family !== destination.family) {
      return fault(
        "Family",
        `the source is of ${family}, the destination of ${destination.family}; both are of one family`
      )
    }
    if (header.version === 2) {
      const addresses = [...addressOf(source), ...addressOf(destination)]
      const ports = family === "unix" ? [] : [...number16(source.port), ...number16(destination.port)]
      return binary(1, (Model.families[family] << 4) | 1, [...addresses, ...ports], header.tlvs, hasChecksum)
    }
    if (family === "unix") return notInLine("unix sockets")
    if (header.tlvs.length > 0) return notInLine("TLVs")
    if (hasChecksum) return notInLine("checksum")
    const texts = [source.address, destination.address].map(IpAddress.format)
    return Either.right(line(family === "inet" ? "TCP4" : "TCP6", ...texts, `${source.port}`, `${destination.port}`))
  })
}

const line = (...parts: ReadonlyArray<string>): Uint8Array => Latin1.encode(`${Model.lineStart}${parts.join(" ")}\r\n`)

const notInLine = (what: string) => fault("Version", `version 1 has no ${what}; version 2 has`)

const addressOf = ({ address, family }: End): ReadonlyArray<number> => {
  const padded = new Uint8Array(Model.addressSizes[family])
  padded.set(address)
  return [...padded]
}

const binary = (
  command: number,
  familyAndTransport: number,
  addresses: ReadonlyArray<number>,
  tlvs: ReadonlyArray<Model.Tlv>,
  hasChecksum: boolean
): Written<Uint8Array> => {
  const facts: Array<Uint8Array> = []
  for (const { type, value } of tlvs) {
    if (!Number.isInteger(type) || type < 0 || type > 0xff) return fault("Tlv", `${type} is no type, from 0 to 255`)
    if (type === Model.TlvType.Crc32c) return fault("Tlv", "the encoder writes the checksum, if it is told to")
    facts.push(Uint8Array.of(type, ...number16(value.length)), value)
  }
  const checksum = hasChecksum ? Uint8Array.of(Model.TlvType.Crc32c, 0, 4, 0, 0, 0, 0) : new Uint8Array(0)
  const length = [...facts, checksum].reduce((sum, part) => sum + part.length, addresses.length)
  if (length > 0xffff) return fault("TooLong", `${length} bytes behind the first 16; there can be 65535`)
  const out = new Uint8Array(Model.fixedSize + length)
  out.set([...Model.signature, 0x20 | command, familyAndTransport, ...number16(length), ...addresses])
  let at = Model.fixedSize + addresses.length
  for (const part of [...facts, checksum]) {
    out.set(part, at)
    at += part.length
  }
  if (hasChecksum) out.set(number32(crc32c(out)), out.length - 4)
  return Either.right(out)
}
