import { assert, describe, it } from "@effect/vitest"
import { type Clock, Duration, Effect, TestClock } from "effect"
import * as Deadlines from "../../src/internal/deadlines.js"
import { logged } from "../support/logs.js"
import { turns } from "../support/turns.js"

const pass = (millis: number) => Effect.zipRight(TestClock.adjust(millis), turns(4))

describe("deadlines", () => {
  it.scoped("run once, in the order of their times", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<string> = []
      const set = (after: number | "unbounded") =>
        deadlines.set(after, () => {
          ran.push(`${after} at ${deadlines.now()}`)
        })
      for (const after of [300, 100, 200, 100, "unbounded"] as const) set(after)
      yield* pass(99)
      assert.deepStrictEqual(ran, [])
      yield* pass(1)
      assert.deepStrictEqual(ran, ["100 at 100", "100 at 100"])
      set(100)
      yield* pass(100)
      assert.sameMembers(ran.splice(0), ["100 at 100", "100 at 100", "100 at 200", "200 at 200"])
      yield* pass(100)
      assert.deepStrictEqual(ran, ["300 at 300"])
      yield* pass(1_000_000)
      assert.deepStrictEqual(ran, ["300 at 300"])
    })
  )

  it.scoped("wait for whole milliseconds, on a clock with fractions of one too", () =>
    Effect.gen(function* () {
      // It wakes up early, by less than a timer can wait for: as 1000.3 - 0.3 is less than 1000.
      const times = [0.3, 0.3, 1000.2999999999]
      const waits: Array<number> = []
      const clock: Clock.Clock = {
        ...(yield* Effect.clock),
        unsafeCurrentTimeMillis: () => (times.length > 1 ? times.shift() : times[0]) ?? 0,
        sleep: (duration) =>
          Effect.suspend(() => {
            waits.push(Duration.toMillis(duration))
            return waits.length < 3 ? Effect.void : Effect.never
          })
      }
      const deadlines = yield* Effect.withClock(Deadlines.make, clock)
      deadlines.set(1000, () => {})
      yield* turns(8)
      assert.deepStrictEqual(waits, [1000, 1, 1])
    })
  )

  it.scoped("do not run when they were cancelled, others of the same kind do", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<number> = []
      const all = [0, 1, 2, 3].map((i) => deadlines.set(100, () => void ran.push(i)))
      deadlines.cancel(all[0])
      deadlines.cancel(all[2])
      deadlines.cancel(all[2])
      deadlines.cancel(deadlines.set("unbounded", () => void ran.push(-1)))
      deadlines.cancel(undefined)
      yield* pass(100)
      assert.deepStrictEqual(ran, [1, 3])
    })
  )

  it.scoped("an earlier one that is set later comes first", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<number> = []
      deadlines.set(1000, () => void ran.push(1000))
      yield* pass(100)
      deadlines.set(10, () => void ran.push(10))
      yield* pass(10)
      assert.deepStrictEqual(ran, [10])
      yield* pass(890)
      assert.deepStrictEqual(ran, [10, 1000])
    })
  )

  it.scoped("may set and cancel others while they run", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<string> = []
      const again = () => {
        ran.push(`at ${deadlines.now()}`)
        deadlines.cancel(other)
        if (ran.length < 3) deadlines.set(50, again)
      }
      deadlines.set(100, again)
      const other = deadlines.set(120, () => void ran.push("other"))
      for (let i = 0; i < 10; i++) yield* pass(50)
      assert.deepStrictEqual(ran, ["at 100", "at 150", "at 200"])
    })
  )

  it.scoped("one that throws is logged, and takes no other with it", () =>
    logged((logs) =>
      Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        let ran = 0
        deadlines.set(100, () => {
          throw new Error("no")
        })
        deadlines.set(200, () => void ran++)
        yield* pass(100)
        yield* pass(100)
        assert.strictEqual(ran, 1)
        assert.strictEqual(logs.filter(({ level }) => level === "ERROR").length, 1)
      })
    )
  )
})
