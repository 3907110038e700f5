/** What is fuzzed: a function of bytes that throws when one of its laws is broken. */
import { isDeepStrictEqual } from "node:util"
import { toHex } from "../support/bytes.js"
import { Random } from "./random.js"

/** Where the inputs of a target come from. */
export interface Inputs {
  /** Inputs to begin with. */
  readonly seeds: () => ReadonlyArray<Uint8Array>
  /** What mutations insert. */
  readonly words: ReadonlyArray<Uint8Array>
  /** The longest input that is made. */
  readonly maxSize: number
  /** Makes an input by its structure, where bytes that are changed one by one seldom get far. */
  readonly make?: ((random: Random) => Uint8Array) | undefined
  /** Changes an input by its structure. */
  readonly change?: ((input: Uint8Array, random: Random) => Uint8Array) | undefined
}

export interface Target extends Inputs {
  readonly name: string
  /** Checks every law for one input, and says in a word or two how it ended. A function of the input alone. */
  readonly run: (input: Uint8Array) => string
  /** Ends that the corpus must lead to. */
  readonly outcomes: ReadonlyArray<string>
  /** The most work that an input of a size may take, in branches of the library. */
  readonly mostWork?: ((size: number) => number) | undefined
}

const mostShown = 2000

/** A law that does not hold for an input. */
export class Broken extends Error {
  readonly law: string

  constructor(law: string, detail = "") {
    super(detail === "" ? law : `${law}: ${detail.slice(0, mostShown)}`)
    this.law = law
  }
}

/** The law that an error means; anything but a `Broken` was thrown by the library. */
export const lawOf = (error: unknown): string =>
  error instanceof Broken ? error.law : `throws ${error instanceof Error ? error.name : typeof error}`

export function must(holds: boolean, law: string, detail?: () => string): asserts holds {
  if (!holds) throw new Broken(law, detail?.())
}

export const mustEqual = (actual: unknown, expected: unknown, law: string): void => {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Broken(law, `${shown(actual)} and ${shown(expected)}`)
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? toHex(part) : part)) ?? "nothing"

export const mustBeBytes = (actual: Uint8Array, expected: Uint8Array, law: string): void => {
  if (Buffer.compare(actual, expected) !== 0) throw new Broken(law, `${toHex(actual)} and ${toHex(expected)}`)
}

/** Copies of the bytes in chunks, some of them empty: byte by byte for 0, else cut at places that depend on the seed. */
export const chunksOf = (bytes: Uint8Array, seed: number): ReadonlyArray<Uint8Array> => {
  if (seed === 0 && bytes.length <= 1024) return Array.from(bytes, (byte) => Uint8Array.of(byte))
  const random = new Random(seed)
  const cuts = Array.from({ length: 1 + (seed % 7) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b)
  return [...cuts, bytes.length].map((end, i) => bytes.slice(i === 0 ? 0 : cuts[i - 1], end))
}

/** Words between bars. */
export const split = (text: string): ReadonlyArray<string> => text.split("|")
