/**
 * Runs the `Protocol` machine of one connection on the lane of its transport.
 *
 * All of it is synchronous: the lane says that bytes are here, the machine reads them, messages go to the inbox, and
 * replies to the outgoing frames, which are flushed by a task of the scheduler. The effects of `WebSocket` are thin
 * on top. So Pings are answered and dead peers found whatever the application does.
 */
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Scheduler } from "effect/Scheduler"
import { type Frame, Opcode } from "../Frame.js"
import type { Limits } from "../Limits.js"
import type { Encoded, Message } from "../Message.js"
import { type Lane, TransportError } from "../Network.js"
import * as Protocol from "../Protocol.js"
import { type Deadline, type Deadlines, toMillis } from "./deadlines.js"
import { Heartbeat } from "./heartbeat.js"
import { Inbox } from "./inbox.js"
import type { Ledger } from "./ledger.js"
import { maskingKeys, noKeys } from "./masking.js"
import { Outgoing } from "./outgoing.js"

/**
 * Why a connection did not end cleanly: a rule that the peer broke, or a fault of the transport.
 *
 * @category errors
 * @since 0.1.0
 */
export type ReceiveError = Protocol.Violation | TransportError

/** @internal */
export interface ConnectionOptions {
  readonly role: Protocol.Role
  readonly lane: Lane
  /** Bytes that came with the opening handshake. */
  readonly rest: Uint8Array
  readonly limits: Limits
  readonly deadlines: Deadlines
  readonly ledger: Ledger
  readonly scheduler: Scheduler
  readonly entropy: (size: number) => Uint8Array
}

interface PendingPing {
  readonly payload: number
  readonly answered: (at: number | undefined) => void
}

const fin = 0x80
const ignore = () => {}
const nothing = new Uint8Array(0)
const second = 1000
// Parts that are read at once when we wait for nothing but the peer's Close.
const closingStep = 256

/** @internal */
export class Connection {
  state: Protocol.State
  readonly inbox: Inbox<ReceiveError>
  /** A message is being sent in pieces, so that no other may begin (RFC 6455 §5.4). */
  streaming = false
  private readonly options: ConnectionOptions
  private readonly outgoing = new Outgoing()
  private readonly heartbeat: Heartbeat
  private readonly keys: () => number | undefined
  private readonly highWaterMark: number
  // Nobody waits for most connections, most of the time.
  private senders: Set<() => void> | undefined = undefined
  private pings: Array<PendingPing> | undefined = undefined
  private closers: Set<(reason: Protocol.CloseReason) => void> | undefined = undefined
  private lastPing = 0
  private isFlushing = false
  private isPumping = false
  private hasMore = false
  private isDone = false
  /** The transport has more than it should; Pongs are held back then, all but the latest. */
  private isBlocked = false
  private heldPong: Uint8Array | undefined = undefined
  private closing: Deadline | undefined = undefined
  private unfinished: Deadline | undefined = undefined
  private pinned = 0
  private controls = 0
  private controlsSince = 0
  /** Since when the window is full. */
  private stalledAt: number | undefined = undefined

  constructor(options: ConnectionOptions) {
    const { deadlines, lane, limits, role } = options
    this.options = options
    this.state = Protocol.open({ role, limits })
    this.highWaterMark =
      limits.sendHighWaterMark === "unbounded" ? Number.POSITIVE_INFINITY : Math.max(1, limits.sendHighWaterMark)
    this.keys = role === "client" ? maskingKeys(options.entropy) : noKeys
    this.inbox = new Inbox(limits.receiveWindowMessages, limits.receiveWindowBytes, this)
    this.heartbeat = new Heartbeat(deadlines, limits, this)
    lane.onReadable(() => this.pump())
    lane.onWritable(() => this.unblock())
    if (options.rest.length > 0) this.receive(options.rest)
    this.pump()
  }

  // --- from the peer

  /** Reads until there is nothing more, or no more room for messages. */
  pump(): void {
    if (this.isPumping) return
    this.isPumping = true
    try {
      this.readAll()
    } finally {
      this.isPumping = false
    }
  }

  private readAll(): void {
    this.goOn()
    while (!this.isDone && (this.state._tag !== "Open" || this.inbox.room > 0)) {
      if (this.hasMore) {
        this.receive(nothing)
        continue
      }
      const polled = this.options.lane.poll()
      if (polled === "Pending") break
      if (polled === "End") this.ended(unexpectedEnd)
      else if (polled instanceof TransportError) this.ended(polled)
      else this.receive(polled)
    }
    if (this.isWindowFull && this.stalledAt === undefined) this.stalledAt = this.options.deadlines.now()
  }

  /** What was said while nothing was read is not counted as if it were said in one second. */
  private goOn(): void {
    if (this.stalledAt === undefined || this.isWindowFull) return
    const limit = this.options.limits.maxControlFramesPerSecond
    const now = this.options.deadlines.now()
    const stalled = now - this.stalledAt
    this.stalledAt = undefined
    if (limit === "unbounded" || stalled === 0) return
    // What is left of an earlier stall still counts: the window may fill again before all was read.
    if (now - this.controlsSince >= second) this.controls = Math.min(0, this.controls)
    this.controls -= (limit * stalled) / second
    this.controlsSince = now
  }

  private receive(chunk: Uint8Array): void {
    if (this.state._tag === "Closed") return
    const before = this.state
    const step = Protocol.receive(before, chunk, before._tag === "Open" ? Math.max(1, this.inbox.room) : closingStep)
    this.state = step.state
    this.hasMore = step.more
    if (chunk.length > 0) this.heartbeat.hear()
    if (step.messages.length > 0) this.inbox.push(step.messages)
    if (step.controls > 0) this.controlled(step)
    else for (const frame of step.replies) this.reply(frame)
    // One of the two above has ended the connection, or has begun to.
    if (this.state !== step.state) return
    if (this.state._tag === "Closing") this.advance(before)
    else this.account(step.state)
  }

  private controlled(step: Protocol.Step): void {
    for (const payload of step.pongs) this.ponged(payload)
    const now = this.options.deadlines.now()
    if (now - this.controlsSince >= second) {
      this.controlsSince = now
      this.controls = 0
    }
    this.controls += step.controls
    const limit = this.options.limits.maxControlFramesPerSecond
    const isFlood = limit !== "unbounded" && this.controls > limit
    if (isFlood && step.state._tag === "Open") {
      const detail = `${this.controls} control frames in a second, the limit is ${limit}`
      this.violate(new Protocol.ProtocolError({ reason: "TooManyControlFrames", detail }))
      return
    }
    for (const frame of step.replies) if (!isFlood || frame.opcode !== Opcode.Pong) this.reply(frame)
  }

  /** Keeps count of what an unfinished message costs, in memory and in time. */
  private account(state: Protocol.Open | Protocol.Closing): void {
    const pinned = Protocol.pinned(state)
    if (pinned !== this.pinned) {
      const within = this.options.ledger.pin(pinned - this.pinned)
      this.pinned = pinned
      if (!within && pinned > 0) {
        const detail = `unfinished messages take more than ${this.options.limits.maxPinnedBytes} bytes together`
        this.violate(new Protocol.ProtocolError({ reason: "TooManyPinnedBytes", detail }))
        return
      }
    }
    if (!Protocol.isUnfinished(state)) {
      if (this.unfinished === undefined) return
      this.options.deadlines.cancel(this.unfinished)
      this.unfinished = undefined
    } else if (this.unfinished === undefined) {
      this.unfinished = this.options.deadlines.set(this.options.limits.messageTimeout, () => this.overdue())
    }
  }

  private overdue(): void {
    const { messageTimeout } = this.options.limits
    if (this.isWindowFull) {
      // The rest may be here, but is not read: the deadline stands still.
      this.unfinished = this.options.deadlines.set(messageTimeout, () => this.overdue())
      return
    }
    const detail = `a message was not finished within ${toMillis(messageTimeout)} ms`
    this.violate(new Protocol.ProtocolError({ reason: "MessageTimeout", detail }))
  }

  private reply(frame: Frame): void {
    if (frame.opcode === Opcode.Pong) this.pong(frame.payload)
    else this.control(frame.opcode, frame.payload)
  }

  // --- for the heartbeat

  sendPing(): void {
    this.control(Opcode.Ping, nothing)
  }

  sendPong(): void {
    this.notice()
    this.pong(nothing)
  }

  get isWindowFull(): boolean {
    return this.inbox.room === 0
  }

  lost(silence: number): void {
    this.finish({ _tag: "Closed", reason: Protocol.CloseReason.HeartbeatLost({ silence }) })
  }

  // §5.5.3: an endpoint "MAY elect to send a Pong frame for only the most recently processed Ping frame"
  private pong(payload: Uint8Array): void {
    if (this.isBlocked) this.heldPong = payload
    else this.control(Opcode.Pong, payload)
  }

  private ponged(payload: Uint8Array): void {
    if (payload.length !== 4) return
    if (this.pings === undefined) return
    const number = new DataView(payload.buffer, payload.byteOffset).getUint32(0)
    const at = this.pings.findIndex((ping) => ping.payload === number)
    // §5.5.3 again: a Pong may answer the Pings before it, too.
    for (const ping of this.pings.splice(0, at + 1)) ping.answered(this.options.deadlines.now())
  }

  // --- to the peer

  get canSend(): boolean {
    return !this.isBlocked && !this.streaming && this.outgoing.size < this.highWaterMark
  }

  get canContinue(): boolean {
    return !this.isBlocked && this.outgoing.size < this.highWaterMark
  }

  /** Has `wake` called when it is worth looking at `canSend` again. */
  whenWritable(wake: () => void): () => void {
    this.senders ??= new Set()
    const { senders } = this
    senders.add(wake)
    return () => senders.delete(wake)
  }

  wakeSenders(): void {
    const { senders } = this
    if (senders === undefined) return
    this.senders = undefined
    for (const wake of senders) wake()
  }

  /** Takes a message; it leaves with the others of this turn. */
  send(message: Message | Encoded): void {
    const key = this.keys()
    if (message._tag === "Text") this.outgoing.text(fin | Opcode.Text, message.text, key)
    else if (message._tag === "Binary") this.outgoing.frame(fin | Opcode.Binary, message.bytes, key)
    else if (key === undefined) this.outgoing.encoded(message.frame)
    else this.outgoing.frame(fin | Opcode[message.type], message.payload, key)
    this.flushSoon()
  }

  fragment(opcode: number, last: boolean, payload: Uint8Array): void {
    this.outgoing.frame((last ? fin : 0) | opcode, payload, this.keys())
    this.flushSoon()
  }

  /** `answered` is called with the time of the Pong, or with nothing if it can no longer come. */
  ping(answered: PendingPing["answered"]): () => void {
    this.lastPing = (this.lastPing + 1) >>> 0
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, this.lastPing)
    const pending = { payload: this.lastPing, answered }
    this.pings ??= []
    const { pings } = this
    pings.push(pending)
    this.control(Opcode.Ping, payload)
    return () => {
      const at = pings.indexOf(pending)
      if (at >= 0) pings.splice(at, 1)
    }
  }

  private control(opcode: number, payload: Uint8Array): void {
    this.outgoing.frame(fin | opcode, payload, this.keys())
    this.flushSoon()
  }

  private flushSoon(): void {
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
    if (this.outgoing.size === 0) return
    this.isBlocked = !this.options.lane.offer(this.outgoing.take())
    this.notice()
  }

  private unblock(): void {
    this.isBlocked = false
    this.notice()
    if (this.heldPong !== undefined) {
      this.control(Opcode.Pong, this.heldPong)
      this.heldPong = undefined
    }
    this.wakeSenders()
  }

  // --- the end

  /** Starts the closing handshake. A Close frame goes out past all that waits to be sent. */
  close(options: Parameters<typeof Protocol.close>[1]): Protocol.SendError | undefined {
    if (this.state._tag !== "Open") return undefined
    const before = this.state
    const closing = Protocol.close(before, options)
    if (closing._tag === "Left") return closing.left
    this.state = closing.right.state
    this.reply(closing.right.frame)
    this.advance(before)
    return undefined
  }

  /** Fails the connection (RFC 6455 §7.1.7). */
  violate(violation: Protocol.Violation): void {
    if (this.state._tag === "Closed") return
    const before = this.state
    const failing = Protocol.fail(before, violation)
    this.state = failing.state
    if (failing.frame !== undefined) this.reply(failing.frame)
    this.advance(before)
  }

  /** Ends the connection at once. */
  abort(cause: TransportError): void {
    if (this.state._tag !== "Closed") this.finish(Protocol.end(this.state, cause))
    this.options.lane.abort()
  }

  /** What follows from having become Closing, or from the Close frame of the peer. */
  private advance(before: Protocol.Open | Protocol.Closing): void {
    const { state } = this
    if (state._tag !== "Closing") return
    if (before._tag === "Open") {
      this.settle()
      this.heartbeat.stop()
      this.heldPong = undefined
      this.inbox.end(exitOf(state))
      this.wakeSenders()
      this.closing = this.options.deadlines.set(this.options.limits.closeTimeout, () => this.abort(closeTimedOut))
      this.options.scheduler.scheduleTask(() => this.pump(), 0)
    }
    // §7.1.1: the server "MUST close the TCP connection" first, after the closing handshake; the client waits for it.
    if (Protocol.isComplete(state) && (state.cause !== undefined || this.options.role === "server")) {
      this.flush()
      this.options.lane.end()
    }
  }

  /** Lets go of what an unfinished message cost. */
  private settle(): void {
    this.options.deadlines.cancel(this.unfinished)
    this.unfinished = undefined
    this.options.ledger.pin(-this.pinned)
    this.pinned = 0
  }

  /** Where nothing is read, since the window is full, only the write side can tell that the peer is gone. */
  private notice(): void {
    if (this.state._tag !== "Open") return
    const failure = this.options.lane.failure()
    if (failure !== undefined) this.ended(failure)
  }

  private ended(cause: TransportError): void {
    if (this.state._tag === "Closed") return
    this.flush()
    this.options.lane.end()
    this.finish(Protocol.end(this.state, cause))
  }

  private finish(closed: Protocol.Closed): void {
    if (this.isDone) return
    this.isDone = true
    this.state = closed
    this.settle()
    this.heartbeat.stop()
    this.options.deadlines.cancel(this.closing)
    if (!Protocol.isClean(closed.reason) && closed.reason._tag !== "Violation") this.options.lane.abort()
    this.inbox.end(exitOf(closed))
    for (const ping of this.pings?.splice(0) ?? []) ping.answered(undefined)
    this.wakeSenders()
    for (const closer of this.closers ?? []) closer(closed.reason)
    this.closers = undefined
  }

  get role(): Protocol.Role {
    return this.options.role
  }

  /** Has `closer` called when the connection has ended, or at once if it has. */
  whenClosed(closer: (reason: Protocol.CloseReason) => void): () => void {
    if (this.state._tag === "Closed") {
      closer(this.state.reason)
      return ignore
    }
    this.closers ??= new Set()
    const { closers } = this
    closers.add(closer)
    return () => closers.delete(closer)
  }
}

const unexpectedEnd = new TransportError({
  reason: "UnexpectedEnd",
  operation: "read",
  detail: "the peer ended the connection without a Close frame"
})

const closeTimedOut = new TransportError({
  reason: "TimedOut",
  operation: "read",
  detail: "the peer did not finish the closing handshake in time"
})

/** How the stream of messages ends: a clean close ends it, everything else fails it. */
const exitOf = (state: Protocol.Closing | Protocol.Closed): Exit.Exit<never, Option.Option<ReceiveError>> => {
  const none = Exit.fail(Option.none())
  if (state._tag === "Closing") {
    return state.cause === undefined || state.cause === "Drain" ? none : Exit.fail(Option.some(state.cause))
  }
  switch (state.reason._tag) {
    case "Violation":
      return Exit.fail(Option.some(state.reason.error))
    case "Aborted":
      return Exit.fail(Option.some(state.reason.cause))
    case "HeartbeatLost": {
      const detail = `the peer was silent for ${state.reason.silence} ms, and did not answer a Ping`
      return Exit.fail(Option.some(new TransportError({ reason: "TimedOut", operation: "read", detail })))
    }
    default:
      return none
  }
}
