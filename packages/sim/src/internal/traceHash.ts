/**
 * A digest of all that happens in a run, in order: the choices of the scheduler, the advances of the clock, the events.
 */
import { sha256 } from "@noble/hashes/sha2"
import { bytesToHex } from "@noble/hashes/utils"

const size = 4096

// The buffer of the last hash, for the next: runs are short, and there are many.
let spare: Uint8Array | undefined

const takeBuffer = (): Uint8Array => {
  const buffer = spare ?? new Uint8Array(size)
  spare = undefined
  return buffer
}

/** @internal */
export class TraceHash {
  private readonly sha = sha256.create()
  private readonly buffer = takeBuffer()
  private readonly view = new DataView(this.buffer.buffer)
  private readonly texts = new Map<string, number>()
  private used = 0

  private reserve(length: number): void {
    if (this.used + length <= size) return
    this.sha.update(this.buffer.subarray(0, this.used))
    this.used = 0
  }

  /** An integer of 32 bits. */
  word(value: number): void {
    this.reserve(4)
    this.view.setUint32(this.used, value)
    this.used += 4
  }

  number(value: number): void {
    this.reserve(8)
    this.view.setFloat64(this.used, value)
    this.used += 8
  }

  bytes(value: Uint8Array): void {
    this.word(value.length)
    if (value.length > size / 2) {
      this.reserve(size)
      this.sha.update(value)
      return
    }
    this.reserve(value.length)
    this.buffer.set(value, this.used)
    this.used += value.length
  }

  /** A text is added whole when it comes for the first time, and from then on as its number. */
  text(value: string): void {
    const known = this.texts.get(value)
    if (known !== undefined) {
      this.word(~known)
      return
    }
    this.texts.set(value, this.texts.size)
    this.word(value.length)
    for (let at = 0; at < value.length; at++) this.word(value.charCodeAt(at))
  }

  /** The first 64 bits of the digest, in hexadecimal. Nothing may be added afterwards. */
  digest(): string {
    this.sha.update(this.buffer.subarray(0, this.used))
    spare = this.buffer
    return bytesToHex(this.sha.digest().subarray(0, 8))
  }
}
