/**
 * What a law expects, and what it says when that is not so.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Lane, TransportError } from "sluice/Network"

/** @internal An expectation that was not met; the law that it belongs to adds its name. */
export class Unmet extends Data.TaggedError("Unmet")<{
  readonly expected: string
  readonly seen: string
  readonly cause?: unknown
}> {}

/** @internal */
export const expect = (holds: boolean, expected: string, seen: () => string): Effect.Effect<void, Unmet> =>
  holds ? Effect.void : new Unmet({ expected, seen: seen() })

/** @internal */
export const expectEqual = <A extends string | number | boolean>(
  what: string,
  seen: A,
  expected: A
): Effect.Effect<void, Unmet> => expect(seen === expected, `${what}: ${expected}`, () => `${seen}`)

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** @internal */
export const expectBytes = (what: string, seen: Uint8Array, expected: Uint8Array): Effect.Effect<void, Unmet> =>
  Effect.suspend(() => {
    const differing = expected.findIndex((byte, i) => seen[i] !== byte)
    if (differing < 0 && seen.length === expected.length) return Effect.void
    const at = differing < 0 ? expected.length : differing
    const around = (bytes: Uint8Array) => `${bytes.length} bytes, from ${at} on ${toHex(bytes.subarray(at, at + 8))}`
    return new Unmet({ expected: `${what}: ${around(expected)}`, seen: around(seen) })
  })

/** @internal What a lane gives, in words. */
export const describePolled = (polled: ReturnType<Lane["poll"]>): string =>
  polled === "Pending"
    ? "nothing yet"
    : polled === "End"
      ? "the end"
      : polled instanceof Uint8Array
        ? `${polled.length} bytes`
        : polled.message

type Failure = TransportError | Option.Option<TransportError>

const isError = (failure: Failure): failure is TransportError => failure._tag === "TransportError"

const errorOf = (failure: Failure): TransportError | undefined =>
  isError(failure) ? failure : Option.getOrUndefined(failure)

const describeFailure = (failure: Failure): string => errorOf(failure)?.message ?? "the end"

/** @internal How something ended, in words. */
export const describeExit = (exit: Exit.Exit<unknown, Failure>): string =>
  Exit.match(exit, {
    onSuccess: (value) => (value instanceof Uint8Array ? `${value.length} bytes` : "a success"),
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onNone: () => (Cause.isInterrupted(cause) ? "an interruption" : `a defect: ${Cause.squash(cause)}`),
        onSome: describeFailure
      })
  })

/** @internal The error that is expected, whatever led to it. */
export const expectError = (
  what: string,
  seen: TransportError | undefined,
  instead: string,
  operation: TransportError["operation"],
  reasons: ReadonlyArray<TransportError["reason"]>
): Effect.Effect<TransportError, Unmet> =>
  seen !== undefined && seen.operation === operation && reasons.includes(seen.reason)
    ? Effect.succeed(seen)
    : new Unmet({ expected: `${what}: ${reasons.join(" or ")} on ${operation}`, seen: seen?.message ?? instead })

/** @internal */
export const expectFailed = (
  what: string,
  exit: Exit.Exit<unknown, Failure>,
  operation: TransportError["operation"],
  ...reasons: ReadonlyArray<TransportError["reason"]>
): Effect.Effect<TransportError, Unmet> => {
  const failure = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
  return expectError(what, failure && errorOf(failure), describeExit(exit), operation, reasons)
}

/** @internal The end of the output of the peer, which is no error. */
export const expectEnd = (what: string, exit: Exit.Exit<unknown, Option.Option<TransportError>>) =>
  expect(isEnd(exit), what, () => describeExit(exit))

/** @internal */
export const isEnd = (exit: Exit.Exit<unknown, Option.Option<TransportError>>): boolean => {
  const failure = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
  return Option.isSome(failure) && Option.isNone(failure.value)
}

/** @internal Has an effect that must succeed say so when it does not. */
export const expectSuccess = <A, R>(what: string, effect: Effect.Effect<A, Failure, R>): Effect.Effect<A, Unmet, R> =>
  Effect.mapError(effect, (failure) => new Unmet({ expected: what, seen: describeFailure(failure) }))
