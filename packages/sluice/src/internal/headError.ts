import * as Data from "effect/Data"

/**
 * A head that breaks the grammar of RFC 9112 or a limit; at which byte of the head, counted from 0.
 *
 * - `StartLine`: the request or status line is not what RFC 9112 §3 and §4 demand.
 * - `Version`: the version is not written as `HTTP/` digit `.` digit (RFC 9112 §2.3).
 * - `FieldLine`: a line is not a name, a colon and a value (RFC 9112 §5).
 * - `SpaceBeforeColon`: white space between a name and its colon (RFC 9112 §5.1).
 * - `ObsoleteLineFolding`: a field of a request goes on in the next line (RFC 9112 §5.2).
 * - `BareLineFeed`, `BareCarriageReturn`: half of the CRLF that ends a line (RFC 9112 §2.2).
 * - `ControlCharacter`: NUL or another control character (RFC 9110 §5.5).
 * - `Framing`: where the body ends cannot be told (RFC 9112 §6.3, §7.1).
 * - `HeadTooLarge`, `TooManyFields`, `TargetTooLong`: a limit, with both numbers.
 *
 * @category errors
 * @since 0.1.0
 */
export class HeadError extends Data.TaggedError("HeadError")<{
  /** Which rule or limit was broken. */
  readonly reason:
    | "StartLine"
    | "Version"
    | "FieldLine"
    | "SpaceBeforeColon"
    | "ObsoleteLineFolding"
    | "BareLineFeed"
    | "BareCarriageReturn"
    | "ControlCharacter"
    | "Framing"
    | "HeadTooLarge"
    | "TooManyFields"
    | "TargetTooLong"
  /** What was seen, and what would be right. */
  readonly detail: string
  /** The byte at which it was known. */
  readonly offset: number
  /** The limit that was broken, if it was one. */
  readonly limit?: number | undefined
  /** What was compared with the limit: the first number above it, since the rest is not read. */
  readonly seen?: number | undefined
}> {
  /** The detail and the place. */
  override get message(): string {
    return `${this.detail} (byte ${this.offset} of the head)`
  }
}
