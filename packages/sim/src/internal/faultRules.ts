/**
 * The faults of the moment, and what they mean for the ways between hosts, for attempts to connect, and for connections.
 */
import * as Fault from "../Fault.js"
import type { Path } from "./flow.js"
import type { Timeline } from "./timeline.js"
import type { Owner } from "./world.js"

/** @internal A fault that lasts; a crash happens, and is over. */
export type Lasting = Exclude<Fault.Fault, { readonly _tag: "Crash" }>

interface Rule {
  readonly fault: Lasting
  /** Connections that a cut lets pass. */
  skip: number
  isSpent: boolean
}

/** @internal Which of the two flows of a connection: from the client, or to it. */
export type Way = 0 | 1

/** @internal */
export class FaultRules {
  /** Counts the changes, so that a flow knows when to ask for its path again. */
  version = 0
  private readonly rules: Array<Rule> = []
  private readonly paths = new Map<string, Path>()
  private readonly timeline: Timeline
  private readonly owner: Owner
  private readonly onChange: () => void

  constructor(timeline: Timeline, owner: Owner, onChange: () => void) {
    this.timeline = timeline
    this.owner = owner
    this.onChange = onChange
  }

  /** Has a fault happen from its time on; returns how to end it. */
  install(fault: Lasting): () => void {
    const now = this.timeline.now()
    const { from, until } = Fault.spanOf(fault, now)
    const rule: Rule = { fault, skip: fault._tag === "Cut" ? fault.skip : 0, isSpent: false }
    const cancels: Array<() => void> = []
    const later = (time: number, task: () => void) => cancels.push(this.timeline.at(time, this.owner, task))
    if (from > now) later(from, () => this.begin(rule))
    else this.begin(rule)
    if (until < Number.POSITIVE_INFINITY) later(until, () => this.end(rule))
    return () => {
      for (const cancel of cancels) cancel()
      this.end(rule)
    }
  }

  private begin(rule: Rule): void {
    this.rules.push(rule)
    this.timeline.record("network", { _tag: "FaultBegan", fault: Fault.format(rule.fault) })
    this.changed()
  }

  private end(rule: Rule): void {
    const at = this.rules.indexOf(rule)
    if (at < 0) return
    this.rules.splice(at, 1)
    this.timeline.record("network", { _tag: "FaultEnded", fault: Fault.format(rule.fault) })
    this.changed()
  }

  private changed(): void {
    this.version++
    this.paths.clear()
    this.onChange()
  }

  /** How bytes get from one host to another. */
  path(from: string, to: string): Path {
    const key = `${from} ${to}`
    const known = this.paths.get(key)
    if (known !== undefined) return known
    let path: Path = { latency: 0, jitter: 0, bytesPerSecond: Infinity, chunking: "AsSent", isStalled: false }
    for (const { fault } of this.rules) if (Fault.concerns(fault, from, to)) path = worsened(path, fault)
    this.paths.set(key, path)
    return path
  }

  /** Whether one of the faults of a kind strikes, which is drawn for each attempt. */
  strikes(kind: "Refuse" | "Unanswered" | "ResetInBacklog", from: string, to: string): boolean {
    return this.rules.some(
      ({ fault }) =>
        fault._tag === kind && Fault.concerns(fault, from, to) && this.timeline.draw.chance(fault.probability)
    )
  }

  /** The cuts for a new connection, and which of its flows each concerns. */
  cutsFor(client: string, server: string): ReadonlyArray<readonly [way: Way, cut: Extract<Lasting, { _tag: "Cut" }>]> {
    return this.rules.flatMap((rule) => {
      const { fault } = rule
      if (fault._tag !== "Cut" || rule.isSpent) return []
      const ways: ReadonlyArray<Way> = [
        ...(Fault.concerns(fault, client, server) ? [0 as const] : []),
        ...(Fault.concerns(fault, server, client) ? [1 as const] : [])
      ]
      const [first, ...others] = ways
      if (first === undefined || rule.skip-- > 0) return []
      rule.isSpent = true
      return [[this.timeline.draw.pick([first, ...others]), fault] as const]
    })
  }
}

const worsened = (path: Path, fault: Lasting): Path => {
  switch (fault._tag) {
    case "Latency":
      return { ...path, latency: path.latency + fault.latency, jitter: path.jitter + fault.jitter }
    case "Bandwidth":
      return { ...path, bytesPerSecond: Math.min(path.bytesPerSecond, fault.bytesPerSecond) }
    case "Chunking":
      return { ...path, chunking: fault.chunking }
    case "Stall":
    case "Partition":
      return { ...path, isStalled: true }
    default:
      return path
  }
}
