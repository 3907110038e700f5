import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import * as Simulation from "../src/Simulation.js"
import type { Bug } from "./bugs/bug.js"
import { doubleClose } from "./bugs/doubleClose.js"
import { handlerOrder } from "./bugs/handlerOrder.js"
import { leakedConnection } from "./bugs/leakedConnection.js"
import { leakedFiber } from "./bugs/leakedFiber.js"
import { lockOrder } from "./bugs/lockOrder.js"
import { lostOnCrash } from "./bugs/lostOnCrash.js"
import { lostUpdate } from "./bugs/lostUpdate.js"
import { messageAfterClose } from "./bugs/messageAfterClose.js"
import { missedWakeUp } from "./bugs/missedWakeUp.js"
import { pingTimer } from "./bugs/pingTimer.js"
import { reconnectStorm } from "./bugs/reconnectStorm.js"
import { timeoutRace } from "./bugs/timeoutRace.js"
import { tornMessage } from "./bugs/tornMessage.js"
import { unboundedBuffer } from "./bugs/unboundedBuffer.js"

const explore = <A, E>(
  bug: Bug<A, E>,
  which: "buggy" | "correct",
  options: Pick<Simulation.ExploreOptions<A>, "from" | "seeds" | "verify">
) =>
  Simulation.explore(bug[which], {
    ...bug.options,
    ...options,
    check: bug.check,
    maxShrinkRuns: 0,
    progress: false
  }).pipe(
    // How many seeds there are is part of the tests, whatever the environment says.
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
  )

const find = <A, E>(bug: Bug<A, E>) =>
  Effect.map(explore(bug, "buggy", { seeds: bug.seeds }), ({ failures }) => {
    expect(failures.map(({ failure }) => failure.kind)).toStrictEqual([bug.kind])
    return failures[0]
  })

const outcome = <A, E>({ failure, hash, seed }: Simulation.Run<A, E>) => ({
  seed,
  hash,
  kind: failure?.kind,
  detail: failure?.detail
})

const timeout = 120_000

const suite = <A, E>(bug: Bug<A, E>) =>
  describe.sequential(bug.name, () => {
    it.live(`is found with ${bug.seeds} seeds`, () => find(bug), timeout)

    it.live(
      "comes again with its seed, 100 times of 100",
      () =>
        Effect.gen(function* () {
          const { found, seed } = yield* find(bug)
          const again = yield* Effect.replicateEffect(explore(bug, "buggy", { from: seed, seeds: 1 }), 100)
          expect(again.flatMap(({ failures }) => failures.map(({ found }) => outcome(found)))).toStrictEqual(
            Array.from({ length: 100 }, () => outcome(found))
          )
        }),
      timeout
    )

    it.live(
      "is not in its twin, with 2,000 seeds",
      () =>
        Effect.gen(function* () {
          const { failures, seeds } = yield* explore(bug, "correct", { seeds: 2000, verify: false })
          expect(failures.map(({ failure }) => failure.message)).toStrictEqual([])
          expect(seeds).toBe(2000)
        }),
      timeout
    )
  })

// One after the other: a run has the thread to itself.
describe.sequential("planted bugs", () => {
  suite(lostUpdate)
  suite(lockOrder)
  suite(missedWakeUp)
  suite(timeoutRace)
  suite(leakedFiber)
  suite(doubleClose)
  suite(leakedConnection)
  suite(tornMessage)
  suite(messageAfterClose)
  suite(handlerOrder)
  suite(unboundedBuffer)
  suite(pingTimer)
  suite(reconnectStorm)
  suite(lostOnCrash)
})
