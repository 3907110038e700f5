/** The projects of the test run; vitest.config.ts reads this list (vitest 3.2 deprecates reading it by itself). */
const roots = ["packages/sluice", "packages/node", "packages/sim", "packages/conformance", "packages/bench", "examples"]

export default roots.map((root) => ({
  extends: true as const,
  test: { name: root, root: `./${root}`, include: ["test/**/*.test.ts"] }
}))
