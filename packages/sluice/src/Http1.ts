/**
 * Request and response heads of HTTP/1.1 over bytes (RFC 9112): strict, bounded, incremental.
 *
 * A parser is a value that takes chunks until the head is whole, looks at each byte once, and gives back what follows
 * the head as `rest`. Any cutting of the same bytes gives the same head or the same error. Nothing throws. The module
 * reads and writes heads only: what the fields mean is said by `Upgrade` and `Handshake`, and requests have no body here.
 *
 * Leniency is limited to what RFC 9112 asks for: one empty line before a request (§2.2), and folded lines in responses,
 * which a user agent must join (§5.2).
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Fields } from "./Fields.js"
import * as Accumulator from "./internal/accumulator.js"
import * as Authority from "./internal/authority.js"
import { encodeHead } from "./internal/encodeHead.js"
import { trusted } from "./internal/fields.js"
import * as Grammar from "./internal/grammar.js"
import { HeadError } from "./internal/headError.js"
import * as Scanner from "./internal/headScanner.js"
import * as Latin1 from "./internal/latin1.js"
import * as Limits from "./Limits.js"

export { HeadError }

/**
 * The head of a request (RFC 9112 §3).
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestHead {
  /** A token; its case matters. */
  readonly method: string
  /** The request target as sent: visible ASCII, in one of the forms of RFC 9112 §3.2. */
  readonly target: string
  /** Digit, dot, digit: `1.1`. */
  readonly version: string
  /** The fields, in order. */
  readonly fields: Fields
}

/**
 * The head of a response (RFC 9112 §4).
 *
 * @category models
 * @since 0.1.0
 */
export interface ResponseHead {
  /** Digit, dot, digit: `1.1`. */
  readonly version: string
  /** From 100 to 999. */
  readonly status: number
  /** The reason phrase; may be empty, and means nothing. */
  readonly reason: string
  /** The fields, in order. */
  readonly fields: Fields
}

/**
 * What a parser allows; `Limits.defaults` where nothing is said.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = Pick<Limits.Options, "maxHeadSize" | "maxFields" | "maxTarget">

/**
 * A parser that waits for the end of a request head. A value: it may be continued twice with different bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingRequest {
  /** Tells it from a parser of responses. */
  readonly _tag: "AwaitingRequest"
  /** @internal */
  readonly limits: Scanner.HeadLimits
  /** @internal */
  readonly scan: Scanner.Scan
  /** @internal */
  readonly kept: Accumulator.Accumulator
}

/**
 * A parser that waits for the end of a response head. A value: it may be continued twice with different bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingResponse {
  /** Tells it from a parser of requests. */
  readonly _tag: "AwaitingResponse"
  /** @internal */
  readonly limits: Scanner.HeadLimits
  /** @internal */
  readonly scan: Scanner.Scan
  /** @internal */
  readonly kept: Accumulator.Accumulator
}

/**
 * A whole head, and the bytes that came after it: a view of the chunk.
 *
 * @category models
 * @since 0.1.0
 */
export interface Complete<out Head> {
  /** Tells it from a parser that waits. */
  readonly _tag: "Complete"
  /** What was read. */
  readonly head: Head
  /** The bytes that do not belong to the head. */
  readonly rest: Uint8Array
}

const limitsOf = (options: Options): Scanner.HeadLimits => ({
  maxHeadSize: options.maxHeadSize ?? Limits.defaults.maxHeadSize,
  maxFields: options.maxFields ?? Limits.defaults.maxFields,
  maxTarget: options.maxTarget ?? Limits.defaults.maxTarget
})

/**
 * A parser of one request head.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Http1 } from "sluice"
 *
 * const bytes = new TextEncoder().encode("GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\nrest")
 * const read = Http1.receive(Http1.request({ maxFields: 64 }), bytes)
 * if (Either.isRight(read) && read.right._tag === "Complete") {
 *   read.right.head.target // "/chat"
 *   read.right.rest.length // 4
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const request = (options: Options = {}): AwaitingRequest => ({
  _tag: "AwaitingRequest",
  limits: limitsOf(options),
  scan: Scanner.request,
  kept: Accumulator.empty
})

/**
 * How many 1xx replies a client passes over: RFC 9110 §15.2 asks for "one or more 1xx responses received prior to a final
 * response", and nobody needs this many.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxInterim = 16

/**
 * A parser of one response head; `maxTarget` does not matter to it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const response = (options: Options = {}): AwaitingResponse => ({
  _tag: "AwaitingResponse",
  limits: limitsOf(options),
  scan: Scanner.response,
  kept: Accumulator.empty
})

/**
 * Reads one more chunk: the head, a parser that wants more, or the first `HeadError`, as soon as it is known.
 *
 * A head that came in one chunk is not copied, and `rest` is always a view of the chunk. What is kept between chunks is
 * a copy, at most `maxHeadSize` long.
 *
 * @category decoding
 * @since 0.1.0
 */
export function receive(
  state: AwaitingRequest,
  chunk: Uint8Array
): Either.Either<AwaitingRequest | Complete<RequestHead>, HeadError>
export function receive(
  state: AwaitingResponse,
  chunk: Uint8Array
): Either.Either<AwaitingResponse | Complete<ResponseHead>, HeadError>
export function receive(
  state: AwaitingRequest | AwaitingResponse,
  chunk: Uint8Array
): Either.Either<AwaitingRequest | AwaitingResponse | Complete<RequestHead> | Complete<ResponseHead>, HeadError> {
  const isRequest = state._tag === "AwaitingRequest"
  const scan = Scanner.scan(state.scan, chunk, state.limits, isRequest)
  if (scan instanceof HeadError) return Either.left(scan)
  if (scan.phase !== Scanner.Phase.Complete) {
    return Either.right({ ...state, scan, kept: Accumulator.append(state.kept, chunk) })
  }
  const end = scan.offset - state.scan.offset
  const last = chunk.subarray(0, end)
  const bytes = state.kept.length === 0 ? last : Accumulator.toBytes(Accumulator.append(state.kept, last))
  const text = scan.ascii ? Latin1.decodeAscii(bytes) : Latin1.decode(bytes)
  const rest = chunk.subarray(end)
  return isRequest
    ? Either.right({ _tag: "Complete", head: cutRequest(text), rest })
    : Either.right({ _tag: "Complete", head: cutResponse(text), rest })
}

const cutRequest = (text: string): RequestHead => {
  const start = text.startsWith("\r\n") ? 2 : 0
  const end = text.indexOf("\r\n", start)
  const space = text.indexOf(" ", start)
  const version = end - 3
  return {
    method: text.slice(start, space),
    target: text.slice(space + 1, version - " HTTP/".length),
    version: text.slice(version, end),
    fields: cutFields(text, end + 2)
  }
}

const cutResponse = (text: string): ResponseHead => {
  const end = text.indexOf("\r\n")
  return {
    version: text.slice("HTTP/".length, "HTTP/1.1".length),
    status: Number(text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)),
    reason: text.slice("HTTP/1.1 200 ".length, end),
    fields: cutFields(text, end + 2)
  }
}

/** Cuts the lines of a head that the scanner has found well-formed, from `start` to the empty line. */
const cutFields = (text: string, start: number): Fields => {
  const fields: Array<readonly [string, string]> = []
  for (let at = start; at < text.length - 2; ) {
    const colon = text.indexOf(":", at)
    const end = text.indexOf("\r\n", colon)
    const name = text.slice(at, colon)
    const value = Grammar.trimWhitespace(text.slice(colon + 1, end))
    at = end + 2
    if (!Grammar.isWhitespace(text.charCodeAt(at))) {
      fields.push([name, value])
      continue
    }
    // RFC 9112 §5.2: "A user agent [...] MUST replace each received obs-fold with one or more SP octets"
    const pieces = [value]
    while (Grammar.isWhitespace(text.charCodeAt(at))) {
      const end = text.indexOf("\r\n", at)
      pieces.push(Grammar.trimWhitespace(text.slice(at, end)))
      at = end + 2
    }
    fields.push([name, pieces.filter((piece) => piece.length > 0).join(" ")])
  }
  return trusted(fields)
}

/**
 * The form of a request target, if it is one that the method may have (RFC 9112 §3.2).
 *
 * `origin` is a path with or without a query, `absolute` a whole `http` or `https` URI, `authority` a host with a port
 * and only for CONNECT, `asterisk` is `*` and only for OPTIONS. A fragment fits none of them, nor does an absolute URI
 * with user information, which RFC 9110 §4.2.4 tells to treat as an error.
 *
 * @category getters
 * @since 0.1.0
 */
export const targetForm = (
  method: string,
  target: string
): "origin" | "absolute" | "authority" | "asterisk" | undefined => {
  if (Grammar.firstOutside(target, isTargetCode) !== -1) return undefined
  if (method === "CONNECT") return Authority.parse(target)?.port === undefined ? undefined : "authority"
  if (target === "*") return method === "OPTIONS" ? "asterisk" : undefined
  if (target.startsWith("/")) return "origin"
  return Authority.ofUri(target) === undefined ? undefined : "absolute"
}

const isTargetCode = (code: number): boolean => Grammar.isVisibleCode(code) && code !== 0x23

/**
 * The bytes of a request head.
 *
 * Fails with `HeadError` where the method, the target or the version is not what RFC 9112 §3 allows, so that nothing in
 * them can end the line early.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeRequest = (head: RequestHead): Either.Either<Uint8Array, HeadError> => {
  if (!isVersion(head.version)) return notALine("Version", `HTTP/${head.version}`)
  return Grammar.isToken(head.method) && targetForm(head.method, head.target) !== undefined
    ? Either.right(encodeHead(`${head.method} ${head.target} HTTP/${head.version}`, head.fields))
    : notALine("StartLine", `${head.method} ${head.target}`)
}

/**
 * The bytes of a response head, without a body.
 *
 * Fails with `HeadError` where the version is none, the status is not a number of three digits, or the reason phrase
 * holds a control character (RFC 9112 §4). A 101 is refused too: only `Upgrade.encodeSwitching` writes one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeResponse = (head: ResponseHead): Either.Either<Uint8Array, HeadError> => {
  if (!isVersion(head.version)) return notALine("Version", `HTTP/${head.version}`)
  const isStatus = Number.isInteger(head.status) && head.status >= 100 && head.status <= 999 && head.status !== 101
  return isStatus && Grammar.firstOutside(head.reason, Grammar.isTextCode) === -1
    ? Either.right(encodeHead(`HTTP/${head.version} ${head.status} ${head.reason}`, head.fields))
    : notALine("StartLine", `${head.status} ${head.reason}`)
}

const isVersion = (version: string): boolean =>
  version.length === 3 &&
  version[1] === "." &&
  Grammar.isDigit(version.charCodeAt(0)) &&
  Grammar.isDigit(version.charCodeAt(2))

const notALine = (reason: "StartLine" | "Version", text: string): Either.Either<never, HeadError> =>
  Either.left(new HeadError({ reason, detail: `${Grammar.printable(text)} cannot be in a start line`, offset: 0 }))
