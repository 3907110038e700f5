import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Network } from "sluice"
import * as TransportLaws from "../src/TransportLaws.js"
import { transportLaws } from "../src/vitest.js"
import { lanes, network } from "./support/brokenNetwork.js"
import { plantedFaults } from "./support/plantedFaults.js"

/** Enough for a network in memory, as the tests of the one without a fault show. */
const options: TransportLaws.Options = { held: 64 * 1024, patience: 150 }

const laws = new Map(TransportLaws.laws(options).map((law) => [law.name, law]))

const namesOf = (name: string): ReadonlyArray<string> =>
  name.includes("?") ? ["client", "server"].map((side) => name.replaceAll("?", side)) : [name]

// The same decoration as the broken ones have, and nothing broken.
transportLaws("lanes of which none is broken", { ...options, network: lanes(() => ({})) })

describe("a network with a fault breaks the law", () => {
  for (const { breaks, fault, network, says } of plantedFaults) {
    describe(`it ${fault}`, () => {
      for (const [i, name] of breaks.flatMap(namesOf).entries()) {
        it.effect(name, () =>
          Effect.gen(function* () {
            const law = laws.get(name)
            if (law === undefined) return assert.fail(`there is no law ${name}`)
            const error = yield* Effect.flip(TransportLaws.check(law, network))
            assert.strictEqual(error._tag, "LawBroken", error.message)
            if (error._tag !== "LawBroken") return
            assert.strictEqual(error.law, name)
            if (i === 0) assert.match(error.message, says, error.message)
            assert.strictEqual(error.message, `${name}: expected ${error.expected}; seen ${error.seen}`)
          })
        )
      }
    })
  }

  it("of which there is none that no planted fault breaks", () => {
    const broken = new Set(plantedFaults.flatMap(({ breaks }) => breaks.flatMap(namesOf)))
    assert.deepStrictEqual(
      [...laws.keys()].filter((name) => !broken.has(name)),
      []
    )
  })
})

describe("laws", () => {
  it("each have a name of their own, and say what they demand", () => {
    const all = TransportLaws.laws(options)
    assert.strictEqual(laws.size, all.length)
    for (const { demand } of all) assert.match(demand, /^[A-Z`].*[.]$/)
  })

  it.effect("cannot be tried on a network that connects to nobody", () =>
    Effect.gen(function* () {
      const closed = new Network.TransportError({ reason: "HostUnreachable", operation: "connect", detail: "planted" })
      const law = laws.get("both ends know each other's address")!
      const error = yield* Effect.flip(
        TransportLaws.check(
          law,
          network(() => ({ connect: () => Effect.fail(closed) }))
        )
      )
      assert.strictEqual(error, closed)
    })
  )
})
