/**
 * The loop: makes inputs from inputs, has a target look at each, and keeps those that do something new.
 *
 * New is an input that takes a branch that none before it took, or takes one more often than any before; without
 * coverage, one that ends as none before it did. A run is a function of the target, the corpus, the seed and the number
 * of inputs.
 */
import type { Coverage } from "./coverage.js"
import { mutate } from "./mutation.js"
import { Random } from "./random.js"
import { shrink } from "./shrink.js"
import { Broken, lawOf, type Target } from "./target.js"

export interface Options {
  readonly seed: number
  /** How many are made, those of the corpus not counted. */
  readonly inputs: number
  readonly corpus: ReadonlyArray<Uint8Array>
  readonly coverage?: Coverage | undefined
  /** Called after each input. */
  readonly onInput?: ((done: number, kept: number) => void) | undefined
}

export interface Finding {
  /** The law that was broken, the same for all inputs that break it. */
  readonly law: string
  readonly error: unknown
  /** How many inputs came before. */
  readonly at: number
  /** The smallest input that was found to break the law. */
  readonly input: Uint8Array
}

export interface Report {
  readonly inputs: number
  /** One for each law. */
  readonly findings: ReadonlyArray<Finding>
  /** How the inputs ended, and how many of them so. */
  readonly outcomes: ReadonlyMap<string, number>
  /** All that did something new, those of the corpus included. */
  readonly kept: ReadonlyArray<Uint8Array>
}

type Looked = { readonly outcome: string; readonly isNew: boolean } | { readonly error: unknown }

/** Has the target look at one input. */
const look = (target: Target, input: Uint8Array, coverage: Coverage | undefined): Looked => {
  coverage?.reset()
  try {
    const outcome = target.run(input)
    const taken = coverage?.take()
    const most = target.mostWork?.(input.length)
    if (taken !== undefined && most !== undefined && taken.work > most) {
      throw new Broken("linear work", `${taken.work} branches for ${input.length} bytes, at most ${most} are expected`)
    }
    return { outcome, isNew: taken?.isNew === true }
  } catch (error) {
    return { error }
  }
}

/** One input in so many is made from nothing, where a target can do that. */
const fresh = 24

export const fuzz = (target: Target, options: Options): Report => {
  const { corpus, coverage, inputs, onInput, seed } = options
  const random = new Random(seed)
  const outcomes = new Map<string, number>()
  const findings = new Map<string, Finding>()
  const kept: Array<Uint8Array> = []
  // With coverage, an input of the corpus that does nothing new is not worth changing.
  const pool: Array<Uint8Array> = coverage === undefined ? [...target.seeds(), ...corpus] : []

  const meet = (input: Uint8Array, at: number): void => {
    const looked = look(target, input, coverage)
    if ("error" in looked) {
      const law = lawOf(looked.error)
      if (!findings.has(law)) findings.set(law, { law, at, ...smallest(target, input, law, coverage) })
      return
    }
    const before = outcomes.get(looked.outcome) ?? 0
    outcomes.set(looked.outcome, before + 1)
    if (!looked.isNew && before > 0) return
    kept.push(input)
    pool.push(input)
  }

  for (const input of [...target.seeds(), ...corpus]) meet(input, 0)
  const empty = new Uint8Array(0)
  /** The smaller of two is the better one more often than not: it is quicker, and a change of it matters more. */
  const other = (): Uint8Array => {
    if (pool.length === 0) return empty
    const [one, two] = [random.pick(pool), random.pick(pool)]
    return one.length <= two.length || random.oneIn(3) ? one : two
  }
  const materials = { words: target.words, other, maxSize: target.maxSize }
  const next = (): Uint8Array => {
    if (target.make !== undefined && random.oneIn(fresh)) return target.make(random)
    if (target.change !== undefined && random.oneIn(3)) return target.change(other(), random)
    return mutate(other(), random, materials)
  }
  for (let done = 0; done < inputs; done++) {
    meet(next().subarray(0, target.maxSize), done)
    onInput?.(done + 1, kept.length)
  }
  return { inputs, findings: [...findings.values()], outcomes, kept }
}

/** An input that breaks the law and is as small as it can be found, with its error. */
const smallest = (
  target: Target,
  input: Uint8Array,
  law: string,
  coverage: Coverage | undefined
): Pick<Finding, "error" | "input"> => {
  let error: unknown
  const breaksIt = (candidate: Uint8Array): boolean => {
    const looked = look(target, candidate, coverage)
    if (!("error" in looked) || lawOf(looked.error) !== law) return false
    error = looked.error
    return true
  }
  if (!breaksIt(input)) return { input, error: new Broken(law, "not twice: the target is not a function of its input") }
  const smaller = shrink(input, breaksIt)
  breaksIt(smaller)
  return { input: smaller, error }
}

/** A few of the inputs that together take all branches, and end in all ways, that all of them do; small ones rather. */
export const cover = (
  target: Target,
  inputs: ReadonlyArray<Uint8Array>,
  coverage: () => Coverage
): ReadonlyArray<Uint8Array> => {
  const needed = (all: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
    const outcomes = new Set<string>()
    const own = coverage()
    return all.filter((input) => {
      const looked = look(target, input, own)
      if ("error" in looked) return false
      const isNew = looked.isNew || !outcomes.has(looked.outcome)
      outcomes.add(looked.outcome)
      return isNew
    })
  }
  const bySize = [...inputs].sort((one, two) => one.length - two.length || Buffer.compare(one, two))
  // What the smaller ones do, a larger one that is needed in any case may do too.
  return needed([...needed(bySize)].reverse())
}
