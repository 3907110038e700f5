// npm run test:bun: the tests of the packages that need Bun, on the Bun that npm installs. Arguments go to vitest.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { step } from "./steps.mjs"

const root = fileURLToPath(new URL("../", import.meta.url))
const oven = `${root}node_modules/@oven`

/** There may be builds for other machines beside the one for this. */
const builds = existsSync(oven) ? readdirSync(oven).map((name) => `${oven}/${name}/bin/bun`) : []
const bun = [...builds, "bun"].find((path) => spawnSync(path, ["--version"]).status === 0)

if (bun === undefined) {
  console.error(
    "There is no Bun that runs here, so that its tests cannot: npm install brings it, as the package `bun`."
  )
  process.exitCode = 1
} else {
  const reporters = ["--reporter=default", "--reporter=json", "--outputFile.json=node_modules/.cache/vitestOnBun.json"]
  const vitest = `${root}node_modules/vitest/vitest.mjs`
  step("tests on Bun", bun, [
    "--bun",
    vitest,
    "run",
    "--project",
    "packages/bun",
    ...reporters,
    ...process.argv.slice(2)
  ])
}
