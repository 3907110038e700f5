/** That a peer which is missing is named, and that whoever wants all of them finds how. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { allNeeds } from "./peers.js"
import { debian, missing, npm } from "./support/needs.js"
import { root } from "./support/program.js"

describe("what peers need", () => {
  it("is nothing where all is there", () => {
    assert.isUndefined(missing([npm("package.json"), debian("a", process.execPath)]))
  })

  it("is said with the command that installs it", () => {
    assert.strictEqual(
      missing([npm("package.json"), debian("a b", process.execPath, "/there/is/none")]),
      "there is no /there/is/none: apt-get install a b"
    )
    assert.strictEqual(missing([npm("none")]), `there is no ${root}none: npm ci`)
  })

  it("is installed by .ci/run, and named in the README", () => {
    const packages = allNeeds.flatMap(({ packages }) => packages)
    const [, listed = ""] = /^peers=\(([^)]*)\)$/m.exec(readFileSync(`${root}.ci/run`, "utf8")) ?? []
    assert.sameMembers(listed.trim().split(/\s+/), packages)
    const readme = readFileSync(`${root}README.md`, "utf8")
    for (const name of packages) assert.include(readme, `\`${name}\``)
  })
})
