/**
 * A `Lane` on a `node:net` socket.
 */
import type { Socket } from "node:net"
import type { EventScheduler } from "sluice/EventScheduler"
import { fromSystemError, type Lane, TransportError } from "sluice/Network"
import * as SharedReads from "./sharedReads.js"
import { rawOf } from "./tls.js"
import { whyClosed } from "./whyClosed.js"

const ignore = () => {}

/**
 * Takes the socket over. To be made in the turn in which the socket is first seen: from then on its errors are heard.
 *
 * @internal
 */
export class SocketLane implements Lane {
  private readonly socket: Socket
  private readonly scheduler: EventScheduler
  // One chunk is taken from the socket before somebody asks; then it is paused, and the peer has to wait.
  private here: Uint8Array | undefined = undefined
  /** How much of it is in the buffer that all sockets share, for the rest of this turn. */
  private shared = 0
  /** Where the bytes belong that come next; not known any more once some are here that nobody has taken. */
  room: Uint8Array | undefined = undefined
  private hasEnded = false
  private isPaused = false
  private hasLeft = false
  private broken: Broken | undefined = undefined
  private readable = ignore
  private writable = ignore

  constructor(socket: Socket, scheduler: EventScheduler) {
    this.socket = socket
    this.scheduler = scheduler
    socket.on("drain", () => scheduler.event(this.writable))
    socket.on("end", () => this.onEnd())
    socket.on("finish", () => scheduler.event(this.readable))
    socket.on("error", (error) =>
      this.fail({ read: fromSystemError(error, "read"), write: fromSystemError(error, "write") })
    )
    socket.on("close", () => this.fail(closed))
    // Of one that was closed before, no event tells.
    if (socket.destroyed) this.broken = { read: whyClosed(socket, "read"), write: whyClosed(socket, "write") }
  }

  /** The socket has read bytes that are its own. */
  take(chunk: Uint8Array): void {
    this.room = undefined
    this.here = chunk
    this.scheduler.event(this.readable)
    if (this.here !== undefined) this.pause()
  }

  /** The socket has read so many bytes into the shared buffer. */
  read(length: number): void {
    this.room = undefined
    this.shared = length
    this.scheduler.event(this.readable)
    if (this.shared === 0) return
    this.here = SharedReads.copied(this.shared)
    this.shared = 0
    this.pause()
  }

  private pause(): void {
    this.isPaused = true
    this.socket.pause()
  }

  private onEnd(): void {
    if (isGone(this.socket)) this.fail(reset)
    else {
      this.hasEnded = true
      this.scheduler.event(this.readable)
    }
  }

  private fail(broken: Broken): void {
    this.broken ??= broken
    this.scheduler.event(() => {
      this.readable()
      this.writable()
    })
  }

  poll(room?: Uint8Array): ReturnType<Lane["poll"]> {
    this.room = undefined
    if (this.hasLeft) return closed.read
    if (this.shared > 0) {
      const length = this.shared
      this.shared = 0
      return SharedReads.copied(length, room)
    }
    if (this.here !== undefined) {
      const chunk = this.here
      this.here = undefined
      return chunk
    }
    if (this.hasEnded) return this.isLeaving ? "Pending" : "End"
    if (this.broken !== undefined) return this.broken.read
    if (this.isPaused) {
      this.isPaused = false
      this.socket.resume()
    }
    this.room = room
    return "Pending"
  }

  /** Who has ended and sees the end of the peer takes all for done; but what was offered has not gone out yet. */
  private get isLeaving(): boolean {
    const { socket } = this
    return socket.writableEnded && !socket.writableFinished && !socket.destroyed
  }

  onReadable(wake: () => void): void {
    this.readable = wake
  }

  offer(chunks: ReadonlyArray<Uint8Array>): boolean {
    const { socket } = this
    if (this.broken !== undefined || socket.destroyed || socket.writableEnded) return true
    if (chunks.length > 1) socket.cork()
    // What has to wait is copied out of the buffer that it shares with others, which it would keep alive as a whole.
    const waits = socket.writableLength > 0
    for (const chunk of chunks)
      socket.write(waits && chunk.length * 2 < chunk.buffer.byteLength ? new Uint8Array(chunk) : chunk)
    if (chunks.length > 1) socket.uncork()
    return !socket.writableNeedDrain
  }

  isWritable(): boolean {
    return !this.socket.writableNeedDrain
  }

  onWritable(wake: () => void): void {
    this.writable = wake
  }

  failure(): TransportError | undefined {
    // The event "close" comes in a later turn than the end of the socket.
    return this.broken?.write ?? (this.socket.destroyed ? closed.write : this.socket.writableEnded ? ended : undefined)
  }

  end(): void {
    const { socket } = this
    // Node makes an error of a second end, with a stack, even where nobody asks for it.
    if (socket.writableEnded) return
    const waits = socket.writableNeedDrain
    socket.end()
    // Who waits does so in vain, and is not told so by "drain" any more.
    if (waits) this.scheduler.scheduleTask(() => this.writable(), 0)
  }

  abort(): void {
    const { socket } = this
    this.hasLeft = true
    this.here = undefined
    this.shared = 0
    if (socket.destroyed) return
    // Where the kernel has all that we said, up to its end, there is nothing to cut: the peer gets to read it.
    if (socket.writableEnded && socket.writableLength === 0) socket.destroySoon()
    else cut(socket)
  }
}

/**
 * Whether the connection below TLS was reset. What TLS has to say by itself after its handshake may meet the reset first,
 * and takes it to itself: what is read then looks like an end. But TCP knows of no peer any more.
 */
const isGone = (socket: Socket): boolean => {
  const raw = socket.writableEnded ? undefined : rawOf(socket)
  return raw?.localAddress !== undefined && raw.remoteAddress === undefined
}

/** Only TCP can be reset: a socket of another kind, which throws when it is asked to, is just closed. */
const cut = (socket: Socket): void => {
  const raw = rawOf(socket)
  if (raw !== undefined) {
    closeByReset(raw)
    socket.destroy()
    return
  }
  try {
    socket.resetAndDestroy()
  } catch {
    socket.destroy()
  }
}

/**
 * Has a socket reset its connection when TLS, whose handle must go first, destroys it. To reset it under TLS while there
 * is something to write ends the process (Node 20: segmentation fault).
 */
const closeByReset = (raw: Socket): void => {
  const { destroy } = raw
  raw.destroy = () => {
    raw.destroy = destroy
    cut(raw)
    return raw
  }
}

/** Why nothing goes on, in the words of each operation. */
interface Broken {
  readonly read: TransportError
  readonly write: TransportError
}

const closedOn = (operation: "read" | "write") =>
  new TransportError({ reason: "Closed", operation, detail: "the connection is closed" })

const resetBy = { code: "ECONNRESET", message: "the peer has reset the connection" }

const reset: Broken = { read: fromSystemError(resetBy, "read"), write: fromSystemError(resetBy, "write") }

const closed: Broken = { read: closedOn("read"), write: closedOn("write") }

const ended = new TransportError({ reason: "Closed", operation: "write", detail: "this side has ended its output" })
