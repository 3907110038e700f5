/**
 * The states of a handshake and what they are made from; the transitions between them are in `Handshake`.
 */
import type { Agreement, Extension, Offer } from "../Extension.js"
import type * as Http1 from "../Http1.js"
import type * as Upgrade from "../Upgrade.js"
import type { Refusing } from "./reply.js"

/**
 * The head of the request that opens a WebSocket.
 *
 * @category models
 * @since 0.1.0
 */
export type Request = Http1.RequestHead

/**
 * The head of the response to it.
 *
 * @category models
 * @since 0.1.0
 */
export type Response = Http1.ResponseHead

/**
 * Server: a connection of which the request has not come whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingHead {
  /** Tells it from the other states. */
  readonly _tag: "AwaitingHead"
  /** @internal */
  readonly reading: Http1.AwaitingRequest
}

/**
 * Server: a connection that has sent the head of a request.
 *
 * @category models
 * @since 0.1.0
 */
export type Received = Upgrade.Received

/**
 * Server: a request that asks for a WebSocket as RFC 6455 §4.2.1 demands, and what it offers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Offered extends Omit<Upgrade.Negotiated<"websocket">, "_tag"> {
  /** Tells it from the other states. */
  readonly _tag: "Offered"
  /** `Sec-WebSocket-Key`: 16 bytes in base64. */
  readonly key: string
  /** What the client wants to speak, the most wanted first; distinct tokens. */
  readonly subprotocols: ReadonlyArray<string>
  /** The extensions it offers, the most wanted first. */
  readonly extensions: ReadonlyArray<Offer>
  /** `Origin` as it was sent; a client without one is not a browser. */
  readonly origin: string | undefined
}

/**
 * Which pages may connect, by their `Origin` (RFC 6455 §10.2).
 *
 * - `"same-origin"`: those whose host and port are the ones that they connect to.
 * - a list: those of these origins, such as `https://example.com`; an entry that is not an origin lets nobody in.
 * - `"any"`: all.
 * - a function: those for which it says so.
 *
 * A request without `Origin` is not of a browser, and passes all but the function. `null` is foreign to the first two.
 *
 * @category models
 * @since 0.1.0
 */
export type OriginPolicy =
  | "same-origin"
  | "any"
  | ReadonlyArray<string>
  | ((origin: string | undefined, offered: Offered) => boolean)

/**
 * What a server makes of an offer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy<
  P extends ReadonlyArray<string> = ReadonlyArray<string>,
  R extends boolean = boolean,
  Config = unknown
> {
  /** Which pages may connect; `"same-origin"` by default, so that no foreign page can use the cookies of a user here. */
  readonly origin?: OriginPolicy | undefined
  /**
   * What is spoken here, the most wanted first. A client that asks for something else is refused. By default there is
   * nothing, and what a client asks for is not looked at.
   */
  readonly subprotocols?: P | undefined
  /** Whether a client that asks for no subprotocol at all is refused too; not by default. */
  readonly subprotocolRequired?: R | undefined
  /** The extensions that are supported; none by default. */
  readonly extensions?: ReadonlyArray<Extension<Config>> | undefined
  /** Fields of the 101 besides those of the handshake. */
  readonly fields?: Upgrade.ExtraFields | undefined
}

/**
 * The subprotocol that a policy can lead to: one of its own, or `undefined` unless one is required.
 *
 * @category models
 * @since 0.1.0
 */
export type Subprotocol<P extends ReadonlyArray<string>, R extends boolean> =
  | P[number]
  | (R extends true ? never : undefined)

/**
 * Server: a handshake that succeeded. Its 101 is the last that HTTP has to say on this connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Accepted<out S extends string | undefined = string | undefined, out Config = unknown> {
  /** Tells it from the other states. */
  readonly _tag: "Accepted"
  /** Tells it from the end of a client's handshake. */
  readonly role: "server"
  /** The head of the request. */
  readonly request: Request
  /** Whom the request is for, a host and perhaps a port, in lowercase. */
  readonly authority: string
  /** The path and the query of the target. */
  readonly resource: string
  /** What both sides speak, if one was agreed. */
  readonly subprotocol: S
  /** The extensions in use, in the order in which they work on the data (RFC 6455 §9.1). */
  readonly extensions: ReadonlyArray<Agreement<Config>>
  /** The 101. */
  readonly switching: Upgrade.Switching<"websocket">
  /** The first bytes of the WebSocket, if the client did not wait. */
  readonly rest: Uint8Array
}

/**
 * What a client asks for.
 *
 * @category models
 * @since 0.1.0
 */
export interface InitiateOptions<P extends ReadonlyArray<string> = ReadonlyArray<string>, Config = unknown> {
  /** The host, and the port unless it is the default of the scheme: `example.com:8080`. Goes out as `Host`. */
  readonly authority: string
  /** The path and the query; `/` by default. */
  readonly target?: string | undefined
  /** What the client wants to speak, the most wanted first; distinct tokens. */
  readonly subprotocols?: P | undefined
  /** The extensions to offer. */
  readonly extensions?: ReadonlyArray<Extension<Config>> | undefined
  /** The origin of the page, for clients that act for one. */
  readonly origin?: string | undefined
  /** Fields besides those of the handshake, such as `Authorization`. */
  readonly fields?: Iterable<readonly [name: string, value: string]> | undefined
}

/**
 * Client: a request that was not sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Initiated<out S extends string = string, out Config = unknown> {
  /** Tells it from the other states. */
  readonly _tag: "Initiated"
  /** The head to send. */
  readonly request: Request
  /** `Sec-WebSocket-Key`: the nonce in base64. */
  readonly key: string
  /** What was asked for, the most wanted first. */
  readonly subprotocols: ReadonlyArray<S>
  /** The extensions that were offered. */
  readonly extensions: ReadonlyArray<Extension<Config>>
  /** @internal The request, checked and written. */
  readonly bytes: Uint8Array
}

/**
 * Client: a request that was sent, and to which the reply has not come whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingResponse<out S extends string = string, out Config = unknown> {
  /** Tells it from the other states. */
  readonly _tag: "AwaitingResponse"
  /** What was asked for. */
  readonly initiated: Initiated<S, Config>
  /** @internal The limits on each head. */
  readonly limits: Http1.Options | undefined
  /** @internal How many 1xx replies came. */
  readonly interim: number
  /** @internal A head, or the body of a refusal. */
  readonly reading: Http1.AwaitingResponse | Refusing
}

/**
 * Client: a handshake that succeeded.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientAccepted<out S extends string = string, out Config = unknown> {
  /** Tells it from the other states. */
  readonly _tag: "Accepted"
  /** Tells it from the end of a server's handshake. */
  readonly role: "client"
  /** The head of the request. */
  readonly request: Request
  /** The head of the 101. */
  readonly response: Response
  /** What both sides speak, if the server chose one. */
  readonly subprotocol: S | undefined
  /** The extensions in use, in the order in which they work on the data (RFC 6455 §9.1). */
  readonly extensions: ReadonlyArray<Agreement<Config>>
  /** The first bytes of the WebSocket, if the server did not wait. */
  readonly rest: Uint8Array
}
