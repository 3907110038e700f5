/**
 * Faults of a simulated network, as values: what goes wrong, between whom, from when on and for how long.
 *
 * A fault is data, so that a failing run can be tried again with fewer of them, and printed. `SimNetwork.install` makes
 * one happen for as long as a scope is open; `Simulation.run` and `explore` take a list of them for the whole run.
 * `chaos` draws a list from the seed.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Draw } from "./internal/draw.js"

const Millis = Schema.optional(Schema.Number)
const Name = Schema.optional(Schema.String)
const Probability = Schema.Number.pipe(Schema.between(0, 1))

// Milliseconds from the start of the run or from `install`, milliseconds, names of hosts.
const when = { after: Millis, lasts: Millis, from: Name, to: Name, both: Schema.optional(Schema.Boolean) }

/**
 * How the bytes of one direction are cut on their way: as they were sent; into single bytes; at random places; or as
 * many as are here at once.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Chunking = Schema.Literal("AsSent", "Bytes", "Random", "Coalesced")

/**
 * The type of `Chunking`.
 *
 * @category models
 * @since 0.1.0
 */
export type Chunking = typeof Chunking.Type

/**
 * Where a connection is cut: after so many bytes of one direction, or inside the first head, frame or UTF-8 sequence
 * from there on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Inside = Schema.Literal("Bytes", "Head", "Frame", "Utf8")

/**
 * The type of `Inside`.
 *
 * @category models
 * @since 0.1.0
 */
export type Inside = typeof Inside.Type

/**
 * How a connection ends that is cut: both sides see a reset; the receiver sees the end of the output of its peer, and
 * the sender a reset; or nothing more arrives and nobody is told.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Ending = Schema.Literal("Reset", "End", "Silence")

/**
 * The type of `Ending`.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending = typeof Ending.Type

/**
 * One fault, with its times in milliseconds. Plain data: `JSON.stringify` writes it, this reads it.
 *
 * - `Latency`: bytes take `latency`, and up to `jitter` more; their order stays. Several add up.
 * - `Bandwidth`: at most so many bytes a second. Of several the least counts.
 * - `Chunking`: how bytes are cut; of several the last counts.
 * - `Stall`: nothing arrives; what was sent arrives afterwards.
 * - `Partition`: the same in both directions; attempts to connect wait, and time out.
 * - `Cut`: one connection, after `skip` others, is cut behind `bytes` of one direction.
 * - `Refuse`, `Unanswered`, `ResetInBacklog`: what happens to attempts to connect, each with this probability.
 * - `Crash`: the host stops, as a process (its peers see resets) or without power (they see nothing), and starts again
 *   after `downFor`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Union(
  Schema.TaggedStruct("Latency", { ...when, latency: Schema.Number, jitter: Schema.Number }),
  Schema.TaggedStruct("Bandwidth", { ...when, bytesPerSecond: Schema.Number }),
  Schema.TaggedStruct("Chunking", { ...when, chunking: Chunking }),
  Schema.TaggedStruct("Stall", when),
  Schema.TaggedStruct("Partition", when),
  Schema.TaggedStruct("Cut", { ...when, skip: Schema.Number, bytes: Schema.Number, inside: Inside, ending: Ending }),
  Schema.TaggedStruct("Refuse", { ...when, probability: Probability }),
  Schema.TaggedStruct("Unanswered", { ...when, probability: Probability }),
  Schema.TaggedStruct("ResetInBacklog", { ...when, probability: Probability }),
  Schema.TaggedStruct("Crash", {
    host: Schema.String,
    after: Millis,
    downFor: Millis,
    how: Schema.Literal("Process", "Power")
  })
)

/**
 * The type of `Fault`.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * When and between whom a fault happens; always and everywhere unless said otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export interface When {
  /** Virtual time at which it begins, counted from the start of the run or from `install`; at once by default. */
  readonly after?: Duration.DurationInput | undefined
  /** How long it lasts; for ever by default. */
  readonly lasts?: Duration.DurationInput | undefined
  /** The name of the host that sends (or connects); any by default. */
  readonly from?: string | undefined
  /** The name of the host that receives (or listens); any by default. */
  readonly to?: string | undefined
  /** Both directions between the two hosts; `false` by default: from `from` to `to` only. */
  readonly both?: boolean | undefined
}

/** A fault whose times are in milliseconds already, and which has no empty fields. */
const timed = <F>(fault: object): F => {
  const entries = Object.entries(fault).flatMap(([key, value]) =>
    value === undefined || isForEver(key, value) ? [] : [[key, times.has(key) ? Duration.toMillis(value) : value]]
  )
  // The fields are those of the fault, less the undefined ones, with their times as numbers.
  return Object.fromEntries(entries) as F
}

/** That is what no time stands for, and JSON has no infinity. */
const isForEver = (key: string, value: Duration.DurationInput): boolean =>
  (key === "lasts" || key === "downFor") && Duration.toMillis(value) === Number.POSITIVE_INFINITY

const times = new Set(["after", "lasts", "latency", "jitter", "downFor"])

const millis = (duration: Duration.DurationInput | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Duration.toMillis(duration)

/**
 * Bytes take `latency`, and up to `jitter` more. Their order stays, as TCP keeps it.
 *
 * @example
 * ```ts
 * import { Fault } from "@sluice/sim"
 *
 * const slow = Fault.latency({ latency: "20 millis", jitter: "10 millis", to: "server", both: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const latency = (
  options: When & { readonly latency: Duration.DurationInput; readonly jitter?: Duration.DurationInput | undefined }
): Fault => timed({ _tag: "Latency", jitter: 0, ...options })

/**
 * At most so many bytes a second go each way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bandwidth = (options: When & { readonly bytesPerSecond: number }): Fault =>
  timed({ _tag: "Bandwidth", ...options })

/**
 * Cuts bytes differently on their way, or joins them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chunking = (options: When & { readonly chunking: Chunking }): Fault =>
  timed({ _tag: "Chunking", ...options })

/**
 * Nothing arrives for a while: in one direction, or with `both` in both. Nothing is lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stall = (options: When = {}): Fault => timed({ _tag: "Stall", ...options })

/**
 * Two hosts do not reach each other for a while, in neither direction; when it is over, the network has healed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const partition = (options: Omit<When, "both"> = {}): Fault =>
  timed({ _tag: "Partition", ...options, both: true })

/**
 * Cuts one connection: the first to begin while the fault is there, after the `skip` before it.
 *
 * @example
 * ```ts
 * import { Fault } from "@sluice/sim"
 *
 * // the answer of the server breaks off inside its head
 * const halfAHead = Fault.cut({ from: "server", inside: "Head", ending: "End" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const cut = (
  options: When & {
    readonly skip?: number | undefined
    readonly bytes?: number | undefined
    readonly inside?: Inside | undefined
    readonly ending?: Ending | undefined
  } = {}
): Fault =>
  timed({
    _tag: "Cut",
    ...options,
    skip: options.skip ?? 0,
    bytes: options.bytes ?? 0,
    inside: options.inside ?? "Bytes",
    ending: options.ending ?? "Reset"
  })

/**
 * Attempts to connect are refused: all of them, or some.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (options: When & { readonly probability?: number | undefined } = {}): Fault =>
  timed({ _tag: "Refuse", ...options, probability: options.probability ?? 1 })

/**
 * Attempts to connect get no answer: all of them, or some.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unanswered = (options: When & { readonly probability?: number | undefined } = {}): Fault =>
  timed({ _tag: "Unanswered", ...options, probability: options.probability ?? 1 })

/**
 * Connections are reset while they wait to be accepted: all of them, or some.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resetInBacklog = (options: When & { readonly probability?: number | undefined } = {}): Fault =>
  timed({ _tag: "ResetInBacklog", ...options, probability: options.probability ?? 1 })

/**
 * A host that `SimNetwork.spawn` has started stops without a last word: no finalizer runs. It may start again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crash = (options: {
  readonly host: string
  readonly after?: Duration.DurationInput | undefined
  readonly downFor?: Duration.DurationInput | undefined
  readonly how?: "Process" | "Power" | undefined
}): Fault => timed({ _tag: "Crash", ...options, how: options.how ?? "Process" })

/**
 * Faults that are drawn from the seed of a run, with rates.
 *
 * @category models
 * @since 0.1.0
 */
export interface Chaos {
  /** Tells it from a fault. */
  readonly _tag: "Chaos"
  /** The rates. */
  readonly options: ChaosOptions
}

/**
 * How often what goes wrong. Rates are for the whole `horizon`: 2 means that two are to be expected, at random times.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChaosOptions {
  /** Faults begin before this time; 10 s by default. */
  readonly horizon?: Duration.DurationInput | undefined
  /** Hosts that may crash, all with the same probability; none by default. */
  readonly hosts?: ReadonlyArray<string> | undefined
  /** The most latency and jitter; half of all runs have some, 50 ms by default. */
  readonly maxLatency?: Duration.DurationInput | undefined
  /** One run in four has a bandwidth limit, not below this; 64 KiB a second by default. */
  readonly minBandwidth?: number | undefined
  /** Whether bytes are cut and joined, in three of four runs; `true` by default. */
  readonly chunking?: boolean | undefined
  /** Stalls in one direction, or in both, of up to `maxStall`; 1 by default. */
  readonly stalls?: number | undefined
  /** The longest stall or partition; 5 s by default. */
  readonly maxStall?: Duration.DurationInput | undefined
  /** Times at which nobody reaches anybody; 0.25 by default. */
  readonly partitions?: number | undefined
  /** Connections that are cut, anywhere in their first 2 KiB; 0.5 by default. */
  readonly cuts?: number | undefined
  /** The probability with which an attempt to connect is refused; 0.02 by default. */
  readonly refuse?: number | undefined
  /** The probability with which an attempt to connect gets no answer; 0.01 by default. */
  readonly unanswered?: number | undefined
  /** The probability with which a connection is reset before it is accepted; 0.02 by default. */
  readonly resetInBacklog?: number | undefined
  /** Crashes of one of the `hosts`, after which it is down for up to `maxStall`; 0.5 by default. */
  readonly crashes?: number | undefined
}

/**
 * Draws faults from the seed of each run.
 *
 * @example
 * ```ts
 * import { Fault } from "@sluice/sim"
 *
 * // no connection is lost, but all that happens happens late, and in other pieces
 * const harmless = Fault.chaos({ cuts: 0, refuse: 0, unanswered: 0, resetInBacklog: 0, maxStall: "1 second" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const chaos = (options: ChaosOptions = {}): Chaos => ({ _tag: "Chaos", options })

/** @internal The faults of one run. */
export const drawAll = (faults: ReadonlyArray<Fault | Chaos>, draw: Draw): ReadonlyArray<Fault> =>
  faults.flatMap((fault) => (fault._tag === "Chaos" ? drawChaos(fault.options, draw) : [fault]))

const drawChaos = (options: ChaosOptions, draw: Draw): ReadonlyArray<Fault> => {
  const horizon = millis(options.horizon, 10_000)
  const maxStall = millis(options.maxStall, 5000)
  const maxLatency = millis(options.maxLatency, 50)
  const faults: Array<Fault> = []
  const after = () => Math.floor(draw.between(0, horizon))
  const lasts = () => Math.ceil(draw.between(0, maxStall))
  const often = (rate: number, what: () => Fault) => {
    // the whole part for sure, and the rest with its probability
    for (let left = rate; draw.chance(left); left--) faults.push(what())
  }
  if (draw.chance(0.5)) {
    faults.push(latency({ latency: draw.integer(maxLatency + 1), jitter: draw.integer(maxLatency + 1) }))
  }
  const { minBandwidth = 64 * 1024 } = options
  if (draw.chance(0.25)) faults.push(bandwidth({ bytesPerSecond: minBandwidth * 2 ** draw.integer(6) }))
  if ((options.chunking ?? true) && draw.chance(0.75)) {
    faults.push(chunking({ chunking: draw.pick(["Bytes", "Random", "Random", "Coalesced"]) }))
  }
  often(options.stalls ?? 1, () => stall({ after: after(), lasts: lasts(), both: draw.chance(0.5) }))
  often(options.partitions ?? 0.25, () => partition({ after: after(), lasts: lasts() }))
  often(options.cuts ?? 0.5, () =>
    cut({
      skip: draw.integer(4),
      bytes: draw.chance(0.5) ? draw.integer(64) : draw.integer(2048),
      inside: draw.pick(["Bytes", "Head", "Frame", "Frame", "Utf8"]),
      ending: draw.pick(["Reset", "Reset", "End", "Silence"])
    })
  )
  const chances = [
    [refuse, options.refuse ?? 0.02],
    [unanswered, options.unanswered ?? 0.01],
    [resetInBacklog, options.resetInBacklog ?? 0.02]
  ] as const
  for (const [fault, probability] of chances) if (probability > 0) faults.push(fault({ probability }))
  const [first, ...others] = options.hosts ?? []
  if (first !== undefined) {
    often(options.crashes ?? 0.5, () =>
      crash({
        host: draw.pick([first, ...others]),
        after: after(),
        downFor: lasts(),
        how: draw.pick(["Process", "Power"])
      })
    )
  }
  return faults
}

const numbers = (fault: Fault): string =>
  Object.entries(fault)
    .filter(([key]) => key !== "_tag")
    .map(([key, value]) => `${key} ${value}`)
    .join(", ")

/**
 * A fault as one line, such as `Stall after 200, lasts 1000, to server`; times are in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (fault: Fault): string => `${fault._tag} ${numbers(fault)}`.trim()

/** @internal Milliseconds of the run from which and until which a fault happens, if it is installed at `start`. */
export const spanOf = (fault: Fault, start: number): { readonly from: number; readonly until: number } => {
  const from = start + (fault.after ?? 0)
  return { from, until: from + ("lasts" in fault ? (fault.lasts ?? Infinity) : Infinity) }
}

/** @internal Whether a fault concerns what goes from one host to another. */
export const concerns = (fault: Exclude<Fault, { readonly _tag: "Crash" }>, from: string, to: string): boolean =>
  matches(fault, from, to) || (fault.both === true && matches(fault, to, from))

const matches = (
  fault: { readonly from?: string | undefined; readonly to?: string | undefined },
  from: string,
  to: string
) => (fault.from === undefined || fault.from === from) && (fault.to === undefined || fault.to === to)
