/**
 * Where a redirection leads to, and what may be said there (RFC 9110 §10.2.2, §15.4). Pure; who follows is `dialing`.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Fields from "../Fields.js"
import * as Rejection from "../Rejection.js"
import * as Grammar from "./grammar.js"
import { RedirectError } from "./redirectError.js"
import { tokenPrefix } from "./tokenPrefix.js"
import { parseUrl } from "./webPlatform.js"

/** @internal What the URLs of a client begin with; that of TLS has an `s` more. */
export type Scheme = "ws" | "http"

/** @internal A field of a request; a value that is redacted is a secret. */
export type RequestField = readonly [name: string, value: string | Redacted.Redacted<string>]

/** @internal One of the URLs that are asked in turn. */
export interface Hop {
  readonly url: string
  /** Those that may be sent there. */
  readonly fields: ReadonlyArray<RequestField>
  /** Whether this URL, or one before it, is of another origin than the first. */
  readonly isForeign: boolean
  /** The URLs that were asked before. */
  readonly before: ReadonlyArray<string>
}

/** @internal The fields may be an iterator, which can be read once only. */
export const first = (url: string, fields: Iterable<RequestField> = []): Hop => ({
  url,
  fields: [...fields],
  isForeign: false,
  before: []
})

/** @internal The fields of a hop as they are sent. */
export const fieldsOf = ({ fields }: Hop): ReadonlyArray<readonly [name: string, value: string]> =>
  fields.map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])

/** @internal The subprotocols of a hop: an entry with a token is a credential, too. */
export const subprotocolsOf = <S extends string>({ isForeign }: Hop, names: ReadonlyArray<S> = []): ReadonlyArray<S> =>
  isForeign ? names.filter((name) => !name.startsWith(tokenPrefix)) : names

/** RFC 9110 §15.4: where "this resource might be available at a different URI, as provided by the Location header field" */
const statuses: ReadonlyArray<number> = [301, 302, 303, 307, 308]

/** @internal The answer that leads elsewhere, if an error is one. */
export const redirectionOf = (error: unknown): Rejection.Custom | undefined =>
  Rejection.isRejection(error) &&
  error._tag === "Custom" &&
  statuses.includes(error.status) &&
  Fields.has(error.fields, "Location")
    ? error
    : undefined

/** @internal The hop after one that was answered so, if at most so many redirections are followed. */
export const next = (
  hop: Hop,
  rejection: Rejection.Custom,
  scheme: Scheme,
  maxRedirects: number
): Either.Either<Hop, RedirectError> => {
  const [start = hop.url, ...others] = [...hop.before, hop.url]
  const refuse = (reason: RedirectError["reason"], detail: string) => {
    const chain = [Grammar.withoutQuery(start), ...others.map(Grammar.withoutQuery)] as const
    return Either.left(
      new RedirectError({ reason, detail: `${detail} (asked: ${chain.join(", then ")})`, chain, rejection })
    )
  }
  const target = targetOf(hop.url, Fields.getAll(rejection.fields, "Location"), scheme)
  if (Either.isLeft(target)) return refuse("Location", target.left)
  const { isDowngrade, isForeign, url } = target.right
  if (isDowngrade) {
    return refuse("Downgrade", `a redirection from TLS to ${Grammar.withoutQuery(url)} is not followed`)
  }
  // Not above: what is no number is no allowance either.
  if (!(hop.before.length < maxRedirects)) {
    const detail = `a redirection to ${Grammar.withoutQuery(url)} after ${hop.before.length}, the most that are followed`
    return refuse("TooMany", detail)
  }
  return Either.right({
    url,
    fields: isForeign ? hop.fields.filter((field) => !isCredential(field)) : hop.fields,
    // What was dropped on the way does not come back: who answered in between has chosen the URL.
    isForeign: hop.isForeign || isForeign,
    before: [...hop.before, hop.url]
  })
}

/** RFC 9110 §15.4: "Consider removing header fields [...]; this includes but is not limited to Authorization and Cookie" */
const credentials = ["Authorization", "Cookie", "Proxy-Authorization"]

const isCredential = ([name, value]: RequestField): boolean =>
  Redacted.isRedacted(value) || credentials.some((other) => Grammar.equalsIgnoreCase(name, other))

interface Target {
  readonly url: string
  readonly isForeign: boolean
  readonly isDowngrade: boolean
}

const plain = ["ws:", "http:"]
const secure = ["wss:", "https:"]

const targetOf = (
  from: string,
  [location, ...more]: ReadonlyArray<string>,
  scheme: Scheme
): Either.Either<Target, string> => {
  if (location === undefined || more.length > 0) return Either.left(`Location is there ${more.length + 1} times`)
  const shown = `Location ${Grammar.printable(Grammar.withoutQuery(location))}`
  // RFC 9110 §10.2.2: "the final value is computed by resolving it against the target URI"
  const url = Grammar.firstOutside(location, isReferenceCode) === -1 ? parseUrl(location, from) : undefined
  if (url === undefined) return Either.left(`${shown} is not a URL`)
  const isSecure = secure.includes(url.protocol)
  if (!isSecure && !plain.includes(url.protocol)) return Either.left(`${shown} is of a scheme that is not followed`)
  if (url.username !== "" || url.password !== "") return Either.left("Location has credentials")
  // §10.2.2: the redirection inherits the fragment of the first URL, which has none; one of its own is for who shows the
  // resource, and not sent.
  const [rest = ""] = url.href.slice(url.protocol.length).split("#", 1)
  const target = `${scheme}${isSecure ? "s" : ""}:${rest}`
  return Either.right({
    url: target,
    isForeign: originOf(from) !== originOf(target),
    isDowngrade: !isSecure && secure.includes(parseUrl(from)?.protocol ?? "")
  })
}

/** A backslash is of no URI (RFC 3986 §2), and a slash to those who follow browsers. */
const isReferenceCode = (code: number): boolean => Grammar.isVisibleCode(code) && code !== 0x5c

/** RFC 9110 §4.3.1: "the triple of scheme, host, and port"; the port of the scheme is left out by the parser. */
const originOf = (text: string): string | undefined => {
  const url = parseUrl(text)
  return url && `${url.protocol}//${url.host}`
}
