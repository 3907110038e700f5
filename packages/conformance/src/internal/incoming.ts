/**
 * Bytes that came and were not read yet; taking some costs no more than they are many.
 *
 * @internal
 */
export class Incoming {
  private bytes = new Uint8Array(1024)
  private start = 0
  private end = 0

  /** How many there are. */
  get length(): number {
    return this.end - this.start
  }

  push(chunk: Uint8Array): void {
    if (this.end + chunk.length > this.bytes.length) {
      const room = Math.max(this.bytes.length, 2 * (this.length + chunk.length))
      const bytes = new Uint8Array(room)
      bytes.set(this.bytes.subarray(this.start, this.end))
      this.end -= this.start
      this.start = 0
      this.bytes = bytes
    }
    this.bytes.set(chunk, this.end)
    this.end += chunk.length
  }

  /** The bytes from one index to another, which stay; a copy. */
  peek(from: number, to: number): Uint8Array {
    return this.bytes.slice(this.start + from, Math.min(this.end, this.start + to))
  }

  /** A byte that is there. */
  at(index: number): number {
    return this.bytes[this.start + index] ?? 0
  }

  take(count: number): Uint8Array {
    const taken = this.peek(0, count)
    this.start += taken.length
    return taken
  }
}
