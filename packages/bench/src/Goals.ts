/** What sluice should reach beside the reference table, and what was measured of it. */
import * as CodecReport from "./CodecReport.js"
import * as Codecs from "./Codecs.js"
import * as Curves from "./Curves.js"
import * as Figures from "./Figures.js"
import { kibi, mebi, stalledLoad, stalledName, streamName, styleLoads, subject } from "./Plan.js"
import type { Load, PartName, Results } from "./Results.js"
import * as show from "./show.js"

interface Goal {
  readonly title: string
  readonly wanted: string
  readonly isMet: (value: number) => boolean
  readonly value: (results: Results) => number | undefined
}

const ratioIn = (part: PartName, load: Load | undefined, name: string, of: Figures.Of) => (results: Results) => {
  const cell = load === undefined ? undefined : Figures.cellOf(results, part, load)
  const row = cell === undefined ? undefined : Figures.rowOf(cell, name)
  return cell === undefined || row === undefined ? undefined : Figures.ratio(cell, row, of)?.median
}

const atMost = (limit: number) => ({ wanted: `≤ ${show.figure(limit)}`, isMet: (value: number) => value <= limit })
const atLeast = (limit: number) => ({ wanted: `≥ ${show.figure(limit)}`, isMet: (value: number) => value >= limit })

const decoding = (size: number, over: string, factor: number): Goal => ({
  title: `decoding ${show.bytes(size)}, times as fast as ${over}`,
  ...atLeast(factor),
  value: (results) => {
    const task = CodecReport.tasks(results, "messages").find((task) => task.size === size)
    return task === undefined ? undefined : CodecReport.speedUp(results, Codecs.receive, over, task)?.median
  }
})

/** Of sluice, for one window. */
const overConnections = (results: Results, window: number) =>
  Curves.curves(Curves.cellsOf(results, "connections", window), Curves.connectionsOf, Figures.cpu).find(
    ({ name }) => name === subject
  )

const flat = (window: number): ReadonlyArray<Goal> => [
  {
    title: `cost of a message, largest over smallest, 1 to 1,000 connections, window ${window}`,
    ...atMost(1.2),
    value: (results) => {
      const curve = overConnections(results, window)
      return curve === undefined ? undefined : Curves.variation(curve, 1, 1000)
    }
  },
  {
    title: `cost of a message at 10,000 connections over that at 1,000, window ${window}`,
    ...atMost(1.5),
    value: (results) => {
      const points = overConnections(results, window)?.points ?? []
      const [thousand, tenThousand] = [1000, 10_000].map((count) => points.find(({ x }) => x === count)?.y)
      return thousand === undefined || tenThousand === undefined ? undefined : tenThousand / thousand
    }
  }
]

const goals: ReadonlyArray<Goal> = [
  {
    title: "`messages` as a Stream, window 32, CPU relative to ws",
    ...atMost(0.12),
    value: ratioIn("styles", styleLoads[0], streamName, Figures.cpu)
  },
  {
    title: "`messages` as a Stream, window 1, CPU relative to ws",
    ...atMost(1.5),
    value: ratioIn("styles", styleLoads[1], streamName, Figures.cpu)
  },
  {
    title: "fan-out to 500, deliveries with one more that is stalled over those without",
    ...atLeast(0.9),
    value: ratioIn("stalled", stalledLoad, stalledName, Figures.rate)
  },
  decoding(16, Codecs.ws, 4),
  decoding(128, Codecs.ws, 4),
  decoding(64 * kibi, Codecs.wsNative, 1),
  decoding(mebi, Codecs.wsNative, 1),
  {
    title: "time of a fragment, one message of 100,000 over one of 10,000",
    ...atMost(1.2),
    value: (results) => CodecReport.growth(results, Codecs.receive)
  },
  ...flat(32),
  ...flat(1),
  {
    title: "cost of a byte, largest over smallest, 1 KiB to 16 MiB",
    ...atMost(2),
    value: (results) => {
      const cells = Curves.cellsOf(results, "sizes")
      const curve = Curves.curves(cells, Curves.sizeOf, Figures.cpu).find(({ name }) => name === subject)
      if (curve === undefined) return undefined
      const ofByte = { ...curve, points: curve.points.map(({ x, y }) => ({ x, y: y / x })) }
      return Curves.variation(ofByte, kibi, 16 * mebi)
    }
  }
]

/** Empty if nothing of it was measured. */
export const sections = (results: Results): ReadonlyArray<string> => {
  const rows = goals.flatMap(({ isMet, title, value, wanted }) => {
    const measured = value(results)
    return measured === undefined
      ? []
      : [[title, show.figure(measured), `${wanted}, ${isMet(measured) ? "met" : "missed"}`]]
  })
  return rows.length === 0 ? [] : ["## Other goals", show.table(["of sluice", "measured", "should be"], rows)]
}
