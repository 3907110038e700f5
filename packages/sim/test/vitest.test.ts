import { assert, describe, it as effectIt } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { vi } from "vitest"
import * as Simulation from "../src/Simulation.js"
import { it, simulate } from "../src/vitest.js"

describe("it.simulate", () => {
  it.simulate("passes where nothing is wrong", { seeds: 20, maxDuration: "2 days" }, Effect.sleep("1 day"))

  it.simulate(
    "hands its options on",
    { seeds: 3, peers: 5, check: (peers) => (peers === 5 ? undefined : `${peers} peers`) },
    Simulation.Peers
  )

  effectIt("is what `it` has besides what @effect/vitest gives it", () => {
    assert.strictEqual(it.simulate, simulate)
    assert.strictEqual<unknown>(it, effectIt)
  })
})

/** What vitest tells a test about itself, as far as it is read. */
interface Task {
  readonly name: string
  readonly suite?: Task
  readonly file: { readonly filepath: string }
}

type Body = (context: { readonly task: Task }) => Promise<void>

/** The test that `simulate` makes, which is not registered: one that fails would fail this file. */
const madeBy = async (options: Parameters<typeof simulate>[1]) => {
  const made: Array<{ readonly name: string; readonly body: Body; readonly timeout: number }> = []
  const register = (name: string, body: Body, timeout: number) => void made.push({ name, body, timeout })
  vi.doMock("@effect/vitest", () => ({ it: register }))
  vi.resetModules()
  const fresh = await import("../src/vitest.js")
  vi.doUnmock("@effect/vitest")
  fresh.simulate("it's [slow]", { seeds: 3, ...options }, Effect.flatMap(Deferred.make<void>(), Deferred.await))
  assert.lengthOf(made, 1)
  return made[0]
}

const file = { filepath: `${process.cwd()}/test/some.test.ts` }
const task = { name: "it's [slow]", file, suite: { name: "inner", file, suite: { name: "a > b", file } } }

const messageOf = (test: { readonly body: Body }): Promise<string> =>
  test.body({ task }).then(
    () => assert.fail("it passes"),
    (error: Error) => error.message
  )

describe.sequential("a simulation that fails", () => {
  effectIt("says so, with the command that runs this test and no other", async () => {
    const test = await madeBy({})
    assert.deepStrictEqual([test.name, test.timeout], ["it's [slow]", 120_000])
    const message = await messageOf(test)
    assert.include(message, "Deadlock with seed")
    assert.match(message, /\nagain: SLUICE_SIM_REPLAY=\S+ npx vitest run test\/some\.test\.ts -t '\^/)
    assert.include(message, ` -t '^a > b inner it'\\''s \\[slow\\]$'`)
  })

  effectIt("says another command, if it is told to, and takes as long as it may", async () => {
    const test = await madeBy({ command: ["make", "test"], timeout: 5000 })
    assert.strictEqual(test.timeout, 5000)
    assert.match(await messageOf(test), /\nagain: SLUICE_SIM_REPLAY=\S+ make test$/)
  })
})
