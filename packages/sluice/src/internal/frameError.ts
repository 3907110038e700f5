import * as Data from "effect/Data"
import * as CloseCode from "../CloseCode.js"

/**
 * A peer broke the framing of RFC 6455 §5.2 to §5.5, or went above the limit for one frame.
 *
 * @category errors
 * @since 0.1.0
 */
export class FrameError extends Data.TaggedError("FrameError")<{
  /** The rule that was broken. */
  readonly reason:
    | "ReservedBit"
    | "ReservedOpcode"
    | "NonMinimalLength"
    | "LengthOverflow"
    | "UnmaskedFrame"
    | "MaskedFrame"
    | "FragmentedControlFrame"
    | "ControlFrameTooLong"
    | "FrameTooBig"
    | "UnexpectedEnd"
  /** What was seen, with both numbers where two were compared. */
  readonly detail: string
}> {
  /** The code of the Close frame that answers it (RFC 6455 §7.1.7). */
  get closeCode(): number {
    return CloseCode.forViolation[this.reason]
  }
  /** One line for a person. */
  override get message(): string {
    return `${this.reason}: ${this.detail} (close code ${this.closeCode})`
  }
}
