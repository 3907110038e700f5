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
  readonly _tag: "Unfinished"
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

const isTextOf = (message: Unfinished | undefined, part: FramePart): boolean =>
  message === undefined ? part.opcode === 1 : message.isText

const sizeOf = (message: Unfinished | undefined, part: FramePart): number =>
  (message === undefined ? 0 : message.size) + (part.first ? part.length : 0)

const fragmentsOf = (message: Unfinished | undefined, part: FramePart): number =>
  (message === undefined ? 0 : message.fragments) + (part.first ? 1 : 0)

/** Checks one more part of a message, and returns where the check of its UTF-8 then stands. */
const check = (message: Unfinished | undefined, part: FramePart, limits: Assembling): Utf8.State | MessageError => {
  const isContinuation = part.opcode === 0
  if (part.first && isContinuation !== (message !== undefined)) {
    // §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message"
    return isContinuation
      ? new MessageError({ reason: "UnexpectedContinuation", detail: "there is no message to continue" })
      : new MessageError({ reason: "ExpectedContinuation", detail: "a new message inside an unfinished one" })
  }
  const size = sizeOf(message, part)
  if (limits.maxMessageSize !== "unbounded" && size > limits.maxMessageSize) {
    return new MessageError({
      reason: "MessageTooBig",
      detail: `a message of at least ${size} bytes, the limit is ${limits.maxMessageSize}`
    })
  }
  const fragments = fragmentsOf(message, part)
  if (limits.maxFragments !== "unbounded" && fragments > limits.maxFragments) {
    return new MessageError({
      reason: "TooManyFragments",
      detail: `a message of at least ${fragments} fragments, the limit is ${limits.maxFragments}`
    })
  }
  if (!isTextOf(message, part)) return Utf8.start
  // §8.1: fail "the WebSocket Connection" when the bytes are not UTF-8; only the end of a message must end a character
  const utf8 = Utf8.check(message === undefined ? Utf8.start : message.utf8, part.payload)
  if (utf8 === Utf8.invalid) return new MessageError({ reason: "InvalidUtf8", detail: "a text is not valid UTF-8" })
  if (utf8 !== Utf8.start && ends(part)) {
    return new MessageError({ reason: "InvalidUtf8", detail: "a text ends inside a character" })
  }
  return utf8
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
  const utf8 = check(message, part, limits)
  if (typeof utf8 !== "number") return utf8
  const isText = isTextOf(message, part)
  if (message === undefined && ends(part)) return finish(isText, part.payload)
  const size = sizeOf(message, part)
  // Only the last fragment tells how long the message is. Before it, room for no more than what was announced would be
  // outgrown by the next fragment, and copied for each.
  const kept = Accumulator.append(keptOf(message), part.payload, part.fin ? size : 0)
  if (ends(part)) return finish(isText, Accumulator.toBytes(kept))
  return { _tag: "Unfinished", isText, size, fragments: fragmentsOf(message, part), utf8, kept, begun: false }
}

const keptOf = (message: Unfinished | undefined): Accumulator.Accumulator =>
  message === undefined ? Accumulator.empty : message.kept

const finish = (isText: boolean, bytes: Uint8Array): Message =>
  isText ? { _tag: "Text", text: decodeUtf8(bytes) } : { _tag: "Binary", bytes }

/** @internal A piece, and the message if it goes on. */
export interface Divided {
  readonly _tag: "Divided"
  readonly next: Unfinished | undefined
  readonly piece: Piece
}

/**
 * Adds a part and hands it out; nothing is kept but the beginning of a character that was cut.
 *
 * @internal
 */
export const divide = (
  message: Unfinished | undefined,
  part: FramePart,
  limits: Assembling
): Divided | MessageError => {
  const utf8 = check(message, part, limits)
  if (typeof utf8 !== "number") return utf8
  const isText = isTextOf(message, part)
  const left = keptOf(message)
  const bytes = left.length === 0 ? part.payload : Accumulator.toBytes(Accumulator.append(left, part.payload))
  // A character that was cut waits for its end, so that each piece of a text can be decoded by itself.
  const end = utf8 === Utf8.start ? bytes.length : Utf8.lastBoundary(bytes)
  const piece: Piece = {
    _tag: "Piece",
    type: isText ? "Text" : "Binary",
    first: message === undefined || !message.begun,
    last: ends(part),
    bytes: end === bytes.length ? bytes : bytes.subarray(0, end)
  }
  const next: Unfinished = {
    _tag: "Unfinished",
    isText,
    size: sizeOf(message, part),
    fragments: fragmentsOf(message, part),
    utf8,
    kept: Accumulator.append(Accumulator.empty, bytes.subarray(end)),
    begun: true
  }
  return { _tag: "Divided", next: piece.last ? undefined : next, piece }
}

/** @internal Bytes of memory that the message holds. */
export const pinned = (message: Unfinished): number => Accumulator.pinned(message.kept)
