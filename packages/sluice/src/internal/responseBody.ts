/**
 * The body of a refusal, as a client reads it (RFC 9112 §6.3, §7.1): as much as it takes, and never more in memory.
 *
 * A step over bytes like that of the head: each is looked at once, and between chunks there are numbers and the bytes
 * kept so far.
 */
import * as Fields from "../Fields.js"
import type { ResponseHead } from "../Http1.js"
import * as Accumulator from "./accumulator.js"
import * as Grammar from "./grammar.js"
import { HeadError } from "./headError.js"

/** @internal */
export interface Body {
  readonly phase: Phase
  /** Bytes of the body, or of the chunk, that are still to come; the size of the chunk while it is read. */
  readonly remaining: number
  /** Bytes of chunk extensions and trailers, which are skipped but not without end. */
  readonly overhead: number
  readonly kept: Accumulator.Accumulator
  /** Whether there was more than is kept. */
  readonly truncated: boolean
}

/** What the next byte belongs to. */
const Phase = {
  Length: 0,
  UntilClose: 1,
  ChunkSize: 2,
  ChunkSizeMore: 3,
  ChunkExtension: 4,
  ChunkSizeEnd: 5,
  ChunkBytes: 6,
  ChunkEnd: 7,
  ChunkEndLineFeed: 8,
  TrailerStart: 9,
  Trailer: 10,
  TrailerEnd: 11,
  BodyEnd: 12,
  Complete: 13
} as const

type Phase = (typeof Phase)[keyof typeof Phase]

const cr = 0x0d
const lf = 0x0a
const maxOverhead = 16 * 1024
const tooMuchOverhead = "more chunk extensions and trailers than are taken"

const framingError = (detail: string): HeadError => new HeadError({ reason: "Framing", detail, offset: 0 })

/** @internal How the body is framed; the error is that it cannot be told. */
export const begin = (head: ResponseHead): Body | HeadError => {
  const at = (phase: Phase, remaining = 0): Body => ({
    phase,
    remaining,
    overhead: 0,
    kept: Accumulator.empty,
    truncated: false
  })
  // RFC 9112 §6.3: a 1xx, 204 and 304 "cannot contain a message body"
  if (head.status < 200 || head.status === 204 || head.status === 304) return at(Phase.Complete)
  const isEncoded = Fields.has(head.fields, "Transfer-Encoding")
  const hasLength = Fields.has(head.fields, "Content-Length")
  if (isEncoded) {
    // §6.1: a message of HTTP/1.0 with Transfer-Encoding has faulty framing. §6.3: one with both fields "might indicate an
    // attempt to perform [...] response splitting [...] and ought to be handled as an error"
    if (hasLength || head.version === "1.0") return framingError("Transfer-Encoding beside what rules it out")
    const codings = Fields.list(head.fields, "Transfer-Encoding")
    // §7.4: without TE in the request, "the only acceptable transfer coding is chunked"
    return codings.length === 1 && Grammar.equalsIgnoreCase(codings[0], "chunked")
      ? at(Phase.ChunkSize)
      : framingError("a transfer coding other than chunked, which was not asked for")
  }
  if (!hasLength) return at(Phase.UntilClose)
  const lengths = Fields.list(head.fields, "Content-Length").map(Grammar.parseDigits)
  const [length] = lengths
  // §6.3: an invalid length is "an unrecoverable error, unless [...] all values in the list are valid, and [...] the same"
  return length === undefined || lengths.some((other) => other !== length)
    ? framingError("Content-Length is not one number")
    : at(length === 0 ? Phase.Complete : Phase.Length, length)
}

/** @internal */
export const isComplete = (self: Body): boolean => self.phase === Phase.Complete

/** @internal At the end of the connection: whether bytes were still to come. */
export const isCut = (self: Body): boolean => self.phase !== Phase.Complete && self.phase !== Phase.UntilClose

/** @internal Reads one more chunk, and keeps at most `maxBody` bytes; a body longer than that is complete there. */
export const receive = (self: Body, chunk: Uint8Array, maxBody: number): Body | HeadError => {
  let { kept, overhead, phase, remaining } = self
  let truncated: boolean = self.truncated
  let at = 0
  /** Keeps what there is of the body in the next bytes, as far as it fits, and skips them. */
  const keep = (length: number): void => {
    const room = maxBody - kept.length
    kept = Accumulator.append(kept, chunk.subarray(at, at + Math.min(length, room)))
    at += length
    if (length > room) {
      truncated = true
      phase = Phase.Complete
    }
  }
  while (at < chunk.length && phase !== Phase.Complete) {
    const byte = chunk[at]
    switch (phase) {
      case Phase.UntilClose:
        keep(chunk.length - at)
        break
      case Phase.Length:
      case Phase.ChunkBytes: {
        const length = Math.min(remaining, chunk.length - at)
        const next = phase === Phase.Length ? Phase.Complete : Phase.ChunkEnd
        remaining -= length
        keep(length)
        if (remaining === 0 && !truncated) phase = next
        break
      }
      case Phase.ChunkSize:
      case Phase.ChunkSizeMore:
        if (Grammar.isHexDigit(byte)) {
          // zeros before the size count nothing, and must not go on for ever either
          if (phase === Phase.ChunkSizeMore && remaining === 0) overhead++
          if (overhead > maxOverhead) return framingError(tooMuchOverhead)
          remaining = (phase === Phase.ChunkSize ? 0 : remaining * 16) + Number.parseInt(String.fromCharCode(byte), 16)
          // §7.1: "recipients MUST anticipate potentially large hexadecimal numerals"
          if (!Number.isSafeInteger(remaining)) return framingError("a chunk of more bytes than can be counted")
          phase = Phase.ChunkSizeMore
        } else if (phase === Phase.ChunkSize) {
          return framingError("a chunk begins with its size in hexadecimal digits")
        } else if (byte === cr) {
          phase = Phase.ChunkSizeEnd
        } else if (byte === 0x3b || Grammar.isWhitespace(byte)) {
          phase = Phase.ChunkExtension
        } else {
          return framingError("the size of a chunk has something other than hexadecimal digits")
        }
        at++
        break
      case Phase.ChunkExtension:
      case Phase.Trailer:
        // §7.1.1: "A recipient MUST ignore unrecognized chunk extensions"; §7.1.2: trailers may be discarded
        if (byte !== cr && !Grammar.isTextCode(byte)) return framingError("a control character between two chunks")
        if (byte === cr) phase = phase === Phase.Trailer ? Phase.TrailerEnd : Phase.ChunkSizeEnd
        if (++overhead > maxOverhead) return framingError(tooMuchOverhead)
        at++
        break
      case Phase.TrailerStart:
        phase = byte === cr ? Phase.BodyEnd : Phase.Trailer
        if (byte === cr) at++
        break
      case Phase.ChunkEnd:
        if (byte !== cr) return framingError("a chunk is longer than its size")
        phase = Phase.ChunkEndLineFeed
        at++
        break
      case Phase.ChunkSizeEnd:
      case Phase.ChunkEndLineFeed:
      case Phase.TrailerEnd:
      case Phase.BodyEnd:
        if (byte !== lf) return framingError("a CR without the LF that ends a line")
        phase = afterLineFeed(phase, remaining)
        at++
        break
    }
  }
  return { phase, remaining, overhead, kept, truncated }
}

const afterLineFeed = (phase: Phase, remaining: number): Phase => {
  if (phase === Phase.BodyEnd) return Phase.Complete
  if (phase === Phase.TrailerEnd) return Phase.TrailerStart
  if (phase === Phase.ChunkEndLineFeed) return Phase.ChunkSize
  return remaining === 0 ? Phase.TrailerStart : Phase.ChunkBytes
}
