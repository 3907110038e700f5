/** The grammars of fields and of authorities as regular expressions, after RFC 9110 §5.6, RFC 6455 §9.1, RFC 3986 §3.2. */
import { isIPv6 } from "node:net"

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const white = "[\\t ]*"
// §9.1: a quoted value must be a token when it is unquoted
const quoted = '"(?:\\\\?[!#$%&\'*+\\-.^_`|~0-9A-Za-z])+"'
const parameter = `;${white}${token}(?:${white}=${white}(?:${token}|${quoted}))?${white}`
const extension = `${token}${white}(?:${parameter})*`
const extensions = new RegExp(`^${white}(?:${extension})?(?:,${white}(?:${extension})?)*$`)

/** RFC 6455 §9.1: extension-list, with the empty elements of RFC 9110 §5.6.1. */
export const isExtensions = (values: ReadonlyArray<string>): boolean =>
  values.every((value) => extensions.test(value)) &&
  (values.length === 0 || values.some((value) => /[^\t ,]/.test(value)))

/** A list, element by element; a quoted string that is not closed goes on to the end. */
export const elements = (value: string): ReadonlyArray<string> =>
  [...value.matchAll(/(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^",])+/gs)]
    .map(([element]) => element.replace(/^[\t ]+|[\t ]+$/g, ""))
    .filter((element) => element !== "")

export const isToken = (value: string): boolean => new RegExp(`^${token}$`).test(value)

export const isFieldValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

const name = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})"

/** RFC 9110 §7.2, with ports that there are. */
export const isAuthority = (text: string): boolean => {
  const match = new RegExp(`^(?:\\[([0-9A-Fa-f:.]+)\\]|${name}*)(?::([0-9]*))?$`).exec(text)
  if (match === null) return false
  const [, address, port] = match
  return (address === undefined || isIPv6(address)) && BigInt(port || 0) <= 65535n
}

const visible = '[!"\\x24-\\x7e]'
const absolute = new RegExp(`^[Hh][Tt][Tt][Pp][Ss]?://([^/?]*)(?:[/?]${visible}*)?$`)

/** RFC 9112 §3.2 */
export const targetForm = (method: string, target: string): string | undefined => {
  if (!new RegExp(`^${visible}*$`).test(target)) return undefined
  if (method === "CONNECT") return isAuthority(target) && /:[0-9]+$/.test(target) ? "authority" : undefined
  if (target === "*") return method === "OPTIONS" ? "asterisk" : undefined
  if (target.startsWith("/")) return "origin"
  const host = absolute.exec(target)?.[1]
  return host !== undefined && isAuthority(host) && !/^(?::|$)/.test(host) ? "absolute" : undefined
}
