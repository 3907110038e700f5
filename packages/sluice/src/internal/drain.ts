/**
 * How a server empties itself: Serving, then Draining, then Drained.
 *
 * Whoever comes is refused and the application is told; after the notice the connections are asked to leave, batch by
 * batch; who is still there at the deadline is cut. A drain that is interrupted goes on when it is asked for again.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Limits from "../Limits.js"
import * as ClosePayload from "./closePayload.js"
import { toMillis } from "./deadlines.js"

/**
 * How to drain a server. All of it may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrainOptions {
  /** What the peers are told: 1001, the server goes away, by default; 1012, it restarts: come back soon. */
  readonly code?: 1001 | 1012 | undefined
  /** A reason for the peers, such as when to come back; what is beyond 123 bytes in UTF-8 is cut off. Empty by default. */
  readonly reason?: string | undefined
  /** From telling the application (`Connected.draining`) to the first Close frame; none by default. */
  readonly notice?: Duration.DurationInput | undefined
  /** How many connections are asked to leave at once; 256 by default. */
  readonly batchSize?: number | undefined
  /** From one batch to the next, on the average: each wait is between half of it and one and a half. 100 ms by default. */
  readonly batchInterval?: Duration.DurationInput | undefined
  /** From the last batch to the end of those that are still there, which are then reset; `closeTimeout` by default. */
  readonly timeout?: Limits.Timeout | undefined
  /** Seconds after which those that are refused meanwhile may come back; 1 by default. */
  readonly retryAfter?: number | undefined
}

/**
 * How many left how, when a server was drained.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrainReport {
  /** Connections that were open when it began: the sum of the next three. */
  readonly connections: number
  /** Ended well by themselves: closed by the peer or by their handler. */
  readonly left: number
  /** Were asked to leave and completed the closing handshake. */
  readonly closed: number
  /** Did not leave in time and were reset, or broke off. */
  readonly aborted: number
  /** Handshakes in flight, and clients that came meanwhile: refused with 503. */
  readonly refused: number
  /** How long it took. */
  readonly elapsed: Duration.Duration
}

/**
 * What a server does: it serves, it empties itself, or it is empty for good.
 *
 * @category models
 * @since 0.1.0
 */
export type ServerState = "Serving" | "Draining" | "Drained"

/** @internal How a connection ended. */
export type Departure = "left" | "closed" | "aborted" | "refused"

/** @internal A connection, as far as it has to leave. */
export interface Leaving {
  /** Asks it to leave, if that can be asked in the state it is in. */
  drain: (code: number, reason: string) => void
  /** Has it end now. */
  cut: () => void
}

const defaultBatchSize = 256
const defaultBatchInterval = "100 millis"

/** @internal */
export class Drain {
  state: ServerState = "Serving"
  /** Of the `Unavailable` that refuses newcomers. */
  retryAfter = 1
  private readonly counts: { [D in Departure]: number } = { left: 0, closed: 0, aborted: 0, refused: 0 }
  /** Those who were there when it began, and still are. */
  private readonly present = new Set<Leaving>()
  private readonly limits: Limits.Limits
  private readonly waiting = new Set<() => void>()

  constructor(limits: Limits.Limits) {
    this.limits = limits
  }

  /** A connection has ended. */
  depart(connection: Leaving, departure: Departure): void {
    if (this.state === "Serving") return
    // Of those who came later none was let in.
    if (this.present.delete(connection) || departure === "refused") this.counts[departure]++
    if (this.present.size === 0) for (const resume of this.waiting) resume()
  }

  private begin(connections: Iterable<Leaving>, tell: () => void): void {
    if (this.state !== "Serving") return
    this.state = "Draining"
    for (const connection of connections) this.present.add(connection)
    tell()
  }

  /** Waits for the time to pass, or for the last one to leave. */
  private pause(duration: Duration.DurationInput): Effect.Effect<void> {
    const empty = Effect.async<void>((resume) => {
      if (this.present.size === 0) return resume(Effect.void)
      const wake = () => resume(Effect.void)
      this.waiting.add(wake)
      return Effect.sync(() => this.waiting.delete(wake))
    }).pipe(Effect.interruptible)
    return Duration.isFinite(Duration.decode(duration)) ? Effect.asVoid(Effect.timeoutOption(empty, duration)) : empty
  }

  /** `tell` tells the application, and refuses the handshakes in flight. */
  run(connections: Iterable<Leaving>, tell: () => void, options: DrainOptions): Effect.Effect<DrainReport> {
    const { batchSize = defaultBatchSize, code = 1001, timeout = this.limits.closeTimeout } = options
    const reason = ClosePayload.fit(options.reason ?? "")
    const interval = Duration.toMillis(options.batchInterval ?? defaultBatchInterval)
    return Effect.gen(this, function* () {
      const start = yield* Clock.currentTimeMillis
      this.retryAfter = options.retryAfter ?? this.retryAfter
      this.begin(connections, tell)
      if (options.notice !== undefined) yield* this.pause(options.notice)
      const waiting = [...(yield* Random.shuffle(this.present))]
      while (waiting.length > 0) {
        for (const connection of waiting.splice(0, Math.max(1, batchSize))) connection.drain(code, reason)
        if (waiting.length > 0) yield* this.pause(yield* Random.nextRange(interval / 2, (interval * 3) / 2))
      }
      yield* this.pause(toMillis(timeout))
      for (const connection of [...this.present]) connection.cut()
      this.state = "Drained"
      const { aborted, closed, left, refused } = this.counts
      const elapsed = Duration.millis((yield* Clock.currentTimeMillis) - start)
      return { connections: left + closed + aborted, left, closed, aborted, refused, elapsed }
    })
  }
}

/** @internal The report as the fields of a log line. */
export const describe = ({ elapsed, ...counts }: DrainReport) => ({ ...counts, elapsed: Duration.format(elapsed) })
