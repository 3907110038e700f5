/** What a peer needs of the machine, and what is said where it is not there. */
import { existsSync } from "node:fs"
import { describe, it } from "@effect/vitest"
import { root } from "./program.js"

export interface Needs {
  /** It can run if all of them are there. */
  readonly files: ReadonlyArray<string>
  /** The packages of Debian that bring them; none for what npm brings. */
  readonly packages: ReadonlyArray<string>
}

/** Packages of Debian, and files that they have. */
export const debian = (packages: string, ...files: ReadonlyArray<string>): Needs => ({
  files,
  packages: packages.split(" ")
})

/** Files below the root of the repository, which npm installs. */
export const npm = (...files: ReadonlyArray<string>): Needs => ({
  files: files.map((file) => root + file),
  packages: []
})

/** What is not there, and the command that brings it; `undefined` if all is there. */
export const missing = (needs: ReadonlyArray<Needs>): string | undefined => {
  for (const { files, packages } of needs) {
    const absent = files.find((file) => !existsSync(file))
    if (absent === undefined) continue
    return `there is no ${absent}: ${packages.length === 0 ? "npm ci" : `apt-get install ${packages.join(" ")}`}`
  }
  return undefined
}

/** Tests that need something; where it is not, one that is skipped and has the reason as its name. */
export const where = (needs: ReadonlyArray<Needs>, name: string, tests: () => void): void => {
  const reason = missing(needs)
  if (reason === undefined) tests()
  else describe(name, () => it.skipIf(true)(reason, () => {}))
}
