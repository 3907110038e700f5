/** RESULTS.md: a pure function of what was saved. */
import * as CodecReport from "./CodecReport.js"
import * as Curves from "./Curves.js"
import * as Figures from "./Figures.js"
import * as Goals from "./Goals.js"
import { subject } from "./Plan.js"
import * as Reference from "./Reference.js"
import { type Cell, isFailed, type PartName, type Results } from "./Results.js"
import * as show from "./show.js"
import { median } from "./statistics.js"

const intro = ({ command, cpu, date, duration, isPinned, node, rounds }: Results): string =>
  [
    `${date}, Node.js ${node}, ${cpu}: \`${command}\`.`,
    `${rounds} rounds, samples of ${duration} ms;`,
    isPinned
      ? "servers on one CPU, the load generator on another."
      : "nothing was pinned to a CPU, so the figures are rough."
  ].join(" ")

const missing = ({ peers }: Results): ReadonlyArray<string> => {
  const lines = peers.flatMap(({ missing, title }) => (missing === undefined ? [] : [`- ${title}: ${missing}`]))
  return lines.length === 0 ? [] : [`Not measured:\n\n${lines.join("\n")}`]
}

const reference = (results: Results): ReadonlyArray<string> =>
  Reference.measured(results).length === 0
    ? []
    : [
        "CPU time of the server process for a message (memory in the last row), relative to ws without native add-ons, measured side by side: the median of the ratios of each round, and their quartiles. Less is better.",
        Reference.table(results, subject)
      ]

/** Peers have titles, variants of them are called what they are. */
const titles =
  ({ peers }: Results) =>
  (name: string): string =>
    peers.find((peer) => peer.name === name)?.title ?? name

const cellTable = (cell: Cell, titleOf: (name: string) => string): string =>
  show.table(
    ["", "messages/s", "relative", "CPU µs", "CPU relative", "to", "server CPU", "load CPU", "noise", "remarks"],
    cell.rows.map((row) => {
      const share = (of: Figures.Of) => {
        const value = Figures.typical(row, of)
        return value === undefined ? "–" : show.percent(value)
      }
      return [
        titleOf(row.name),
        show.orDash(Figures.typical(row, Figures.rate)),
        show.withSpread(Figures.ratio(cell, row, Figures.rate)),
        show.orDash(Figures.typical(row, Figures.micros)),
        show.withSpread(Figures.ratio(cell, row, Figures.cpu)),
        titleOf(row.against),
        share(({ serverCpu }) => serverCpu),
        share(({ generatorCpu }) => generatorCpu),
        show.percent(Figures.worstNoise(row)),
        Figures.remarks(row)
      ]
    })
  )

/** A heading for the part, and a table for each of its cells. */
const partSections = (results: Results, part: PartName, heading: string): ReadonlyArray<string> => {
  const cells = Curves.cellsOf(results, part)
  if (cells.length === 0) return []
  return [
    `## ${heading}`,
    ...cells.flatMap((cell) => [`### ${show.load(cell.load)}`, cellTable(cell, titles(results))])
  ]
}

const percentiles = ["p50", "p90", "p99", "p999"] as const

const latencySections = (results: Results): ReadonlyArray<string> => {
  const cells = results.cells.filter(
    ({ load, part }) => load.mode === "echo" && load.window === 1 && (part === "latency" || part === "echo")
  )
  if (cells.length === 0) return []
  return [
    "## Latency",
    "From a message to its whole echo in microseconds, one message of each connection on its way (a closed loop).",
    ...cells.flatMap((cell) => [
      `### ${show.load(cell.load)}`,
      show.table(
        ["", "p50", "p90", "p99", "p99.9", "remarks"],
        cell.rows.map((row) => [
          titles(results)(row.name),
          ...percentiles.map((percentile) => show.orDash(Figures.typical(row, (sample) => sample[percentile]))),
          Figures.remarks(row)
        ])
      )
    ])
  ]
}

const idleSections = (results: Results): ReadonlyArray<string> => {
  const { idle } = results
  if (idle.length === 0) return []
  const rows = idle.map(({ connections, name, samples }) => {
    const memories = samples.flatMap((sample) => (isFailed(sample) ? [] : [sample]))
    const typical = (of: (memory: (typeof memories)[number]) => number | undefined) =>
      median(memories.map(of).filter((value) => value !== undefined))
    const whole = (value: number | undefined) => (value === undefined ? "–" : show.count(Math.round(value)))
    const error = samples.find(isFailed)?.error
    const closed = memories.reduce((sum, memory) => sum + memory.closed, 0)
    return [
      titles(results)(name),
      show.count(connections),
      whole(typical(({ after }) => after)),
      whole(typical(({ settled }) => settled)),
      whole(typical(({ heap }) => heap)),
      [...(error === undefined ? [] : [`ERROR ${error}`]), ...(closed === 0 ? [] : [`closed ${closed}`])].join("; ")
    ]
  })
  return [
    "## Idle connections",
    "Bytes of each connection: resident right after opening, after a while and a collection of garbage, and live in heap and buffers.",
    show.table(["", "connections", "resident at once", "resident", "live", "remarks"], rows)
  ]
}

const curveSections = (results: Results): ReadonlyArray<string> => {
  const titleOf = titles(results)
  const windows = [...new Set(Curves.cellsOf(results, "connections").map(({ load }) => load.window))]
  const connections = windows.flatMap((window) => {
    const curves = Curves.curves(Curves.cellsOf(results, "connections", window), Curves.connectionsOf, Figures.micros)
    return [
      `### CPU µs of a message of 128 B, window ${window}`,
      Curves.table("connections", curves, show.count, titleOf)
    ]
  })
  const sized = Curves.cellsOf(results, "sizes")
  const megabytes: (cell: Cell) => Figures.Of =
    ({ load }) =>
    ({ messagesPerSecond }) =>
      (messagesPerSecond * (load.size ?? 0)) / 1e6
  const throughput = sized.flatMap((cell) => Curves.curves([cell], Curves.sizeOf, megabytes(cell)))
  const names = [...new Set(throughput.map(({ name }) => name))]
  const joined = names.map((name) => ({
    name,
    points: throughput.filter((curve) => curve.name === name).flatMap(({ points }) => points)
  }))
  const costs = Curves.curves(sized, Curves.sizeOf, Figures.micros)
  const ofByte = costs.map(({ name, points }) => ({
    name,
    points: points.map(({ x, y }) => ({ x, y: (y * 1000) / x }))
  }))
  const bad = [...Curves.cellsOf(results, "connections"), ...sized].flatMap(({ load, rows }) =>
    rows.flatMap((row) => {
      const remarks = Figures.remarks(row)
      return remarks === "" ? [] : [`- ${show.load(load)}, ${titleOf(row.name)}: ${remarks}`]
    })
  )
  return [
    ...(connections.length === 0 ? [] : ["## Over the number of connections", ...connections]),
    ...(sized.length === 0
      ? []
      : [
          "## Over the size of the messages",
          "### CPU µs of a message",
          Curves.table("size", costs, show.bytes, titleOf),
          "### CPU ns of a byte",
          Curves.table("size", ofByte, show.bytes, titleOf),
          "### MB/s echoed",
          Curves.table("size", joined, show.bytes, titleOf)
        ]),
    ...(bad.length === 0 ? [] : [bad.join("\n")])
  ]
}

const howToRead =
  "How it is measured and how to read it: [README.md](README.md). Remarks in capitals are faults: UNDRAINED is a server that still owed bytes when nothing came any more."

export const write = (results: Results): string =>
  `${[
    "# Results",
    intro(results),
    ...missing(results),
    ...reference(results),
    ...Goals.sections(results),
    howToRead,
    ...partSections(results, "echo", "Echo"),
    ...latencySections(results),
    ...partSections(results, "handshake", "Handshake"),
    ...partSections(results, "fanout", "Fan-out"),
    ...partSections(results, "stalled", "A stalled subscriber"),
    ...idleSections(results),
    ...CodecReport.sections(results),
    ...partSections(results, "styles", "Handlers of sluice"),
    ...curveSections(results)
  ].join("\n\n")}\n`
