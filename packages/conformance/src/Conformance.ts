/**
 * Plays cases against an endpoint, on the `Network` of the context.
 *
 * The runner is the peer of the endpoint: it writes and reads the wire itself, bit by bit, and sends what no library
 * would. It checks all that the endpoint sends, also what no step asks for. It waits for bytes; the deadline, on the
 * `Clock` of the context, is for endpoints that say nothing. It retries nothing, and stops at nothing: each case has a
 * connection of its own, and its own outcome.
 *
 * @since 0.1.0
 */
import type { DurationInput } from "effect/Duration"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { Entropy } from "sluice/Entropy"
import type { Case, Step } from "./Case.js"
import * as Chunks from "./internal/chunks.js"
import { Mismatch } from "./internal/hearing.js"
import { Player } from "./internal/player.js"
import { showStep } from "./internal/show.js"
import * as Wire from "./internal/wire.js"
import type { Outcome, Result } from "./Outcome.js"
import type { Subject, Unsupported } from "./Subject.js"

/**
 * How what is sent is cut: as it is written; one byte at a time (the middle of what is long in pieces); or by chance,
 * the same for the same seed.
 *
 * @category models
 * @since 0.1.0
 */
export type Chunking = "whole" | "bytes" | { readonly seed: number }

/**
 * Whom to ask, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<R> {
  /** The endpoint under test. */
  readonly subject: Subject<R>
  /** How what is sent is cut; `"whole"` by default. */
  readonly chunking?: Chunking | undefined
  /** Cases that are played at a time; 1 by default. */
  readonly concurrency?: number | "unbounded" | undefined
  /** How long an endpoint may take for one step; 5 seconds by default. */
  readonly timeout?: DurationInput | undefined
}

/**
 * Plays each case, and tells how each went, in the order of the list.
 *
 * @example
 * ```ts
 * import { Cases, Conformance, Report, Subject } from "@sluice/conformance"
 * import { Console, Effect } from "effect"
 * import { MemoryNetwork } from "sluice"
 *
 * const main = Conformance.run(Cases.all, { subject: Subject.sluice, chunking: "bytes" }).pipe(
 *   Effect.map((outcomes) => Report.format(Report.make(outcomes))),
 *   Effect.flatMap(Console.log),
 *   Effect.provide(MemoryNetwork.layer())
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const run = <R>(
  cases: ReadonlyArray<Case>,
  options: Options<R>
): Effect.Effect<ReadonlyArray<Outcome>, never, Exclude<R, Scope.Scope>> =>
  Effect.forEach(
    cases,
    // In a fiber of its own, so that the fiber of the caller does not come to remember them all.
    (played) => Effect.flatten(Effect.flatMap(Effect.fork(runCase(played, options)), Fiber.await)),
    { concurrency: options.concurrency ?? 1 }
  )

/**
 * Plays one case.
 *
 * @category running
 * @since 0.1.0
 */
export const runCase = <R>(
  played: Case,
  options: Options<R>
): Effect.Effect<Outcome, never, Exclude<R, Scope.Scope>> => {
  const { group, id, role, section, title } = played
  return Effect.map(Effect.scoped(resultOf(played, options)), (result) => ({ id, title, section, group, role, result }))
}

const resultOf = <R>(played: Case, options: Options<R>): Effect.Effect<Result, never, R | Scope.Scope> => {
  const connect = options.subject[played.role]
  if (connect === undefined) return Effect.succeed({ _tag: "Skipped", reason: `the endpoint is no ${played.role}` })
  const timeout = Duration.decode(options.timeout ?? "5 seconds")
  return Effect.gen(function* () {
    const link = yield* within(connect(played.setup), timeout, () => "a connection")
    const wire = yield* Wire.make(link.transport, cutOf(options.chunking ?? "whole", played.id))
    const player = new Player(played.role, link, wire, yield* Entropy)
    return yield* play(player, played, timeout)
  }).pipe(
    Effect.catchTags({
      Unsupported: ({ reason }: Unsupported) => Effect.succeed<Result>({ _tag: "Skipped", reason }),
      SubjectError: ({ reason }) => Effect.succeed<Result>({ ...unheard, got: reason }),
      Mismatch: ({ got }) => Effect.succeed<Result>({ ...unheard, got })
    })
  )
}

const unheard = { _tag: "Failed", step: 0, expected: "a connection", bytes: "", heard: [] } as const

const cutOf = (chunking: Chunking, id: string): Chunks.Cut =>
  chunking === "whole" ? Chunks.whole : chunking === "bytes" ? Chunks.bytes : Chunks.random(`${chunking.seed} ${id}`)

const within = <A, E, R>(effect: Effect.Effect<A, E, R>, timeout: Duration.Duration, expected: () => string) =>
  Effect.timeoutFail(effect, {
    duration: timeout,
    onTimeout: () => new Mismatch({ expected: expected(), got: `nothing more within ${Duration.format(timeout)}` })
  })

const begins = (step: Step | undefined): boolean => step?._tag === "Request" || step?._tag === "ReceiveRequest"

const play = (player: Player, { informational, steps }: Case, timeout: Duration.Duration): Effect.Effect<Result> => {
  const opening = begins(steps[0]) ? [] : [{ number: 0, expected: () => "an open connection", run: () => player.open }]
  const all = [
    ...opening,
    ...steps.map((step, i) => ({ number: i + 1, expected: () => showStep(step), run: () => player.step(step) })),
    { number: steps.length + 1, expected: () => "the closing handshake", run: () => player.close }
  ]
  return Effect.forEach(
    all,
    ({ expected, number, run }) =>
      Effect.mapError(within(Effect.suspend(run), timeout, expected), ({ expected, got }) => ({
        number,
        expected,
        got
      })),
    { discard: true }
  ).pipe(
    Effect.match({
      onFailure: ({ expected, got, number }): Result =>
        informational === true
          ? { _tag: "Informational", asExpected: false, seen: `${got}, not ${expected}` }
          : {
              _tag: "Failed",
              step: number,
              expected,
              got,
              bytes: player.hearing.bytes,
              heard: [...player.hearing.words]
            },
      onSuccess: (): Result =>
        informational === true
          ? { _tag: "Informational", asExpected: true, seen: player.hearing.words.join("; ") }
          : { _tag: "Passed", remarks: [...player.remarks] }
    })
  )
}
