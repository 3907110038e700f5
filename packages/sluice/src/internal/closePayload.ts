/**
 * The payload of a Close frame: nothing, or a code and a reason in UTF-8 (RFC 6455 §5.5.1).
 */
import * as Data from "effect/Data"
import * as CloseCode from "../CloseCode.js"
import * as Utf8 from "./utf8.js"
import { decodeUtf8, encodeUtf8 } from "./webPlatform.js"

/**
 * A peer sent a Close frame that RFC 6455 §5.5.1 and §7.4 forbid, or broke a policy of this endpoint.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProtocolError extends Data.TaggedError("ProtocolError")<{
  /** The rule that was broken. */
  readonly reason:
    | "InvalidClosePayload"
    | "InvalidCloseCode"
    | "InvalidCloseReason"
    | "TooManyControlFrames"
    | "MessageTimeout"
    | "TooManyMessages"
    | "TooManyPinnedBytes"
    | "TooManyPendingBytes"
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

/** @internal */
export interface ClosePayload {
  readonly code: number
  readonly reason: string
}

/** @internal RFC 6455 §7.1.5: without a code it "is considered to be 1005". */
export const absent: ClosePayload = { code: CloseCode.NoStatusRcvd, reason: "" }

/** @internal Bytes of the longest reason: a control frame has at most 125, of which two are the code. */
export const maxReason = 123

/** @internal */
export const decode = (payload: Uint8Array): ClosePayload | ProtocolError => {
  if (payload.length === 0) return absent
  if (payload.length === 1) {
    // §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer"
    return new ProtocolError({ reason: "InvalidClosePayload", detail: "a Close frame with one byte, half a code" })
  }
  const code = (payload[0] << 8) | payload[1]
  if (!CloseCode.isReceivable(code)) {
    return new ProtocolError({
      reason: "InvalidCloseCode",
      detail: `${code} (${CloseCode.name(code)}) must not be in a Close frame`
    })
  }
  const reason = payload.subarray(2)
  if (Utf8.check(Utf8.start, reason) !== Utf8.start) {
    return new ProtocolError({ reason: "InvalidCloseReason", detail: "the reason of a Close frame is not valid UTF-8" })
  }
  return { code, reason: decodeUtf8(reason) }
}

/** @internal `absent` becomes an empty payload. The reason must fit. */
export const encode = ({ code, reason }: ClosePayload): Uint8Array => {
  if (code === CloseCode.NoStatusRcvd) return new Uint8Array(0)
  const text = encodeUtf8(reason)
  const payload = new Uint8Array(2 + text.length)
  payload[0] = code >>> 8
  payload[1] = code
  payload.set(text, 2)
  return payload
}

/** @internal As much of a reason as fits, cut between characters. */
export const fit = (reason: string): string => {
  const bytes = encodeUtf8(reason)
  if (bytes.length <= maxReason) return reason
  return decodeUtf8(bytes.subarray(0, Utf8.lastBoundary(bytes.subarray(0, maxReason + 1))))
}
