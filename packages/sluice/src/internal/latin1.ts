/**
 * ISO-8859-1, in which HTTP/1.1 heads are read and written: each byte is the code unit of the same number (RFC 9110
 * §5.5 on obs-text, RFC 9112 §2.2 on octets). `TextDecoder("latin1")` is no help: it reads windows-1252.
 */
import { decodeUtf8 } from "./webPlatform.js"

/**
 * Every byte is ASCII, where both encodings agree and the runtime's decoder is the quickest.
 *
 * @internal
 */
export const decodeAscii = (bytes: Uint8Array): string => decodeUtf8(bytes)

/** @internal */
export const decode = (bytes: Uint8Array): string => {
  let out = ""
  for (let at = 0; at < bytes.length; at++) out += String.fromCharCode(bytes[at])
  return out
}

/** @internal Of text without code units above 0xff. */
export const encode = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}
