/**
 * The Pings of the application that wait for their Pongs.
 */

/** Called with the time of the Pong, or with nothing if it can no longer come. */
type Answered = (at: number | undefined) => void

interface Pending {
  readonly number: number
  readonly answered: Answered
}

const size = 4

/** @internal */
export class Pings {
  private last = 0
  private readonly pending: Array<Pending> = []

  /** The payload of the next Ping, which no other has; and how to forget it. */
  next(answered: Answered): { readonly payload: Uint8Array; readonly forget: () => void } {
    this.last = (this.last + 1) >>> 0
    const payload = new Uint8Array(size)
    new DataView(payload.buffer).setUint32(0, this.last)
    const ping = { number: this.last, answered }
    this.pending.push(ping)
    const forget = () => {
      const at = this.pending.indexOf(ping)
      if (at >= 0) this.pending.splice(at, 1)
    }
    return { payload, forget }
  }

  /** A Pong has come. */
  receive(payload: Uint8Array, now: number): void {
    if (payload.length !== size) return
    const number = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
    const at = this.pending.findIndex((ping) => ping.number === number)
    // RFC 6455 §5.5.3: a Pong may answer the Pings before it, too.
    for (const ping of this.pending.splice(0, at + 1)) ping.answered(now)
  }

  /** No Pong can come any more. */
  end(): void {
    for (const ping of this.pending.splice(0)) ping.answered(undefined)
  }
}
