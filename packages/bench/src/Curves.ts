/** Costs over the number of connections and over the size of the messages: how they grow, and where they jump. */
import * as Figures from "./Figures.js"
import type { Cell, PartName, Results } from "./Results.js"
import * as show from "./show.js"
import { largestStep, type Point, slope } from "./statistics.js"

export interface Curve {
  readonly name: string
  readonly points: ReadonlyArray<Point>
}

/** The curves of cells that differ in one number. */
export const curves = (cells: ReadonlyArray<Cell>, x: (cell: Cell) => number, of: Figures.Of): ReadonlyArray<Curve> => {
  const names = [...new Set(cells.flatMap(({ rows }) => rows.map(({ name }) => name)))]
  return names.map((name) => ({
    name,
    points: cells.flatMap((cell) => {
      const row = Figures.rowOf(cell, name)
      const y = row === undefined ? undefined : Figures.typical(row, of)
      return y === undefined || y <= 0 ? [] : [{ x: x(cell), y }]
    })
  }))
}

export const connectionsOf = ({ load }: Cell) => load.connections
export const sizeOf = ({ load }: Cell) => load.size ?? 0

export const cellsOf = ({ cells }: Results, part: PartName, window?: number): ReadonlyArray<Cell> =>
  cells.filter((cell) => cell.part === part && (window === undefined || cell.load.window === window))

/** The largest of the values over the smallest, between two counts or sizes. */
export const variation = ({ points }: Curve, from: number, to: number): number | undefined => {
  const values = points.filter(({ x }) => x >= from && x <= to).map(({ y }) => y)
  return values.length < 2 ? undefined : Math.max(...values) / Math.min(...values)
}

export const table = (
  title: string,
  curves: ReadonlyArray<Curve>,
  showX: (x: number) => string,
  titleOf: (name: string) => string
): string => {
  const all = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((one, other) => one - other)
  const value = ({ points }: Curve, at: number) => show.orDash(points.find(({ x }) => x === at)?.y)
  const step = (curve: Curve) => {
    const largest = largestStep(curve.points)
    if (largest === undefined) return "–"
    return `${show.figure(largest.ratio)} (${showX(largest.from)} to ${showX(largest.to)})`
  }
  return show.table(
    [title, ...curves.map(({ name }) => titleOf(name))],
    [
      ...all.map((x) => [showX(x), ...curves.map((curve) => value(curve, x))]),
      ["slope (log-log)", ...curves.map(({ points }) => show.orDash(slope(points)))],
      ["largest ratio between neighbours", ...curves.map(step)]
    ]
  )
}
