// npm test: the tests, the tests of the types, the examples in the docs. Arguments go to vitest, and then it runs alone.
import { readFileSync, rmSync } from "node:fs"
import { step } from "./steps.mjs"

const filters = process.argv.slice(2)
const report = new URL("../node_modules/.cache/vitest.json", import.meta.url)

rmSync(report, { force: true })
const reporters = ["--reporter=default", "--reporter=json", "--outputFile.json=node_modules/.cache/vitest.json"]
step("tests", "vitest", ["run", ...reporters, ...filters])
if (filters.length === 0) {
  step("types", "tstyche", ["--config", ".ci/tstyche.json"])
  step("examples in the docs", "node", [".ci/examples.mjs"])
}

/** @returns {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number }} */
const read = () => JSON.parse(readFileSync(report, "utf8"))
const { numFailedTests, numPassedTests, numPendingTests, numTodoTests } = read()
const skipped = numPendingTests + numTodoTests
console.log(`\n${numPassedTests} passed, ${numFailedTests} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)
if (numPassedTests === 0) process.exitCode = 1
