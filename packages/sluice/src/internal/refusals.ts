/**
 * The refusals that sluice words itself, one class each: what they carry, and what they say.
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Fields from "../Fields.js"
import * as Grammar from "./grammar.js"
import * as Refusal from "./refusal.js"

/**
 * The request does not ask for a protocol that is spoken here (426, RFC 9110 §15.5.22).
 *
 * @category errors
 * @since 0.1.0
 */
export class NotAnUpgrade extends Refusal.make("NotAnUpgrade", 426, "RFC 9110 §15.5.22")<{
  /** The protocols that could be asked for, the most wanted first. */
  readonly supported: ReadonlyArray<string>
}> {
  constructor(options: { readonly supported?: ReadonlyArray<string> | undefined } = {}) {
    const protocols = (options.supported ?? []).filter((name) => Grammar.parseProtocol(name) !== undefined)
    const supported = protocols.length === 0 ? ["websocket"] : protocols
    const upgrade = supported.join(", ")
    const text = `This resource speaks ${upgrade}. Ask for it with "Upgrade: ${upgrade}" and "Connection: Upgrade".`
    super({ supported }, { text, fields: [["Upgrade", upgrade]] })
  }
}

const version = ["Sec-WebSocket-Version", "13"] as const

/**
 * The version of the WebSocket protocol is not 13 (426, RFC 6455 §4.2.2).
 *
 * @category errors
 * @since 0.1.0
 */
export class UnsupportedVersion extends Refusal.make("UnsupportedVersion", 426, "RFC 6455 §4.2.2")<{}> {
  constructor() {
    const text = "Sec-WebSocket-Version is not 13, the only version spoken here (RFC 6455)."
    super({}, { text, fields: [["Upgrade", "websocket"], version] })
  }
}

const badRequestSections = {
  Syntax: "RFC 9112 §2.2",
  Target: "RFC 9112 §3.2",
  Host: "RFC 9112 §3.2",
  Content: "RFC 9110 §9.3.1",
  RepeatedField: "RFC 9110 §5.3",
  Upgrade: "RFC 9110 §7.8",
  Connection: "RFC 6455 §4.2.1",
  Key: "RFC 6455 §4.2.1",
  Version: "RFC 6455 §4.2.1",
  Subprotocol: "RFC 6455 §4.1",
  Extensions: "RFC 6455 §9.1"
} as const

/** @internal */
export const badRequestReasons = Object.keys(badRequestSections) as ReadonlyArray<BadRequestReason> // its own keys

/**
 * Which part of a request is bad.
 *
 * @category models
 * @since 0.1.0
 */
export type BadRequestReason = keyof typeof badRequestSections

/**
 * The request is not what HTTP or the WebSocket protocol demands (400, RFC 6455 §4.2.1).
 *
 * @category errors
 * @since 0.1.0
 */
export class BadRequest extends Refusal.make("BadRequest", 400, "RFC 6455 §4.2.1")<{
  /** Which part of the request is wrong. */
  readonly reason: BadRequestReason
  /** What is wrong with it, and what would be right. */
  readonly detail: string
}> {
  constructor(options: { readonly reason: BadRequestReason; readonly detail: string }) {
    const { reason } = options
    const detail = Refusal.wellFormed(options.detail)
    // RFC 6455 §4.2.2 /version/: a version that is not understood is answered with those that are
    const fields = reason === "Version" ? [version] : []
    super({ reason, detail }, { text: detail, fields, named: { reason }, section: badRequestSections[reason] })
  }
}

/**
 * The method is not GET (405, RFC 6455 §4.2.1).
 *
 * @category errors
 * @since 0.1.0
 */
export class MethodNotAllowed extends Refusal.make("MethodNotAllowed", 405, "RFC 9110 §15.5.6")<{}> {
  constructor() {
    super({}, { text: "The method is not GET. A WebSocket is opened with GET.", fields: [["Allow", "GET"]] })
  }
}

/**
 * The version of HTTP is not 1.1, nor a later one of 1.x (505, RFC 6455 §4.2.1).
 *
 * @category errors
 * @since 0.1.0
 */
export class HttpVersionNotSupported extends Refusal.make("HttpVersionNotSupported", 505, "RFC 9110 §15.6.6")<{}> {
  constructor() {
    super({}, { text: "The request is not of HTTP/1.1, with which a WebSocket is opened here." })
  }
}

/**
 * A challenge of `WWW-Authenticate` that may stand in a field.
 *
 * @category models
 * @since 0.1.0
 */
export type Challenge = string & Brand.Brand<"sluice/Challenge">

/**
 * Checks a challenge: a scheme, then perhaps parameters (RFC 9110 §11.3).
 *
 * Fails with `FieldError` where it holds what may not stand in a field, or does not begin with a scheme.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Rejection } from "sluice"
 *
 * const wanted = Either.map(
 *   Rejection.challenge('Basic realm="api"'),
 *   (basic) => new Rejection.Unauthorized({ challenges: [Rejection.bearer, basic] })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const challenge = (text: string): Either.Either<Challenge, Fields.FieldError> =>
  Either.flatMap(Fields.make([["WWW-Authenticate", text]]), ([[name, value]]) =>
    Grammar.isToken(value.split(" ", 1)[0])
      ? // what the brand says was checked just now
        Either.right(value as Challenge)
      : Either.left(
          new Fields.FieldError({
            reason: "InvalidValue",
            name: Grammar.printable(name),
            detail: "a challenge begins with a scheme, such as Bearer (RFC 9110 §11.3)"
          })
        )
  )

/**
 * The challenge `Bearer`: a token is wanted (RFC 6750 §3).
 *
 * @category constants
 * @since 0.1.0
 */
export const bearer: Challenge = "Bearer" as Challenge // a scheme

/**
 * Credentials are missing or not valid (401, RFC 6455 §4.2.2).
 *
 * @category errors
 * @since 0.1.0
 */
export class Unauthorized extends Refusal.make("Unauthorized", 401, "RFC 9110 §15.5.2")<{
  /** What the client may authenticate with; each goes out as one `WWW-Authenticate`. */
  readonly challenges: readonly [Challenge, ...Array<Challenge>]
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: {
    readonly challenges: readonly [Challenge, ...Array<Challenge>]
    readonly detail?: string | undefined
  }) {
    const { challenges } = options
    const detail = Refusal.wellFormed(options.detail ?? "This resource wants credentials; WWW-Authenticate says which.")
    const fields = challenges.map((value) => ["WWW-Authenticate", value] as const)
    super({ challenges, detail }, { text: detail, fields })
  }
}

/**
 * The client may not use this resource (403, RFC 9110 §15.5.4).
 *
 * @category errors
 * @since 0.1.0
 */
export class Forbidden extends Refusal.make("Forbidden", 403, "RFC 9110 §15.5.4")<{
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: { readonly detail?: string | undefined } = {}) {
    const detail = Refusal.wellFormed(options.detail ?? "This resource is not for this client.")
    super({ detail }, { text: detail })
  }
}

/**
 * The page that connects is of an origin that may not (403, RFC 6455 §4.2.2, §10.2).
 *
 * @category errors
 * @since 0.1.0
 */
export class ForbiddenOrigin extends Refusal.make("ForbiddenOrigin", 403, "RFC 6455 §10.2")<{
  /** What `Origin` said, if the request had one. */
  readonly origin: string | undefined
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: { readonly origin: string | undefined; readonly detail?: string | undefined }) {
    const origin = options.origin === undefined ? undefined : Refusal.fieldSafe(options.origin)
    const page = origin === undefined ? "A request without Origin" : `A page of the origin ${Grammar.printable(origin)}`
    const detail = Refusal.wellFormed(options.detail ?? `${page} may not connect here.`)
    super({ origin, detail }, { text: detail, named: { origin } })
  }
}

/**
 * There is no service at the target (404, RFC 6455 §4.2.2).
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Refusal.make("NotFound", 404, "RFC 6455 §4.2.2")<{
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: { readonly detail?: string | undefined } = {}) {
    const detail = Refusal.wellFormed(options.detail ?? "There is no service at this target.")
    super({ detail }, { text: detail })
  }
}

/**
 * The client and the server have no subprotocol in common (400, RFC 6455 §4.2.2).
 *
 * @category errors
 * @since 0.1.0
 */
export class NoCommonSubprotocol extends Refusal.make("NoCommonSubprotocol", 400, "RFC 6455 §4.2.2")<{
  /** What the server speaks, the most wanted first. */
  readonly supported: ReadonlyArray<string>
}> {
  constructor(options: { readonly supported: ReadonlyArray<string> }) {
    // what is not a token can be neither asked for nor named in a list
    const supported = options.supported.filter(Grammar.isToken)
    const names = supported.join(", ")
    const text =
      names === ""
        ? "Sec-WebSocket-Protocol asks for a subprotocol, but none is spoken here. Leave the field out."
        : `Sec-WebSocket-Protocol asks for none of the subprotocols spoken here: ${names}.`
    super({ supported }, { text, named: { supported: names } })
  }
}

/**
 * The request target is longer than `maxTarget` (414, RFC 9112 §3).
 *
 * @category errors
 * @since 0.1.0
 */
export class TargetTooLong extends Refusal.make("TargetTooLong", 414, "RFC 9112 §3")<{
  /** `maxTarget`, in bytes. */
  readonly limit: number
  /** The bytes of the target that were read. */
  readonly seen: number
}> {
  constructor(options: { readonly limit: number; readonly seen: number }) {
    const counted = { limit: Refusal.whole(options.limit), seen: Refusal.whole(options.seen) }
    const text = `The request target has ${counted.seen} bytes or more; the limit is ${counted.limit}.`
    super(counted, { text, named: counted })
  }
}

/**
 * The head of the request breaks `maxHeadSize` or `maxFields` (431, RFC 6585 §5).
 *
 * @category errors
 * @since 0.1.0
 */
export class HeadTooLarge extends Refusal.make("HeadTooLarge", 431, "RFC 6585 §5")<{
  /** What was counted: the bytes of the head, or its field lines. */
  readonly what: "bytes" | "fields"
  /** `maxHeadSize` or `maxFields`. */
  readonly limit: number
  /** How many were read. */
  readonly seen: number
}> {
  constructor(options: { readonly what: "bytes" | "fields"; readonly limit: number; readonly seen: number }) {
    const { what } = options
    const counted = { what, limit: Refusal.whole(options.limit), seen: Refusal.whole(options.seen) }
    const text = `The head of the request has ${counted.seen} ${what} or more; the limit is ${counted.limit}.`
    super(counted, { text, named: counted })
  }
}

/**
 * The handshake was not complete in time (408, RFC 9110 §15.5.9).
 *
 * @category errors
 * @since 0.1.0
 */
export class HandshakeTimeout extends Refusal.make("HandshakeTimeout", 408, "RFC 9110 §15.5.9")<{
  /** `handshakeTimeout`, in milliseconds. */
  readonly timeout: number
}> {
  constructor(options: { readonly timeout: number }) {
    const timeout = Refusal.whole(options.timeout)
    super({ timeout }, { text: `The handshake was not complete after ${timeout} ms.`, named: { timeout } })
  }
}

/**
 * The client asks for too much (429, RFC 6585 §4).
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManyRequests extends Refusal.make("TooManyRequests", 429, "RFC 6585 §4")<{
  /** Seconds after which it may try again. */
  readonly retryAfter: number
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: { readonly retryAfter: number; readonly detail?: string | undefined }) {
    const retryAfter = Refusal.whole(options.retryAfter)
    const detail = Refusal.wellFormed(options.detail ?? `Too many requests; try again after ${retryAfter} s.`)
    super({ retryAfter, detail }, { text: detail, fields: [["Retry-After", String(retryAfter)]] })
  }
}

/**
 * The server is full or shuts down (503, RFC 9110 §15.6.4).
 *
 * @category errors
 * @since 0.1.0
 */
export class Unavailable extends Refusal.make("Unavailable", 503, "RFC 9110 §15.6.4")<{
  /** Seconds after which the client may try again. */
  readonly retryAfter: number
  /** Why, for the client. */
  readonly detail: string
}> {
  constructor(options: { readonly retryAfter: number; readonly detail?: string | undefined }) {
    const retryAfter = Refusal.whole(options.retryAfter)
    const detail = Refusal.wellFormed(options.detail ?? `Not available now; try again after ${retryAfter} s.`)
    super({ retryAfter, detail }, { text: detail, fields: [["Retry-After", String(retryAfter)]] })
  }
}
