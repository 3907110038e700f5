/** sluice itself on a bad network: what must hold whatever happens there. */
import { describe } from "@effect/vitest"
import * as Fault from "../src/Fault.js"
import { it } from "../src/vitest.js"
import { chaos, flood, options, type Scenario, verdict } from "./support/chaosService.js"

const everything = Fault.chaos({ horizon: "6 seconds", stalls: 1.5, cuts: 1, partitions: 0.5 })

const crashes = Fault.chaos({ horizon: "4 seconds", stalls: 1, hosts: ["server"], crashes: 1.5 })

/** Milliseconds: more than a slow machine takes. */
const timeout = 300_000

const scenarios: ReadonlyArray<readonly [name: string, scenario: Scenario, faults?: Fault.Chaos]> = [
  ["echo, and reconnect", { talk: "Echo", messages: 12, drains: false }],
  ["messages in pieces", { talk: "Streamed", messages: 3, drains: false }],
  ["pings in between", { talk: "Pings", messages: 9, drains: false }],
  ["a slow server", { talk: "Slow", messages: 12, drains: false }],
  ["a server that drains and starts again", { talk: "Echo", messages: 12, drains: true }],
  ["a server that crashes and starts again", { talk: "Echo", messages: 12, drains: false }, crashes]
]

// One after the other: a run has the thread to itself.
describe.sequential("sluice under chaos", () => {
  // That a seed is the same run each time is seen elsewhere; here each is run once.
  for (const [name, scenario, faults = everything] of scenarios) {
    it.simulate(
      name,
      { ...options, seeds: 400, faults: [faults], check: verdict, verify: false, timeout },
      chaos(scenario)
    )
  }

  // In single bytes such a flood would take long.
  const slow = Fault.chaos({ horizon: "1 minute", cuts: 0.3, stalls: 3, chunking: false })
  const checked = { ...options, check: verdict, verify: false, timeout }
  it.simulate("peers that stop reading cost a bounded number of bytes", { ...checked, seeds: 100 }, flood)
  it.simulate("the same on a slow network", { ...checked, seeds: 100, faults: [slow] }, flood)
})
