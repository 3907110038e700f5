/**
 * What happened in a run: events with their virtual time, host and fiber, as data, as text and as a diagram.
 *
 * The bytes of each connection are kept, and what they mean (heads, frames, states) is read from them when a trace is
 * rendered.
 *
 * @since 0.1.0
 */
import { createTwoFilesPatch } from "diff"
import * as Dissector from "./internal/dissector.js"

/**
 * Which end of a connection: the one that connected, or the one that listens.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = "client" | "server"

/**
 * One thing that happened. A connection has a number; `Sent` and `Arrived` name the host on the other side as `peer`.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "FiberStarted"; readonly id: number; readonly parent: number | undefined }
  | { readonly _tag: "FiberEnded"; readonly id: number; readonly exit: "Success" | "Failure" | "Interrupted" }
  | { readonly _tag: "Log"; readonly level: string; readonly text: string }
  | { readonly _tag: "Note"; readonly text: string }
  | { readonly _tag: "Listening"; readonly address: string }
  | { readonly _tag: "ListenerClosed"; readonly address: string }
  | { readonly _tag: "Connecting"; readonly connection: number; readonly address: string; readonly peer: string }
  | { readonly _tag: "Connected"; readonly connection: number }
  | { readonly _tag: "NotConnected"; readonly connection: number; readonly reason: string }
  | { readonly _tag: "Accepted"; readonly connection: number; readonly peer: string }
  | {
      readonly _tag: "Sent"
      readonly connection: number
      readonly side: Side
      readonly peer: string
      readonly bytes: Uint8Array
    }
  | {
      readonly _tag: "Arrived"
      readonly connection: number
      readonly side: Side
      readonly peer: string
      readonly bytes: Uint8Array
    }
  | { readonly _tag: "OutputEnded"; readonly connection: number; readonly side: Side; readonly peer: string }
  | { readonly _tag: "EndArrived"; readonly connection: number; readonly side: Side; readonly peer: string }
  | { readonly _tag: "Aborted"; readonly connection: number; readonly side: Side; readonly peer: string }
  | { readonly _tag: "ResetArrived"; readonly connection: number; readonly side: Side; readonly peer: string }
  | { readonly _tag: "FaultBegan"; readonly fault: string }
  | { readonly _tag: "FaultEnded"; readonly fault: string }
  | { readonly _tag: "Crashed"; readonly how: string }
  | { readonly _tag: "Restarted" }

/**
 * An event, when it happened (milliseconds since the start of the run), on which host and in which fiber, if in one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** Milliseconds since the start of the run. */
  readonly time: number
  /** The name of the host; `network` for what happens between hosts. */
  readonly host: string
  /** The number of the fiber that was running, if one was. */
  readonly fiber: number | undefined
  /** What happened. */
  readonly event: Event
}

/**
 * All that happened in one run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trace {
  /** The seed of the run. */
  readonly seed: number
  /** What happened, in order. */
  readonly entries: ReadonlyArray<Entry>
}

const seconds = (millis: number): string => `${(millis / 1000).toFixed(6)} s`

const who = ({ fiber, host }: Entry): string => `${host}${fiber === undefined ? "" : ` #${fiber}`}`

const lines = (trace: Trace): ReadonlyArray<string> => {
  const dissect = Dissector.make()
  return trace.entries.flatMap((entry) =>
    // What is logged may have several lines.
    textOf(entry, dissect)
      .flatMap((text) => text.split("\n"))
      .map((text) => `${seconds(entry.time).padStart(14)}  ${who(entry).padEnd(14)}  ${text}`)
  )
}

const textOf = ({ event }: Entry, dissect: Dissector.Dissector): ReadonlyArray<string> => {
  switch (event._tag) {
    case "FiberStarted":
      return [`fiber #${event.id} starts${event.parent === undefined ? "" : `, a child of #${event.parent}`}`]
    case "FiberEnded":
      return [`fiber #${event.id} ends: ${event.exit}`]
    case "Log":
      return [`log ${event.level}: ${event.text}`]
    case "Note":
      return [`note: ${event.text}`]
    case "Listening":
      return [`listens on ${event.address}`]
    case "ListenerClosed":
      return [`listens on ${event.address} no more`]
    case "Connecting":
      return [`(${event.connection}) connects to ${event.address}`]
    case "Connected":
      return [`(${event.connection}) is connected`]
    case "NotConnected":
      return [`(${event.connection}) is not connected: ${event.reason}`]
    case "Accepted":
      return [`(${event.connection}) from ${event.peer} is accepted`]
    case "Sent":
      return [
        `(${event.connection}) -> ${event.peer}  ${event.bytes.length} bytes`,
        ...dissect(event.connection, event.side, event.bytes).map(
          (what) => `(${event.connection}) -> ${event.peer}    ${what}`
        )
      ]
    case "Arrived":
      return [`(${event.connection}) <- ${event.peer}  ${event.bytes.length} bytes`]
    case "OutputEnded":
      return [`(${event.connection}) -> ${event.peer}  end of output`]
    case "EndArrived":
      return [`(${event.connection}) <- ${event.peer}  end of output`]
    case "Aborted":
      return [`(${event.connection}) -> ${event.peer}  abort`]
    case "ResetArrived":
      return [`(${event.connection}) <- ${event.peer}  reset`]
    case "FaultBegan":
      return [`fault begins: ${event.fault}`]
    case "FaultEnded":
      return [`fault ends: ${event.fault}`]
    case "Crashed":
      return [`crashes (${event.how})`]
    case "Restarted":
      return ["starts again"]
  }
}

/**
 * A trace as text, a line for each event: time, host and fiber, and what happened; under bytes, what they mean.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toText = (self: Trace): string => `${lines(self).join("\n")}\n`

/**
 * What differs between two traces, as a unified diff of their texts; empty if nothing does.
 *
 * @category encoding
 * @since 0.1.0
 */
export const diff = (self: Trace, that: Trace): string => {
  const [one, other] = [toText(self), toText(that)]
  return one === other
    ? ""
    : createTwoFilesPatch(`seed ${self.seed}`, `seed ${that.seed}`, one, other, "", "", { context: 3 })
}

/**
 * Where two traces part: the index of the first entry that is not the same, and the lines around it.
 *
 * @category getters
 * @since 0.1.0
 */
export const divergence = (
  self: Trace,
  that: Trace
):
  | { readonly line: number; readonly before: ReadonlyArray<string>; readonly one: string; readonly other: string }
  | undefined => {
  const [one, other] = [lines(self), lines(that)]
  for (let line = 0; line < Math.max(one.length, other.length); line++) {
    if (one[line] === other[line]) continue
    const end = "(nothing more)"
    return { line, before: one.slice(Math.max(0, line - 3), line), one: one[line] ?? end, other: other[line] ?? end }
  }
  return undefined
}

/** Mermaid reads `;` and `#` as its own. */
const escaped = (text: string): string =>
  text.replace(/[#;<>]/g, (character) => `#${character.charCodeAt(0)};`).replaceAll("\n", " ")

/**
 * A trace as a sequence diagram of Mermaid: hosts, and what they send each other. `maxEvents` are kept, 200 by default;
 * of a longer trace the last ones, since that is where it failed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toMermaid = (self: Trace, options: { readonly maxEvents?: number | undefined } = {}): string => {
  const dissect = Dissector.make()
  const names = [...new Set(self.entries.flatMap(({ event, host }) => ("peer" in event ? [host, event.peer] : [host])))]
  const id = (host: string) => `h${names.indexOf(host)}`
  const arrows = self.entries.flatMap((entry) => {
    const at = `${(entry.time / 1000).toFixed(3)} s`
    const { event, host } = entry
    const arrow = (peer: string, head: string, text: string) =>
      `  ${id(host)}${head}${id(peer)}: ${escaped(`${at} (${"connection" in event ? event.connection : ""}) ${text}`)}`
    const note = (text: string) => `  Note over ${id(host)}: ${escaped(`${at} ${text}`)}`
    switch (event._tag) {
      case "Sent": {
        const meaning = dissect(event.connection, event.side, event.bytes)
        return [arrow(event.peer, "->>", meaning.length === 0 ? `${event.bytes.length} bytes` : meaning.join(", "))]
      }
      case "Connecting":
        return [arrow(event.peer, "->>", "connect")]
      case "OutputEnded":
        return [arrow(event.peer, "-)", "end of output")]
      case "Aborted":
        return [arrow(event.peer, "-x", "abort")]
      case "FiberStarted":
      case "FiberEnded":
      case "Arrived":
      case "Connected":
        return []
      default:
        return textOf(entry, dissect).map(note)
    }
  })
  const { maxEvents = 200 } = options
  const left = arrows.length - maxEvents
  return [
    "sequenceDiagram",
    ...names.map((name) => `  participant ${id(name)} as ${escaped(name)}`),
    ...(left > 0 ? [`  Note over ${id(names[0] ?? "")}: ${left} earlier events are left out`] : []),
    ...arrows.slice(Math.max(0, left)),
    ""
  ].join("\n")
}
