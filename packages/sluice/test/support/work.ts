/**
 * Work counted instead of timed, so that it is the same on every machine: how often each block of the library's code is
 * run, and how many bytes the functions of the host move for it. Import it before the library: only code that is compiled
 * after that is counted block by block.
 */
import * as Inspector from "node:inspector"
import { assert } from "@effect/vitest"
import { countCharacters } from "./steps.js"

const session = new Inspector.Session()
session.connect()

/** The session answers before `post` returns. */
const take = (): Inspector.Profiler.TakePreciseCoverageReturnType => {
  let taken: Inspector.Profiler.TakePreciseCoverageReturnType | undefined
  session.post("Profiler.takePreciseCoverage", (error, result) => {
    if (error !== null) throw error
    taken = result
  })
  if (taken === undefined) assert.fail("the profiler has not answered")
  return taken
}

session.post("Profiler.enable")
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })

const library = /\/packages\/sluice\/src\//

/** Runs of blocks since it was asked the last time. */
const blocks = (): number =>
  take()
    .result.filter(({ url }) => library.test(url))
    .flatMap(({ functions }) => functions)
    .flatMap(({ ranges }) => ranges)
    .reduce((sum, { count }) => sum + count, 0)

/** Methods of byte arrays that move bytes, with how many. */
const moves = {
  set: (_self: Uint8Array, _result: unknown, source: ArrayLike<number>) => source.length,
  slice: (_self: Uint8Array, result: unknown) => (result as Uint8Array).length,
  fill: (self: Uint8Array) => self.length,
  copyWithin: (self: Uint8Array) => self.length
} as const

/** How many bytes are moved while the function runs. */
const countBytes = (run: () => unknown): number => {
  let bytes = 0
  const prototype: object = Object.getPrototypeOf(Uint8Array.prototype)
  const originals = Object.keys(moves).map((name) => [name, Reflect.get(prototype, name)] as const)
  for (const [name, original] of originals) {
    const cost: (self: Uint8Array, result: unknown, first: ArrayLike<number>) => number =
      moves[name as keyof typeof moves]
    Reflect.set(prototype, name, function (this: Uint8Array, ...args: ReadonlyArray<ArrayLike<number>>) {
      const result = Reflect.apply(original, this, args)
      bytes += cost(this, result, args[0] ?? [])
      return result
    })
  }
  try {
    run()
  } finally {
    for (const [name, original] of originals) Reflect.set(prototype, name, original)
  }
  return bytes
}

/** The regular expressions that are run meanwhile: how long one takes is nothing that we can count. */
const expressionsIn = (run: () => unknown): ReadonlyArray<string> => {
  const used: Array<string> = []
  const { exec } = RegExp.prototype
  RegExp.prototype.exec = function (this: RegExp, text: string) {
    used.push(this.source)
    return Reflect.apply(exec, this, [text])
  }
  try {
    run()
  } finally {
    RegExp.prototype.exec = exec
  }
  return used
}

export interface Work {
  /** Blocks of the library's code that were run. */
  readonly blocks: number
  /** Bytes that were copied. */
  readonly bytes: number
  /** Characters of strings that were looked at by the methods of strings. */
  readonly characters: number
  /** Regular expressions that were run. */
  readonly expressions: ReadonlyArray<string>
}

/** What the function costs. */
export const measure = (run: () => unknown): Work => {
  let bytes = 0
  let characters = 0
  blocks()
  const expressions = expressionsIn(() => {
    bytes = countBytes(() => {
      characters = countCharacters(run)
    })
  })
  return { blocks: blocks(), bytes, characters, expressions }
}
