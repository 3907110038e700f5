/**
 * A `Lane` on a TCP socket of Bun.
 *
 * A socket of Bun keeps nothing that the kernel does not take: `write` says how much it took, and the rest waits here.
 */
import type { EventScheduler } from "sluice/EventScheduler"
import { fromSystemError, type Lane, TransportError } from "sluice/Network"
import type { Socket, SystemError } from "./bunSocket.js"

const ignore = () => {}

/** More bytes are not given at once, since they may hold more messages than the reader has room for. */
const atOnce = 64 * 1024

/** Up to so many bytes, several chunks are joined, since each would be a system call. */
const joinable = 64 * 1024

/** @internal */
export class SocketLane implements Lane {
  private readonly socket: Socket<SocketLane>
  private readonly scheduler: EventScheduler
  private readonly highWaterMark: number
  // What was read before somebody asked; then the socket is paused, and the peer has to wait.
  private here: Array<Uint8Array> = []
  private isPaused = false
  private hasEnded = false
  private hasLeft = false
  private isClosed = false
  // What the kernel did not take.
  private waiting: Array<Uint8Array> = []
  private size = 0
  private needsDrain = false
  private output: "Open" | "Ending" | "Ended" = "Open"
  private broken: Broken | undefined = undefined
  private readable = ignore
  private writable = ignore

  constructor(socket: Socket<SocketLane>, scheduler: EventScheduler, highWaterMark: number) {
    this.socket = socket
    this.scheduler = scheduler
    this.highWaterMark = highWaterMark
  }

  // --- what the socket tells

  arrived(bytes: Uint8Array): void {
    if (this.hasLeft) return
    this.here.push(bytes)
    this.scheduler.event(this.readable)
    if (this.here.length === 0 || this.isPaused || this.isClosed) return
    this.isPaused = true
    this.socket.pause()
  }

  drained(): void {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const taken = this.push(next)
      this.size -= taken
      if (taken === next.length) continue
      this.waiting.unshift(next.subarray(taken))
      return
    }
    if (this.output === "Ending") this.shutdown()
    if (!this.needsDrain) return
    this.needsDrain = false
    this.scheduler.event(this.writable)
  }

  ended(): void {
    // After a write that failed, this is how a reset is told.
    if (this.broken !== undefined) return
    this.hasEnded = true
    this.scheduler.event(this.readable)
  }

  closed(error: SystemError | undefined): void {
    this.isClosed = true
    if (error !== undefined) this.broken ??= brokenBy(error)
    // A reset that is seen by a write comes without an error; so does the end, where we had ended before.
    else if (this.output === "Open" && !this.hasLeft) this.broken ??= brokenBy(reset)
    else if (this.broken === undefined) {
      this.hasEnded = true
      this.broken = closed
    }
    this.drop()
    this.scheduler.event(() => {
      this.readable()
      this.writable()
    })
  }

  private drop(): void {
    this.waiting = []
    this.size = 0
    this.needsDrain = false
  }

  // --- what the connection asks

  poll(room?: Uint8Array): ReturnType<Lane["poll"]> {
    if (this.hasLeft) return closed.read
    const next = this.here.shift()
    if (next !== undefined) return next.length <= atOnce ? next : this.part(next, room)
    // Who has ended and sees the end of the peer takes all for done; but what was offered has not gone out yet.
    if (this.hasEnded) return this.output === "Ending" && !this.isClosed ? "Pending" : "End"
    if (this.broken !== undefined) return this.broken.read
    if (this.isPaused) {
      this.isPaused = false
      this.socket.resume()
    }
    return "Pending"
  }

  /** A part of a long chunk, in memory of its own: what is kept of it should not keep all of it. */
  private part(chunk: Uint8Array, room: Uint8Array | undefined): Uint8Array {
    const size = Math.min(chunk.length, room?.length ?? atOnce)
    if (size < chunk.length) this.here.unshift(chunk.subarray(size))
    const part = chunk.subarray(0, size)
    if (room === undefined) return new Uint8Array(part)
    room.set(part)
    return room.subarray(0, size)
  }

  onReadable(wake: () => void): void {
    this.readable = wake
  }

  offer(chunks: ReadonlyArray<Uint8Array>): boolean {
    if (this.failure() !== undefined) return true
    for (const chunk of joined(chunks)) this.write(chunk)
    if (this.size >= this.highWaterMark) this.needsDrain = true
    return !this.needsDrain
  }

  private write(chunk: Uint8Array): void {
    const taken = this.waiting.length > 0 ? 0 : this.push(chunk)
    if (taken === chunk.length) return
    const rest = chunk.subarray(taken)
    // What has to wait is copied out of the buffer that it shares with others, which it would keep alive as a whole.
    this.waiting.push(rest.length * 2 < rest.buffer.byteLength ? new Uint8Array(rest) : rest)
    this.size += rest.length
  }

  /** How much the kernel takes. */
  private push(chunk: Uint8Array): number {
    const taken = this.socket.write(chunk)
    if (taken >= 0) return taken
    this.broken ??= brokenBy(reset)
    return 0
  }

  isWritable(): boolean {
    return !this.needsDrain
  }

  onWritable(wake: () => void): void {
    this.writable = wake
  }

  failure(): TransportError | undefined {
    if (this.broken !== undefined) return this.broken.write
    if (this.hasLeft) return closed.write
    return this.output === "Open" ? undefined : ended
  }

  end(): void {
    if (this.output !== "Open" || this.broken !== undefined) return
    this.output = "Ending"
    // Who waits does so in vain, and is told so.
    if (this.needsDrain) this.scheduler.scheduleTask(() => this.writable(), 0)
    if (this.waiting.length === 0) this.shutdown()
  }

  private shutdown(): void {
    this.output = "Ended"
    this.socket.shutdown()
    if (this.hasEnded) this.scheduler.scheduleTask(() => this.readable(), 0)
  }

  abort(): void {
    if (this.hasLeft) return
    this.hasLeft = true
    this.here = []
    this.drop()
    if (this.isClosed) return
    // Where the kernel has all that we said, up to its end, there is nothing to cut: the peer gets to read it.
    if (this.output === "Ended") this.socket.end()
    else this.socket.terminate()
  }
}

const joined = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  if (chunks.length < 2 || size > joinable) return chunks
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return [all]
}

/** Why nothing goes on, in the words of each operation. */
interface Broken {
  readonly read: TransportError
  readonly write: TransportError
}

const brokenBy = (error: SystemError): Broken => ({
  read: fromSystemError(error, "read"),
  write: fromSystemError(error, "write")
})

const reset = Object.assign(new Error("the peer has reset the connection"), { code: "ECONNRESET" })

const closedOn = (operation: "read" | "write") =>
  new TransportError({ reason: "Closed", operation, detail: "the connection is closed" })

const closed: Broken = { read: closedOn("read"), write: closedOn("write") }

const ended = new TransportError({ reason: "Closed", operation: "write", detail: "this side has ended its output" })
