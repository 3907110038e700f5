/**
 * The grammar of an HTTP/1.1 head (RFC 9112 §2 to §5) as an automaton over bytes: it finds the end of the head or what
 * is wrong with it, and keeps nothing but numbers.
 *
 * Each byte is looked at once, wherever the chunks are cut. The text of the head is read from the bytes when its end has
 * been found, by `Http1`, which may then rely on every line being well-formed.
 */
import type { Limit } from "../Limits.js"
import * as Grammar from "./grammar.js"
import { HeadError } from "./headError.js"

/** @internal */
export interface HeadLimits {
  readonly maxHeadSize: Limit
  readonly maxFields: Limit
  readonly maxTarget: Limit
}

/** @internal */
export interface Scan {
  readonly phase: Phase
  /** Bytes of the head that were looked at. */
  readonly offset: number
  /** The offset at which the current element began. */
  readonly mark: number
  /** Field lines so far. */
  readonly fields: number
  /** Whether all bytes so far are ASCII. */
  readonly ascii: boolean
}

/** @internal What the next byte belongs to. */
export const Phase = {
  RequestStart: 0,
  EmptyLineEnd: 1,
  Method: 2,
  Target: 3,
  RequestVersion: 4,
  StatusVersion: 5,
  Status: 6,
  StatusEnd: 7,
  ReasonPhrase: 8,
  LineEnd: 9,
  LineStart: 10,
  Name: 11,
  Value: 12,
  HeadEnd: 13,
  Complete: 14
} as const

/** @internal */
export type Phase = (typeof Phase)[keyof typeof Phase]

/** @internal */
export const request: Scan = { phase: Phase.RequestStart, offset: 0, mark: 0, fields: 0, ascii: true }

/** @internal */
export const response: Scan = { phase: Phase.StatusVersion, offset: 0, mark: 0, fields: 0, ascii: true }

const lf = 0x0a
const cr = 0x0d
const space = 0x20
const colon = 0x3a
const versionPattern = "HTTP/d.d"

/**
 * Looks at the bytes of the chunk until the head ends; `isRequest` decides on folded lines.
 *
 * @internal
 */
export const scan = (state: Scan, chunk: Uint8Array, limits: HeadLimits, isRequest: boolean): Scan | HeadError => {
  const base = state.offset
  const room = limits.maxHeadSize === "unbounded" ? chunk.length : Math.max(0, limits.maxHeadSize - base)
  const end = Math.min(chunk.length, room)
  let { ascii, fields, mark, phase } = state
  let at = 0
  while (at < end && phase !== Phase.Complete) {
    const byte = chunk[at]
    switch (phase) {
      case Phase.RequestStart:
        // RFC 9112 §2.2: "a server [...] SHOULD ignore at least one empty line (CRLF) received prior to the request-line"
        if (byte === cr) {
          phase = Phase.EmptyLineEnd
          at++
        } else {
          phase = Phase.Method
          mark = base + at
        }
        break
      case Phase.EmptyLineEnd:
        if (byte !== lf) return bareCarriageReturn(base + at)
        phase = Phase.Method
        mark = base + ++at
        break
      case Phase.Method:
        while (at < end && Grammar.isTokenCode(chunk[at])) at++
        if (at === end) break
        if (chunk[at] !== space || base + at === mark) {
          return unexpected("StartLine", chunk[at], base + at, "in the method of the request line")
        }
        phase = Phase.Target
        mark = base + ++at
        break
      case Phase.Target: {
        while (at < end && Grammar.isVisibleCode(chunk[at])) at++
        const length = base + at - mark
        if (limits.maxTarget !== "unbounded" && length > limits.maxTarget) {
          return tooMuch("TargetTooLong", mark + limits.maxTarget, limits.maxTarget, "bytes of the request target")
        }
        if (at === end) break
        if (chunk[at] !== space || length === 0) {
          return unexpected("StartLine", chunk[at], base + at, "in the target of the request line")
        }
        phase = Phase.RequestVersion
        mark = base + ++at
        break
      }
      case Phase.RequestVersion:
      case Phase.StatusVersion: {
        const index = base + at - mark
        if (index < versionPattern.length) {
          const expected = versionPattern.charCodeAt(index)
          if (expected === 0x64 ? !Grammar.isDigit(byte) : byte !== expected) {
            return unexpected("Version", byte, base + at, "where HTTP/1.1 is expected")
          }
        } else if (byte === (phase === Phase.RequestVersion ? cr : space)) {
          phase = phase === Phase.RequestVersion ? Phase.LineEnd : Phase.Status
          mark = base + at + 1
        } else {
          return unexpected("Version", byte, base + at, "after the version of HTTP")
        }
        at++
        break
      }
      case Phase.Status:
        // RFC 9112 §4: status-code = 3DIGIT; RFC 9110 §15: the first digit defines the class, and there is no class 0
        if (!Grammar.isDigit(byte) || (base + at === mark && byte === 0x30)) {
          return unexpected("StartLine", byte, base + at, "in the status code")
        }
        if (base + ++at === mark + 3) phase = Phase.StatusEnd
        break
      case Phase.StatusEnd:
        // RFC 9112 §4: "A server MUST send the space that separates the status-code from the reason-phrase"
        if (byte !== space) return unexpected("StartLine", byte, base + at, "after the status code")
        phase = Phase.ReasonPhrase
        at++
        break
      case Phase.ReasonPhrase:
      case Phase.Value:
        while (at < end && Grammar.isTextCode(chunk[at])) {
          if (chunk[at] > 0x7f) ascii = false
          at++
        }
        if (at === end) break
        if (chunk[at] !== cr) return unexpected("FieldLine", chunk[at], base + at, "in a value")
        phase = Phase.LineEnd
        at++
        break
      case Phase.LineEnd:
        if (byte !== lf) return bareCarriageReturn(base + at)
        phase = Phase.LineStart
        at++
        break
      case Phase.LineStart:
        if (byte === cr) {
          phase = Phase.HeadEnd
          at++
        } else if (Grammar.isWhitespace(byte)) {
          // RFC 9112 §5.2: a server MUST reject a folded line or join it; a user agent MUST join it, as `Http1` does.
          // RFC 9112 §2.2: between the start line and the first field there is nothing to fold.
          if (isRequest || fields === 0) {
            return fault("ObsoleteLineFolding", base + at, "a line begins with white space; one field is one line")
          }
          phase = Phase.Value
        } else if (Grammar.isTokenCode(byte)) {
          if (limits.maxFields !== "unbounded" && fields >= limits.maxFields) {
            return tooMuch("TooManyFields", base + at, limits.maxFields, "field lines")
          }
          fields++
          phase = Phase.Name
        } else {
          return unexpected("FieldLine", byte, base + at, "where the name of a field is expected")
        }
        break
      case Phase.Name:
        while (at < end && Grammar.isTokenCode(chunk[at])) at++
        if (at === end) break
        if (Grammar.isWhitespace(chunk[at])) {
          // RFC 9112 §5.1: "A server MUST reject [...] any received request message that contains whitespace between a
          // header field name and colon"
          return fault("SpaceBeforeColon", base + at, "white space in the name of a field or before its colon")
        }
        if (chunk[at] !== colon) return unexpected("FieldLine", chunk[at], base + at, "in the name of a field")
        phase = Phase.Value
        at++
        break
      case Phase.HeadEnd:
        if (byte !== lf) return bareCarriageReturn(base + at)
        phase = Phase.Complete
        at++
        break
    }
  }
  if (phase !== Phase.Complete && at < chunk.length && limits.maxHeadSize !== "unbounded") {
    return tooMuch("HeadTooLarge", base + at, limits.maxHeadSize, "bytes of the head")
  }
  return { phase, offset: base + at, mark, fields, ascii }
}

const fault = (reason: HeadError["reason"], offset: number, detail: string): HeadError =>
  new HeadError({ reason, offset, detail })

const bareCarriageReturn = (offset: number): HeadError =>
  fault("BareCarriageReturn", offset, "a CR without the LF that ends a line")

const tooMuch = (
  reason: "HeadTooLarge" | "TooManyFields" | "TargetTooLong",
  offset: number,
  limit: number,
  what: string
): HeadError => new HeadError({ reason, offset, limit, seen: limit + 1, detail: `more than ${limit} ${what}` })

const unexpected = (reason: HeadError["reason"], byte: number, offset: number, where: string): HeadError => {
  // RFC 9112 §2.2 lets a recipient take a bare LF for the end of a line; two recipients that differ are what request
  // smuggling needs, so it is refused.
  if (byte === lf) return fault("BareLineFeed", offset, "a line that ends in LF; lines end in CRLF")
  if ((byte < space && byte !== cr && byte !== 0x09) || byte === 0x7f) {
    return fault("ControlCharacter", offset, `the control character ${hexadecimal(byte)} ${where}`)
  }
  const name =
    byte === cr ? "the end of the line" : Grammar.isVisibleCode(byte) ? String.fromCharCode(byte) : hexadecimal(byte)
  return fault(reason, offset, `unexpected ${name} ${where}`)
}

const hexadecimal = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`
