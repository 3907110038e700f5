import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { render } from "../src/Chart.js"
import * as Plan from "../src/Plan.js"
import { write } from "../src/Report.js"
import * as Results from "../src/Results.js"
import * as show from "../src/show.js"
import * as statistics from "../src/statistics.js"
import { sampleResults } from "./sampleResults.js"

describe("statistics", () => {
  it("takes the middle, and the quartiles beside it", () => {
    assert.strictEqual(statistics.median([5, 1, 3]), 3)
    assert.strictEqual(statistics.median([4, 1, 3, 2]), 2.5)
    assert.strictEqual(statistics.median([]), undefined)
    assert.deepStrictEqual(statistics.spread([1, 2, 3, 4, 5]), { low: 2, median: 3, high: 4 })
  })

  it("compares round with round, and leaves out a round without one of both", () => {
    assert.deepStrictEqual(statistics.ratios([2, undefined, 9, 8], [1, 2, 3, undefined]), [2, 3])
  })

  it("finds the exponent and the cliff", () => {
    const square = [1, 10, 100].map((x) => ({ x, y: 3 * x * x }))
    assert.closeTo(statistics.slope(square) ?? 0, 2, 1e-9)
    assert.strictEqual(statistics.slope([{ x: 1, y: 1 }]), undefined)
    const cliff = [1, 2, 3, 4].map((x) => ({ x, y: x < 3 ? 10 : 1 }))
    assert.deepStrictEqual(statistics.largestStep(cliff), { from: 2, to: 3, ratio: 10 })
  })
})

describe("plan", () => {
  it("rotates, and goes backwards every other round", () => {
    assert.deepStrictEqual(
      [0, 1, 2].map((round) => Plan.order(["a", "b", "c"], round).join("")),
      ["abc", "acb", "cab"]
    )
  })
})

describe("table", () => {
  it("is Markdown, whatever a cell holds", () => {
    assert.strictEqual(show.table(["a", "b"], [["x|y", "1\n2"]]), "| a | b |\n| --- | --: |\n| x\\|y | 1 2 |")
  })
})

describe("report", () => {
  const report = write(sampleResults)
  const line = (start: string) => report.split("\n").find((line) => line.startsWith(start))

  it("has a row for each work, what is missing, and whether the target was met", () => {
    assert.strictEqual(
      line("| echo 128 B, window 1 "),
      "| echo 128 B, window 1 | 0.90 (0.90–0.90) | missing | 1.80 (1.80–1.80) | 0.70 (0.70–0.70) | ≤ 0.95, met |"
    )
    assert.include(report, "- uWebSockets.js: it is not there")
    assert.match(
      line("| memory of an idle") ?? "",
      /^\| memory of an idle connection \| 1\.20 .* \| – \| ≤ 1\.25, met \|$/
    )
  })

  it("hides no error and no byte that is owed", () => {
    assert.match(line("| echo 128 B, window 32 ") ?? "", /2\.40 \(2\.40–2\.40\) ERROR/)
    assert.match(line("| echo 1 MiB, window 8 ") ?? "", /0\.50 \(0\.50–0\.50\) UNDRAINED .* ≤ 0\.36, missed/)
    assert.match(line("| fan-out to 500, 8") ?? "", /\| ERROR \|/)
    assert.include(report, "UNDRAINED 3 of 3: up to 1,234 bytes")
    assert.include(report, "ERROR 2 of 2: load generator: gone")
    assert.include(report, "ws+bufferutil: ERROR has ended (1)")
  })

  it("tells slopes, and goals beside the table", () => {
    assert.match(line("| cost of a message at 10,000 connections") ?? "", /\| 1\.40 \| ≤ 1\.50, met \|$/)
    assert.match(line("| decoding 16 B") ?? "", /\| 5\.00 \| ≥ 4\.00, met \|$/)
    assert.include(report, "slope (log-log)")
    assert.include(report, "1.40 (1,000 to 10,000)")
  })

  it.effect("is a function of what was saved, the chart too", () =>
    Effect.gen(function* () {
      const again = yield* Results.decode(yield* Results.encode(sampleResults))
      assert.deepStrictEqual(again, sampleResults)
      assert.strictEqual(write(again), report)
      assert.strictEqual(render(again), render(sampleResults))
      const svg = render(sampleResults)
      assert.include(svg, "@effect/platform-node")
      assert.include(svg, "not without faults")
      assert.notInclude(svg, "uWebSockets.js")
    })
  )
})
