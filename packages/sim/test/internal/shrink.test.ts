import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Fault from "../../src/Fault.js"
import { type Case, shrink } from "../../src/internal/shrink.js"

interface Result {
  readonly steps: number
  readonly of: Case
}

/** Shrinks a case of which `fails` says whether it does, and in how many steps. */
const shrunk = (start: Case, fails: (tried: Case) => number | undefined, maxRuns = 10_000) => {
  const tried: Array<Case> = []
  const attempt = (of: Case): Result | undefined => {
    tried.push(of)
    const steps = fails(of)
    return steps === undefined ? undefined : { steps, of }
  }
  const result = shrink(start, { steps: fails(start) ?? 0, of: start }, { attempt, maxRuns })
  assert.strictEqual(result.tried, tried.length)
  // What comes out has failed, and it is what the run was of.
  assert.deepStrictEqual(result.run.of, result.case)
  assert.isDefined(fails(result.case))
  return { ...result, runs: tried }
}

const stall = (n: number) => Fault.stall({ from: `${n}` })
const has = (n: number, { faults }: Case) => faults.some((fault) => fault._tag === "Stall" && fault.from === `${n}`)

describe("shrink", () => {
  it.prop(
    "leaves exactly the faults that it takes",
    [FastCheck.nat({ max: 20 }), FastCheck.uniqueArray(FastCheck.nat({ max: 19 }), { maxLength: 4 })],
    ([count, wanted]) => {
      const needed = wanted.filter((n) => n < count)
      const start = { seed: 1, peers: 1, faults: Array.from({ length: count }, (_, n) => stall(n)) }
      const { case: smallest, runs } = shrunk(start, (tried) => (needed.every((n) => has(n, tried)) ? 1 : undefined))
      assert.deepStrictEqual(smallest.faults, [...needed].sort((a, b) => a - b).map(stall))
      assert.isBelow(runs.length, 64 + 8 * (count + 1))
    },
    { fastCheck: { numRuns: 100 } }
  )

  it.prop(
    "leaves the least number of peers",
    [FastCheck.integer({ min: 1, max: 9 }), FastCheck.nat({ max: 9 })],
    ([peers, least]) => {
      const start = { seed: 1, peers, faults: [] }
      const { case: smallest } = shrunk(start, (tried) => (tried.peers >= Math.min(least, peers) ? 1 : undefined))
      assert.strictEqual(smallest.peers, Math.max(1, Math.min(least, peers)))
    }
  )

  it("halves times and bytes, for as long as that fails", () => {
    const faults = [Fault.cut({ after: 1000, lasts: 3, bytes: 700, skip: 5 })]
    const { case: smallest } = shrunk({ seed: 1, peers: 1, faults }, ({ faults: [cut] }) =>
      cut?._tag === "Cut" && cut.bytes >= 100 && (cut.after ?? 0) >= 1 ? 1 : undefined
    )
    assert.deepStrictEqual(smallest.faults, [Fault.cut({ after: 1, lasts: 0, bytes: 175, skip: 0 })])
  })

  it("halves what is the same in two faults one by one", () => {
    const faults = [Fault.stall({ lasts: 8 }), Fault.stall({ lasts: 8 })]
    const { case: smallest } = shrunk({ seed: 1, peers: 1, faults }, ({ faults: all }) =>
      all.length === 2 && all.some((fault) => fault._tag === "Stall" && (fault.lasts ?? 0) === 8) ? 1 : undefined
    )
    assert.deepStrictEqual(smallest.faults, [Fault.stall({ lasts: 0 }), Fault.stall({ lasts: 8 })])
  })

  it("takes the seed whose run is the shortest, and stays with one that is as short", () => {
    const start = { seed: 1000, peers: 1, faults: [] }
    const { case: shorter } = shrunk(start, ({ seed }) => (seed === 17 ? 3 : seed === 20 ? 3 : 50))
    assert.strictEqual(shorter.seed, 17)
    const { case: same, run } = shrunk(start, () => 50)
    assert.strictEqual(same, start)
    assert.strictEqual(run.of, start)
  })

  it.prop("tries no more than it may", [FastCheck.nat({ max: 100 })], ([maxRuns]) => {
    const faults = Array.from({ length: 10 }, (_, n) => Fault.stall({ after: n * 1000 }))
    const { runs } = shrunk({ seed: 1, peers: 9, faults }, (tried) => (tried.peers > 2 ? 1 : undefined), maxRuns)
    assert.isAtMost(runs.length, maxRuns)
  })
})
