/**
 * What all refusals share: the shape of the reply, equality by what they say, the field that names them, and the bytes.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Fields from "../Fields.js"
import { encodeHead } from "./encodeHead.js"
import { trusted } from "./fields.js"
import * as Grammar from "./grammar.js"
import { decodeUtf8, encodeUtf8 } from "./webPlatform.js"

/**
 * The one HTTP reply of a refusal, which every refusal has among its properties.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reply<out Body extends string | Uint8Array = string | Uint8Array> {
  /** The status code. */
  readonly status: number
  /** The section that asks for the refusal. */
  readonly section: string
  /** The fields of the reply, without those that frame it (`Connection`, `Content-Length`). */
  readonly fields: Fields.Fields
  /** The body: a short text that ends in a line feed, or the bytes of a `Custom`. */
  readonly body: Body
}

/** What a refusal adds to its parameters. */
export interface Says {
  /** One sentence for the client. */
  readonly text: string
  /** The fields that the RFC asks for. */
  readonly fields?: ReadonlyArray<readonly [name: string, value: string]>
  /** The parameters that only `Sluice-Rejection` can carry. */
  readonly named?: { readonly [name: string]: string | number | undefined }
  /** Another section than that of all refusals of the tag. */
  readonly section?: string
}

type Refused<Tag extends string, Args, Body extends string | Uint8Array> = new <A extends Record<string, unknown>>(
  parameters: A,
  args: Args
) => Cause.YieldableError & { readonly _tag: Tag } & Readonly<A> & Reply<Body>

/**
 * The base class of the refusals of a tag that sluice words itself.
 *
 * @internal
 */
export const make = <Tag extends string>(tag: Tag, status: number, section: string): Refused<Tag, Says, string> => {
  class Worded extends replied(tag) {
    constructor(parameters: Record<string, unknown>, says: Says) {
      const named = Object.entries(says.named ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [{ name, value: String(value) }]
      )
      const fields = trusted([
        ...(says.fields ?? []),
        [nameField, Grammar.formatItem({ name: tag, parameters: named })],
        ["Content-Type", "text/plain; charset=utf-8"]
      ])
      super(parameters, { status, section: says.section ?? section, fields, body: `${says.text}\n` })
    }
  }
  // each class states the type of its parameters, which its base cannot know
  return Worded as unknown as Refused<Tag, Says, string>
}

/**
 * The base class of refusals whose reply was worded elsewhere.
 *
 * @internal
 */
export const custom = <Tag extends string>(tag: Tag): Refused<Tag, Reply<Uint8Array>, Uint8Array> =>
  // as above
  replied(tag) as unknown as Refused<Tag, Reply<Uint8Array>, Uint8Array>

/** A yieldable error whose own properties are its parameters and its reply, and which is equal to one with the same. */
const replied = (tag: string) =>
  class Replied extends Data.TaggedError(tag)<{ readonly message: string }> implements Reply {
    readonly [parameter: string]: unknown
    readonly status: number
    readonly section: string
    readonly fields: Fields.Fields
    readonly body: string | Uint8Array
    constructor(parameters: Record<string, unknown>, { body, fields, section, status }: Reply) {
      super({ message: `${status}: ${typeof body === "string" ? body.trimEnd() : `${body.length} bytes`}` })
      Object.assign(this, parameters)
      this.status = status
      this.section = section
      this.fields = fields
      this.body = body
    }
    [Equal.symbol](that: unknown): boolean {
      if (!(that instanceof Replied)) return false
      const keys = Object.keys(this)
      return keys.length === Object.keys(that).length && keys.every((key) => isSame(this[key], that[key]))
    }
    [Hash.symbol](): number {
      return Hash.cached(this, Hash.string(`${tag} ${this.message}`))
    }
  }

/** Equality of what a parameter can be; the stack and the identity of arrays do not count. */
const isSame = (self: unknown, that: unknown): boolean => {
  const isSequence = Array.isArray(self) || self instanceof Uint8Array
  if (!isSequence) return Equal.equals(self, that)
  if (!Array.isArray(that) && !(that instanceof Uint8Array)) return false
  return self.length === that.length && self.every((element, at) => isSame(element, that[at]))
}

/** @internal Bytes of a body, as `Rejection.maxBody` says. */
export const maxBody = 64 * 1024

const maxText = 1024

/**
 * A text as it survives the way through UTF-8 and the limits of a client: without lone surrogates, and not too long.
 *
 * @internal
 */
export const wellFormed = (text: string): string => decodeUtf8(encodeUtf8(text.slice(0, maxText)))

const maxForeignText = 256

/**
 * A foreign text as a field can carry it: what may not stand in a value becomes a question mark.
 *
 * @internal
 */
export const fieldSafe = (text: string): string => {
  let out = ""
  for (const character of text.slice(0, maxForeignText)) {
    out += Grammar.isTextCode(character.codePointAt(0) ?? 0) ? character : "?"
  }
  return out
}

/** @internal A count or a number of seconds, as digits can carry it. */
export const whole = (value: number): number =>
  Number.isNaN(value) ? 0 : Math.min(Math.max(0, Math.ceil(value)), Number.MAX_SAFE_INTEGER)

const nameField = "Sluice-Rejection"

/**
 * The fields that frame a message or concern one connection only (RFC 9110 §7.6.1, RFC 9112 §6), and when it was made,
 * which is not part of what a refusal says.
 */
const framing = ["Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Trailer", "Date"]

/** What gateways add on the way (RFC 9110 §7.6.3, §10.2.4), which says nothing of the refusal. */
const transit = ["Via", "Server"]

/** @internal Whether a refusal writes the field itself. */
export const isReserved = (name: string): boolean =>
  [...framing, nameField].some((reserved) => Grammar.equalsIgnoreCase(name, reserved))

/** @internal The fields that a foreign reply is about. */
export const withoutFraming: (fields: Fields.Fields) => Fields.Fields = Fields.omit(framing)

/** @internal Whether the reply that was read is, to the byte, the one that the refusal renders, less what the way added. */
export const isRenderedBy = (reply: Reply, status: number, fields: Fields.Fields, body: Uint8Array): boolean => {
  const own = Fields.omit(fields, [...framing, ...transit])
  const hasFields = own.every(
    ([name, value], at) =>
      at < reply.fields.length && Grammar.equalsIgnoreCase(name, reply.fields[at][0]) && value === reply.fields[at][1]
  )
  return status === reply.status && own.length === reply.fields.length && hasFields && isSame(bytesOf(reply.body), body)
}

const bytesOf = (body: string | Uint8Array): Uint8Array => (typeof body === "string" ? encodeUtf8(body) : body)

/**
 * What a reply depends on besides the refusal.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rendering {
  /** When it is made, in milliseconds since 1970: a server with a clock must say it (RFC 9110 §6.6.1). */
  readonly date?: number | undefined
  /** The method of the request, if that came: the reply to HEAD has no body (RFC 9110 §9.3.2). */
  readonly method?: string | undefined
}

const noBody = new Uint8Array(0)

/**
 * The whole reply. The connection ends after it (RFC 9112 §9.6), and a reply with `Upgrade` names that in `Connection`
 * (RFC 9110 §7.8).
 *
 * @internal
 */
export const render = (reply: Reply, reason: string, { date, method }: Rendering): Uint8Array => {
  const body = bytesOf(reply.body)
  const connection = Fields.has(reply.fields, "Upgrade") ? "Upgrade, close" : "close"
  // RFC 9112 §6.3: a 304 ends with its head. RFC 9110 §8.6: the length it might give is that of another response.
  const length: ReadonlyArray<readonly [string, string]> =
    reply.status === 304 ? [] : [["Content-Length", String(body.length)]]
  // RFC 9110 §6.6.1: "An origin server with a clock MUST generate a Date header field in all [...] 3xx (Redirection), and
  // 4xx (Client Error) responses"; the text of a Date in UTC is the IMF-fixdate of §5.6.7
  const made: typeof length =
    date === undefined ? [] : [["Date", DateTime.toDateUtc(DateTime.unsafeMake(date)).toUTCString()]]
  return encodeHead(
    `HTTP/1.1 ${reply.status} ${reason}`,
    trusted([["Connection", connection], ...made, ...reply.fields, ...length]),
    // RFC 9110 §9.3.2, of HEAD: "the server MUST NOT send content in the response"
    method === "HEAD" ? noBody : body
  )
}

/** @internal What a reply that was read says about itself. */
export interface Said {
  readonly tag: string
  readonly parameter: (name: string) => string | undefined
  readonly number: (name: string) => number
  readonly fields: Fields.Fields
  /** The body as text, less the line feed at its end. */
  readonly detail: string
}

/** @internal Reads `Sluice-Rejection`, if there is one. */
export const said = (fields: Fields.Fields, body: Uint8Array): Said | undefined => {
  const item = Grammar.parseItem(Fields.get(fields, nameField) ?? "")
  if (Either.isLeft(item)) return undefined
  const parameter = (name: string): string | undefined => item.right.parameters.find((own) => own.name === name)?.value
  return {
    tag: item.right.name,
    parameter,
    number: (name) => Grammar.parseDigits(parameter(name) ?? "") ?? 0,
    fields,
    detail: decodeUtf8(body).slice(0, -1)
  }
}

const reasonPhrases: ReadonlyMap<number, string> = new Map([
  [300, "Multiple Choices"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [303, "See Other"],
  [304, "Not Modified"],
  [307, "Temporary Redirect"],
  [308, "Permanent Redirect"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [402, "Payment Required"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [406, "Not Acceptable"],
  [407, "Proxy Authentication Required"],
  [408, "Request Timeout"],
  [409, "Conflict"],
  [410, "Gone"],
  [411, "Length Required"],
  [412, "Precondition Failed"],
  [413, "Content Too Large"],
  [414, "URI Too Long"],
  [415, "Unsupported Media Type"],
  [417, "Expectation Failed"],
  [421, "Misdirected Request"],
  [422, "Unprocessable Content"],
  [426, "Upgrade Required"],
  [428, "Precondition Required"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [451, "Unavailable For Legal Reasons"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"],
  [511, "Network Authentication Required"]
])

/** @internal The phrase of the IANA registry, or an empty one (RFC 9112 §4). */
export const reasonPhrase = (status: number): string => reasonPhrases.get(status) ?? ""
