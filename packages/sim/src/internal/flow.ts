/**
 * One direction of a connection: what was sent and waits, what is on its way, and what has arrived.
 */
import * as MutableList from "effect/MutableList"
import type { Chunking, Ending, Inside } from "../Fault.js"
import type { Side } from "../Trace.js"
import type { Timeline } from "./timeline.js"
import { type Part, WireReader } from "./wireReader.js"
import type { Owner } from "./world.js"

/** @internal What goes on its way, in order. `Deserted` tells that all was said, and nobody listens any more. */
export type Segment =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Open" }
  | { readonly _tag: "Opened" }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "End" }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Deserted" }

/** @internal How bytes get from one host to another, as the faults of the moment say. */
export interface Path {
  readonly latency: number
  readonly jitter: number
  readonly bytesPerSecond: number
  readonly chunking: Chunking
  readonly isStalled: boolean
}

/** @internal Where and how the flow is cut. */
export interface Cut {
  readonly bytes: number
  readonly inside: Inside
  readonly ending: Ending
}

/** @internal What a flow asks of its network and tells the ends of its connection. */
export interface Flowing {
  readonly side: Side
  /** On whose behalf the network acts. */
  readonly owner: Owner
  readonly window: number
  path(): Path
  /** Bytes that have arrived and were not read. */
  unread(): number
  deliver(segment: Segment): void
  /** There is room again for what the sender wants to send. */
  drained(): void
  cut(ending: Ending): void
}

/** @internal */
export class Flow {
  /** Bytes that wait for room in the window. */
  waiting = 0
  private readonly pending: Array<Uint8Array> = []
  private readonly onItsWay = MutableList.empty<{ readonly at: number; readonly segment: Segment }>()
  private inFlight = 0
  private isEnding = false
  private isDeserting = false
  private isSevered = false
  private isArmed = false
  private lastArrival = 0
  private busyUntil = 0
  private sent = 0
  private offered = 0
  private isSilent = false
  private cutAt: number | undefined = undefined
  private pendingCut: { readonly cut: Cut; readonly reader: WireReader } | undefined = undefined
  private ending: Ending | undefined = undefined
  private readonly timeline: Timeline
  private readonly options: Flowing

  constructor(timeline: Timeline, options: Flowing) {
    this.timeline = timeline
    this.options = options
  }

  /** Bytes that were sent and have not arrived. */
  get held(): number {
    return this.waiting + this.inFlight
  }

  /** Has the flow cut, once what is wanted comes by. */
  cutWhere(cut: Cut): void {
    this.ending = cut.ending
    if (cut.inside === "Bytes") this.cutAt = this.sent + cut.bytes
    else this.pendingCut = { cut, reader: new WireReader() }
  }

  /** Takes bytes, which belong to the flow from then on. */
  offer(bytes: Uint8Array): void {
    if (this.pendingCut !== undefined) this.cutAt = this.placeOf(this.pendingCut, bytes)
    this.offered += bytes.length
    this.pending.push(bytes)
    this.waiting += bytes.length
    this.pump()
  }

  private placeOf(pending: { readonly cut: Cut; readonly reader: WireReader }, bytes: Uint8Array): number | undefined {
    for (const part of pending.reader.push(bytes)) {
      // What is on its way already cannot be cut.
      const at = placeInside(part, pending.cut.inside, this.offered + 1)
      if (at === undefined || at < pending.cut.bytes) continue
      this.pendingCut = undefined
      return at
    }
    return undefined
  }

  /** Ends the output behind what waits. */
  end(): void {
    this.isEnding = true
    this.pump()
  }

  /** Tells, behind the end of the output, that nobody reads here any more. */
  desert(): void {
    this.isDeserting = true
    this.pump()
  }

  /** What waits and what is offered from now on goes nowhere; the sender fills its buffer until it hears of it. */
  sever(): void {
    this.isSevered = true
  }

  /** Sends a segment ahead of what waits, but behind what is on its way. */
  push(segment: Segment): void {
    this.dispatch(segment, 0)
  }

  /** Forgets what waits. */
  drop(): void {
    this.pending.length = 0
    this.waiting = 0
    this.isEnding = false
  }

  /** Nothing arrives any more. */
  silence(): void {
    this.isSilent = true
  }

  /** Sends what the window has room for. */
  pump(): void {
    if (this.isSevered) return
    const { options } = this
    const wasWaiting = this.waiting
    for (let first = this.pending[0]; first !== undefined; first = this.pending[0]) {
      const room = options.window - this.inFlight - options.unread()
      // As a receiver of TCP does: no small steps, unless they are all that is left.
      if (room < Math.min(options.window / 2, this.waiting)) break
      const path = options.path()
      const size = Math.min(this.sizeOf(path.chunking, Math.min(first.length, room)), this.beforeCut())
      if (size === first.length) this.pending.shift()
      else this.pending[0] = first.subarray(size)
      this.waiting -= size
      this.sent += size
      if (size > 0) {
        this.inFlight += size
        this.dispatch({ _tag: "Bytes", bytes: first.subarray(0, size) }, size)
      }
      if (this.sent === this.cutAt && this.ending !== undefined) {
        this.cutAt = undefined
        options.cut(this.ending)
        break
      }
    }
    if (this.isEnding && this.waiting === 0) {
      this.isEnding = false
      this.dispatch({ _tag: "End" }, 0)
    }
    if (this.isDeserting && this.waiting === 0) {
      this.isDeserting = false
      this.dispatch({ _tag: "Deserted" }, 0)
    }
    if (this.waiting < wasWaiting) options.drained()
  }

  private beforeCut(): number {
    return this.cutAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, this.cutAt - this.sent)
  }

  private sizeOf(chunking: Chunking, most: number): number {
    if (chunking === "Bytes") return 1
    if (chunking !== "Random" || most === 1) return most
    const { draw } = this.timeline
    return 1 + draw.integer(draw.chance(0.75) ? most : Math.min(most, 16))
  }

  private dispatch(segment: Segment, size: number): void {
    const { bytesPerSecond, jitter, latency } = this.options.path()
    const now = this.timeline.now()
    this.busyUntil = Math.max(now, this.busyUntil) + (size / bytesPerSecond) * 1000
    const delay = jitter === 0 ? latency : latency + this.timeline.draw.between(0, jitter)
    this.lastArrival = Math.max(this.lastArrival, this.busyUntil + delay)
    MutableList.append(this.onItsWay, { at: this.lastArrival, segment })
    this.arm()
  }

  /** Has the first segment arrive when it is its turn, unless the way is barred. */
  arm(): void {
    const first = MutableList.head(this.onItsWay)
    if (first === undefined || this.isArmed || this.isSilent || this.options.path().isStalled) return
    this.isArmed = true
    const arrive = () => this.arrive()
    if (first.at <= this.timeline.now()) this.timeline.soon(this.options.owner, arrive)
    else this.timeline.at(first.at, this.options.owner, arrive)
  }

  private arrive(): void {
    this.isArmed = false
    if (this.isSilent || this.options.path().isStalled) return
    const first = MutableList.shift(this.onItsWay)
    if (first === undefined) return
    if (first.segment._tag === "Bytes") this.inFlight -= first.segment.bytes.length
    this.options.deliver(first.segment)
    this.pump()
    this.arm()
  }
}

/** Where to cut so that a part comes in two, if it can be: in its middle, or behind so many bytes. */
const placeInside = (part: Part, inside: Inside, least: number): number | undefined => {
  if (inside === "Utf8") {
    if (part._tag !== "Frame") return undefined
    const { payload } = part.frame
    const start = part.end - payload.length
    const at = payload.findIndex((byte, i) => byte >= 0x80 && byte < 0xc0 && start + i >= least)
    return at < 0 ? undefined : start + at
  }
  if (part._tag !== inside) return undefined
  const at = Math.max(part.start + Math.ceil((part.end - part.start) / 2), least)
  return at < part.end ? at : undefined
}
