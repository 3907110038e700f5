// npm test: the tests, those on Bun, the tests of the types, the examples in the docs. Arguments go to vitest, and then it runs alone.
import { existsSync, readFileSync, rmSync } from "node:fs"
import { step } from "./steps.mjs"

const filters = process.argv.slice(2)
const reports = ["vitest", "vitestOnBun"].map((name) => new URL(`../node_modules/.cache/${name}.json`, import.meta.url))

for (const report of reports) rmSync(report, { force: true })
const reporters = ["--reporter=default", "--reporter=json", "--outputFile.json=node_modules/.cache/vitest.json"]
step("tests", "vitest", ["run", ...reporters, ...filters])
if (filters.length === 0) {
  step("tests on Bun", "node", [".ci/testOnBun.mjs"])
  step("types", "tstyche", ["--config", ".ci/tstyche.json"])
  step("examples in the docs", "node", [".ci/examples.mjs"])
}

/** @typedef {{ status: string, title: string, fullName: string }} Test */
/**
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: ReadonlyArray<{ assertionResults: ReadonlyArray<Test> }>
 * }} Report
 */

/** @type {ReadonlyArray<Report>} */
const read = reports.filter(existsSync).map((report) => JSON.parse(readFileSync(report, "utf8")))
/** @param {(report: Report) => number} count */
const sum = (count) => read.reduce((all, report) => all + count(report), 0)
const passed = sum(({ numPassedTests }) => numPassedTests)
const skipped = sum(({ numPendingTests, numTodoTests }) => numPendingTests + numTodoTests)
const failed = sum(({ numFailedTests }) => numFailedTests)
if (skipped > 0) {
  const tests = read.flatMap(({ testResults }) => testResults.flatMap(({ assertionResults }) => assertionResults))
  /** The name of such a test says what is missing; it stands for all that need it. */
  const isMissing = (/** @type {Test} */ { title }) => title.startsWith("there is no ")
  const names = tests
    .filter(({ status }) => status === "skipped" || status === "pending" || status === "todo")
    // With arguments most are skipped because they were not asked for.
    .filter((test) => filters.length === 0 || isMissing(test))
    .map((test) => (isMissing(test) ? test.title : test.fullName))
  if (names.length > 0) console.log(`\nSkipped:\n${[...new Set(names)].map((name) => `  ${name}`).join("\n")}`)
}
console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)
if (read.length === 0 || read.some(({ numPassedTests }) => numPassedTests === 0)) process.exitCode = 1
