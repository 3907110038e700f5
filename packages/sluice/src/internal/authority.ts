/**
 * Hosts with ports (RFC 3986 §3.2, without user information), as they stand in `Host`, in an absolute request target and
 * in `Origin`.
 */
import * as Grammar from "./grammar.js"
import { parseUrl } from "./webPlatform.js"

/** @internal */
export interface Authority {
  /** In lowercase; empty where `Host` is. A dot at the end stays, since it names another host. */
  readonly host: string
  /** `undefined` where none is given, also after a colon. */
  readonly port: number | undefined
}

/** @internal An absolute `http` or `https` URI without user information and fragment. */
export interface HttpUri {
  readonly scheme: "http" | "https"
  readonly authority: Authority
  /** The path, `/` if it is empty, and the query. */
  readonly resource: string
}

/** @internal `uri-host [ ":" port ]`, RFC 9110 §7.2; `undefined` where the text is nothing like it. */
export const parse = (text: string): Authority | undefined => {
  const hostEnd = text.startsWith("[") ? text.indexOf("]") + 1 : text.includes(":") ? text.indexOf(":") : text.length
  const host = parseHost(text.slice(0, hostEnd))
  if (host === undefined) return undefined
  const after = text.slice(hostEnd)
  if (after === "" || after === ":") return { host, port: undefined }
  const port = after.startsWith(":") ? Grammar.parseDigits(after.slice(1)) : undefined
  return port === undefined || port > 0xffff ? undefined : { host, port }
}

/** @internal `host [ ":" port ]` again. */
export const format = (self: Authority): string => (self.port === undefined ? self.host : `${self.host}:${self.port}`)

/** @internal */
export const defaultPort = (scheme: "http" | "https"): number => (scheme === "http" ? 80 : 443)

/** @internal */
export const ofUri = (uri: string): HttpUri | undefined => {
  const schemeEnd = uri.indexOf("://")
  const scheme = ["http", "https"].find((name) => Grammar.equalsIgnoreCase(name, uri.slice(0, Math.max(0, schemeEnd))))
  if (scheme !== "http" && scheme !== "https") return undefined
  const start = schemeEnd + "://".length
  const length = Grammar.firstOutside(uri.slice(start), (code) => code !== 0x2f && code !== 0x3f)
  const end = length === -1 ? uri.length : start + length
  const authority = parse(uri.slice(start, end))
  // RFC 9110 §4.2.1: "A recipient that processes such a URI reference [with an empty host] MUST reject it as invalid."
  if (authority === undefined || authority.host === "") return undefined
  const resource = uri.slice(end)
  return { scheme, authority, resource: resource.startsWith("/") ? resource : `/${resource}` }
}

/** A registered name or an IPv4 address, or an IPv6 address in brackets (RFC 3986 §3.2.2). */
const parseHost = (text: string): string | undefined => {
  if (text.startsWith("[")) {
    const isLiteral = Grammar.firstOutside(text.slice(1, -1), isAddressCode) === -1
    return isLiteral ? parseUrl(`http://${text}/`)?.hostname : undefined
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x25) {
      if (!Grammar.isHexDigit(text.charCodeAt(at + 1)) || !Grammar.isHexDigit(text.charCodeAt(at + 2))) return undefined
    } else if (!Grammar.isRegisteredNameCode(code)) {
      return undefined
    }
  }
  return text.toLowerCase()
}

const isAddressCode = (code: number): boolean => Grammar.isHexDigit(code) || code === 0x3a || code === 0x2e
