import { describe } from "@effect/vitest"
import { TransportLaws } from "@sluice/conformance"
import { transportLaws } from "@sluice/conformance/vitest"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { proxying } from "../../sluice/test/suites/proxying.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import { it } from "../src/vitest.js"
import { sim, simInPieces } from "./support/hosts.js"

for (const host of [sim, simInPieces]) {
  transportLaws(host.name, host)
  messages(host)
  closing(host)
  flow(host)
  serving(host)
  connecting(host)
  proxying(host)
  upgrading(host)
  redirecting(host)
}

/** They are about large amounts, which take too many steps. */
const long = /^(?:one large chunk|64 connections)/

describe("a transport in a simulation", () => {
  // A turn comes when nothing else can: few are enough.
  const laws = TransportLaws.laws({ held: sim.held, patience: 64 })
  for (const { name, test } of laws.filter(({ name }) => !long.test(name))) {
    it.simulate(name, { seeds: 2, verify: false }, test)
  }
})
