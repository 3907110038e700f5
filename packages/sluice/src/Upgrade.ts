/**
 * Switching a connection of HTTP/1.1 to another protocol (RFC 9110 §7.8), whichever that is; both roles, pure and total.
 *
 * ```text
 * server   Received --negotiate--> Negotiated --switching--> Switching | Rejection
 * client   Initiated --request--> AwaitingResponse --receiveResponse--> Upgraded | Rejection | InvalidResponse
 * ```
 *
 * `negotiate` says which of my protocols a request asks for, typed by the names given; `switching` is the 101 that
 * answers it, and `rest` the first bytes of the new protocol. `initiate` is the request of a client, `receiveResponse`
 * reads what the server makes of it. WebSocket is one protocol (see `Handshake`), `h2c` is another, one of your own a
 * third. The fields that a protocol adds to the request or to the 101 are checked by whoever knows that protocol.
 *
 * The module does no input and output; `WebSocketServer.upgrade` and `UpgradeClient` do. A server's refusals come in this
 * order: the version of HTTP, the request target, `Host`, content, `Expect`, `Upgrade`, `Connection`.
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import * as Fields from "./Fields.js"
import type * as Http1 from "./Http1.js"
import { encodeHead } from "./internal/encodeHead.js"
import { trusted } from "./internal/fields.js"
import * as Grammar from "./internal/grammar.js"
import { InvalidResponse } from "./internal/invalidResponse.js"
import * as Latin1 from "./internal/latin1.js"
import { besides } from "./internal/ownFields.js"
import * as Reply from "./internal/reply.js"
import { RequestError } from "./internal/requestError.js"
import * as RequestRules from "./internal/requestRules.js"
import * as UpgradeRequest from "./internal/upgradeRequest.js"
import type { AwaitingResponse, Initiated, InitiateOptions, Upgraded } from "./internal/upgradeState.js"
import * as Rejection from "./Rejection.js"

export { type AwaitingResponse, type Initiated, type InitiateOptions, InvalidResponse, RequestError, type Upgraded }

/**
 * A request whose head is whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received {
  /** Tells it from the other states of a handshake. */
  readonly _tag: "Received"
  /** The head. */
  readonly request: Http1.RequestHead
  /** The bytes that came after the head. */
  readonly rest: Uint8Array
}

/**
 * A request whose head was read elsewhere, for example by an HTTP server.
 *
 * @category constructors
 * @since 0.1.0
 */
export const received = (request: Http1.RequestHead, rest: Uint8Array = new Uint8Array(0)): Received => ({
  _tag: "Received",
  request,
  rest
})

/**
 * One element of `Upgrade`: `websocket`, or `HTTP/2.0`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Protocol {
  /** A token; its case does not matter. */
  readonly name: string
  /** What follows the slash, if there is one. */
  readonly version: string | undefined
}

/**
 * The protocols that a request asks for, the most wanted first; none if it has no `Upgrade`, or is of HTTP/1.0, where
 * the field must be ignored (RFC 9110 §7.8).
 *
 * Fails with `BadRequest` (reason `Upgrade`) where an element is not a name, or a name, a slash and a version.
 *
 * @category getters
 * @since 0.1.0
 */
export const requested = (head: Http1.RequestHead): Either.Either<ReadonlyArray<Protocol>, Rejection.BadRequest> => {
  const protocols: Array<Protocol> = []
  // RFC 9110 §7.8: "A server that receives an Upgrade header field in an HTTP/1.0 request MUST ignore that Upgrade field."
  if (!canUpgrade(head)) return Either.right(protocols)
  for (const element of Fields.list(head.fields, "Upgrade")) {
    const protocol = Grammar.parseProtocol(element)
    if (protocol === undefined) return bad("Upgrade", `${Grammar.printable(element)} in Upgrade is not a protocol`)
    protocols.push(protocol)
  }
  return Either.right(protocols)
}

const bad = (reason: Rejection.BadRequestReason, detail: string): Either.Either<never, Rejection.BadRequest> =>
  Either.left(new Rejection.BadRequest({ reason, detail }))

/**
 * RFC 9110 §6.2: a higher minor version is to be processed as if it were the highest that is implemented.
 *
 * @internal
 */
export const canUpgrade = ({ version }: Http1.RequestHead): boolean => version.startsWith("1.") && version !== "1.0"

/**
 * A request with the protocol that the connection may be switched to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Negotiated<out P extends string> {
  /** Tells it from the other states of a handshake. */
  readonly _tag: "Negotiated"
  /** The protocol, as the server writes its name. */
  readonly protocol: P
  /** The head of the request. */
  readonly request: Http1.RequestHead
  /** Whom the request is for, a host and perhaps a port, in lowercase: of the target if that is absolute, else `Host`. */
  readonly authority: string
  /** The path and the query of the target, whatever its form; empty for `CONNECT` and `*`. */
  readonly resource: string
  /** Whether a 100 goes before the 101, as the request expects (RFC 9110 §7.8). */
  readonly continue: boolean
  /** The bytes that came after the head. */
  readonly rest: Uint8Array
}

/**
 * Chooses the protocol that the client wants most among those that the server supports (RFC 9110 §7.8).
 *
 * Names compare without case; a version must be the same. Fails with `HttpVersionNotSupported`; `BadRequest` for the
 * target, `Host`, content (a request with a body cannot be upgraded here), `Upgrade` or `Connection`; a `Custom` of 417
 * for an expectation other than `100-continue`; `NotAnUpgrade` when nothing supported is asked for.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Fields, Upgrade } from "sluice"
 *
 * const chosen = Fields.make([
 *   ["Host", "example.com"],
 *   ["Connection", "Upgrade"],
 *   ["Upgrade", "tail/2, tail/1"]
 * ]).pipe(
 *   Either.map((fields) => Upgrade.received({ method: "GET", target: "/log", version: "1.1", fields })),
 *   Either.flatMap((received) => Upgrade.negotiate(received, ["websocket", "tail/1"]))
 * )
 * if (Either.isRight(chosen)) {
 *   const protocol: "websocket" | "tail/1" = chosen.right.protocol // "tail/1"
 * }
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const negotiate = <const P extends readonly [string, ...Array<string>]>(
  received: Received,
  supported: P
): Either.Either<Negotiated<P[number]>, Rejection.Rejection> => {
  const { request, rest } = received
  if (!canUpgrade(request)) return Either.left(new Rejection.HttpVersionNotSupported())
  const destination = RequestRules.destinationOf(request)
  if (Either.isLeft(destination)) return Either.left(destination.left)
  const refusal = RequestRules.refuseContent(request.fields) ?? RequestRules.refuseExpectation(request.fields)
  if (refusal !== undefined) return Either.left(refusal)
  const protocols = requested(request)
  if (Either.isLeft(protocols)) return Either.left(protocols.left)
  const protocol = choose(protocols.right, supported)
  if (protocol === undefined) return Either.left(new Rejection.NotAnUpgrade({ supported }))
  const options = Fields.list(request.fields, "Connection")
  // RFC 9110 §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the Connection header field"
  if (!options.every(Grammar.isToken) || !options.some((option) => Grammar.equalsIgnoreCase(option, "upgrade"))) {
    return bad("Connection", "Connection is not a list of names with Upgrade among them")
  }
  return Either.right({
    _tag: "Negotiated",
    protocol,
    request,
    authority: destination.right.authority,
    resource: destination.right.resource,
    continue: Fields.list(request.fields, "Expect").length > 0,
    rest
  })
}

const choose = <P extends string>(requested: ReadonlyArray<Protocol>, supported: ReadonlyArray<P>): P | undefined => {
  for (const protocol of requested) {
    const found = supported.find((own) => Grammar.isProtocol(own, protocol))
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Fields that may be added to a 101.
 *
 * @category models
 * @since 0.1.0
 */
export type ExtraFields = Fields.Fields & Brand.Brand<"sluice/ExtraFields">

/**
 * Checks the fields that an application adds to a 101, such as `Set-Cookie`.
 *
 * Fails with `FieldError`: as `Fields.make`, and with reason `Reserved` for the fields of the handshake itself
 * (`Connection`, `Upgrade`, `Sec-WebSocket-*`) and for those of a body, which a 101 has not.
 *
 * @example
 * ```ts
 * import { Upgrade } from "sluice"
 *
 * const fields = Upgrade.extraFields([["Set-Cookie", "seen=1; Secure"]])
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const extraFields = (
  entries: Iterable<readonly [name: string, value: string]>
): Either.Either<ExtraFields, Fields.FieldError> =>
  // what the brand says was checked just now
  Either.map(besides(entries, reserved), (fields) => fields as ExtraFields)

// RFC 9110 §8.6 and RFC 9112 §6.1: a server MUST NOT send Content-Length or Transfer-Encoding in a 1xx
const reserved = ["Connection", "Upgrade", "Content-Length", "Transfer-Encoding"]

/**
 * The 101 of a connection that is switched (RFC 9110 §15.2.2). It has no body: what follows are bytes of the protocol.
 * Only `switching` makes one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Switching<out P extends string> extends Brand.Brand<"sluice/Switching"> {
  /** Tells it from the other states of a handshake. */
  readonly _tag: "Switching"
  /** The protocol from here on. */
  readonly protocol: P
  /** Whether a 100 goes before it. */
  readonly continue: boolean
  /** All fields of the 101. */
  readonly fields: Fields.Fields
}

/**
 * The 101 that switches to the protocol that was negotiated.
 *
 * @category constructors
 * @since 0.1.0
 */
export const switching = <P extends string>(
  negotiated: Omit<Negotiated<P>, "_tag">,
  fields?: ExtraFields
): Switching<P> => {
  const switching: Omit<Switching<P>, keyof Brand.Brand<"sluice/Switching">> = {
    _tag: "Switching",
    protocol: negotiated.protocol,
    continue: negotiated.continue,
    fields: trusted([["Upgrade", negotiated.protocol], ["Connection", "Upgrade"], ...(fields ?? [])])
  }
  // the brand is of the type only: here is where it is given
  return switching as Switching<P>
}

/**
 * The bytes of a 101, with the 100 before it that the client waits for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeSwitching = (self: Switching<string>): Uint8Array => {
  const head = encodeHead("HTTP/1.1 101 Switching Protocols", self.fields)
  if (!self.continue) return head
  // RFC 9110 §7.8: "the server MUST send a 100 (Continue) response before sending a 101 (Switching Protocols) response"
  const first = Latin1.encode("HTTP/1.1 100 Continue\r\n\r\n")
  const bytes = new Uint8Array(first.length + head.length)
  bytes.set(first)
  bytes.set(head, first.length)
  return bytes
}

/**
 * Client: a GET that asks for protocols (RFC 9110 §7.8).
 *
 * Fails with `RequestError` of reason `Authority`, `Target` or `Protocols`, or with `FieldError` for `fields`: those of
 * the switch, those of content and `Sec-WebSocket-*` cannot be among them.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Upgrade } from "sluice"
 *
 * const sent = Either.map(
 *   Upgrade.initiate({ authority: "example.com", target: "/log", protocols: ["tail/2", "tail/1"] }),
 *   (initiated) => {
 *     const [awaiting, bytes] = Upgrade.request(initiated)
 *     return { awaiting, bytes }
 *   }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const initiate = <const P extends readonly [string, ...Array<string>]>(
  options: InitiateOptions<P>
): Either.Either<Initiated<P[number]>, Fields.FieldError | RequestError> => {
  const { authority, protocols, target = "/" } = options
  const refused = UpgradeRequest.refuseDestination(authority, target) ?? refuseProtocols(protocols)
  if (refused !== undefined) return Either.left(refused)
  return Either.map(besides(options.fields ?? [], UpgradeRequest.reserved), (fields) => ({
    _tag: "Initiated",
    protocols,
    ...UpgradeRequest.make({ authority, target, protocols, fields })
  }))
}

const refuseProtocols = (protocols: ReadonlyArray<string>): RequestError | undefined => {
  const wrong = protocols.find((text, at) => {
    const protocol = Grammar.parseProtocol(text)
    return protocol === undefined || protocols.findIndex((other) => Grammar.isProtocol(other, protocol)) !== at
  })
  // The type asks for one, but a list may come from elsewhere.
  if (wrong === undefined && protocols.length > 0) return undefined
  const detail = wrong === undefined ? "no protocol is asked for" : `${Grammar.printable(wrong)} is twice there or none`
  return new RequestError({ reason: "Protocols", detail: `${detail}; protocols are distinct: a name, or name/version` })
}

/**
 * Client: the bytes of the request, and the state that waits for the reply within the limits on its head.
 *
 * @category encoding
 * @since 0.1.0
 */
export const request = <P extends string>(
  initiated: Initiated<P>,
  limits?: Http1.Options
): readonly [AwaitingResponse<P>, Uint8Array] => [
  { _tag: "AwaitingResponse", initiated, ...Reply.begin(limits) },
  initiated.bytes
]

/**
 * Client: reads one more chunk of the reply.
 *
 * A reply of 300 and above is read with its body, of which at most `Rejection.maxBody` bytes are kept, and is the
 * `Rejection` that it stands for. A 101 for what was not asked for, and any other reply, such as that of a server that
 * ignores `Upgrade` (RFC 9110 §7.8), is an `InvalidResponse`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const receiveResponse = <P extends string>(
  state: AwaitingResponse<P>,
  chunk: Uint8Array
): Either.Either<AwaitingResponse<P> | Upgraded<P>, Rejection.Rejection | InvalidResponse> => {
  const next = Reply.receive(state, chunk)
  if (Either.isLeft(next)) return Either.left(next.left)
  if (next.right._tag !== "Switched") return Either.right(next.right)
  const { protocols, request } = state.initiated
  const { response, rest } = next.right
  return Either.map(Reply.switchedTo(response, protocols), (protocol) => ({
    _tag: "Upgraded",
    protocol,
    request,
    response,
    rest
  }))
}

/**
 * Client: what it means that the connection ends here.
 *
 * A refusal of which the head had come: `truncated` if its body says that there was more (RFC 9112 §8). Otherwise
 * an `InvalidResponse` of reason `UnexpectedEnd`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const endOfResponse: (state: AwaitingResponse) => Rejection.Rejection | InvalidResponse = Reply.end
