import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { EventScheduler } from "../src/EventScheduler.js"
import { turns } from "./support/turns.js"

describe("the scheduler of events", () => {
  it("runs what follows from an event before the event is over, in order", () => {
    const scheduler = new EventScheduler()
    const ran: Array<string> = []
    scheduler.event(() => {
      ran.push("event")
      scheduler.scheduleTask(() => {
        ran.push("first")
        scheduler.scheduleTask(() => ran.push("third"), 0)
      }, 0)
      scheduler.scheduleTask(() => ran.push("second"), 0)
    })
    assert.deepStrictEqual(ran, ["event", "first", "second", "third"])
  })

  it("runs what is more urgent first", () => {
    const scheduler = new EventScheduler()
    const ran: Array<number> = []
    scheduler.event(() => {
      for (const priority of [2, 0, 1, 0]) scheduler.scheduleTask(() => ran.push(priority), priority)
    })
    assert.deepStrictEqual(ran, [0, 0, 1, 2])
  })

  it("does not run tasks inside of others", () => {
    const scheduler = new EventScheduler()
    const ran: Array<string> = []
    scheduler.event(() => {
      scheduler.scheduleTask(() => {
        ran.push("outer begins")
        // A socket that emits inside of a task: its listener runs, what follows waits.
        scheduler.event(() => {
          ran.push("event")
          scheduler.scheduleTask(() => ran.push("inner"), 0)
        })
        ran.push("outer ends")
      }, 0)
    })
    assert.deepStrictEqual(ran, ["outer begins", "event", "outer ends", "inner"])
  })

  it.effect("runs what comes without an event in a microtask", () =>
    Effect.gen(function* () {
      const scheduler = new EventScheduler()
      const ran: Array<string> = []
      const after = new Promise<void>((resolve) => {
        setImmediate(() => {
          ran.push("immediate")
          resolve()
        })
      })
      scheduler.scheduleTask(() => {
        ran.push("task")
        scheduler.scheduleTask(() => ran.push("next"), 0)
      }, 0)
      assert.deepStrictEqual(ran, [])
      yield* Effect.promise(() => after)
      assert.deepStrictEqual(ran, ["task", "next", "immediate"])
      // And it is ready for the next.
      scheduler.event(() => scheduler.scheduleTask(() => ran.push("again"), 0))
      assert.strictEqual(ran.at(-1), "again")
    })
  )

  it.effect("is not starved, and does not starve the event loop, by fibers that yield for ever", () =>
    Effect.gen(function* () {
      const scheduler = new EventScheduler()
      const yields = [0, 0]
      const greedy = (i: number) =>
        Effect.forever(
          Effect.zipRight(
            Effect.sync(() => {
              yields[i] = (yields[i] ?? 0) + 1
            }),
            Effect.yieldNow()
          )
        )
      const fibers = yield* Effect.forEach([0, 1], (i) => Effect.fork(Effect.withScheduler(greedy(i), scheduler)))
      yield* turns(10)
      const [first = 0, second = 0] = yields
      assert.isAbove(first, 1000)
      assert.isAtMost(Math.abs(first - second), 1, "they take turns")
      // In the meantime events are heard.
      let heard = false
      scheduler.event(() => {
        heard = true
      })
      assert.isTrue(heard)
      yield* Fiber.interruptAll(fibers)
    })
  )

  it.effect("lets a fiber that never suspends yield, as the default scheduler does", () =>
    Effect.gen(function* () {
      const scheduler = new EventScheduler()
      let isDone = false
      const busy = Effect.whileLoop({ while: () => !isDone, body: () => Effect.void, step: () => {} })
      const fiber = yield* Effect.fork(Effect.withScheduler(busy, scheduler))
      yield* turns(3)
      isDone = true
      yield* Fiber.join(fiber)
    })
  )
})
