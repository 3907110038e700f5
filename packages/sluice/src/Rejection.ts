/**
 * Refusals: why a handshake ended in an HTTP reply instead of a WebSocket, as a closed union.
 *
 * Every refusal knows its one reply: status, fields, a body that says what was wrong and what would be right, and the
 * RFC section that asks for it. `toBytes` writes the reply, `fromResponse` reads an equal refusal back from it, so that
 * a client learns what the server meant: the field `Sluice-Rejection` names the refusal with the parameters that
 * nothing else in the reply carries. A reply without it, from a foreign server, is a `Custom` with everything it said.
 *
 * A refusal is a yieldable error; two of them are equal when they say the same. The module decides nothing: `Upgrade`,
 * `Handshake` and the application do.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type { ResponseHead } from "./Http1.js"
import * as Grammar from "./internal/grammar.js"
import type { Rendering, Reply } from "./internal/refusal.js"
import * as Refusal from "./internal/refusal.js"
import {
  BadRequest,
  type BadRequestReason,
  badRequestReasons,
  bearer,
  type Challenge,
  challenge,
  Forbidden,
  ForbiddenOrigin,
  HandshakeTimeout,
  HeadTooLarge,
  HttpVersionNotSupported,
  MethodNotAllowed,
  NoCommonSubprotocol,
  NotAnUpgrade,
  NotFound,
  TargetTooLong,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  UnsupportedVersion
} from "./internal/refusals.js"
import { encodeUtf8 } from "./internal/webPlatform.js"

export {
  BadRequest,
  type BadRequestReason,
  bearer,
  type Challenge,
  challenge,
  Forbidden,
  ForbiddenOrigin,
  HandshakeTimeout,
  HeadTooLarge,
  HttpVersionNotSupported,
  MethodNotAllowed,
  NoCommonSubprotocol,
  NotAnUpgrade,
  NotFound,
  type Rendering,
  type Reply,
  TargetTooLong,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  UnsupportedVersion
}

/**
 * Any other reply of 300 and above: of the application, made by `custom`, or of a foreign server, with all it said.
 *
 * @category errors
 * @since 0.1.0
 */
export class Custom extends Refusal.custom("Custom")<{
  /** The reason phrase; may be empty. */
  readonly reason: string
  /** Whether the body is only the beginning: there was more than the client takes, or the connection ended in it. */
  readonly truncated: boolean
}> {
  private constructor(reason: string, truncated: boolean, reply: Omit<Refusal.Reply<Uint8Array>, "section">) {
    super({ reason, truncated }, { ...reply, section: "RFC 9110 §15" })
  }
  /** @internal From parts that were checked or received. */
  static readonly of = (
    reason: string,
    truncated: boolean,
    reply: Omit<Refusal.Reply<Uint8Array>, "section">
  ): Custom => new Custom(reason, truncated, reply)
}

/**
 * Why a reply cannot be a `Custom`.
 *
 * - `Status`: not a whole number from 300 to 599.
 * - `ReasonPhrase`: it holds a control character or one above U+00FF (RFC 9112 §4).
 * - `Field`: a field that frames the reply or concerns its connection, or `Sluice-Rejection`: `toBytes` writes these.
 * - `Body`: longer than `maxBody`, or a 304 with a body (RFC 9112 §6.3).
 *
 * @category errors
 * @since 0.1.0
 */
export class CustomError extends Data.TaggedError("CustomError")<{
  /** Which part is wrong. */
  readonly reason: "Status" | "ReasonPhrase" | "Field" | "Body"
  /** What is wrong with it, and what would be right. */
  readonly detail: string
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}

/**
 * Bytes of a refusal's body that a client takes: 64 KiB. `custom` refuses more, and a foreign body is cut there.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxBody: number = Refusal.maxBody

/**
 * A refusal that the application words itself. A body that is text is sent as UTF-8; `Content-Type` is up to `fields`.
 *
 * Fails with `CustomError`.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Fields, Rejection } from "sluice"
 *
 * const elsewhere = Fields.make([["Location", "wss://example.net/chat"]]).pipe(
 *   Either.flatMap((fields) => Rejection.custom({ status: 307, fields }))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const custom = (options: {
  readonly status: number
  readonly reason?: string | undefined
  readonly fields?: Fields.Fields | undefined
  readonly body?: string | Uint8Array | undefined
}): Either.Either<Custom, CustomError> => {
  const { fields = Fields.empty, status } = options
  const reason = options.reason ?? Refusal.reasonPhrase(status)
  const body = typeof options.body === "string" ? encodeUtf8(options.body) : (options.body ?? new Uint8Array(0))
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    return refused("Status", `the status ${status} is not one from 300 to 599`)
  }
  if (Grammar.firstOutside(reason, Grammar.isTextCode) !== -1) {
    return refused("ReasonPhrase", `the reason phrase ${Grammar.printable(reason)} cannot be in a status line`)
  }
  const reserved = fields.find(([name]) => Refusal.isReserved(name))
  if (reserved !== undefined) return refused("Field", `the field ${reserved[0]} is written with the reply`)
  if (body.length > maxBody) return refused("Body", `the body has ${body.length} bytes; the limit is ${maxBody}`)
  if (status === 304 && body.length > 0) return refused("Body", "a 304 has no body")
  return Either.right(Custom.of(reason, false, { status, fields, body }))
}

const refused = (reason: CustomError["reason"], detail: string): Either.Either<never, CustomError> =>
  Either.left(new CustomError({ reason, detail }))

/**
 * Why a handshake was refused; see the members.
 *
 * @category models
 * @since 0.1.0
 */
export type Rejection =
  | NotAnUpgrade
  | UnsupportedVersion
  | BadRequest
  | MethodNotAllowed
  | HttpVersionNotSupported
  | Unauthorized
  | Forbidden
  | ForbiddenOrigin
  | NotFound
  | NoCommonSubprotocol
  | TargetTooLong
  | HeadTooLarge
  | HandshakeTimeout
  | TooManyRequests
  | Unavailable
  | Custom

const readers: {
  readonly [Tag in Exclude<Rejection["_tag"], "Custom">]: (said: Refusal.Said) => Rejection | undefined
} = {
  NotAnUpgrade: ({ fields }) => new NotAnUpgrade({ supported: Fields.list(fields, "Upgrade") }),
  UnsupportedVersion: () => new UnsupportedVersion(),
  BadRequest: ({ detail, parameter }) => {
    const reason = badRequestReasons.find((reason) => reason === parameter("reason"))
    return reason === undefined ? undefined : new BadRequest({ reason, detail })
  },
  MethodNotAllowed: () => new MethodNotAllowed(),
  HttpVersionNotSupported: () => new HttpVersionNotSupported(),
  Unauthorized: ({ detail, fields }) => {
    const [first, ...others] = Fields.getAll(fields, "WWW-Authenticate").flatMap((text) =>
      Either.match(challenge(text), { onLeft: () => [], onRight: (challenge) => [challenge] })
    )
    return first === undefined ? undefined : new Unauthorized({ challenges: [first, ...others], detail })
  },
  Forbidden: ({ detail }) => new Forbidden({ detail }),
  ForbiddenOrigin: ({ detail, parameter }) => new ForbiddenOrigin({ origin: parameter("origin"), detail }),
  NotFound: ({ detail }) => new NotFound({ detail }),
  NoCommonSubprotocol: ({ parameter }) =>
    new NoCommonSubprotocol({ supported: Grammar.splitList(parameter("supported") ?? "") }),
  TargetTooLong: ({ number }) => new TargetTooLong({ limit: number("limit"), seen: number("seen") }),
  HeadTooLarge: ({ number, parameter }) =>
    new HeadTooLarge({
      what: parameter("what") === "fields" ? "fields" : "bytes",
      limit: number("limit"),
      seen: number("seen")
    }),
  HandshakeTimeout: ({ number }) => new HandshakeTimeout({ timeout: number("timeout") }),
  TooManyRequests: ({ detail, fields }) => new TooManyRequests({ retryAfter: seconds(fields), detail }),
  Unavailable: ({ detail, fields }) => new Unavailable({ retryAfter: seconds(fields), detail })
}

const seconds = (fields: Fields.Fields): number => Grammar.parseDigits(Fields.get(fields, "Retry-After") ?? "") ?? 0

/** A map, since the tag comes from outside: `__proto__` is not a tag. */
const readersByTag: ReadonlyMap<string, (said: Refusal.Said) => Rejection | undefined> = new Map(
  Object.entries(readers)
)

const classes = [
  NotAnUpgrade,
  UnsupportedVersion,
  BadRequest,
  MethodNotAllowed,
  HttpVersionNotSupported,
  Unauthorized,
  Forbidden,
  ForbiddenOrigin,
  NotFound,
  NoCommonSubprotocol,
  TargetTooLong,
  HeadTooLarge,
  HandshakeTimeout,
  TooManyRequests,
  Unavailable,
  Custom
] as const

/**
 * Whether a value is a refusal.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRejection = (u: unknown): u is Rejection => classes.some((refusal) => u instanceof refusal)

/**
 * The one reply of a refusal, whole: status line, fields, `Connection: close`, and the body with its length.
 *
 * @example
 * ```ts
 * import { Rejection } from "sluice"
 *
 * const bytes = Rejection.toBytes(new Rejection.Unavailable({ retryAfter: 30 }))
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const toBytes = (self: Rejection, rendering: Rendering = {}): Uint8Array =>
  Refusal.render(self, self._tag === "Custom" ? self.reason : Refusal.reasonPhrase(self.status), rendering)

/**
 * The refusal that a reply stands for, equal to the one that `toBytes` rendered; `truncated` says that the body is only
 * the beginning of what was sent.
 *
 * A reply that is not exactly what its `Sluice-Rejection` renders, or has none, is a `Custom`. The fields that frame
 * it are left out of that, and `Date`, `Via` and `Server` do not count, since gateways add them.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromResponse = (head: ResponseHead, body: Uint8Array, truncated = false): Rejection => {
  const said = truncated ? undefined : Refusal.said(head.fields, body)
  const candidate = said && readersByTag.get(said.tag)?.(said)
  return candidate !== undefined && Refusal.isRenderedBy(candidate, head.status, head.fields, body)
    ? candidate
    : Custom.of(head.reason, truncated, { status: head.status, fields: Refusal.withoutFraming(head.fields), body })
}
