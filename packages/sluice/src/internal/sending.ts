/**
 * The way out of a connection: frames are gathered, leave together by a task of the scheduler, and wait for a peer that
 * does not read.
 */
import type * as Effect from "effect/Effect"
import type { Scheduler } from "effect/Scheduler"
import { Opcode } from "../Frame.js"
import type { Limits } from "../Limits.js"
import { type Encoded, type Message, payload as payloadOf } from "../Message.js"
import type { Lane } from "../Network.js"
import type { Account } from "./ledger.js"
import type { Meter } from "./meter.js"
import { Outgoing } from "./outgoing.js"
import type { Tap } from "./tap.js"
import { Waiters } from "./waiters.js"

/** @internal What happens on the way out that the connection has to know. */
export interface Sender {
  readonly tap: Tap | undefined
  /** Something left, or could have: the transport may have failed. */
  left(): void
  /** The peer does not read, and all who do not have too much waiting for them together. */
  overdrawn(): void
}

/** @internal */
export interface SendingOptions {
  readonly lane: Lane
  readonly limits: Limits
  readonly ledger: Account
  readonly meter: Meter
  readonly scheduler: Scheduler
}

const fin = 0x80

/** A caller without types may send what it has parsed: that is a defect of his, before anything is written. */
const assertSendable = (message: Message | Encoded): void => {
  if (message._tag === "Text" ? typeof message.text !== "string" : !hasBytes(message)) throw notBytes()
}

const hasBytes = (message: Exclude<Message, { readonly _tag: "Text" }> | Encoded): boolean =>
  message._tag === "Binary"
    ? message.bytes instanceof Uint8Array
    : message.frame instanceof Uint8Array && message.payload instanceof Uint8Array

const notBytes = () => new TypeError("what was sent is no message: a text is a string, bytes are a Uint8Array")

/** @internal */
export class Sending {
  /** A message is being sent in pieces, so that no other may begin (RFC 6455 §5.4). */
  streaming = false
  private readonly options: SendingOptions
  private readonly keys: () => number | undefined
  private readonly sender: Sender
  private readonly highWaterMark: number
  private readonly outgoing = new Outgoing()
  private isFlushing = false
  /** The transport has more than it should; Pongs are held back then, all but the latest. */
  private isBlocked = false
  private heldPong: Uint8Array | undefined = undefined
  /** Bytes that the transport was given since it has more than it should. */
  private pending = 0
  // Since the last flush.
  private frames = 0
  private messages = 0
  // Nobody waits for most connections, most of the time.
  private senders: Waiters | undefined = undefined

  constructor(options: SendingOptions, keys: () => number | undefined, sender: Sender) {
    const { sendHighWaterMark } = options.limits
    this.options = options
    this.keys = keys
    this.sender = sender
    this.highWaterMark = sendHighWaterMark === "unbounded" ? Number.POSITIVE_INFINITY : Math.max(1, sendHighWaterMark)
    options.lane.onWritable(() => this.unblock())
  }

  get canSend(): boolean {
    return !this.streaming && this.canContinue
  }

  get canContinue(): boolean {
    return !this.isBlocked && this.outgoing.size < this.highWaterMark
  }

  /** Waits until it is worth looking at `canSend` again, unless it `isOver` already. */
  wait(isOver: () => boolean): Effect.Effect<void> {
    this.senders ??= new Waiters()
    return this.senders.wait(isOver)
  }

  wake(): void {
    this.senders?.wake()
  }

  /** Takes a message; it leaves with the others of this turn. */
  message(message: Message | Encoded): void {
    assertSendable(message)
    const key = this.keys()
    this.messages++
    if (this.sender.tap !== undefined) this.traced(message)
    if (message._tag === "Text") this.outgoing.text(fin | Opcode.Text, message.text, key)
    else if (message._tag === "Binary") this.outgoing.frame(fin | Opcode.Binary, message.bytes, key)
    else if (key === undefined) this.outgoing.encoded(message.frame)
    else this.outgoing.frame(fin | Opcode[message.type], message.payload, key)
    this.flushSoon()
  }

  private traced(message: Message | Encoded): void {
    const opcode = Opcode[message._tag === "Encoded" ? message.type : message._tag]
    const payload = message._tag === "Encoded" ? message.payload : payloadOf(message)
    this.sender.tap?.("sent", { opcode, fin: true, size: payload.length, payload })
  }

  fragment(opcode: number, last: boolean, payload: Uint8Array): void {
    if (!(payload instanceof Uint8Array)) throw notBytes()
    if (last) this.messages++
    this.sender.tap?.("sent", { opcode, fin: last, size: payload.length, payload })
    this.outgoing.frame((last ? fin : 0) | opcode, payload, this.keys())
    this.flushSoon()
  }

  control(opcode: number, payload: Uint8Array): void {
    this.sender.tap?.("sent", { opcode, fin: true, size: payload.length, payload })
    this.outgoing.frame(fin | opcode, payload, this.keys())
    this.flushSoon()
  }

  // §5.5.3: an endpoint "MAY elect to send a Pong frame for only the most recently processed Ping frame"
  pong(payload: Uint8Array): void {
    if (this.isBlocked) this.heldPong = payload
    else this.control(Opcode.Pong, payload)
  }

  private flushSoon(): void {
    this.frames++
    if (this.outgoing.size >= this.highWaterMark) {
      this.flush()
      return
    }
    if (this.isFlushing) return
    this.isFlushing = true
    this.options.scheduler.scheduleTask(this.flush, 0)
  }

  readonly flush = (): void => {
    this.isFlushing = false
    const { size } = this.outgoing
    if (size === 0) return
    this.options.meter.sent(size, this.frames, this.messages)
    this.frames = 0
    this.messages = 0
    this.isBlocked = !this.options.lane.offer(this.outgoing.take())
    const isWithin = !this.isBlocked || this.owe(size)
    this.sender.left()
    if (!isWithin) this.sender.overdrawn()
  }

  private owe(size: number): boolean {
    if (this.pending === 0) this.options.meter.sendBlocked()
    this.pending += size
    return this.options.ledger.pend(size)
  }

  private unblock(): void {
    this.isBlocked = false
    this.settle()
    this.sender.left()
    if (this.heldPong !== undefined) {
      this.control(Opcode.Pong, this.heldPong)
      this.heldPong = undefined
    }
    this.wake()
  }

  /** No Pong goes out any more, and who waits has to see why. */
  close(): void {
    this.heldPong = undefined
    this.wake()
  }

  /** What waited is no longer counted: it has left, or is lost. */
  settle(): void {
    if (this.pending === 0) return
    this.options.ledger.pend(-this.pending)
    this.pending = 0
  }
}
