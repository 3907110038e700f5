/**
 * The laws of a byte connection, as tests that any `Network` can be put to.
 *
 * They say what sluice relies on: bytes arrive whole and in order, an end is an end and a reset is a reset, who writes
 * waits for who reads, an interruption loses nothing, a scope leaves nothing. `laws` gives them as values for any test
 * runner; `@sluice/conformance/vitest` declares them as tests.
 *
 * No law needs time to pass, and none has a deadline: what must happen is waited for, for many turns of the event loop,
 * and what must not happen is given some of them in which it could. So the laws hold on a slow machine as on a fast one,
 * and under a test clock. On a scheduler other than Effect's own, such as that of a simulation, a turn is a millisecond
 * on the clock of the context.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Network from "sluice/Network"
import { bytesLaws } from "./internal/transportLaws/bytes.js"
import { endingLaws } from "./internal/transportLaws/endings.js"
import { type Draft, Kind } from "./internal/transportLaws/ends.js"
import { Unmet } from "./internal/transportLaws/expectation.js"
import { interruptionLaws } from "./internal/transportLaws/interruption.js"
import { laneInputLaws } from "./internal/transportLaws/laneInput.js"
import { laneOutputLaws } from "./internal/transportLaws/laneOutput.js"
import { listeningLaws } from "./internal/transportLaws/listening.js"
import { leavesNoFiber } from "./internal/transportLaws/livingFibers.js"
import { pressureLaws } from "./internal/transportLaws/pressure.js"
import { Patience, soon } from "./internal/transportLaws/turns.js"

/**
 * A network does not obey a law.
 *
 * @category errors
 * @since 0.1.0
 */
export class LawBroken extends Data.TaggedError("LawBroken")<{
  /** The name of the law. */
  readonly law: string
  /** What should have been. */
  readonly expected: string
  /** What was. */
  readonly seen: string
  /** What was thrown, if something was. */
  readonly cause?: unknown
}> {
  /** One line for a person. */
  override get message(): string {
    return `${this.law}: expected ${this.expected}; seen ${this.seen}`
  }
}

/**
 * One law.
 *
 * @category models
 * @since 0.1.0
 */
export interface TransportLaw {
  /** Unique among the laws. */
  readonly name: string
  /** What it demands, in a sentence. */
  readonly demand: string
  /**
   * Fails with `LawBroken` if the network does not obey; with `TransportError` if it cannot even make the connections
   * that the law is about. `check` runs it, and sees to it that nothing is left.
   */
  readonly test: Effect.Effect<void, LawBroken | Network.TransportError, Network.Network | Scope.Scope>
  /** How many turns something may take that must happen, as `laws` was told. */
  readonly patience: number
}

/**
 * What the laws must know of a network.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The most bytes that one direction of a connection takes while nobody reads, the chunk that fills it not counted:
   * the buffers of both ends, and what lies between.
   */
  readonly held: number
  /**
   * How many turns of the event loop something may take that must happen, without any progress; 2,000 by default, which
   * is two seconds or more. Less is enough in memory; a network that is slow by itself may need more.
   */
  readonly patience?: number | undefined
  /**
   * Where the laws listen that are not about addresses, asked anew for each listener: `{}` by default, which is TCP. With
   * `{ path }`, a new one each time, the laws are about unix sockets.
   */
  readonly listen?: (() => Network.ListenOptions) | undefined
  /** Whether an abort reaches the peer as a reset; `true` by default. On a unix socket it may look like an end. */
  readonly hasResets?: boolean | undefined
}

/** How much longer all of a law may take than one thing in it. */
const ofAll = 8

/** Makes a failed expectation, or what was thrown, the failure of a law. */
const naming =
  (law: string) =>
  <A, E, R>(test: Effect.Effect<A, E | Unmet, R>): Effect.Effect<A, Exclude<E, Unmet> | LawBroken, R> =>
    test.pipe(
      Effect.catchAllDefect((cause) => new Unmet({ expected: "nothing is thrown", seen: String(cause), cause })),
      Effect.catchIf(
        (error): error is Extract<E | Unmet, Unmet> => error instanceof Unmet,
        ({ cause, expected, seen }) => new LawBroken({ law, expected, seen, cause })
      )
    )

const lawOf =
  ({ hasResets = true, listen = Kind.defaultValue().listen, patience = Patience.defaultValue() }: Options) =>
  ({ demand, name, test }: Draft): TransportLaw => ({
    name,
    demand,
    patience,
    test: soon("all of it comes to an end", Effect.provideService(test, Patience, patience)).pipe(
      Effect.provideService(Patience, patience * ofAll),
      Effect.provideService(Kind, { hasResets, listen }),
      naming(name)
    )
  })

/**
 * All laws, for a network that holds so many bytes.
 *
 * A law about something that a network may leave out, such as the synchronous `lane` of a transport, is obeyed by one
 * that does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const laws = (options: Options): ReadonlyArray<TransportLaw> => {
  const { held } = options
  const drafts = [
    ...bytesLaws(),
    ...endingLaws(held),
    ...pressureLaws(held),
    ...listeningLaws(),
    ...interruptionLaws(held),
    ...laneInputLaws(),
    ...laneOutputLaws(held)
  ]
  return drafts.map(lawOf(options))
}

/**
 * Puts a network, built for this, to a law. When all is over, no fiber may be left that was started meanwhile.
 *
 * @example
 * ```ts
 * import { TransportLaws } from "@sluice/conformance"
 * import { Effect } from "effect"
 * import { MemoryNetwork } from "sluice"
 *
 * const main = Effect.forEach(TransportLaws.laws({ held: 64 * 1024 }), (law) =>
 *   TransportLaws.check(law, MemoryNetwork.layer()).pipe(
 *     Effect.matchEffect({
 *       onFailure: (error) => Effect.logError(error.message),
 *       onSuccess: () => Effect.log(`obeyed: ${law.name}`)
 *     })
 *   )
 * )
 *
 * Effect.runPromise(main)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const check = <E, R>(
  law: TransportLaw,
  network: Layer.Layer<Network.Network, E, R>
): Effect.Effect<void, LawBroken | Network.TransportError | E, R> =>
  leavesNoFiber(Effect.scoped(Effect.provide(law.test, network))).pipe(
    Effect.provideService(Patience, law.patience),
    naming(law.name)
  )
