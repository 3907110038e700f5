import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Waiters } from "../../src/internal/waiters.js"

const never = () => false

describe("waiters", () => {
  it.effect("all who wait are woken, once", () =>
    Effect.gen(function* () {
      const waiters = new Waiters()
      const fibers = yield* Effect.forEach([1, 2, 3], (id) => Effect.fork(Effect.as(waiters.wait(never), id)))
      yield* Effect.yieldNow()
      assert.strictEqual(waiters.size, 3)
      waiters.wake()
      assert.strictEqual(waiters.size, 0)
      assert.deepStrictEqual(yield* Fiber.join(Fiber.all(fibers)), [1, 2, 3])
      waiters.wake()
    })
  )

  it.effect("nobody waits for what is over already", () =>
    Effect.gen(function* () {
      const waiters = new Waiters()
      yield* waiters.wait(() => true)
      assert.strictEqual(waiters.size, 0)
    })
  )

  it.effect("who was interrupted is forgotten in time, who was not is woken", () =>
    Effect.gen(function* () {
      const waiters = new Waiters()
      const patient = yield* Effect.fork(Effect.forEach([1, 2], () => waiters.wait(never)))
      for (let i = 0; i < 1000; i++) {
        const fiber = yield* Effect.fork(waiters.wait(never))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
        assert.isAtMost(waiters.size, 8)
      }
      waiters.wake()
      yield* Effect.yieldNow()
      assert.strictEqual(waiters.size, 1)
      waiters.wake()
      yield* Fiber.join(patient)
    })
  )

  it.effect("many who all live may wait", () =>
    Effect.gen(function* () {
      const waiters = new Waiters()
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.fork(waiters.wait(never)))
      yield* Effect.yieldNow()
      assert.strictEqual(waiters.size, 100)
      waiters.wake()
      yield* Fiber.join(Fiber.all(fibers))
    })
  )
})
