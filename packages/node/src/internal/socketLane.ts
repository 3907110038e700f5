/**
 * A `Lane` on a `node:net` socket.
 */
import type { Socket } from "node:net"
import { type Lane, TransportError } from "sluice/Network"
import type { EventScheduler } from "./eventScheduler.js"
import { fromNodeError } from "./nodeError.js"

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
  private hasEnded = false
  private isPaused = false
  private error: TransportError | undefined = undefined
  private readable = ignore
  private writable = ignore

  constructor(socket: Socket, scheduler: EventScheduler) {
    this.socket = socket
    this.scheduler = scheduler
    socket.on("data", (chunk: Buffer) => this.onData(chunk))
    socket.on("drain", () => scheduler.event(this.writable))
    socket.on("end", () => this.onEnd())
    socket.on("error", (error) => this.fail(fromNodeError(error, "read")))
    socket.on("close", () => this.fail(closed))
  }

  private onData(chunk: Uint8Array): void {
    this.here = chunk
    this.scheduler.event(this.readable)
    if (this.here === undefined) return
    this.isPaused = true
    this.socket.pause()
  }

  private onEnd(): void {
    this.hasEnded = true
    this.scheduler.event(this.readable)
  }

  private fail(error: TransportError): void {
    this.error ??= error
    this.scheduler.event(() => {
      this.readable()
      this.writable()
    })
  }

  poll(): ReturnType<Lane["poll"]> {
    if (this.here !== undefined) {
      const chunk = this.here
      this.here = undefined
      return chunk
    }
    if (this.hasEnded) return "End"
    if (this.error !== undefined) return this.error
    if (this.isPaused) {
      this.isPaused = false
      this.socket.resume()
    }
    return "Pending"
  }

  onReadable(wake: () => void): void {
    this.readable = wake
  }

  offer(chunks: ReadonlyArray<Uint8Array>): boolean {
    const { socket } = this
    if (this.error !== undefined || socket.destroyed || socket.writableEnded) return true
    if (chunks.length > 1) socket.cork()
    for (const chunk of chunks) socket.write(chunk)
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
    return this.error ?? (this.socket.destroyed ? closed : this.socket.writableEnded ? ended : undefined)
  }

  end(): void {
    this.socket.end()
  }

  abort(): void {
    const { socket } = this
    if (socket.destroyed) return
    // Where the kernel has all that we said, up to its end, there is nothing to cut: the peer gets to read it.
    if (socket.writableEnded && socket.writableLength === 0) socket.destroySoon()
    else socket.resetAndDestroy()
  }
}

const closed = new TransportError({ reason: "Closed", operation: "write", detail: "the connection is closed" })

const ended = new TransportError({ reason: "Closed", operation: "write", detail: "this side has ended its output" })
