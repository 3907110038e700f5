/**
 * The opening handshake of RFC 6455 §4, both roles, as a typestate machine over bytes.
 *
 * ```text
 * server   AwaitingHead --receive--> Received --offer--> Offered --negotiate--> Accepted | Rejection
 * client   Initiated --request--> AwaitingResponse --receiveResponse--> ClientAccepted | Rejection | InvalidResponse
 * ```
 *
 * A transition takes the one state for which it is defined, so that an illegal step does not compile. It is pure and
 * total: every sequence of bytes ends in one of the results above, or asks for more within the limits. `offer` checks
 * what the RFC demands of a request, `negotiate` applies the policy of the application; what an application decides with
 * effects, such as authentication, goes between the two. Only `Accepted` has a 101.
 *
 * A request is refused for the first of these: the syntax of its head and the limits on it, the version of HTTP, the
 * method, the request target, `Host`, content, `Expect`, `Upgrade`, `Connection`, `Sec-WebSocket-Version`,
 * `Sec-WebSocket-Key`, `Sec-WebSocket-Protocol`, `Sec-WebSocket-Extensions`, a repeated `Origin`; then, by the policy,
 * the origin and the subprotocol.
 *
 * The module reads no sockets, draws no random numbers, follows no redirects, and knows no clock: the nonce is an
 * argument, and `Rejection.HandshakeTimeout` is for whoever has a clock.
 *
 * @since 0.1.0
 */
import { sha1 } from "@noble/hashes/sha1"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Extension from "./Extension.js"
import type * as Fields from "./Fields.js"
import * as Http1 from "./Http1.js"
import * as Accumulator from "./internal/accumulator.js"
import { trusted } from "./internal/fields.js"
import type {
  Accepted,
  AwaitingHead,
  AwaitingResponse,
  ClientAccepted,
  Initiated,
  InitiateOptions,
  Offered,
  OriginPolicy,
  Policy,
  Received,
  Request,
  Response,
  Subprotocol
} from "./internal/handshakeState.js"
import { InvalidResponse } from "./internal/invalidResponse.js"
import * as OfferFields from "./internal/offerFields.js"
import * as OpeningRequest from "./internal/openingRequest.js"
import * as Origin from "./internal/origin.js"
import * as Reply from "./internal/reply.js"
import { RequestError } from "./internal/requestError.js"
import * as SwitchingResponse from "./internal/switchingResponse.js"
import * as Rejection from "./Rejection.js"
import * as Upgrade from "./Upgrade.js"

export {
  type Accepted,
  type AwaitingHead,
  type AwaitingResponse,
  type ClientAccepted,
  type Initiated,
  type InitiateOptions,
  InvalidResponse,
  type Offered,
  type OriginPolicy,
  type Policy,
  type Received,
  type Request,
  RequestError,
  type Response,
  type Subprotocol
}

/**
 * Server: the start, with the limits on the head.
 *
 * @category constructors
 * @since 0.1.0
 */
export const awaitingHead = (limits?: Http1.Options): AwaitingHead => ({
  _tag: "AwaitingHead",
  reading: Http1.request(limits)
})

/**
 * Server: bytes of memory kept for a head of which the end has not come.
 *
 * @category getters
 * @since 0.1.0
 */
export const pinned = (state: AwaitingHead): number => Accumulator.pinned(state.reading.kept)

/**
 * Server: reads one more chunk of the connection.
 *
 * Fails with `TargetTooLong`, `HeadTooLarge`, or `BadRequest` of reason `Syntax`, as soon as that is known.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Handshake, Rejection } from "sluice"
 *
 * // for a request that comes in one chunk
 * const answer = (chunk: Uint8Array) =>
 *   Handshake.receive(Handshake.awaitingHead(), chunk).pipe(
 *     Either.filterOrLeft(
 *       (state) => state._tag === "Received",
 *       () => new Rejection.HandshakeTimeout({ timeout: 0 })
 *     ),
 *     Either.flatMap(Handshake.offer),
 *     Either.flatMap((offered) => Handshake.negotiate(offered, { subprotocols: ["chat.v2", "chat.v1"] })),
 *     Either.match({ onLeft: Rejection.toBytes, onRight: Handshake.response })
 *   )
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const receive = (
  state: AwaitingHead,
  chunk: Uint8Array
): Either.Either<AwaitingHead | Received, Rejection.Rejection> =>
  Either.mapBoth(Http1.receive(state.reading, chunk), {
    onLeft: refuseHead,
    onRight: (read): AwaitingHead | Received =>
      read._tag === "Complete" ? received(read.head, read.rest) : { _tag: "AwaitingHead", reading: read }
  })

const refuseHead = (error: Http1.HeadError): Rejection.Rejection => {
  const { limit = 0, seen = 0 } = error
  switch (error.reason) {
    case "TargetTooLong":
      return new Rejection.TargetTooLong({ limit, seen })
    case "HeadTooLarge":
      return new Rejection.HeadTooLarge({ what: "bytes", limit, seen })
    case "TooManyFields":
      return new Rejection.HeadTooLarge({ what: "fields", limit, seen })
    default:
      return new Rejection.BadRequest({ reason: "Syntax", detail: error.message })
  }
}

/**
 * Server: a request whose head was read elsewhere, for example by an HTTP server; `rest` is what came after it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const received: (request: Request, rest?: Uint8Array) => Received = Upgrade.received

/**
 * Server: checks all that RFC 6455 §4.2.1 demands of the request, in the order of the module's description.
 *
 * @category combinators
 * @since 0.1.0
 */
export const offer = (state: Received): Either.Either<Offered, Rejection.Rejection> => {
  const { request } = state
  // §4.2.1: "An HTTP/1.1 or higher GET request"; `Upgrade.negotiate` refuses the version, before all else
  if (request.method !== "GET" && Upgrade.canUpgrade(request)) return Either.left(new Rejection.MethodNotAllowed())
  return Either.flatMap(Upgrade.negotiate(state, ["websocket"]), (negotiated) =>
    Either.map(OfferFields.read(request.fields), (asked) => ({
      _tag: "Offered",
      protocol: negotiated.protocol,
      request,
      authority: negotiated.authority,
      resource: negotiated.resource,
      continue: negotiated.continue,
      key: asked.key,
      subprotocols: asked.subprotocols,
      extensions: asked.extensions,
      origin: asked.origin,
      rest: negotiated.rest
    }))
  )
}

/**
 * Server: applies the policy of the application to the offer (RFC 6455 §4.2.2).
 *
 * Of the subprotocols the one that the policy wants most is chosen among those that the client asks for; only what was
 * chosen is sent back. Fails with `ForbiddenOrigin`, or with `NoCommonSubprotocol` when the client asks for subprotocols
 * and none is spoken here, or for none where one is required.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Handshake } from "sluice"
 *
 * const accept = (offered: Handshake.Offered) =>
 *   Handshake.negotiate(offered, {
 *     origin: ["https://example.com"],
 *     subprotocols: ["chat.v2", "chat.v1"],
 *     subprotocolRequired: true
 *   }).pipe(Either.map((accepted): "chat.v2" | "chat.v1" => accepted.subprotocol))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const negotiate = <
  const P extends ReadonlyArray<string> = readonly [],
  const R extends boolean = false,
  Config = never
>(
  state: Offered,
  policy: Policy<P, R, Config> = {}
): Either.Either<Accepted<Subprotocol<P, R>, Config>, Rejection.Rejection> => {
  if (!isAllowed(state, policy.origin ?? "same-origin")) {
    return Either.left(new Rejection.ForbiddenOrigin({ origin: state.origin }))
  }
  const supported: ReadonlyArray<P[number]> = policy.subprotocols ?? []
  const subprotocol = supported.find((name) => state.subprotocols.includes(name))
  // §4.2.2: a server that does not speak what is asked for may go on without; one that speaks subprotocols does not, for
  // the client would have to guess what the messages mean
  const isAsked = state.subprotocols.length > 0 && supported.length > 0
  if (subprotocol === undefined && (isAsked || policy.subprotocolRequired === true)) {
    return Either.left(new Rejection.NoCommonSubprotocol({ supported }))
  }
  const agreements = Extension.negotiate(state.extensions, policy.extensions ?? [])
  // tokens of the client or of the extensions that `Extension.negotiate` checked, and fields that are checked
  const fields: Array<Fields.Field> = [["Sec-WebSocket-Accept", acceptKey(state.key)]]
  if (subprotocol !== undefined) fields.push(["Sec-WebSocket-Protocol", subprotocol])
  if (agreements.length > 0) {
    fields.push(["Sec-WebSocket-Extensions", Extension.format(agreements.map(({ response }) => response))])
  }
  return Either.right({
    _tag: "Accepted",
    role: "server",
    request: state.request,
    authority: state.authority,
    resource: state.resource,
    // `undefined` did not come through above when one is required
    subprotocol: subprotocol as Subprotocol<P, R>,
    extensions: agreements,
    switching: Upgrade.switching(state, trusted([...fields, ...(policy.fields ?? [])]) as Upgrade.ExtraFields),
    rest: state.rest
  })
}

const isAllowed = (state: Offered, policy: OriginPolicy): boolean => {
  const { origin } = state
  if (typeof policy === "function") return policy(origin, state)
  // RFC 6455 §4.2.1, item 7: "A connection attempt lacking this header field SHOULD NOT be interpreted as coming from a
  // browser client."
  if (policy === "any" || origin === undefined) return true
  return policy === "same-origin" ? Origin.isSame(origin, state.authority) : Origin.isAmong(origin, policy)
}

/**
 * Server: the bytes of the 101, the last of HTTP on this connection.
 *
 * @category encoding
 * @since 0.1.0
 */
export const response = (accepted: Accepted): Uint8Array => Upgrade.encodeSwitching(accepted.switching)

/**
 * `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 §4.2.2, item 5.4).
 *
 * @example
 * ```ts
 * import { Handshake } from "sluice"
 *
 * Handshake.acceptKey("dGhlIHNhbXBsZSBub25jZQ==") // "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const acceptKey = (key: string): string =>
  Encoding.encodeBase64(sha1(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`))

/**
 * Client: the request of RFC 6455 §4.1, for a nonce of 16 bytes that must be random and new for each connection.
 *
 * Fails with `RequestError`, or with `FieldError` for `fields`: those of the handshake cannot be among them.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Handshake } from "sluice"
 *
 * const initiated = Handshake.initiate(
 *   { authority: "example.com", target: "/chat", subprotocols: ["chat.v2", "chat.v1"] },
 *   crypto.getRandomValues(new Uint8Array(16))
 * )
 * const sent = Either.map(initiated, (initiated) => {
 *   const [awaiting, bytes] = Handshake.request(initiated)
 *   return { awaiting, bytes }
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const initiate = <const P extends ReadonlyArray<string> = readonly [], Config = never>(
  options: InitiateOptions<P, Config>,
  nonce: Uint8Array
): Either.Either<Initiated<P[number], Config>, Fields.FieldError | RequestError> =>
  OpeningRequest.make(options, options.subprotocols ?? [], nonce)

/**
 * Client: the bytes of the request, and the state that waits for the reply within the limits on its head.
 *
 * @category encoding
 * @since 0.1.0
 */
export const request = <S extends string, Config>(
  initiated: Initiated<S, Config>,
  limits?: Http1.Options
): readonly [AwaitingResponse<S, Config>, Uint8Array] => [
  { _tag: "AwaitingResponse", initiated, ...Reply.begin(limits) },
  initiated.bytes
]

/**
 * Client: reads one more chunk of the reply (RFC 6455 §4.1).
 *
 * A reply of 300 and above is read with its body, of which at most `Rejection.maxBody` bytes are kept, and is the
 * `Rejection` that it stands for. A 101 that does not fit the request, and any other reply, is an `InvalidResponse`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const receiveResponse = <S extends string, Config>(
  state: AwaitingResponse<S, Config>,
  chunk: Uint8Array
): Either.Either<AwaitingResponse<S, Config> | ClientAccepted<S, Config>, Rejection.Rejection | InvalidResponse> => {
  const next = Reply.receive(state, chunk)
  if (Either.isLeft(next)) return Either.left(next.left)
  return next.right._tag === "Switched" ? confirm(state.initiated, next.right) : Either.right(next.right)
}

const confirm = <S extends string, Config>(
  { extensions, key, request, subprotocols }: Initiated<S, Config>,
  { response, rest }: Reply.Switched
): Either.Either<ClientAccepted<S, Config>, InvalidResponse> =>
  Either.gen(function* () {
    yield* Reply.switchedTo(response, ["websocket"])
    yield* SwitchingResponse.check(response, acceptKey(key))
    return {
      _tag: "Accepted" as const,
      role: "client" as const,
      request,
      response,
      extensions: yield* SwitchingResponse.extensions(response.fields, extensions),
      subprotocol: yield* SwitchingResponse.subprotocol(response.fields, subprotocols),
      rest
    }
  })

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
