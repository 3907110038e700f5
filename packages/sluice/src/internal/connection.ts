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
import type { Limit, Limits } from "../Limits.js"
import type { Encoded, Message } from "../Message.js"
import { type Lane, TransportError } from "../Network.js"
import * as Protocol from "../Protocol.js"
import { type Deadline, type Deadlines, toMillis } from "./deadlines.js"
import { Heartbeat } from "./heartbeat.js"
import { Inbox } from "./inbox.js"
import type { Account } from "./ledger.js"
import { maskingKeys, noKeys } from "./masking.js"
import type { Meter } from "./meter.js"
import { Pings } from "./pings.js"
import { Rate } from "./rate.js"
import { Sending } from "./sending.js"
import type { Tap } from "./tap.js"

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
  readonly ledger: Account
  readonly meter: Meter
  readonly scheduler: Scheduler
  readonly entropy: (size: number) => Uint8Array
}

const ignore = () => {}
const nothing = new Uint8Array(0)
// Parts that are read at once when we wait for nothing but the peer's Close.
const closingStep = 256

/** @internal */
export class Connection {
  state: Protocol.State
  readonly inbox: Inbox<ReceiveError>
  readonly sending: Sending
  /** Sees each frame, while somebody wants to. */
  tap: Tap | undefined = undefined
  private taps: Set<Tap> | undefined = undefined
  private readonly options: ConnectionOptions
  private readonly heartbeat: Heartbeat
  // Most connections have none, most of the time.
  private pings: Pings | undefined = undefined
  private closers: Set<(reason: Protocol.CloseReason) => void> | undefined = undefined
  private readonly controls: Rate | undefined
  private readonly messages: Rate | undefined
  private isPumping = false
  private hasMore = false
  private isDone = false
  private closing: Deadline | undefined = undefined
  private unfinished: Deadline | undefined = undefined
  private pinned = 0
  /** Since when the window is full. */
  private stalledAt: number | undefined = undefined

  constructor(options: ConnectionOptions) {
    const { deadlines, lane, limits, role } = options
    this.options = options
    this.state = Protocol.open({ role, limits })
    const keys = role === "client" ? maskingKeys(options.entropy) : noKeys
    this.sending = new Sending(options, keys, this)
    this.controls = rateOf(limits.maxControlFramesPerSecond)
    this.messages = rateOf(limits.maxMessagesPerSecond)
    this.inbox = new Inbox(limits.receiveWindowMessages, limits.receiveWindowBytes, this)
    this.heartbeat = new Heartbeat(deadlines, limits, this)
    options.meter.opened()
    lane.onReadable(() => this.pump())
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
      const polled = this.options.lane.poll(Protocol.room(this.state))
      if (polled === "Pending") break
      if (polled === "End") this.ended(unexpectedEnd)
      else if (polled instanceof TransportError) this.ended(polled)
      else this.receive(polled)
    }
    if (this.isWindowFull && this.stalledAt === undefined) {
      this.stalledAt = this.options.deadlines.now()
      this.options.meter.windowFull()
    }
  }

  private goOn(): void {
    if (this.stalledAt === undefined || this.isWindowFull) return
    const now = this.options.deadlines.now()
    const stalled = now - this.stalledAt
    this.stalledAt = undefined
    if (stalled === 0) return
    this.controls?.excuse(stalled, now)
    this.messages?.excuse(stalled, now)
  }

  private receive(chunk: Uint8Array): void {
    if (this.state._tag === "Closed") return
    const before = this.state
    const step = Protocol.receive(before, chunk, before._tag === "Open" ? Math.max(1, this.inbox.room) : closingStep)
    this.state = step.state
    this.hasMore = step.more
    if (chunk.length > 0) this.heartbeat.hear()
    this.count(chunk, step)
    if (step.messages.length > 0) {
      this.inbox.push(step.messages)
      if (step.state._tag === "Open" && this.isTooTalkative(step.messages)) return
    }
    if (step.controls > 0) this.controlled(step)
    else for (const frame of step.replies) this.reply(frame)
    // One of the two above has ended the connection, or has begun to.
    if (this.state !== step.state) return
    if (this.state._tag === "Closing") this.advance(before)
    else this.account(step.state)
  }

  private count(chunk: Uint8Array, step: Protocol.Step): void {
    const { meter } = this.options
    const { messages, parts } = step
    // All parts but the first begin a frame.
    if (parts.length > 0) meter.received(chunk.length, parts[0].first ? parts.length : parts.length - 1)
    else meter.received(chunk.length, 0)
    const last = messages.at(-1)
    if (last !== undefined) {
      // A message in pieces is counted with its last.
      const arrived = last._tag === "Piece" ? messages.filter((item) => item._tag !== "Piece" || item.last) : messages
      if (arrived.length > 0) meter.arrived(arrived.length, this.inbox.waiting + messages.length)
    }
    if (this.tap === undefined) return
    for (const { fin, first, length, opcode, payload } of parts) {
      if (first) this.tap("received", { opcode, fin, size: length, payload })
    }
  }

  private isTooTalkative(messages: Protocol.Step["messages"]): boolean {
    if (this.messages === undefined) return false
    const begun = messages.filter((item) => item._tag !== "Piece" || item.first).length
    const seen = this.messages.exceeded(begun, this.options.deadlines.now())
    if (seen === undefined) return false
    const detail = `${seen} messages in a second, the limit is ${this.options.limits.maxMessagesPerSecond}`
    this.violate(new Protocol.ProtocolError({ reason: "TooManyMessages", detail }))
    return true
  }

  private ponged(payload: Uint8Array, now: number): void {
    if (payload.length > 0) {
      this.pings?.receive(payload, now)
      return
    }
    // Those of the heartbeat have no payload.
    const roundTrip = this.heartbeat.answer(now)
    if (roundTrip !== undefined) this.options.meter.answered(roundTrip)
  }

  private controlled(step: Protocol.Step): void {
    const now = this.options.deadlines.now()
    for (const payload of step.pongs) this.ponged(payload, now)
    const seen = this.controls?.exceeded(step.controls, now)
    if (seen !== undefined && step.state._tag === "Open") {
      const detail = `${seen} control frames in a second, the limit is ${this.options.limits.maxControlFramesPerSecond}`
      this.violate(new Protocol.ProtocolError({ reason: "TooManyControlFrames", detail }))
      return
    }
    for (const frame of step.replies) if (seen === undefined || frame.opcode !== Opcode.Pong) this.reply(frame)
  }

  /** Keeps count of what an unfinished message costs, in memory and in time. */
  private account(state: Protocol.Open | Protocol.Closing): void {
    const pinned = Protocol.pinned(state)
    if (pinned !== this.pinned) {
      const within = this.options.ledger.pin(pinned - this.pinned)
      this.pinned = pinned
      if (!within && pinned > 0) {
        const detail = `unfinished messages take more than ${this.options.ledger.maxPinnedBytes} bytes together`
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
    if (frame.opcode === Opcode.Pong) this.sending.pong(frame.payload)
    else this.sending.control(frame.opcode, frame.payload)
  }

  // --- for the heartbeat

  sendPing(): void {
    this.sending.control(Opcode.Ping, nothing)
  }

  sendPong(): void {
    this.left()
    this.sending.pong(nothing)
  }

  get isWindowFull(): boolean {
    return this.inbox.room === 0
  }

  lost(silence: number): void {
    this.finish({ _tag: "Closed", reason: Protocol.CloseReason.HeartbeatLost({ silence }) })
  }

  // --- to the peer

  /** `answered` is called with the time of the Pong, or with nothing if it can no longer come. Returns how to forget it. */
  ping(answered: (at: number | undefined) => void): () => void {
    this.pings ??= new Pings()
    const start = this.options.deadlines.now()
    const { forget, payload } = this.pings.next((at) => {
      if (at !== undefined) this.options.meter.answered(at - start)
      answered(at)
    })
    this.sending.control(Opcode.Ping, payload)
    return forget
  }

  /** Sends a message unless it would have to wait, or there is nobody to send it to. */
  offer(message: Message | Encoded): boolean {
    if (this.state._tag !== "Open" || !this.sending.canSend) return false
    this.sending.message(message)
    return true
  }

  overdrawn(): void {
    const detail = `more than ${this.options.ledger.maxPendingBytes} bytes wait for peers that do not read`
    this.violate(new Protocol.ProtocolError({ reason: "TooManyPendingBytes", detail }))
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
      this.inbox.end(exitOf(state))
      this.sending.close()
      this.closing = this.options.deadlines.set(this.options.limits.closeTimeout, () => this.abort(closeTimedOut))
      this.options.scheduler.scheduleTask(() => this.pump(), 0)
    }
    // §7.1.1: the server "MUST close the TCP connection" first, after the closing handshake; the client waits for it.
    if (Protocol.isComplete(state) && (state.cause !== undefined || this.options.role === "server")) {
      this.sending.flush()
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
  left(): void {
    if (this.state._tag !== "Open") return
    const failure = this.options.lane.failure()
    if (failure !== undefined) this.ended(failure)
  }

  private ended(cause: TransportError): void {
    if (this.state._tag === "Closed") return
    this.sending.flush()
    this.options.lane.end()
    this.finish(Protocol.end(this.state, cause))
  }

  private finish(closed: Protocol.Closed): void {
    if (this.isDone) return
    this.isDone = true
    this.state = closed
    this.options.meter.closed(closed.reason)
    this.settle()
    this.sending.settle()
    this.heartbeat.stop()
    this.options.deadlines.cancel(this.closing)
    if (!Protocol.isClean(closed.reason) && closed.reason._tag !== "Violation") this.options.lane.abort()
    this.inbox.end(exitOf(closed))
    this.pings?.end()
    this.sending.close()
    for (const closer of this.closers ?? []) closer(closed.reason)
    this.closers = undefined
  }

  /** Has `tap` see each frame from now on. */
  trace(tap: Tap): () => void {
    this.taps ??= new Set()
    const { taps } = this
    taps.add(tap)
    this.tap = (direction, frame) => {
      for (const tap of taps) tap(direction, frame)
    }
    return () => {
      if (taps.delete(tap) && taps.size === 0) this.tap = undefined
    }
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

const rateOf = (limit: Limit): Rate | undefined => (limit === "unbounded" ? undefined : new Rate(limit))

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
