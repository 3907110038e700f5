/** The cells of a run: which load is put on whom, and against whom it is compared. Pure. */
import type { Peer } from "./Peer.js"
import type { Load, PartName } from "./Results.js"

/** One that takes part in a cell, with a server of its own. */
export interface Contestant {
  readonly name: string
  readonly against: string
  readonly peer: Peer
  /** What the load generator is told beside the load. */
  readonly flags: ReadonlyArray<string>
}

export interface CellPlan {
  readonly part: PartName
  readonly load: Load
  readonly contestants: ReadonlyArray<Contestant>
}

/** Names that the report looks for. */
export const baseline = "ws"
export const subject = "sluice"
export const stalledName = "sluice, one stalled"
export const streamName = "sluice, messages"
export const schemaName = "sluice, Schema"
export const jsonName = "ws, JSON"

export const kibi = 1024
export const mebi = 1024 * kibi

/** The loads of the reference table (part `echo`). */
export const echoLoads: ReadonlyArray<Load> = [
  { mode: "echo", connections: 64, window: 32, size: 128 },
  { mode: "echo", connections: 64, window: 1, size: 128 },
  { mode: "echo", connections: 64, window: 32, size: 16 * kibi },
  { mode: "echo", connections: 64, window: 8, size: mebi }
]

export const latencyLoad: Load = { mode: "echo", connections: 1, window: 1, size: 128 }
export const handshakeLoad: Load = { mode: "handshake", connections: 64 }

export const fanoutLoads: ReadonlyArray<Load> = [
  { mode: "fanout", connections: 500, window: 8, size: 128 },
  { mode: "fanout", connections: 500, window: 1, size: 128 }
]

export const stalledLoad: Load = { mode: "fanout", connections: 500, window: 8, size: 128 }

export const connectionLoads: ReadonlyArray<Load> = [32, 1].flatMap((window) =>
  [1, 10, 100, 1000, 10_000].map((connections) => ({ mode: "echo" as const, connections, window, size: 128 }))
)

/** No more bytes than these are on their way at a time. */
const inFlight = 8 * mebi
const sizeConnections = 8

export const sizeLoads: ReadonlyArray<Load> = Array.from({ length: 11 }, (_, power) => {
  const size = 16 * 4 ** power
  const window = Math.max(1, Math.min(32, Math.floor(inFlight / (size * sizeConnections))))
  return { mode: "echo", connections: sizeConnections, window, size }
})

export const styleLoads: ReadonlyArray<Load> = [
  { mode: "echo", connections: 64, window: 32, size: 128 },
  { mode: "echo", connections: 64, window: 1, size: 128 }
]

/** All that can be measured, each as it is, against ws or else the first. */
const all = (peers: ReadonlyArray<Peer>): ReadonlyArray<Contestant> => {
  const against = (peers.find(({ name }) => name === baseline) ?? peers[0])?.name ?? baseline
  return peers.map((peer) => ({ name: peer.name, against, peer, flags: [] }))
}

const jsonFlags = ["--path", "/json", "--json"]

const styles = (peers: ReadonlyArray<Peer>): ReadonlyArray<Contestant> => {
  const known = all(peers.filter(({ name }) => name === subject || name === baseline))
  const variant = (of: string, name: string, against: string, flags: ReadonlyArray<string>) =>
    known.filter((one) => one.name === of).map((one) => ({ ...one, name, against, flags }))
  const json = variant(baseline, jsonName, jsonName, jsonFlags)
  return [
    ...known,
    ...variant(subject, streamName, known[known.length - 1]?.against ?? baseline, ["--path", "/stream"]),
    ...json,
    ...variant(subject, schemaName, json.length === 0 ? schemaName : jsonName, jsonFlags)
  ]
}

const stalled = (peers: ReadonlyArray<Peer>): ReadonlyArray<Contestant> =>
  all(peers.filter(({ name }) => name === subject)).flatMap((one) => [
    one,
    { ...one, name: stalledName, flags: ["--stalled", "1"] }
  ])

const cells = (
  part: PartName,
  loads: ReadonlyArray<Load>,
  contestants: ReadonlyArray<Contestant>
): ReadonlyArray<CellPlan> => (contestants.length === 0 ? [] : loads.map((load) => ({ part, load, contestants })))

/** The cells of a part that has any, for those of the peers that are here. */
export const plan = (part: PartName, peers: ReadonlyArray<Peer>): ReadonlyArray<CellPlan> => {
  const present = peers.filter(({ missing }) => missing === undefined)
  const speaking = present.filter(({ isRaw }) => !isRaw)
  const curve = present.filter(({ isCurve }) => isCurve)
  switch (part) {
    case "echo":
      return cells(part, echoLoads, all(present))
    case "latency":
      return cells(part, [latencyLoad], all(present))
    case "handshake":
      return cells(part, [handshakeLoad], all(speaking))
    case "fanout":
      return cells(part, fanoutLoads, all(speaking))
    case "stalled":
      return cells(part, [stalledLoad], stalled(speaking))
    case "connections":
      return cells(part, connectionLoads, all(curve))
    case "sizes":
      return cells(part, sizeLoads, all(curve))
    case "styles":
      return cells(part, styleLoads, styles(speaking))
    case "idle":
    case "codec":
      return []
  }
}

/** Who is measured when in a round: the first one changes, and every other round goes backwards. */
export const order = <A>(all: ReadonlyArray<A>, round: number): ReadonlyArray<A> => {
  const first = all.length === 0 ? 0 : round % all.length
  const rotated = [...all.slice(first), ...all.slice(0, first)]
  return round % 2 === 0 ? rotated : rotated.reverse()
}
