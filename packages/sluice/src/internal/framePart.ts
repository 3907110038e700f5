/**
 * The one step that reads frames (RFC 6455 §5.2): from a chunk and an index in it to the next frame, or to the part of
 * it that has come.
 *
 * A data frame is handed out as far as it is here, so that nothing waits for the end of a large one. A part that does
 * not end its frame is itself the state from which the next chunk goes on. Control frames (at most 125 bytes) are
 * handed out whole.
 */
import type { Limit } from "../Limits.js"
import * as FewItems from "./fewItems.js"
import { FrameError } from "./frameError.js"
import { mask } from "./masking.js"

/** @internal */
export interface FramePart {
  readonly fin: boolean
  /** RSV1, RSV2 and RSV3 as the bits 4, 2 and 1. */
  readonly rsv: number
  readonly opcode: number
  /** Signed: a number above 2^31 would be an object of its own. `undefined` for a frame that is not masked. */
  readonly maskingKey: number | undefined
  /** Payload bytes of the whole frame. */
  readonly length: number
  /** Payload bytes of the frame before this part. */
  readonly offset: number
  /** Whether the part begins the frame; its payload may be empty even if that of the frame is not. */
  readonly first: boolean
  /** Unmasked. */
  readonly payload: Uint8Array
  /** The index in the chunk of the first byte after the part. */
  readonly end: number
}

/** @internal */
export interface Reading {
  /** RFC 6455 §5.1: a server takes masked frames only, a client unmasked ones only; `undefined` takes both. */
  readonly masked: boolean | undefined
  /** The RSV bits for which an extension was negotiated. */
  readonly rsv: number
  readonly maxFramePayload: Limit
  /** Whether the chunk may be written to: then payloads are unmasked in place and are views of it. */
  readonly inPlace: boolean
}

/** @internal */
export const isLast = (part: FramePart): boolean => part.offset + part.payload.length === part.length

const payloadOf = (
  chunk: Uint8Array,
  start: number,
  end: number,
  key: number | undefined,
  phase: number,
  inPlace: boolean
): Uint8Array => {
  const length = end - start
  const view = chunk.subarray(start, end)
  if (key === undefined || key === 0) return view
  if (inPlace) {
    mask(chunk, start, end, key, phase)
    return view
  }
  const copy = new Uint8Array(length)
  copy.set(view)
  mask(copy, 0, length, key, phase)
  return copy
}

/**
 * Goes on with a frame of which a part was handed out.
 *
 * @internal
 */
export const resume = (previous: FramePart, chunk: Uint8Array, at: number, reading: Reading): FramePart => {
  const offset = previous.offset + previous.payload.length
  const end = Math.min(chunk.length, at + previous.length - offset)
  return {
    fin: previous.fin,
    rsv: previous.rsv,
    opcode: previous.opcode,
    maskingKey: previous.maskingKey,
    length: previous.length,
    offset,
    first: false,
    payload: payloadOf(chunk, at, end, previous.maskingKey, offset, reading.inPlace),
    end
  }
}

const twoTo32 = 0x1_0000_0000

/**
 * Reads the frame that begins at `at`, where there is a byte; `undefined` when its header, or a control frame, has not
 * come whole: then nothing is consumed.
 *
 * @internal
 */
export const begin = (chunk: Uint8Array, at: number, reading: Reading): FramePart | FrameError | undefined => {
  const available = chunk.length - at
  const b0 = chunk[at]
  const rsv = (b0 >>> 4) & 7
  const opcode = b0 & 15
  if ((rsv & ~reading.rsv) !== 0) {
    // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values"
    return new FrameError({ reason: "ReservedBit", detail: `RSV bits ${rsv.toString(2).padStart(3, "0")} are set` })
  }
  // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_"
  if ((opcode & 7) > 2) return new FrameError({ reason: "ReservedOpcode", detail: `opcode ${opcode} is not assigned` })
  const isControl = opcode >= 8
  const fin = b0 >= 128
  if (isControl && !fin) {
    // §5.5: control frames "MUST NOT be fragmented"
    return new FrameError({ reason: "FragmentedControlFrame", detail: `opcode ${opcode} without FIN` })
  }
  if (available < 2) return undefined
  const b1 = chunk[at + 1]
  const masked = b1 >= 128
  if (reading.masked !== undefined && masked !== reading.masked) {
    // §5.1: "The server MUST close the connection upon receiving a frame that is not masked", and the client if masked
    return masked
      ? new FrameError({ reason: "MaskedFrame", detail: "a server must not mask its frames" })
      : new FrameError({ reason: "UnmaskedFrame", detail: "a client must mask its frames" })
  }
  let length = b1 & 127
  if (isControl && length > 125) {
    // §5.5: "All control frames MUST have a payload length of 125 bytes or less"
    return new FrameError({ reason: "ControlFrameTooLong", detail: `opcode ${opcode} with more than 125 bytes` })
  }
  let start = at + 2
  if (length === 126) {
    if (available < 4) return undefined
    length = (chunk[at + 2] << 8) | chunk[at + 3]
    if (length < 126) return nonMinimal(length, 16)
    start = at + 4
  } else if (length === 127) {
    if (available < 10) return undefined
    const high = uint32(chunk, at + 2)
    if (high >= 0x8000_0000) {
      // §5.2: "the most significant bit MUST be 0"
      return new FrameError({ reason: "LengthOverflow", detail: "the most significant bit of a 64-bit length is set" })
    }
    length = high * twoTo32 + uint32(chunk, at + 6)
    if (length < 65536) return nonMinimal(length, 64)
    start = at + 10
  }
  const limit = reading.maxFramePayload === "unbounded" ? Number.MAX_SAFE_INTEGER : reading.maxFramePayload
  if (length > limit) {
    return new FrameError({ reason: "FrameTooBig", detail: `a payload of ${length} bytes, the limit is ${limit}` })
  }
  let maskingKey: number | undefined
  if (masked) {
    if (chunk.length < start + 4) return undefined
    maskingKey = int32(chunk, start)
    start += 4
  }
  if (isControl && chunk.length < start + length) return undefined
  const end = Math.min(chunk.length, start + length)
  return {
    fin,
    rsv,
    opcode,
    maskingKey,
    length,
    offset: 0,
    first: true,
    payload: payloadOf(chunk, start, end, maskingKey, 0, reading.inPlace),
    end
  }
}

// §5.2: "the minimal number of bytes MUST be used to encode the length"
const nonMinimal = (length: number, bits: number): FrameError =>
  new FrameError({ reason: "NonMinimalLength", detail: `${length} bytes announced with a ${bits}-bit length` })

const int32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]

const uint32 = (bytes: Uint8Array, at: number): number => int32(bytes, at) >>> 0

/**
 * Bytes that were not read yet, and the part at whose end they go on.
 *
 * @internal
 */
export interface Input {
  readonly bytes: Uint8Array
  readonly at: number
  readonly part: FramePart | undefined
}

const none = new Uint8Array(0)

/** What a host has made of `Uint8Array` would make its like of each part, more slowly. */
const plain = (chunk: Uint8Array): Uint8Array =>
  chunk.constructor === Uint8Array ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)

/** @internal */
export const nothing: Input = { bytes: none, at: 0, part: undefined }

/**
 * Adds a chunk. What is left of earlier bytes, such as half a header, is put in front of it. Without new bytes nothing is
 * copied, so that a long chunk that is read a few parts at a time is not copied for each few.
 *
 * @internal
 */
export const feed = (input: Input, chunk: Uint8Array): Input => {
  if (chunk.length === 0) return input
  const left = input.bytes.length - input.at
  if (left === 0) return { bytes: plain(chunk), at: 0, part: input.part }
  const bytes = new Uint8Array(left + chunk.length)
  bytes.set(input.bytes.subarray(input.at))
  bytes.set(chunk, left)
  return { bytes, at: 0, part: input.part }
}

/** All bytes were read. */
const read = (part: FramePart | undefined): Input => (part === undefined ? nothing : { bytes: none, at: 0, part })

/** @internal */
export interface Parts {
  readonly input: Input
  readonly parts: ReadonlyArray<FramePart>
  /** After the parts. Nothing can be read after an error. */
  readonly error: FrameError | undefined
}

/**
 * Reads at most `max` parts. When it reads fewer, more bytes are needed.
 *
 * @internal
 */
export const readParts = (input: Input, reading: Reading, max: number): Parts => {
  const { bytes } = input
  // Most chunks have one.
  let parts: Array<FramePart> = FewItems.none
  let { at, part } = input
  while (at < bytes.length && parts.length < max) {
    const next = part === undefined ? begin(bytes, at, reading) : resume(part, bytes, at, reading)
    if (next === undefined) {
      // A header or control frame that is not whole: a few bytes, which should not keep all of the chunk.
      return { input: { bytes: bytes.slice(at), at: 0, part }, parts, error: undefined }
    }
    if (next instanceof FrameError) return { input: { bytes, at, part }, parts, error: next }
    parts = FewItems.add(parts, next)
    at = next.end
    part = isLast(next) ? undefined : next
  }
  return { input: at === bytes.length ? read(part) : { bytes, at, part }, parts, error: undefined }
}
