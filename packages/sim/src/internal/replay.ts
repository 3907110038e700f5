/**
 * A run in one line: its seed, and what was left of its peers and faults.
 */
import * as Schema from "effect/Schema"
import { Fault } from "../Fault.js"

const Particulars = Schema.Struct({
  seed: Schema.Int,
  peers: Schema.optional(Schema.Int.pipe(Schema.positive())),
  /** Instead of those that the seed draws. */
  faults: Schema.optional(Schema.Array(Fault))
})

/** @internal A seed alone, or with more. */
export const Replay = Schema.parseJson(
  Schema.Union(
    Schema.transform(Schema.Int, Particulars, {
      decode: (seed) => ({ seed }),
      encode: ({ seed }) => seed
    }),
    Particulars
  )
)

/** @internal */
export type Replay = typeof Particulars.Type

/** @internal */
export const format = (replay: Replay): string =>
  replay.peers === undefined && replay.faults === undefined ? String(replay.seed) : JSON.stringify(replay)

/** @internal Names of the environment variables that `explore` reads. */
export const variables = { seeds: "SLUICE_SIM_SEEDS", from: "SLUICE_SIM_FROM", replay: "SLUICE_SIM_REPLAY" } as const

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** @internal A line for a POSIX shell. */
export const commandLine = (replay: Replay, words: ReadonlyArray<string>): string =>
  [`${variables.replay}=${quote(format(replay))}`, ...words.map(quote)].join(" ")
