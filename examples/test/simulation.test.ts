import { readFileSync } from "node:fs"
import { assert, describe } from "@effect/vitest"
import { Simulation, Trace } from "@sluice/sim"
import { it } from "@sluice/sim/vitest"
import { Effect } from "effect"
import { bookBuggy, bookFixed } from "../simulation/service.js"
import { options, program } from "../simulation/simulation.js"

/** Without the lines of fibers, as the example prints it, and without their numbers, which are those of the process. */
const withoutFibers = (trace: string): string =>
  trace
    .replace(/^.* fiber #\d+ (?:starts|ends).*\n/gm, "")
    .replace(/ #\d+/g, "")
    .replace(/ +/g, " ")

const tutorial = readFileSync(new URL("../../packages/sim/TUTORIAL.md", import.meta.url), "utf8")

describe("simulation", () => {
  it.live(
    "finds the payment that is booked twice, and the tutorial shows it as it is",
    () =>
      Effect.gen(function* () {
        const command = ["npx", "tsx", "--conditions=source", "examples/simulation/main.ts", "buggy"]
        const explored = { ...options, seeds: 100, command, progress: false }
        const report = yield* Simulation.explore(program(bookBuggy), explored)
        const [finding] = report.failures
        assert.isDefined(finding)
        assert.strictEqual(finding.failure.kind, "Failed")
        assert.include(finding.failure.message, "paid 15, but booked 25")
        assert.deepStrictEqual(
          finding.smallest.faults.map(({ _tag }) => _tag),
          ["Cut"]
        )

        // all but the first line, which says how fast it was
        const [, ...lines] = Simulation.format(report).split("\n")
        for (const line of lines) assert.include(tutorial, line)
        assert.include(tutorial, `\`\`\`mermaid\n${Trace.toMermaid(finding.smallest.trace!)}\`\`\``)

        const trace = withoutFibers(Trace.toText(finding.smallest.trace!))
        const excerpt = /```\n(.*\(1\) -> till {2}43 bytes\n[^`]*)```/.exec(tutorial)?.[1] ?? ""
        assert.isNotEmpty(excerpt)
        for (const part of withoutFibers(excerpt).split("…\n")) assert.include(trace, part)

        const { faults, seed } = finding.smallest
        const repeated = Simulation.run(program(bookFixed), { faults, seed, peers: 1 })
        assert.strictEqual(repeated.failure, undefined)
      }),
    120_000
  )

  it.simulate("books each payment once, whatever the network does", { ...options, seeds: 200 }, program(bookFixed))
})
