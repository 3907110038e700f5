/**
 * Heads of HTTP as the runner reads and writes them: line by line, after RFC 9112 §2.1.
 */

import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import type { Bytes } from "../Case.js"
import { acceptKey } from "./acceptKey.js"

/** @internal */
export interface Head {
  readonly startLine: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
}

/** @internal */
export const parseHead = (text: string): Head => {
  const [startLine = "", ...lines] = text.split("\r\n").filter((line, i) => i === 0 || line !== "")
  const fields = lines.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()] as const
  })
  return { startLine, fields }
}

/** @internal The value of a field, of all its lines together (RFC 9110 §5.3). */
export const fieldOf = ({ fields }: Head, name: string): string | undefined => {
  const values = fields.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(", ")
}

const membersOf = (value: string): ReadonlyArray<string> => value.split(",").map((member) => member.trim())

/** RFC 6455 §4.1 and §4.2.1: lists of tokens that are compared without regard to case. */
const tokens = new Set(["connection", "upgrade"])

/** @internal */
export const matches = (name: string, value: string, wanted: string): boolean =>
  tokens.has(name.toLowerCase())
    ? membersOf(value.toLowerCase()).includes(wanted.toLowerCase())
    : membersOf(value).join(", ") === membersOf(wanted).join(", ")

/** @internal What is not as wanted: fields with a value, or with any if it is `null`, and fields that must not be there. */
export const unlike = (
  head: Head,
  fields: Readonly<Record<string, string | null>>,
  absent: ReadonlyArray<string>
): string | undefined => {
  for (const [name, wanted] of Object.entries(fields)) {
    const value = fieldOf(head, name)
    if (value === undefined) return `no ${name}`
    if (wanted !== null && !matches(name, value, wanted)) return `${name}: ${value}`
  }
  const present = absent.find((name) => fieldOf(head, name) !== undefined)
  return present === undefined ? undefined : `${present}: ${fieldOf(head, present)}`
}

/** @internal */
export const statusOf = ({ startLine }: Head): number | undefined => {
  const status = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(startLine)?.[1]
  return status === undefined ? undefined : Number(status)
}

/**
 * Bytes of the content of a final reply (RFC 9112 §6.3). Endless where it ends with the connection, and where it is
 * chunked, which is not looked into.
 *
 * @internal
 */
export const contentLength = (head: Head, method: string | undefined): number => {
  const status = statusOf(head)
  if (method === "HEAD" || status === 204 || status === 304) return 0
  const length = fieldOf(head, "Transfer-Encoding") === undefined ? fieldOf(head, "Content-Length") : undefined
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY
}

/** @internal The method in the text of a request, as it was sent. */
export const methodIn = (text: string): string | undefined => /^\s*(\S+) /.exec(text)?.[1]

/** @internal The key in the text of a request, as it was sent. */
export const keyIn = (text: string): string | undefined => /^Sec-WebSocket-Key:[ \t]*(.*?)[ \t]*\r?$/im.exec(text)?.[1]

/** @internal A request that every server of WebSockets must accept (RFC 6455 §4.2.1). */
export const request = [
  "GET {path} HTTP/1.1",
  "Host: {host}",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: {key}",
  "Sec-WebSocket-Version: 13",
  "",
  ""
].join("\r\n")

/** @internal The reply to it (RFC 6455 §4.2.2). */
export const response = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: {accept}",
  "",
  ""
].join("\r\n")

/** @internal */
export const responseFields = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": "{accept}" }

/** @internal */
export const absentFromResponse = ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"]

/** @internal What is wrong with the request of a client (RFC 6455 §4.1), if something is. */
export const wrongRequest = (head: Head): string | undefined => {
  if (!/^GET \/\S* HTTP\/1\.1$/.test(head.startLine)) return head.startLine
  const key = Encoding.decodeBase64(fieldOf(head, "Sec-WebSocket-Key") ?? "")
  if (Either.isLeft(key) || key.right.length !== 16) return "a Sec-WebSocket-Key that is not 16 bytes in base64"
  const fields = { Host: null, Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" }
  return unlike(head, fields, [])
}

/** @internal What stands for what in the heads of a case. */
export interface Known {
  readonly host: string
  readonly path: string
  readonly key: string
  /** The subprotocols that the client asks for, as it wrote them. */
  readonly subprotocols: string
}

const fillText = (text: string, known: Known): string =>
  text
    .replaceAll("{host}", () => known.host)
    .replaceAll("{path}", () => known.path)
    .replaceAll("{key}", () => known.key)
    .replaceAll("{accept}", () => acceptKey(known.key))
    .replaceAll("{subprotocol}", () => membersOf(known.subprotocols)[0] ?? "")

const isMany = (bytes: Bytes): bytes is ReadonlyArray<Bytes> => Array.isArray(bytes)

/** @internal */
export const fill = (bytes: Bytes, known: Known): Bytes => {
  if (typeof bytes === "string") return fillText(bytes, known)
  if (isMany(bytes)) return bytes.map((part) => fill(part, known))
  return "hex" in bytes ? bytes : { repeat: fill(bytes.repeat, known), times: bytes.times }
}

/** @internal */
export const fillFields = (
  fields: Readonly<Record<string, string | null>>,
  known: Known
): Readonly<Record<string, string | null>> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value === null ? null : fillText(value, known)])
  )

/** @internal A nonce of 16 bytes in base64 (RFC 6455 §4.1). */
export const drawKey = (entropy: (size: number) => Uint8Array): string => Encoding.encodeBase64(entropy(16))
