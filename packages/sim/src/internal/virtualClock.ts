/**
 * The clock that programs see: the one of the run, which advances by itself when nothing else is left to do.
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as TestClock from "effect/TestClock"
import type { Owner, World } from "./world.js"

/**
 * It is a `TestClock` too, so that a program with `TestClock.adjust` runs: to adjust by some time is to wait for it.
 *
 * @internal
 */
export class VirtualClock implements TestClock.TestClock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private readonly world: World
  private readonly owner: Owner

  constructor(world: World, owner: Owner) {
    this.world = world
    this.owner = owner
  }

  /** Whole milliseconds, as the clock of a host has them. */
  unsafeCurrentTimeMillis(): number {
    return Math.floor(this.world.now)
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.world.now * 1_000_000))
  }

  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())

  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    // What is never over is no timer: who waits for nothing else waits for ever.
    if (millis === Number.POSITIVE_INFINITY) return Effect.async(() => {})
    return Effect.async((resume) => {
      const timer = this.world.at(this.world.now + millis, this.owner, () => resume(Effect.void))
      return Effect.sync(() => this.world.cancel(timer))
    })
  }

  adjust(duration: Duration.DurationInput): Effect.Effect<void> {
    return this.sleep(Duration.decode(duration))
  }

  adjustWith(duration: Duration.DurationInput) {
    return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.zipLeft(effect, this.adjust(duration), { concurrent: true })
  }

  setTime(time: number): Effect.Effect<void> {
    return Effect.suspend(() => this.adjust(Math.max(0, time - this.world.now)))
  }

  /** The time of a run cannot go back. */
  readonly save = Effect.succeed(Effect.void)

  readonly sleeps = Effect.sync(() => Chunk.fromIterable(this.world.sleeps))
}
