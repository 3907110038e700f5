import { defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

/** Inside the repository a package is its sources: no build is needed before a test. */
const conditions = ["source", ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects,
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    sequence: { concurrent: true },
    // The tests of a file run at once, so each has to wait for all: only what hangs takes so long.
    testTimeout: 120_000,
    hookTimeout: 30_000
  }
})
