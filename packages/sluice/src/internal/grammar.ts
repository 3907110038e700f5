/**
 * The characters and the common rules of RFC 9110 §5.5 and §5.6, over bytes and over the code units of strings alike.
 *
 * Every function reads its input once, from left to right, and none uses a regular expression: hostile input costs what
 * its length costs.
 */
import * as Either from "effect/Either"

const token = 1
const text = 2
const visible = 4
const digit = 8
const hex = 16
const registeredName = 32

const isAlpha = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
const isDigitCode = (code: number): boolean => code >= 0x30 && code <= 0x39
const isHexLetter = (code: number): boolean => (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)

const classes = Uint8Array.from({ length: 256 }, (_, code) => {
  const isVisible = code > 0x20 && code < 0x7f
  const isAlphanumeric = isAlpha(code) || isDigitCode(code)
  const isIn = (characters: string): boolean => characters.includes(String.fromCharCode(code))
  return (
    (isAlphanumeric || isIn("!#$%&'*+-.^_`|~") ? token : 0) |
    (isAlphanumeric || isIn("-._~!$&'()*+,;=") ? registeredName : 0) |
    (isVisible || code === 0x20 || code === 0x09 || code >= 0x80 ? text : 0) |
    (isVisible ? visible : 0) |
    (isDigitCode(code) ? digit : 0) |
    (isDigitCode(code) || isHexLetter(code) ? hex : 0)
  )
})

// A code unit above 0xff has no class: the lookup is `undefined`, which is 0 to `&`.

/** @internal tchar, RFC 9110 §5.6.2 */
export const isTokenCode = (code: number): boolean => (classes[code] & token) !== 0

/** @internal What a field value may hold, RFC 9110 §5.5: HTAB, SP, VCHAR and obs-text, but no other control. */
export const isTextCode = (code: number): boolean => (classes[code] & text) !== 0

/** @internal VCHAR, RFC 5234 */
export const isVisibleCode = (code: number): boolean => (classes[code] & visible) !== 0

/** @internal DIGIT, RFC 5234 */
export const isDigit = (code: number): boolean => (classes[code] & digit) !== 0

/** @internal HEXDIG, RFC 5234 */
export const isHexDigit = (code: number): boolean => (classes[code] & hex) !== 0

/** @internal unreserved or sub-delims, RFC 3986 §2.2, §2.3 */
export const isRegisteredNameCode = (code: number): boolean => (classes[code] & registeredName) !== 0

/** @internal SP or HTAB, RFC 9110 §5.6.3 */
export const isWhitespace = (code: number): boolean => code === 0x20 || code === 0x09

/** @internal The index of the first code unit that is not of the class, or -1. */
export const firstOutside = (value: string, isInside: (code: number) => boolean): number => {
  for (let at = 0; at < value.length; at++) if (!isInside(value.charCodeAt(at))) return at
  return -1
}

/** @internal token, RFC 9110 §5.6.2 */
export const isToken = (value: string): boolean => value.length > 0 && firstOutside(value, isTokenCode) === -1

/** @internal 1*DIGIT that a number can hold exactly, or `undefined`. */
export const parseDigits = (value: string): number | undefined => {
  if (value.length === 0 || firstOutside(value, isDigit) !== -1) return undefined
  const parsed = Number(value)
  return Number.isSafeInteger(parsed) ? parsed : undefined
}

/** @internal Without the optional whitespace around it. Not `trim`, which takes the NBSP of obs-text as well. */
export const trimWhitespace = (value: string): string => {
  let start = 0
  let end = value.length
  while (start < end && isWhitespace(value.charCodeAt(start))) start++
  while (end > start && isWhitespace(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

const lower = (code: number): number => (code >= 0x41 && code <= 0x5a ? code | 0x20 : code)

/** @internal Equal but for the case of ASCII letters; not by `toLowerCase`, to which the Kelvin sign is a k. */
export const equalsIgnoreCase = (self: string, that: string): boolean => {
  if (self.length !== that.length) return false
  for (let at = 0; at < self.length; at++) if (lower(self.charCodeAt(at)) !== lower(that.charCodeAt(at))) return false
  return true
}

/**
 * Adds the elements of a comma-separated list (RFC 9110 §5.6.1) to others; commas in a quoted-string do not separate.
 *
 * @internal
 */
export const splitList = (value: string, elements: Array<string> = []): Array<string> => {
  let start = 0
  const end = (at: number): void => {
    const element = trimWhitespace(value.slice(start, at))
    // RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements"
    if (element.length > 0) elements.push(element)
    start = at + 1
  }
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === 0x2c) {
      end(at)
    } else if (code === 0x22) {
      const close = endOfQuoted(value, at)
      // an unclosed string is one element with all that follows, which no grammar accepts
      at = close === -1 ? value.length : close
    }
  }
  end(value.length)
  return elements
}

/** @internal protocol-name ["/" protocol-version], RFC 9110 §7.8 */
export const parseProtocol = (
  value: string
): { readonly name: string; readonly version: string | undefined } | undefined => {
  const slash = value.indexOf("/")
  const name = slash === -1 ? value : value.slice(0, slash)
  const version = slash === -1 ? undefined : value.slice(slash + 1)
  return isToken(name) && (version === undefined || isToken(version)) ? { name, version } : undefined
}

/** @internal Whether a text names a protocol; RFC 9110 §7.8: "recipients SHOULD use case-insensitive comparison" */
export const isProtocol = (text: string, { name, version }: { name: string; version: string | undefined }): boolean => {
  const own = parseProtocol(text)
  return own !== undefined && own.version === version && equalsIgnoreCase(own.name, name)
}

/** @internal `name=value`, or `name` alone */
export interface Parameter {
  readonly name: string
  readonly value: string | undefined
}

/** @internal A token with parameters: an extension (RFC 6455 §9.1), a transfer coding (RFC 9110 §10.1.4). */
export interface Item {
  readonly name: string
  readonly parameters: ReadonlyArray<Parameter>
}

/**
 * Reads `token *( OWS ";" OWS token [ BWS "=" BWS ( token / quoted-string ) ] )`; left is what was wrong, and where.
 *
 * @internal
 */
export const parseItem = (value: string): Either.Either<Item, string> => {
  let at = 0
  const skipWhitespace = (): void => {
    while (at < value.length && isWhitespace(value.charCodeAt(at))) at++
  }
  const readToken = (): string => {
    const start = at
    while (at < value.length && isTokenCode(value.charCodeAt(at))) at++
    return value.slice(start, at)
  }
  const name = readToken()
  if (name === "") return Either.left(`a name was expected ${place(value, at)}`)
  const parameters: Array<Parameter> = []
  for (skipWhitespace(); at < value.length; skipWhitespace()) {
    if (value.charCodeAt(at) !== 0x3b) return Either.left(`";" or "," was expected ${place(value, at)}`)
    at++
    skipWhitespace()
    const parameter = readToken()
    if (parameter === "") return Either.left(`the name of a parameter was expected ${place(value, at)}`)
    skipWhitespace()
    if (value.charCodeAt(at) !== 0x3d) {
      parameters.push({ name: parameter, value: undefined })
      continue
    }
    at++
    skipWhitespace()
    if (value.charCodeAt(at) !== 0x22) {
      const word = readToken()
      if (word === "") return Either.left(`the value of a parameter was expected ${place(value, at)}`)
      parameters.push({ name: parameter, value: word })
      continue
    }
    const end = endOfQuoted(value, at)
    if (end === -1) return Either.left(`the quoted string is not closed that begins ${place(value, at)}`)
    parameters.push({ name: parameter, value: unquote(value.slice(at + 1, end)) })
    at = end + 1
  }
  return Either.right({ name, parameters })
}

const place = (value: string, at: number): string =>
  at < value.length ? `at ${printable(value.slice(at, at + 1))} (character ${at})` : "at the end"

/** The index of the quote that closes the one at `start`, or -1. */
const endOfQuoted = (value: string, start: number): number => {
  for (let at = start + 1; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === 0x22) return at
    if (code === 0x5c) at++
  }
  return -1
}

/** RFC 9110 §5.6.4: "MUST handle a quoted-pair as if it were replaced by the octet following the backslash" */
const unquote = (content: string): string => {
  let out = ""
  let start = 0
  for (let at = content.indexOf("\\"); at !== -1; at = content.indexOf("\\", at + 2)) {
    out += content.slice(start, at)
    start = at + 1
  }
  return out + content.slice(start)
}

/** @internal A parameter's value as a token where it is one, else as a quoted-string (RFC 9110 §5.6.4). */
export const formatValue = (value: string): string => {
  if (isToken(value)) return value
  let out = '"'
  for (const character of value) out += character === '"' || character === "\\" ? `\\${character}` : character
  return `${out}"`
}

/** @internal An item as it stands in a field. */
export const formatItem = (item: Item): string =>
  item.parameters.reduce(
    (line, { name, value }) => `${line}; ${value === undefined ? name : `${name}=${formatValue(value)}`}`,
    item.name
  )

/** @internal A target or a URL for a message: less its query and fragment, which may hold a credential (RFC 9110 §17.9). */
export const withoutQuery = (target: string): string => {
  const end = firstOutside(target, (code) => code !== 0x3f && code !== 0x23)
  return end === -1 ? target : target.slice(0, end)
}

const longestQuote = 64

/** @internal Foreign text for a message: quoted, in visible ASCII, and cut when it is long. */
export const printable = (value: string): string => {
  let out = ""
  for (const character of value.slice(0, longestQuote)) {
    const code = character.codePointAt(0) ?? 0
    if (character === '"' || character === "\\") out += `\\${character}`
    else if (code === 0x20 || isVisibleCode(code)) out += character
    else out += `\\x${code.toString(16).padStart(2, "0")}`
  }
  return `"${out}"${value.length > longestQuote ? "..." : ""}`
}
