/** Replays the corpus and looks at a few new inputs; for the long runs see FUZZING.md. */
import { assert, describe, it } from "@effect/vitest"
import { toHex } from "../support/bytes.js"
import * as Corpus from "./corpus.js"
import { type Finding, fuzz } from "./fuzzing.js"
import { targets } from "./targets.js"

/** How many new inputs; a few seconds for all targets together. */
const budgets: Record<string, number> = {
  head: 2000,
  proxy: 2000,
  frames: 1000,
  grammar: 2000,
  handshake: 600,
  connection: 50
}

const seed = 1

/** All is one synchronous run, which on a busy machine takes a while. */
const patience = 180_000

const show = ({ error, input, law }: Finding): string => `${law}: ${toHex(input)}\n${String(error)}`

describe.sequential("fuzzing", () => {
  for (const target of targets) {
    const inputs = budgets[target.name]
    it(
      `${target.name}: the corpus and ${inputs} new inputs keep all laws, and lead to every end that there is`,
      () => {
        const corpus = Corpus.read(target.name).map(({ input }) => input)
        const { findings, outcomes } = fuzz(target, { seed, inputs, corpus })
        assert.deepStrictEqual(findings.map(show), [])
        const missing = target.outcomes.filter((outcome) => !outcomes.has(outcome))
        assert.deepStrictEqual(missing, [])
      },
      patience
    )
  }
})

describe("the corpus", () => {
  it("is small", () => {
    const all = targets.flatMap(({ name }) => Corpus.read(name))
    assert.isAtMost(all.length, 600)
    // In hex a byte has two digits.
    assert.isAtMost(2 * all.reduce((sum, { input }) => sum + input.length, 0), 300 * 1024)
  })
})
