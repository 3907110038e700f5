/** How a run is done. */
import type { PartName } from "./Results.js"
import { partNames } from "./Results.js"

export interface Settings {
  readonly parts: ReadonlyArray<PartName>
  /** Each server is measured so many times in each cell, in alternation. */
  readonly rounds: number
  /** Milliseconds of a sample, and of the load before it that is not counted. */
  readonly duration: number
  readonly warmUp: number
  /** Milliseconds of load on a server that was just started, in which its code gets compiled. */
  readonly firstWarmUp: number
  /** Connections of the part `idle`, and how often they are opened. */
  readonly idleConnections: number
  readonly idleRounds: number
  /** Milliseconds that each decoding is repeated for, and processes that do so. */
  readonly codecDuration: number
  readonly codecRounds: number
  /** A sample in which other programs took more of a CPU is taken again. */
  readonly noise: number
  readonly retries: number
  /** The CPU of the servers and that of the load generator; undefined to leave that to the system. */
  readonly cpus: { readonly server: number; readonly generator: number } | undefined
}

export const defaults: Settings = {
  parts: partNames,
  rounds: 5,
  duration: 500,
  warmUp: 200,
  firstWarmUp: 2500,
  idleConnections: 10_000,
  idleRounds: 2,
  codecDuration: 400,
  codecRounds: 3,
  noise: 0.08,
  retries: 2,
  cpus: { server: 0, generator: 1 }
}

/** Everything once over, in minutes: the figures are near, their spread is not. */
export const quick: Settings = {
  ...defaults,
  rounds: 2,
  duration: 120,
  warmUp: 60,
  firstWarmUp: 500,
  idleRounds: 1,
  codecDuration: 80,
  codecRounds: 1,
  retries: 0
}
