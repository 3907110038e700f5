/** What a run leaves behind: every sample that was kept, and all that is needed to render the report again. */
import * as Schema from "effect/Schema"

export const partNames = [
  "echo",
  "latency",
  "handshake",
  "fanout",
  "stalled",
  "idle",
  "codec",
  "connections",
  "sizes",
  "styles"
] as const

export const PartName = Schema.Literal(...partNames)
export type PartName = typeof PartName.Type

/** Why there is no figure. */
export const Failed = Schema.Struct({ error: Schema.String })
export type Failed = typeof Failed.Type

/** What the load generator prints. Times are in microseconds, the cost of a message in nanoseconds. */
export const Measured = Schema.Struct({
  messagesPerSecond: Schema.Number,
  cpuPerMessage: Schema.Number,
  /** Shares of a CPU. */
  serverCpu: Schema.Number,
  generatorCpu: Schema.Number,
  foreignServer: Schema.Number,
  foreignGenerator: Schema.Number,
  /** Bytes that the server still owed when the generator gave up. */
  missingBytes: Schema.optional(Schema.Number),
  /** Connections that the server reset instead of closing them. */
  resets: Schema.optional(Schema.Number),
  p50: Schema.optional(Schema.Number),
  p90: Schema.optional(Schema.Number),
  p99: Schema.optional(Schema.Number),
  p999: Schema.optional(Schema.Number)
})
export type Measured = typeof Measured.Type

export const Sample = Schema.Union(Measured, Failed)
export type Sample = typeof Sample.Type

export const isFailed = (sample: object): sample is Failed => "error" in sample

/** The load of a cell. */
export const Load = Schema.Struct({
  mode: Schema.Literal("echo", "handshake", "fanout"),
  connections: Schema.Number,
  window: Schema.optional(Schema.Number),
  size: Schema.optional(Schema.Number)
})
export type Load = typeof Load.Type

/** One contestant of a cell, a sample for each round, and the contestant that its figures are relative to. */
export const Row = Schema.Struct({ name: Schema.String, against: Schema.String, samples: Schema.Array(Sample) })
export type Row = typeof Row.Type

export const Cell = Schema.Struct({ part: PartName, load: Load, rows: Schema.Array(Row) })
export type Cell = typeof Cell.Type

/** Bytes for each connection: right after opening, after a while and a collection, and the live part of the heap. */
export const Memory = Schema.Struct({
  base: Schema.Number,
  after: Schema.Number,
  settled: Schema.Number,
  heap: Schema.optional(Schema.Number),
  /** Connections that the server closed though nobody asked it to. */
  closed: Schema.Number
})
export type Memory = typeof Memory.Type

export const Idle = Schema.Struct({
  name: Schema.String,
  connections: Schema.Number,
  samples: Schema.Array(Schema.Union(Memory, Failed))
})
export type Idle = typeof Idle.Type

/** What a decoder takes for one frame, in nanoseconds: whole messages of a size, or the fragments of one message. */
export const Decoding = Schema.Struct({
  task: Schema.Literal("messages", "fragments"),
  size: Schema.Number,
  frames: Schema.Number,
  nanos: Schema.Number
})
export type Decoding = typeof Decoding.Type

export const Codec = Schema.Struct({
  name: Schema.String,
  rounds: Schema.Array(Schema.Union(Schema.Struct({ decodings: Schema.Array(Decoding) }), Failed))
})
export type Codec = typeof Codec.Type

export const Peer = Schema.Struct({
  name: Schema.String,
  title: Schema.String,
  missing: Schema.optional(Schema.String)
})
export type Peer = typeof Peer.Type

export const Results = Schema.Struct({
  date: Schema.String,
  node: Schema.String,
  cpu: Schema.String,
  command: Schema.String,
  rounds: Schema.Number,
  duration: Schema.Number,
  isPinned: Schema.Boolean,
  peers: Schema.Array(Peer),
  cells: Schema.Array(Cell),
  idle: Schema.Array(Idle),
  codecs: Schema.Array(Codec)
})
export type Results = typeof Results.Type

const Saved = Schema.parseJson(Results, { space: 1 })

export const decode = Schema.decode(Saved)
export const encode = Schema.encode(Saved)
