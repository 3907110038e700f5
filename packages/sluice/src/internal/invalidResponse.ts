import * as Data from "effect/Data"

/**
 * A reply that neither switches protocols nor refuses to: the server does not speak the protocol, or breaks it.
 *
 * - `Syntax`, `HeadTooLarge`: the head breaks RFC 9112, or a limit.
 * - `Framing`: where the body of a refusal ends cannot be told (RFC 9112 §6.3).
 * - `Interim`: too many 1xx replies before the final one.
 * - `Status`: neither 101 nor a refusal: a 2xx, to which the request was an ordinary GET.
 * - `Version`, `Upgrade`, `Connection`: a 101 that RFC 9110 §7.8 does not allow, or for what was not asked for.
 * - `Accept`, `Extensions`, `Subprotocol`: a 101 that RFC 6455 §4.1 does not allow.
 * - `UnexpectedEnd`: the connection ended before the reply did.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidResponse extends Data.TaggedError("InvalidResponse")<{
  /** Which part of the reply is wrong. */
  readonly reason:
    | "Syntax"
    | "HeadTooLarge"
    | "Framing"
    | "Interim"
    | "Status"
    | "Version"
    | "Upgrade"
    | "Connection"
    | "Accept"
    | "Extensions"
    | "Subprotocol"
    | "UnexpectedEnd"
  /** What was seen, and what would be right. */
  readonly detail: string
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}
