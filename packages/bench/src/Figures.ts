/** What is made of the samples of a cell: ratios of round to round, medians, and what went wrong. */
import { baseline } from "./Plan.js"
import { type Cell, isFailed, type Load, type Measured, type PartName, type Results, type Row } from "./Results.js"
import * as show from "./show.js"
import { median, ratios, type Spread, spread } from "./statistics.js"

export type Of = (sample: Measured) => number | undefined

/** What no message got through costs nothing, which is not cheap. */
export const cpu: Of = ({ cpuPerMessage, messagesPerSecond }) => (messagesPerSecond > 0 ? cpuPerMessage : undefined)
/** The same in microseconds. */
export const micros: Of = (sample) => {
  const nanos = cpu(sample)
  return nanos === undefined ? undefined : nanos / 1000
}
export const rate: Of = ({ messagesPerSecond }) => messagesPerSecond

/** A value for each round. */
const values = (row: Row, of: Of): ReadonlyArray<number | undefined> =>
  row.samples.map((sample) => (isFailed(sample) ? undefined : of(sample)))

export const typical = (row: Row, of: Of): number | undefined =>
  median(values(row, of).filter((value) => value !== undefined))

export const rowOf = (cell: Cell, name: string): Row | undefined => cell.rows.find((row) => row.name === name)

/** The ratio to what the row is compared with. */
export const ratio = (cell: Cell, row: Row, of: Of): Spread | undefined => {
  const base = rowOf(cell, row.against)
  return base === undefined ? undefined : spread(ratios(values(row, of), values(base, of)))
}

const sameLoad = (one: Load, other: Load) =>
  one.mode === other.mode &&
  one.connections === other.connections &&
  one.window === other.window &&
  one.size === other.size

export const cellOf = ({ cells }: Results, part: PartName, load: Load): Cell | undefined =>
  cells.find((cell) => cell.part === part && sameLoad(cell.load, load))

/** What must not be overlooked in a row; the empty text if there is nothing. */
export const remarks = ({ samples }: Row): string => {
  const errors = samples.filter(isFailed)
  const owed = samples.map((sample) => (isFailed(sample) ? 0 : (sample.missingBytes ?? 0)))
  const undrained = owed.filter((bytes) => bytes > 0)
  const resets = samples.reduce((sum, sample) => sum + (isFailed(sample) ? 0 : (sample.resets ?? 0)), 0)
  return [
    ...(errors[0] === undefined ? [] : [`ERROR ${errors.length} of ${samples.length}: ${errors[0].error}`]),
    ...(undrained.length === 0
      ? []
      : [`UNDRAINED ${undrained.length} of ${samples.length}: up to ${show.count(Math.max(...undrained))} bytes`]),
    ...(resets === 0 ? [] : [`resets ${resets}`])
  ].join("; ")
}

/** The share of a CPU that others took in the worst of the samples. */
export const worstNoise = ({ samples }: Row): number =>
  Math.max(
    0,
    ...samples.map((sample) => (isFailed(sample) ? 0 : Math.max(sample.foreignServer, sample.foreignGenerator)))
  )

/** Bytes of a peer for an idle connection, a value for each round. */
export const residents = ({ idle }: Results, name: string): ReadonlyArray<number | undefined> =>
  (idle.find((row) => row.name === name)?.samples ?? []).map((sample) =>
    isFailed(sample) ? undefined : sample.settled
  )

/** Whom the memory is compared with. */
export const idleBase = ({ idle }: Results): string =>
  (idle.find(({ name }) => name === baseline) ?? idle[0])?.name ?? baseline
