import * as Data from "effect/Data"

/**
 * A field that may not be sent: what is wrong with it, and where.
 *
 * `InvalidName` and `InvalidValue` break RFC 9110 §5.1 and §5.5. `Reserved` is a field that sluice writes itself, such
 * as `Sec-WebSocket-Accept` in a handshake or `Content-Length` in a refusal.
 *
 * @category errors
 * @since 0.1.0
 */
export class FieldError extends Data.TaggedError("FieldError")<{
  /** Which rule was broken. */
  readonly reason: "InvalidName" | "InvalidValue" | "Reserved"
  /** The name of the field, in visible ASCII and between quotes. */
  readonly name: string
  /** What is wrong, and what would be right. */
  readonly detail: string
}> {
  /** The detail, after the name of the field. */
  override get message(): string {
    return `field ${this.name}: ${this.detail}`
  }
}
