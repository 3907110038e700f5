/**
 * Signs of life: whether the peer is there is found out by Pings, without the help of the application.
 */
import type { Limits } from "../Limits.js"
import { type Deadline, type Deadlines, toMillis } from "./deadlines.js"

/** @internal What the heartbeat may do to its connection. */
export interface Beating {
  sendPing(): void
  /** RFC 6455 §5.5.3: an unsolicited Pong "serves as a unidirectional heartbeat". */
  sendPong(): void
  /** Whether the receive window is full, so that nothing the peer says can be seen. */
  readonly isWindowFull: boolean
  lost(silence: number): void
}

// Waits are rounded up to eighths of the interval, so that all connections together have deadlines of few kinds.
const parts = 8

/** @internal */
export class Heartbeat {
  private readonly deadlines: Deadlines
  private readonly limits: Limits
  private readonly beating: Beating
  private readonly interval: number
  private heard: number
  /** When the Ping was sent that has no Pong yet. */
  private asked: number | undefined = undefined
  private deadline: Deadline | undefined = undefined

  constructor(deadlines: Deadlines, limits: Limits, beating: Beating) {
    this.deadlines = deadlines
    this.limits = limits
    this.beating = beating
    this.interval = toMillis(limits.pingInterval)
    this.heard = deadlines.now()
    this.listenAfter(this.interval)
  }

  /** The peer was heard. */
  hear(): void {
    this.heard = this.deadlines.now()
  }

  /** A Pong has come: the time since its Ping, if there was one. */
  answer(now: number): number | undefined {
    const { asked } = this
    this.asked = undefined
    return asked === undefined ? undefined : now - asked
  }

  stop(): void {
    this.deadlines.cancel(this.deadline)
    this.deadline = undefined
  }

  private listenAfter(wait: number): void {
    const part = this.interval / parts
    const rounded = wait === this.interval ? wait : Math.max(1, Math.ceil(wait / part)) * part
    this.deadline = this.deadlines.set(rounded, () => this.listen())
  }

  private listen(): void {
    const silence = this.deadlines.now() - this.heard
    if (this.beating.isWindowFull) this.standStill()
    else if (silence < this.interval) this.listenAfter(this.interval - silence)
    else {
      this.beating.sendPing()
      const asked = this.deadlines.now()
      this.asked = asked
      this.deadline = this.deadlines.set(this.limits.pingTimeout, () => this.verify(asked))
      if (this.deadline === undefined) this.listenAfter(this.interval)
    }
  }

  private verify(asked: number): void {
    const silence = this.deadlines.now() - this.heard
    if (this.beating.isWindowFull) this.standStill()
    else if (this.heard >= asked) this.listenAfter(this.interval - silence)
    else this.beating.lost(silence)
  }

  // The Pong may have come, but is not read while the window is full; and the peer should see that we live.
  private standStill(): void {
    this.listenAfter(this.interval)
    // Last, for it may find out that the connection is gone.
    this.beating.sendPong()
  }
}
