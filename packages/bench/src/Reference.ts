/** The table that counts: each work, what it costs every peer relative to ws, and what it should cost sluice. */
import * as Figures from "./Figures.js"
import { baseline, echoLoads, fanoutLoads, handshakeLoad } from "./Plan.js"
import type { Cell, Load, PartName, Results } from "./Results.js"
import * as show from "./show.js"
import { ratios, type Spread, spread } from "./statistics.js"

export interface Figure {
  readonly spread: Spread | undefined
  /** What must not be overlooked. */
  readonly remarks: string
}

export interface Work {
  readonly title: string
  /** What sluice should cost at most. */
  readonly target: number
  /** None if it was not measured. */
  readonly figure: (results: Results, peer: string) => Figure | undefined
}

const inCell = (cell: Cell | undefined, peer: string): Figure | undefined => {
  const row = cell === undefined ? undefined : Figures.rowOf(cell, peer)
  if (cell === undefined || row === undefined) return undefined
  return { spread: Figures.ratio(cell, row, Figures.cpu), remarks: Figures.remarks(row) }
}

const loaded = (title: string, part: PartName, load: Load | undefined, target: number): Work => ({
  title,
  target,
  figure: (results, peer) => (load === undefined ? undefined : inCell(Figures.cellOf(results, part, load), peer))
})

const idle: Work = {
  title: "memory of an idle connection",
  target: 1.25,
  figure: (results, peer) => {
    const row = results.idle.find(({ name }) => name === peer)
    if (row === undefined) return undefined
    const bases = Figures.residents(results, Figures.idleBase(results))
    const errors = row.samples.flatMap((sample) => ("error" in sample ? [sample.error] : []))
    const closed = row.samples.reduce((sum, sample) => sum + ("error" in sample ? 0 : sample.closed), 0)
    const remarks = [
      ...(errors[0] === undefined ? [] : [`ERROR ${errors.length} of ${row.samples.length}: ${errors[0]}`]),
      ...(closed === 0 ? [] : [`closed ${closed} connections`])
    ].join("; ")
    return { spread: spread(ratios(Figures.residents(results, peer), bases)), remarks }
  }
}

export const works: ReadonlyArray<Work> = [
  loaded("echo 128 B, window 32", "echo", echoLoads[0], 0.08),
  loaded("echo 128 B, window 1", "echo", echoLoads[1], 0.95),
  loaded("echo 16 KiB, window 32", "echo", echoLoads[2], 0.33),
  loaded("echo 1 MiB, window 8", "echo", echoLoads[3], 0.36),
  loaded("open, handshake, close", "handshake", handshakeLoad, 0.6),
  loaded("fan-out to 500, 8 in flight", "fanout", fanoutLoads[0], 0.1),
  loaded("fan-out to 500, 1 in flight", "fanout", fanoutLoads[1], 0.8),
  idle
]

const cellText = (figure: Figure | undefined, missing: string | undefined): string => {
  if (missing !== undefined) return "missing"
  if (figure === undefined) return "–"
  const word = figure.remarks.split(" ")[0] ?? ""
  return [show.withSpread(figure.spread), word]
    .filter((part) => part !== "" && !(part === "–" && word !== ""))
    .join(" ")
}

const verdict = (target: number, figure: Figure | undefined): string => {
  if (figure?.spread === undefined) return `≤ ${show.figure(target)}`
  return `≤ ${show.figure(target)}, ${figure.spread.median <= target ? "met" : "missed"}`
}

/** The works of which anything was measured. */
export const measured = (results: Results): ReadonlyArray<Work> =>
  works.filter(({ figure }) => results.peers.some(({ name }) => figure(results, name) !== undefined))

export const table = (results: Results, subject: string): string => {
  const peers = results.peers.filter(({ name }) => name !== baseline)
  return show.table(
    ["work", ...peers.map(({ title }) => title), "sluice should be"],
    measured(results).map(({ figure, target, title }) => [
      title,
      ...peers.map(({ missing, name }) => cellText(figure(results, name), missing)),
      verdict(target, figure(results, subject))
    ])
  )
}
