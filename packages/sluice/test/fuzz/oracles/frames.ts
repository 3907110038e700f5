/**
 * RFC 6455 §5 and §7 read once more, plainly: all bytes are here, numbers are BigInt, and nothing is quick. The rules are
 * applied in the order in which the bytes tell that they are broken.
 */
import type { Limit } from "../../../src/Limits.js"
import { concat } from "../../support/bytes.js"
import * as Utf8 from "./utf8.js"

export interface FrameRules {
  /** Whether frames must be masked; `undefined` where they may be or not. */
  readonly masked: boolean | undefined
  /** The RSV bits that are allowed, as in the first byte of a frame. */
  readonly reserved: number
  readonly maxFramePayload: Limit
}

/** As much as there is of a frame of which the header is whole. */
export interface Part {
  readonly fin: boolean
  readonly opcode: number
  /** Announced. */
  readonly length: bigint
  /** What has come of it. */
  readonly payload: Uint8Array
  readonly isWhole: boolean
  /** The index behind what has come. */
  readonly end: number
}

const isAbove = (value: bigint, limit: Limit): boolean => limit !== "unbounded" && value > BigInt(limit)

const number = (bytes: Uint8Array): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** The frame at an index: a rule that it breaks, what there is of it, or nothing as long as its header is not whole. */
export const frameAt = (bytes: Uint8Array, at: number, rules: FrameRules): Part | string | undefined => {
  const here = bytes.subarray(at)
  if (here.length < 1) return undefined
  const fin = (here[0] & 0x80) !== 0
  const opcode = here[0] & 0x0f
  if ((here[0] & 0x70 & ~rules.reserved) !== 0) return "ReservedBit"
  if (![0, 1, 2, 8, 9, 10].includes(opcode)) return "ReservedOpcode"
  if (opcode >= 8 && !fin) return "FragmentedControlFrame"
  if (here.length < 2) return undefined
  const isMasked = (here[1] & 0x80) !== 0
  if (rules.masked === true && !isMasked) return "UnmaskedFrame"
  if (rules.masked === false && isMasked) return "MaskedFrame"
  const short = here[1] & 0x7f
  if (opcode >= 8 && short > 125) return "ControlFrameTooLong"
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const start = 2 + extended
  if (here.length < start) return undefined
  const length = extended === 0 ? BigInt(short) : number(here.subarray(2, start))
  if (length >= 1n << 63n) return "LengthOverflow"
  if ((extended === 2 && length < 126n) || (extended === 8 && length < 65536n)) return "NonMinimalLength"
  // What a number cannot count is too big in any case.
  if (isAbove(length, rules.maxFramePayload) || length >= 1n << 53n) return "FrameTooBig"
  const payloadStart = start + (isMasked ? 4 : 0)
  if (here.length < payloadStart) return undefined
  const key = here.subarray(start, payloadStart)
  const raw = here.subarray(payloadStart, payloadStart + Number(length))
  const payload = isMasked ? raw.map((byte, i) => byte ^ key[i % 4]) : raw.slice()
  const isWhole = BigInt(payload.length) === length
  if (opcode >= 8 && !isWhole) return undefined
  return { fin, opcode, length, payload, isWhole, end: at + payloadStart + payload.length }
}

export interface ConnectionRules extends FrameRules {
  readonly maxMessageSize: Limit
  readonly maxFragments: Limit
  /** Whether we have sent a Close frame. */
  readonly isClosing: boolean
}

export interface Heard {
  readonly messages: Array<string>
  /** Pong or Close, the code, and the reason or payload in hex. */
  readonly replies: Array<string>
  readonly pongs: Array<string>
  controls: number
  /** The rule that was broken. */
  violation: string | undefined
  /** What the Close frame of the peer said. */
  close: { readonly code: number; readonly reason: string } | undefined
  /** Whether a message has begun that was not finished. */
  isUnfinished: boolean
}

interface Unfinished {
  readonly isText: boolean
  announced: bigint
  fragments: bigint
  readonly parts: Array<Uint8Array>
}

/** RFC 6455 §7.4.1, with the codes that the registry of IANA has got since. */
const isCode = (code: number): boolean =>
  (code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code))

/** The code that a violation is answered with: 1002 but for what has a code of its own. */
const codes: Record<string, number> = {
  FrameTooBig: 1009,
  MessageTooBig: 1009,
  TooManyFragments: 1008,
  InvalidUtf8: 1007,
  InvalidCloseReason: 1007
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** All that an endpoint makes of the bytes of its peer. */
export const hear = (bytes: Uint8Array, rules: ConnectionRules): Heard => {
  const heard: Heard = {
    messages: [],
    replies: [],
    pongs: [],
    controls: 0,
    violation: undefined,
    close: undefined,
    isUnfinished: false
  }
  let message: Unfinished | undefined
  const fail = (violation: string): Heard => {
    if (!rules.isClosing) heard.replies.push(`Close ${codes[violation] ?? 1002} ${violation}`)
    return { ...heard, violation, isUnfinished: false }
  }
  for (let at = 0; ; ) {
    const part = frameAt(bytes, at, rules)
    if (typeof part === "string") return fail(part)
    if (part === undefined) break
    at = part.end
    const { payload } = part
    if (part.opcode === 9) heard.replies.push(`Pong ${hexOf(payload)}`)
    if (part.opcode === 10) heard.pongs.push(hexOf(payload))
    if (part.opcode >= 8) heard.controls++
    if (part.opcode === 8) {
      const close = closeOf(payload)
      if (typeof close === "string") return fail(close)
      const { code, reason } = close
      if (!rules.isClosing) heard.replies.push(code === 1005 ? "Close" : `Close ${code} `)
      return { ...heard, close: { code, reason }, isUnfinished: false }
    }
    if (part.opcode >= 8) continue
    if (part.opcode === 0 && message === undefined) return fail("UnexpectedContinuation")
    if (part.opcode !== 0 && message !== undefined) return fail("ExpectedContinuation")
    message ??= { isText: part.opcode === 1, announced: 0n, fragments: 0n, parts: [] }
    message.announced += part.length
    message.fragments++
    if (isAbove(message.announced, rules.maxMessageSize)) return fail("MessageTooBig")
    if (isAbove(message.fragments, rules.maxFragments)) return fail("TooManyFragments")
    message.parts.push(payload)
    const content = concat(message.parts)
    const utf8 = message.isText ? Utf8.check(content) : "Text"
    const isEnd = part.fin && part.isWhole
    if (utf8 === "Invalid" || (isEnd && utf8 !== "Text")) return fail("InvalidUtf8")
    if (!part.isWhole) break
    if (!isEnd) continue
    if (!rules.isClosing) heard.messages.push(`${message.isText ? "Text" : "Binary"} ${hexOf(content)}`)
    message = undefined
  }
  return { ...heard, isUnfinished: message !== undefined }
}

const closeOf = (payload: Uint8Array): { readonly code: number; readonly reason: string } | string => {
  if (payload.length === 0) return { code: 1005, reason: "" }
  if (payload.length === 1) return "InvalidClosePayload"
  const code = (payload[0] << 8) | payload[1]
  if (!isCode(code)) return "InvalidCloseCode"
  const reason = payload.subarray(2)
  return Utf8.check(reason) === "Text" ? { code, reason: hexOf(reason) } : "InvalidCloseReason"
}
