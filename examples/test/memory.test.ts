import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { transcript } from "../memory/memory.js"

describe("memory", () => {
  it.live("comes out the same every time", () =>
    Effect.gen(function* () {
      const first = yield* transcript
      for (let run = 1; run < 20; run++) assert.deepStrictEqual(yield* transcript, first)
    })
  )

  it.live("is a whole conversation", () =>
    Effect.gen(function* () {
      const lines = yield* transcript
      for (const name of ["Ada", "Grace", "Edith"]) {
        const own = lines.filter((line) => line.startsWith(name.padEnd(5)))
        for (const other of ["Ada", "Grace", "Edith"]) {
          assert.include(own, `${name.padEnd(5)} hears ${other} say: Hello from ${other}`)
        }
        assert.strictEqual(own.at(-1), `${name.padEnd(5)} left: Clean`)
      }
    })
  )
})
