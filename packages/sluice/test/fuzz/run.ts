/** A long run over some targets, with what it prints. */
import { hex, toHex } from "../support/bytes.js"
import * as Corpus from "./corpus.js"
import { type Branches, Coverage } from "./coverage.js"
import { cover, type Finding, fuzz, type Report } from "./fuzzing.js"
import type { Target } from "./target.js"
import { targets } from "./targets.js"

export interface Options {
  /** Names; all of them if there are none. */
  readonly targets: ReadonlyArray<string>
  readonly inputs: number
  readonly seed: number
  /** Whether the corpus is written anew. */
  readonly isSaving: boolean
}

/** The targets of these names; throws for a name that is none. */
export const named = (names: ReadonlyArray<string>): ReadonlyArray<Target> => {
  const unknown = names.find((name) => !targets.some((target) => target.name === name))
  if (unknown !== undefined) {
    throw new Error(`there is no target ${unknown}; there are ${targets.map(({ name }) => name).join(", ")}`)
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name))
}

/** Has targets look at one input; whether it keeps all laws. */
export const runOne = (names: ReadonlyArray<string>, input: string): boolean =>
  named(names)
    .map((target) => {
      try {
        console.log(`${target.name}: ${target.run(hex(input))}`)
        return true
      } catch (error) {
        console.log(`${target.name}:`, error)
        return false
      }
    })
    .every((isKept) => isKept)

/** Longer ones, and more of them, are not for a repository. */
const longestSaved = 1024
const mostSaved = 80

/** Inputs that take all branches that were taken, and as many as there is room for of those that take them more often. */
const worthSaving = (
  target: Target,
  kept: ReadonlyArray<Uint8Array>,
  branches: Branches
): ReadonlyArray<Uint8Array> => {
  const small = kept.filter(({ length }) => length <= longestSaved)
  const needed = cover(target, small, () => new Coverage(branches, "taken"))
  const others = cover(target, small, () => new Coverage(branches)).filter((input) => !needed.includes(input))
  const bySize = [...others].sort((one, two) => one.length - two.length)
  return [...needed, ...bySize.slice(0, Math.max(0, mostSaved - needed.length))]
}

const say = (target: Target, { at, error, input, law }: Finding): void => {
  const name = Corpus.addRegression(target.name, input)
  console.log(`\n${target.name}, after ${at} inputs: ${law}\n${String(error)}`)
  console.log(`  in corpus/${name}:\n  npm run fuzz -- --target ${target.name} --input ${toHex(input)}\n`)
}

const pause = 5000

const runTarget = (target: Target, options: Options, branches: Branches): readonly [Report, Coverage] => {
  const coverage = new Coverage(branches)
  const corpus = Corpus.read(target.name).map(({ input }) => input)
  let said = performance.now()
  const report = fuzz(target, {
    seed: options.seed,
    inputs: options.inputs,
    corpus,
    coverage,
    onInput: (done, kept) => {
      if (performance.now() - said < pause) return
      said = performance.now()
      console.error(`${target.name}: ${done} inputs, ${kept} did something new`)
    }
  })
  for (const finding of report.findings) say(target, finding)
  if (options.isSaving) Corpus.replace(target.name, worthSaving(target, report.kept, branches))
  return [report, coverage]
}

const separated = (count: number): string => count.toLocaleString("en")

/** Whether all laws were kept. */
export const run = (options: Options, branches: Branches): boolean => {
  // An error that is a value needs no stack, and most inputs lead to some.
  Error.stackTraceLimit = 0
  const rows: Array<string> = []
  let isKept = true
  for (const target of named(options.targets)) {
    const start = performance.now()
    const [{ findings, inputs, outcomes }, { reached }] = runTarget(target, options, branches)
    const seconds = Math.round((performance.now() - start) / 1000)
    const missing = target.outcomes.filter((outcome) => !outcomes.has(outcome))
    if (missing.length > 0) console.log(`${target.name}: no input led to ${missing.join(", ")}`)
    if (findings.length > 0) isKept = false
    const corpus = Corpus.read(target.name)
    const size = corpus.reduce((sum, { input }) => sum + input.length, 0)
    const cells = [target.name, separated(inputs), seconds, findings.length, reached[0], corpus.length, separated(size)]
    rows.push(`| ${cells.join(" | ")} |`)
  }
  console.log(`seed ${options.seed}\n`)
  console.log("| target | inputs | seconds | findings | branches taken | corpus: inputs | corpus: bytes |")
  console.log(`|---|--:|--:|--:|--:|--:|--:|\n${rows.join("\n")}`)
  return isKept
}
