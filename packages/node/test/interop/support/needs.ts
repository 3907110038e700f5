/** What a peer needs of the machine, and what is said where it is not there. */
import { existsSync } from "node:fs"
import { describe, it } from "@effect/vitest"
import { root } from "./program.js"

export interface Needs {
  /** It can run if all of them are there. */
  readonly files: ReadonlyArray<string>
  /** The command that brings them. */
  readonly install: string
}

/** Packages of Debian, and files that they have. */
export const debian = (packages: string, ...files: ReadonlyArray<string>): Needs => ({
  files,
  install: `apt-get install ${packages}`
})

/** Files below the root of the repository. */
export const npm = (...files: ReadonlyArray<string>): Needs => ({
  files: files.map((file) => root + file),
  install: "npm ci"
})

/** Tests that need something; where it is not, one that is skipped and has the reason in its name. */
export const where = (needs: ReadonlyArray<Needs>, name: string, tests: () => void): void => {
  const all = needs.flatMap(({ files, install }) => files.map((file) => ({ file, install })))
  const absent = all.find(({ file }) => !existsSync(file))
  if (absent === undefined) tests()
  else describe(name, () => it.skipIf(true)(`there is no ${absent.file}: ${absent.install}`, () => {}))
}
