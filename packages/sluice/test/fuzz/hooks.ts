/** Loader hooks of the long runs, which do not run in vitest. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { instrument } from "./instrument.js"

export interface Options {
  /** Whether the sources of sluice count their branches. */
  readonly isCounting: boolean
}

let isCounting = false
let next = 0

export const initialize = (options: Options): void => {
  isCounting = options.isCounting
}

type Next = (specifier: string, context: unknown) => unknown

/** What the tests share takes `assert` from vitest, which works inside vitest only. */
const stub = 'data:text/javascript,export { default as assert } from "node:assert"'

export const resolve = (specifier: string, context: unknown, nextResolve: Next): unknown =>
  specifier === "@effect/vitest" ? { url: stub, shortCircuit: true } : nextResolve(specifier, context)

export const load = (url: string, context: unknown, nextLoad: Next): unknown => {
  if (!isCounting || !/\/packages\/sluice\/src\/[^?]*\.ts(?:\?|$)/.test(url)) return nextLoad(url, context)
  const path = fileURLToPath(url.replace(/\?.*$/, ""))
  const { code, count } = instrument(readFileSync(path, "utf8"), path, next)
  next += count
  return { format: "module", source: code, shortCircuit: true }
}
