/** The projects of the test run; vitest.config.ts reads this list (vitest 3.2 deprecates reading it by itself). */
const isBun = process.versions.bun !== undefined
const roots = [
  "packages/sluice",
  "packages/node",
  "packages/bun",
  "packages/sim",
  "packages/conformance",
  "packages/bench",
  "examples"
]

/** Tests that need Bun; on Node.js they are left out. */
const onBun = "test/**/*.bun.test.ts"

export default roots.map((root) => ({
  extends: true as const,
  test: {
    name: root,
    root: `./${root}`,
    ...(isBun && root === "packages/bun"
      ? { include: [onBun] }
      : { include: ["test/**/*.test.ts"], exclude: [onBun, "**/node_modules/**"] })
  }
}))
