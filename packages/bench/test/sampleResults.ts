/** Results as a run leaves them, small, with a peer that is missing, errors, and a server that owes bytes. */
import * as Plan from "../src/Plan.js"
import type { Cell, Decoding, Load, PartName, Results, Sample } from "../src/Results.js"

const measured = (cpuPerMessage: number, more: Partial<Exclude<Sample, { error: string }>> = {}): Sample => ({
  messagesPerSecond: 1e9 / cpuPerMessage,
  cpuPerMessage,
  serverCpu: 0.99,
  generatorCpu: 0.5,
  foreignServer: 0.01,
  foreignGenerator: 0.02,
  missingBytes: 0,
  ...more
})

/** Three rounds, the last of which is the fastest for all. */
const rounds = (cpu: number, more: Partial<Exclude<Sample, { error: string }>> = {}) =>
  [1, 1.1, 0.8].map((factor) => measured(cpu * factor, more))

const latencies = { p50: 20, p90: 30, p99: 80, p999: 200 }

/** What each costs relative to ws. */
const cell = (part: PartName, load: Load | undefined, ws: number, costs: Readonly<Record<string, number>>): Cell => {
  if (load === undefined) throw new Error("there is no such load")
  const more = load.window === 1 ? latencies : {}
  return {
    part,
    load,
    rows: Object.entries({ ws: 1, ...costs }).map(([name, cost]) => ({
      name,
      against: "ws",
      samples: rounds(ws * cost, more)
    }))
  }
}

const withRow = (before: Cell, name: string, samples: ReadonlyArray<Sample>): Cell => ({
  ...before,
  rows: before.rows.map((row) => (row.name === name ? { ...row, samples } : row))
})

const echo = cell("echo", Plan.echoLoads[0], 10_000, { sluice: 0.07, "effect-platform": 2.4, net: 0.04 })
const large = cell("echo", Plan.echoLoads[3], 900_000, { sluice: 0.5, "effect-platform": 2.4, net: 0.29 })
const fanout = cell("fanout", Plan.fanoutLoads[0], 8000, { sluice: 0.09, "effect-platform": 2 })

const memory = (settled: number) => ({ base: 60e6, after: settled * 2, settled, heap: settled * 0.8, closed: 0 })

const decodings = (factor: number): ReadonlyArray<Decoding> => [
  { task: "messages", size: 16, frames: 1000, nanos: 50 * factor },
  { task: "messages", size: 1024 * 1024, frames: 8, nanos: 100_000 * factor },
  { task: "fragments", size: 16, frames: 10_000, nanos: 50 * factor },
  { task: "fragments", size: 16, frames: 100_000, nanos: 55 * factor }
]

export const sampleResults: Results = {
  date: "2026-01-02",
  node: "v20.0.0",
  cpu: "A CPU, 2 CPUs",
  command: "npm run bench",
  rounds: 3,
  duration: 500,
  isPinned: true,
  peers: [
    { name: "sluice", title: "sluice (Node)" },
    { name: "ws", title: "ws" },
    { name: "uws", title: "uWebSockets.js", missing: "it is not there" },
    { name: "effect-platform", title: "@effect/platform-node" },
    { name: "net", title: "net, no WebSocket" }
  ],
  cells: [
    withRow(echo, "effect-platform", [{ error: "server: has ended (1)" }, ...rounds(24_000).slice(1)]),
    cell("echo", Plan.echoLoads[1], 14_000, { sluice: 0.9, "effect-platform": 1.8, net: 0.7 }),
    withRow(large, "sluice", rounds(450_000, { missingBytes: 1234 })),
    cell("latency", Plan.latencyLoad, 30_000, { sluice: 0.9 }),
    cell("handshake", Plan.handshakeLoad, 100_000, { sluice: 0.5, "effect-platform": 4.6 }),
    withRow(fanout, "effect-platform", [{ error: "load generator: gone" }, { error: "load generator: gone" }]),
    ...Plan.connectionLoads.map((load) =>
      cell("connections", load, 1000, { sluice: load.connections === 10_000 ? 1.4 : 1 })
    ),
    ...Plan.sizeLoads.map((load) => cell("sizes", load, 100 + (load.size ?? 0), { sluice: 0.5 })),
    {
      ...cell("styles", Plan.styleLoads[0], 10_000, { sluice: 0.07, [Plan.streamName]: 0.11 })
    }
  ],
  idle: [
    { name: "sluice", connections: 10_000, samples: [memory(5000), memory(7000)] },
    { name: "ws", connections: 10_000, samples: [memory(5000), memory(5000)] },
    { name: "effect-platform", connections: 10_000, samples: [{ error: "server: has ended (1)" }] }
  ],
  codecs: [
    { name: "Protocol.receive", rounds: [{ decodings: decodings(1) }, { decodings: decodings(1.2) }] },
    { name: "ws", rounds: [{ decodings: decodings(5) }, { decodings: decodings(6) }] },
    { name: "ws+bufferutil", rounds: [{ error: "has ended (1)" }] },
    { name: "memcpy", rounds: [{ decodings: decodings(0.01) }] }
  ]
}
