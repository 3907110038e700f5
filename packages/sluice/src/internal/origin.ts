/**
 * Which pages may connect, by the `Origin` of their request (RFC 6455 §10.2, RFC 6454 §6.2, §7).
 */
import * as Authority from "./authority.js"

/**
 * Whether the page came from the host that it connects to. A `Host` without a port stands for the default port of the
 * page's scheme, because the server may stand behind a proxy that speaks TLS for it.
 *
 * @internal
 */
export const isSame = (origin: string, authority: string): boolean => {
  const page = parse(origin)
  const server = Authority.parse(authority)
  if (page === undefined || server === undefined) return false
  const standard = Authority.defaultPort(page.scheme)
  return page.authority.host === server.host && (page.authority.port ?? standard) === (server.port ?? standard)
}

/**
 * Whether the origin is in the list. `null`, which any sandboxed page can send, is never in it.
 *
 * @internal
 */
export const isAmong = (origin: string, allowed: ReadonlyArray<string>): boolean => {
  const own = serialize(origin)
  return own !== undefined && allowed.some((other) => serialize(other) === own)
}

/** The one spelling of an origin: in lowercase, without the default port. */
const serialize = (origin: string): string | undefined => {
  const page = parse(origin)
  if (page !== undefined) {
    const { host, port } = page.authority
    return `${page.scheme}://${host}:${port ?? Authority.defaultPort(page.scheme)}`
  }
  // an origin of another scheme, such as that of a browser extension, is compared as it is
  const schemeEnd = origin.indexOf("://")
  const isHttp = ["http", "https"].includes(origin.slice(0, Math.max(0, schemeEnd)).toLowerCase())
  return schemeEnd > 0 && !isHttp ? origin.toLowerCase() : undefined
}

/** `http` or `https`, a host, perhaps a port, and nothing else: no path, no user. */
const parse = (origin: string): Authority.HttpUri | undefined => {
  const uri = Authority.ofUri(origin)
  const isBare =
    uri !== undefined && !origin.slice(uri.scheme.length + "://".length).includes("/") && !origin.includes("?")
  return isBare ? uri : undefined
}
