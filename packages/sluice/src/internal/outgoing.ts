/**
 * Frames on their way out, gathered so that all that is sent in one turn leaves in one write.
 *
 * Small payloads are copied into a slab that all connections share; large ones leave as they are, behind their header.
 */
import { add, none } from "./fewItems.js"
import * as FrameHeader from "./frameHeader.js"
import { mask } from "./masking.js"
import { encodeUtf8, encodeUtf8Into } from "./webPlatform.js"

const slabSize = 64 * 1024
// A payload from here on is worth a part of its own in a vectored write.
const large = 8 * 1024

let slab = new Uint8Array(slabSize)
let used = 0

/** Makes room for `size` bytes at `used`, in a slab of which nothing was handed out from there on. */
const reserve = (size: number): void => {
  if (slab.length - used >= size) return
  slab = new Uint8Array(slabSize)
  used = 0
}

/** @internal */
export class Outgoing {
  /** Bytes that wait for `take`. */
  size = 0
  private chunks: Array<Uint8Array> = none
  // The bytes that were copied last, from `start` on, as long as no other connection copied after them.
  private open: Uint8Array | undefined = undefined
  private start = 0
  private end = 0

  /** `b0` is the first byte of the frame: FIN and the opcode. A payload that is not masked is not copied if large. */
  frame(b0: number, payload: Uint8Array, maskingKey: number | undefined): void {
    const length = payload.length
    const header = FrameHeader.size(length, maskingKey !== undefined)
    this.size += header + length
    if (length < large) {
      this.reserve(header + length)
      const at = FrameHeader.write(slab, used, b0, length, maskingKey)
      slab.set(payload, at)
      if (maskingKey !== undefined) mask(slab, at, at + length, maskingKey, 0)
      this.close(at + length)
      return
    }
    this.reserve(header)
    this.close(FrameHeader.write(slab, used, b0, length, maskingKey))
    if (maskingKey === undefined) {
      this.push(payload)
      return
    }
    const masked = payload.slice()
    mask(masked, 0, length, maskingKey, 0)
    this.push(masked)
  }

  /** A text is encoded where it goes. */
  text(b0: number, text: string, maskingKey: number | undefined): void {
    // UTF-8 has at most three bytes for each code unit of a string.
    const most = text.length * 3
    if (most >= large) {
      this.frame(b0, encodeUtf8(text), maskingKey)
      return
    }
    const room = FrameHeader.size(most, maskingKey !== undefined)
    this.reserve(room + most)
    const length = encodeUtf8Into(text, slab.subarray(used + room, used + room + most))
    const header = FrameHeader.size(length, maskingKey !== undefined)
    if (header < room) slab.copyWithin(used + header, used + room, used + room + length)
    const at = FrameHeader.write(slab, used, b0, length, maskingKey)
    if (maskingKey !== undefined) mask(slab, at, at + length, maskingKey, 0)
    this.size += header + length
    this.close(at + length)
  }

  /** A whole frame as it is. */
  encoded(frame: Uint8Array): void {
    this.size += frame.length
    this.push(frame)
  }

  /** All that waits, in order. */
  take(): ReadonlyArray<Uint8Array> {
    this.finish()
    const { chunks } = this
    this.chunks = none
    this.size = 0
    return chunks.length === 1 ? chunks : joined(chunks)
  }

  private reserve(size: number): void {
    reserve(size)
    if (this.open === slab && this.end === used) return
    this.finish()
    this.open = slab
    this.start = used
  }

  private close(end: number): void {
    used = end
    this.end = end
  }

  private push(chunk: Uint8Array): void {
    this.finish()
    this.chunks = add(this.chunks, chunk)
  }

  private finish(): void {
    if (this.open === undefined) return
    this.chunks = add(this.chunks, this.open.subarray(this.start, this.end))
    this.open = undefined
  }
}

/**
 * Joins small chunks that follow each other: what several connections sent in turns lies scattered in the slab, and what
 * was encoded once for many lies elsewhere.
 */
const joined = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const result: Array<Uint8Array> = []
  for (let at = 0; at < chunks.length; ) {
    let size = 0
    let end = at
    while (end < chunks.length && chunks[end].length < large && size + chunks[end].length <= slabSize) {
      size += chunks[end++].length
    }
    if (end - at < 2) {
      result.push(chunks[at++])
      continue
    }
    reserve(size)
    const start = used
    for (; at < end; at++) {
      slab.set(chunks[at], used)
      used += chunks[at].length
    }
    result.push(slab.subarray(start, used))
  }
  return result
}
