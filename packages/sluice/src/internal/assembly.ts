/**
 * The one step from the parts of data frames to messages (RFC 6455 §5.4), whole or piece by piece.
 */
import type { Limit } from "../Limits.js"
import * as Accumulator from "./accumulator.js"
import { type FramePart, isLast } from "./framePart.js"
import { type Message, MessageError, type Piece } from "./message.js"
import * as Utf8 from "./utf8.js"
import { decodeUtf8 } from "./webPlatform.js"

/**
 * A message of which the end has not come.
 *
 * @internal
 */
export interface Unfinished {
  readonly isText: boolean
  /** Payload bytes that its frames announced. */
  readonly size: number
  readonly fragments: number
  readonly utf8: Utf8.State
  /** What is kept for the application: nothing, when it takes the message in pieces. */
  readonly kept: Accumulator.Accumulator
  /** Whether a piece of it was handed out. */
  readonly begun: boolean
}

/** @internal */
export interface Assembling {
  readonly maxMessageSize: Limit
  readonly maxFragments: Limit
}

/**
 * Checks one more part of a message and returns the message as it then stands, without keeping the payload.
 */
const advance = (message: Unfinished | undefined, part: FramePart, limits: Assembling): Unfinished | MessageError => {
  const isContinuation = part.opcode === 0
  if (part.first && isContinuation !== (message !== undefined)) {
    // §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message"
    return isContinuation
      ? new MessageError({ reason: "UnexpectedContinuation", detail: "there is no message to continue" })
      : new MessageError({ reason: "ExpectedContinuation", detail: "a new message inside an unfinished one" })
  }
  const isText = message === undefined ? part.opcode === 1 : message.isText
  const size = (message?.size ?? 0) + (part.first ? part.length : 0)
  if (limits.maxMessageSize !== "unbounded" && size > limits.maxMessageSize) {
    return new MessageError({
      reason: "MessageTooBig",
      detail: `a message of at least ${size} bytes, the limit is ${limits.maxMessageSize}`
    })
  }
  const fragments = (message?.fragments ?? 0) + (part.first ? 1 : 0)
  if (limits.maxFragments !== "unbounded" && fragments > limits.maxFragments) {
    return new MessageError({
      reason: "TooManyFragments",
      detail: `a message of at least ${fragments} fragments, the limit is ${limits.maxFragments}`
    })
  }
  let utf8 = Utf8.start
  if (isText) {
    // §8.1: fail "the WebSocket Connection" when the bytes are not UTF-8; only the end of a message must end a character
    utf8 = Utf8.check(message?.utf8 ?? Utf8.start, part.payload)
    if (utf8 === Utf8.invalid) {
      return new MessageError({ reason: "InvalidUtf8", detail: "a text is not valid UTF-8" })
    }
    if (utf8 !== Utf8.start && ends(part)) {
      return new MessageError({ reason: "InvalidUtf8", detail: "a text ends inside a character" })
    }
  }
  return { isText, size, fragments, utf8, kept: message?.kept ?? Accumulator.empty, begun: message?.begun ?? false }
}

const ends = (part: FramePart): boolean => part.fin && isLast(part)

/**
 * Adds a part: the message if it is now whole, or what there is of it.
 *
 * @internal
 */
export const assemble = (
  message: Unfinished | undefined,
  part: FramePart,
  limits: Assembling
): Unfinished | Message | MessageError => {
  const next = advance(message, part, limits)
  if (next instanceof MessageError) return next
  const bytes = message === undefined && ends(part) ? part.payload : undefined
  // Only the last fragment tells how long the message is. Before it, room for no more than what was announced would be
  // outgrown by the next fragment, and copied for each.
  const expected = part.fin ? next.size : 0
  const kept = bytes === undefined ? Accumulator.append(next.kept, part.payload, expected) : next.kept
  if (!ends(part)) return { ...next, kept }
  return finish(next.isText, bytes ?? Accumulator.toBytes(kept))
}

const finish = (isText: boolean, bytes: Uint8Array): Message =>
  isText ? { _tag: "Text", text: decodeUtf8(bytes) } : { _tag: "Binary", bytes }

/**
 * Adds a part and hands it out; nothing is kept but the beginning of a character that was cut.
 *
 * @internal
 */
export const divide = (
  message: Unfinished | undefined,
  part: FramePart,
  limits: Assembling
): { readonly next: Unfinished | undefined; readonly piece: Piece } | MessageError => {
  const next = advance(message, part, limits)
  if (next instanceof MessageError) return next
  const bytes = next.kept.length === 0 ? part.payload : Accumulator.toBytes(Accumulator.append(next.kept, part.payload))
  // A character that was cut waits for its end, so that each piece of a text can be decoded by itself.
  const end = next.utf8 === Utf8.start ? bytes.length : Utf8.lastBoundary(bytes)
  const kept = Accumulator.append(Accumulator.empty, bytes.subarray(end))
  const piece: Piece = {
    _tag: "Piece",
    type: next.isText ? "Text" : "Binary",
    first: !next.begun,
    last: ends(part),
    bytes: end === bytes.length ? bytes : bytes.subarray(0, end)
  }
  return { next: piece.last ? undefined : { ...next, kept, begun: true }, piece }
}

/** @internal Bytes of memory that the message holds. */
export const pinned = (message: Unfinished): number => Accumulator.pinned(message.kept)
