/**
 * One end of a simulated connection, as a lane: what a program on a host sees of it.
 */
import * as MutableList from "effect/MutableList"
import { type Lane, TransportError } from "sluice/Network"
import type { Side } from "../Trace.js"
import type { Flow, Segment } from "./flow.js"
import type { Timeline } from "./timeline.js"
import type { Owner } from "./world.js"

const ignore = () => {}

/** @internal Who is told of the segments that open a connection. */
export interface Opening {
  open(): void
  opened(): void
  refused(): void
}

const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** @internal */
export interface EndpointOptions {
  readonly timeline: Timeline
  readonly connection: number
  readonly side: Side
  readonly host: string
  readonly peer: string
  /** Bytes that wait to be sent before a sender should wait. */
  readonly sendBuffer: number
  /** Whether all that is here comes as one chunk. */
  readonly isCoalesced: () => boolean
  /** It holds nothing of the network any more. */
  readonly released: () => void
  /** Whether the machine answers, whatever runs on it. */
  readonly isReachable: () => boolean
  readonly opening: Opening
}

/** @internal */
export class Endpoint implements Lane {
  readonly host: string
  readonly side: Side
  readonly connection: number
  owner: Owner
  /** Bytes that have arrived and were not read. */
  unread = 0
  private readonly arrived = MutableList.empty<Uint8Array>()
  /** The sender was told to wait. */
  private isFull = false
  private hasEndArrived = false
  private hasEnded = false
  private isReleased = false
  private wasReset = false
  /** We have left: we broke off, or had said all and read no more. */
  private hasLeft = false
  /** The peer has said all, and reads no more. */
  private isDeserted = false
  /** The peer of a host that was down waits for an answer. */
  isOwed = false
  private wakeReader = ignore
  private wakeWriter = ignore
  private out: Flow | undefined = undefined
  private incoming: Flow | undefined = undefined
  private readonly options: EndpointOptions

  constructor(owner: Owner, options: EndpointOptions) {
    this.owner = owner
    this.options = options
    this.host = options.host
    this.side = options.side
    this.connection = options.connection
  }

  /** Which flows it sends into and reads from. */
  join(out: Flow, incoming: Flow): void {
    this.out = out
    this.incoming = incoming
  }

  private record(_tag: "OutputEnded" | "EndArrived" | "Aborted" | "ResetArrived"): void {
    const { connection, host, peer, side, timeline } = this.options
    timeline.record(host, { _tag, connection, side, peer })
  }

  private recordBytes(_tag: "Sent" | "Arrived", bytes: Uint8Array): void {
    const { connection, host, peer, side, timeline } = this.options
    timeline.record(host, { _tag, connection, side, peer, bytes })
  }

  // --- from the network

  deliver(segment: Segment): void {
    const { opening } = this.options
    if (segment._tag === "Open") opening.open()
    else if (this.owner.isDead) {
      if (segment._tag !== "Reset") this.disown()
    } else if (segment._tag === "Opened") opening.opened()
    else if (segment._tag === "Refused") opening.refused()
    else if (segment._tag === "Reset") this.reset()
    else if (!this.hasLeft && !this.wasReset) this.receive(segment)
  }

  private receive(segment: Extract<Segment, { readonly _tag: "Bytes" | "End" | "Deserted" }>): void {
    switch (segment._tag) {
      case "Bytes":
        this.recordBytes("Arrived", segment.bytes)
        MutableList.append(this.arrived, segment.bytes)
        this.unread += segment.bytes.length
        break
      case "End":
        this.record("EndArrived")
        this.hasEndArrived = true
        break
      case "Deserted":
        this.isDeserted = true
        this.out?.drop()
        this.wakeWriter()
    }
    this.wakeReader()
  }

  /** A host that has started again knows nothing of the connection; one that is down answers once it is up. */
  disown(): void {
    this.isOwed = true
    if (!this.options.isReachable()) return
    this.isOwed = false
    this.out?.push({ _tag: "Reset" })
  }

  private reset(): void {
    this.options.opening.refused()
    if (this.hasLeft || this.wasReset) return
    this.record("ResetArrived")
    this.wasReset = true
    this.forget()
    this.out?.drop()
    this.wakeReader()
    this.wakeWriter()
  }

  private forget(): void {
    MutableList.reset(this.arrived)
    this.unread = 0
  }

  /** The sender may go on, in a task of its own: it never runs inside a call of the reader. */
  drained(): void {
    if (!this.isFull || !this.isWritable()) return
    this.isFull = false
    this.later(() => this.wakeWriter())
  }

  private later(task: () => void): void {
    this.options.timeline.soon(this.owner, task)
  }

  // --- for the program

  poll(): Uint8Array | "Pending" | "End" | TransportError {
    if (this.hasLeft) return gone("read")
    if (this.wasReset) return reset("read")
    const chunk = this.takeArrived()
    if (chunk === undefined) return this.hasEndArrived ? "End" : "Pending"
    this.unread -= chunk.length
    this.incoming?.pump()
    return chunk
  }

  private takeArrived(): Uint8Array | undefined {
    const { arrived } = this
    if (MutableList.length(arrived) < 2 || !this.options.isCoalesced()) return MutableList.shift(arrived)
    const all = concat([...arrived])
    MutableList.reset(arrived)
    return all
  }

  onReadable(wake: () => void): void {
    this.wakeReader = wake
  }

  offer(chunks: ReadonlyArray<Uint8Array>): boolean {
    if (this.failure() !== undefined) return true
    const bytes = concat(chunks)
    if (bytes.length > 0) {
      this.recordBytes("Sent", bytes)
      this.out?.offer(bytes)
    }
    this.isFull = !this.isWritable()
    return !this.isFull
  }

  isWritable(): boolean {
    return this.failure() !== undefined || (this.out?.waiting ?? 0) < this.options.sendBuffer
  }

  onWritable(wake: () => void): void {
    this.wakeWriter = wake
  }

  failure(): TransportError | undefined {
    if (this.hasLeft) return gone("write")
    if (this.wasReset) return reset("write")
    if (this.hasEnded) return gone("write")
    return this.isDeserted ? left : undefined
  }

  end(): void {
    if (this.hasEnded || this.hasLeft || this.wasReset) return
    this.record("OutputEnded")
    this.hasEnded = true
    this.out?.end()
    // Who waits to write does so in vain.
    this.drained()
  }

  abort(): void {
    this.release()
    if (this.hasLeft) return
    this.hasLeft = true
    if (this.wasReset) return
    this.record("Aborted")
    this.forget()
    if (this.hasEnded) {
      // All was said: the peer gets to read it, and then learns that we have left.
      this.out?.desert()
      // What the peer still sends goes nowhere, but it leaves the window.
      this.incoming?.pump()
    } else {
      this.out?.drop()
      this.out?.push({ _tag: "Reset" })
    }
    this.later(() => this.wakeReader())
    this.later(() => this.wakeWriter())
  }

  /** The process that had it is gone, but its machine is not, and tells the peer. */
  orphan(): void {
    this.release()
    if (this.hasLeft || this.wasReset) return
    this.hasLeft = true
    this.forget()
    this.out?.drop()
    this.out?.push({ _tag: "Reset" })
  }

  /** What holds it has let it go. */
  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.options.released()
  }
}

const reset = (operation: "read" | "write") =>
  new TransportError({ reason: "ConnectionReset", operation, detail: "the peer reset the connection" })

const gone = (operation: "read" | "write") =>
  new TransportError({ reason: "Closed", operation, detail: "this side has closed the connection" })

const left = new TransportError({ reason: "BrokenPipe", operation: "write", detail: "the peer has left" })
