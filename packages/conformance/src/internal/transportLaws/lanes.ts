/**
 * What a law does with the synchronous side of a transport.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Network from "sluice/Network"
import { type Connected, connected, join, piece, type Side } from "./ends.js"
import { describePolled, expect, expectBytes, expectError, Unmet } from "./expectation.js"
import { eventually } from "./turns.js"

/** @internal */
export type Polled = ReturnType<Network.Lane["poll"]>

/** @internal Runs a test with the lane of one side, if there is one. */
export const withLane = <E>(
  side: Side,
  test: (lane: Network.Lane, ends: Connected) => Effect.Effect<void, E, Network.Network | Scope.Scope>
) =>
  Effect.flatMap(connected(side), (ends) => {
    const { lane } = ends.near.transport
    return lane === undefined ? Effect.void : test(lane, ends)
  })

/** @internal What a lane gives next, when it gives something. */
export const next = (lane: Network.Lane, what: string, poll = () => lane.poll()): Effect.Effect<Polled, Unmet> =>
  Effect.suspend(() => {
    let polled = poll()
    const isHere = () => {
      if (polled === "Pending") polled = poll()
      return polled !== "Pending"
    }
    return Effect.map(eventually(what, isHere), () => polled)
  })

/** @internal */
export const pollBytes = (lane: Network.Lane, expected: Uint8Array) =>
  Effect.gen(function* () {
    const parts: Array<Uint8Array> = []
    for (let size = 0; size < expected.length; ) {
      const polled = yield* next(lane, `the lane gives ${expected.length} bytes, ${size} of which it has given`)
      if (!(polled instanceof Uint8Array)) {
        return yield* new Unmet({ expected: `the lane gives ${expected.length} bytes`, seen: describePolled(polled) })
      }
      parts.push(polled)
      size += polled.length
    }
    yield* expectBytes("what the lane gives", join(parts), expected)
  })

/** @internal */
export const expectPolled = (what: string, polled: Polled, expected: "Pending" | "End") =>
  expect(polled === expected, `${what}: ${expected === "End" ? "the end" : "nothing yet"}`, () =>
    describePolled(polled)
  )

/** @internal */
export const pollFails = (polled: Polled, ...reasons: ReadonlyArray<Network.TransportError["reason"]>) =>
  expectError(
    "a poll",
    typeof polled === "string" || polled instanceof Uint8Array ? undefined : polled,
    describePolled(polled),
    "read",
    reasons
  )

/** @internal */
export const hasFailed = (lane: Network.Lane, ...reasons: ReadonlyArray<Network.TransportError["reason"]>) =>
  expectError("the `failure` of the lane", lane.failure(), "no failure", "write", reasons)

/** @internal How often it was called. */
export const counter = () => {
  const wake = () => {
    wake.count++
  }
  wake.count = 0
  return wake
}

/** @internal Offers pieces until the lane says that the sender should wait, and gives how many. */
export const fill = (lane: Network.Lane, held: number): Effect.Effect<number, Unmet> =>
  Effect.suspend(() => {
    let count = 0
    let taken = 0
    for (let goesOn = true; goesOn && taken <= held; count++) {
      const next = piece(count)
      goesOn = lane.offer([next])
      if (goesOn) taken += next.length
    }
    const waits = `a sender should wait when ${held} bytes are held`
    return Effect.as(
      expect(taken <= held, waits, () => `it need not, with ${taken} bytes`),
      count
    )
  })
