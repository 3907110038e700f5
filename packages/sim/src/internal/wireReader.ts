/**
 * Reads what one side of a connection sends: a head of HTTP, then frames of RFC 6455. What is neither stays bytes.
 */
import * as Frame from "sluice/Frame"

/** @internal Offsets are those of the bytes of this side, from its first one on. */
export type Part =
  | { readonly _tag: "Head"; readonly start: number; readonly end: number; readonly startLine: string }
  | { readonly _tag: "Frame"; readonly start: number; readonly end: number; readonly frame: Frame.Frame }

const emptyLine = "\r\n\r\n"

const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

// Heads are below this; what has no empty line by then is not HTTP.
const maxHead = 64 * 1024

/** @internal */
export class WireReader {
  private reading: "Head" | "Frames" | "Bytes" = "Head"
  private head = ""
  private decoder = Frame.decoder({ maxFramePayload: "unbounded" })
  /** Where the next part begins. */
  private at = 0

  /** The parts that these bytes complete. */
  push(bytes: Uint8Array): ReadonlyArray<Part> {
    switch (this.reading) {
      case "Head":
        return this.readHead(bytes)
      case "Frames":
        return this.readFrames(bytes)
      case "Bytes":
        return []
    }
  }

  private readHead(bytes: Uint8Array): ReadonlyArray<Part> {
    this.head += latin1(bytes)
    if (!/^(?:[A-Z]|$)/.test(this.head)) {
      this.reading = "Bytes"
      return []
    }
    const end = this.head.indexOf(emptyLine)
    if (end < 0) {
      if (this.head.length > maxHead) this.reading = "Bytes"
      return []
    }
    const size = end + emptyLine.length
    const startLine = this.head.slice(0, this.head.indexOf("\r\n"))
    // Frames follow a request, and a response that switches; any other response has a body.
    this.reading = /^HTTP\/(?!1\.1 101)/.test(startLine) ? "Bytes" : "Frames"
    this.at = size
    const rest = bytes.subarray(bytes.length - (this.head.length - size))
    this.head = ""
    return [{ _tag: "Head", start: 0, end: size, startLine }, ...this.push(rest)]
  }

  private readFrames(bytes: Uint8Array): ReadonlyArray<Part> {
    const { decoder, error, frames } = Frame.decodeChunk(this.decoder, bytes)
    this.decoder = decoder
    if (error !== undefined) this.reading = "Bytes"
    return frames.map((frame) => {
      const start = this.at
      this.at += Frame.toBytes(frame).length
      return { _tag: "Frame", start, end: this.at, frame }
    })
  }
}
