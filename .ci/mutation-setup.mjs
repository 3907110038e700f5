// Before each file of tests of a mutation run. One worker runs them all, so that `effect` is loaded once: here is what
// keeps a file, and a mutant, from those before it.
import { FastCheck } from "effect"
import { inject, vi } from "vitest"

// The modules are loaded anew, and not as an earlier mutant left them.
vi.resetModules()
// The same samples in each run, so that a score can be compared with an earlier one.
FastCheck.configureGlobal({ seed: 6455 })

/** What the instrumented modules and the test runner tell each other. @typedef {Record<string, unknown>} Shared */

const shared = /** @type {{ __stryker__?: Shared }} */ (globalThis).__stryker__
if (shared !== undefined) {
  shared.mutantCoverage = { static: {}, perTest: {} }
  shared.hitCount = undefined
  // A mutant of what runs while a module is loaded is active from the start, every other one from the first test.
  const activation = /** @type {(key: string) => unknown} */ (inject)("mutantActivation")
  if (activation !== "static") shared.activeMutant = undefined
}
