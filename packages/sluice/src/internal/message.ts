import * as Data from "effect/Data"
import * as CloseCode from "../CloseCode.js"

/**
 * A text message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Text {
  /** Tells a text from a binary message. */
  readonly _tag: "Text"
  /** The text, without replacement of anything. */
  readonly text: string
}

/**
 * A binary message. Its bytes may be a view of a larger buffer: copy them to keep a few of them for long.
 *
 * @category models
 * @since 0.1.0
 */
export interface Binary {
  /** Tells a binary message from a text. */
  readonly _tag: "Binary"
  /** The bytes of the message. */
  readonly bytes: Uint8Array
}

/**
 * A whole message.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = Text | Binary

/**
 * A piece of a message that is taken or sent as it comes. Pieces have nothing to do with fragments on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece {
  /** Tells a piece from a whole message. */
  readonly _tag: "Piece"
  /** The type of the message. */
  readonly type: Message["_tag"]
  /** Whether the message begins here. */
  readonly first: boolean
  /** Whether the message ends here. */
  readonly last: boolean
  /** Bytes of the message; those of a text never end inside a character. */
  readonly bytes: Uint8Array
}

/**
 * A peer broke the rules for messages (RFC 6455 §5.4, §8.1), or went above a limit for them.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageError extends Data.TaggedError("MessageError")<{
  /** The rule that was broken. */
  readonly reason:
    | "UnexpectedContinuation"
    | "ExpectedContinuation"
    | "InvalidUtf8"
    | "MessageTooBig"
    | "TooManyFragments"
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
