// npm run build: dist of every package, from nothing, so that no output of a deleted source is left.
import { rmSync } from "node:fs"
import { step } from "./steps.mjs"

const packages = [
  "packages/sluice",
  "packages/node",
  "packages/bun",
  "packages/sim",
  "packages/conformance",
  "packages/bench"
]

for (const path of packages) rmSync(new URL(`../${path}/dist`, import.meta.url), { recursive: true, force: true })
step("build", "tsc", ["-b", ...packages])
