/**
 * The states of a client that asks to switch protocols; the transitions between them are in `Upgrade`.
 */
import type * as Http1 from "../Http1.js"
import type { Refusing } from "./reply.js"

/**
 * What a client asks for.
 *
 * @category models
 * @since 0.1.0
 */
export interface InitiateOptions<P extends ReadonlyArray<string> = ReadonlyArray<string>> {
  /** The host, and the port unless it is the default of the scheme: `example.com:8080`. Goes out as `Host`. */
  readonly authority: string
  /** The path and the query; `/` by default. */
  readonly target?: string | undefined
  /** What the client wants to speak, the most wanted first: distinct names, each with a slash and a version or without. */
  readonly protocols: P
  /** Fields besides those of the switch, such as `Authorization`. */
  readonly fields?: Iterable<readonly [name: string, value: string]> | undefined
}

/**
 * Client: a request that was not sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Initiated<out P extends string = string> {
  /** Tells it from the other states. */
  readonly _tag: "Initiated"
  /** The head to send. */
  readonly request: Http1.RequestHead
  /** What was asked for, the most wanted first. */
  readonly protocols: ReadonlyArray<P>
  /** @internal The request, checked and written. */
  readonly bytes: Uint8Array
}

/**
 * Client: a request that was sent, and to which the reply has not come whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingResponse<out P extends string = string> {
  /** Tells it from the other states. */
  readonly _tag: "AwaitingResponse"
  /** What was asked for. */
  readonly initiated: Initiated<P>
  /** @internal The limits on each head. */
  readonly limits: Http1.Options | undefined
  /** @internal How many 1xx replies came. */
  readonly interim: number
  /** @internal A head, or the body of a refusal. */
  readonly reading: Http1.AwaitingResponse | Refusing
}

/**
 * Client: a connection that the server has switched. What follows the 101 are bytes of the protocol.
 *
 * @category models
 * @since 0.1.0
 */
export interface Upgraded<out P extends string = string> {
  /** Tells it from the other states. */
  readonly _tag: "Upgraded"
  /** The protocol from here on, as the client writes its name. */
  readonly protocol: P
  /** The head of the request. */
  readonly request: Http1.RequestHead
  /** The head of the 101. */
  readonly response: Http1.ResponseHead
  /** The first bytes of the protocol, if the server did not wait. */
  readonly rest: Uint8Array
}
