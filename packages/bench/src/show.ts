/** How figures and tables are written. */
import type { Load } from "./Results.js"
import type { Spread } from "./statistics.js"

/** Three digits or so: 0.08, 1.2, 35, 1,200. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return "–"
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export const orDash = (value: number | undefined): string => (value === undefined ? "–" : figure(value))

/** A median with its quartiles. */
export const withSpread = (spread: Spread | undefined): string =>
  spread === undefined ? "–" : `${figure(spread.median)} (${figure(spread.low)}–${figure(spread.high)})`

export const percent = (value: number): string => `${Math.round(value * 100)} %`

export const bytes = (size: number): string =>
  size >= 1024 * 1024 ? `${size / (1024 * 1024)} MiB` : size >= 1024 ? `${size / 1024} KiB` : `${size} B`

export const count = (value: number): string => value.toLocaleString("en")

const plural = (value: number, noun: string) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`

/** A load in words. */
export const load = ({ connections, mode, size, window }: Load): string => {
  switch (mode) {
    case "handshake":
      return `open, handshake and close, ${count(connections)} at a time`
    case "fanout":
      return `fan-out of ${bytes(size ?? 0)} to ${count(connections)}, ${plural(window ?? 1, "broadcast")} in flight`
    case "echo":
      return `echo of ${bytes(size ?? 0)}, ${plural(connections, "connection")}, window ${window ?? 1}`
  }
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ")

/** A Markdown table; all columns but the first are figures. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n")
