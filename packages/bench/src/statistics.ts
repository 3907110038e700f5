/** What is made of samples: medians and their spread, ratios of what was measured side by side, slopes. */

/** A median, and the quartiles on its sides. */
export interface Spread {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** The value below which that share of the values lies, between two of them if need be. */
export const quantile = (values: ReadonlyArray<number>, share: number): number | undefined => {
  const sorted = [...values].sort((one, other) => one - other)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)]
  const above = sorted[Math.ceil(at)]
  return below === undefined || above === undefined ? undefined : below + (above - below) * (at - Math.floor(at))
}

export const median = (values: ReadonlyArray<number>): number | undefined => quantile(values, 0.5)

export const spread = (values: ReadonlyArray<number>): Spread | undefined => {
  const middle = median(values)
  if (middle === undefined) return undefined
  return { low: quantile(values, 0.25) ?? middle, median: middle, high: quantile(values, 0.75) ?? middle }
}

/** The ratios round by round, which cancels what changed from round to round; a round without one of both has none. */
export const ratios = (
  values: ReadonlyArray<number | undefined>,
  bases: ReadonlyArray<number | undefined>
): ReadonlyArray<number> =>
  values.flatMap((value, round) => {
    const base = bases[round]
    return value === undefined || base === undefined || base === 0 ? [] : [value / base]
  })

/** A measured figure, and the count or size that it belongs to. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** The exponent of the power law that fits best: 0 for a cost that stays the same, 1 for one that grows in proportion. */
export const slope = (points: ReadonlyArray<Point>): number | undefined => {
  if (points.length < 2) return undefined
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))
  const mean = (of: (point: Point) => number) => logs.reduce((sum, point) => sum + of(point), 0) / logs.length
  const centre = { x: mean(({ x }) => x), y: mean(({ y }) => y) }
  const above = logs.reduce((sum, { x, y }) => sum + (x - centre.x) * (y - centre.y), 0)
  const below = logs.reduce((sum, { x }) => sum + (x - centre.x) ** 2, 0)
  return below === 0 ? undefined : above / below
}

/** The largest ratio between neighbours, up or down: a cliff shows here where a slope would hide it. */
export const largestStep = (
  points: ReadonlyArray<Point>
): { readonly from: number; readonly to: number; readonly ratio: number } | undefined => {
  const steps = points.slice(1).map(({ x, y }, index) => {
    const before = points[index] ?? { x, y }
    return { from: before.x, to: x, ratio: Math.max(y / before.y, before.y / y) }
  })
  return steps.reduce<(typeof steps)[number] | undefined>(
    (largest, step) => (largest === undefined || step.ratio > largest.ratio ? step : largest),
    undefined
  )
}
