// The tests of a mutation run: those of the pure core, which need no fiber of their own and no network.
import { fileURLToPath } from "node:url"
import { Tinypool } from "tinypool"
import { defineConfig } from "vitest/config"
import { BaseSequencer } from "vitest/node"

const pure = "CloseCode,Extension,Fields,Frame,Handshake,Http1,Message,Protocol,Rejection,Upgrade,Upgrade.client"
const internal = "accumulator,frameHeader,masking,redirection,utf8"

/** The tests of the room come first: they are the ones that notice, and no other is run for a mutant that is noticed. */
class OwnFirst extends BaseSequencer {
  /** @override @param {ReadonlyArray<import("vitest/node").TestSpecification>} files */
  async sort(files) {
    const isOther = (/** @type {import("vitest/node").TestSpecification} */ file) =>
      Number(!file.moduleId.endsWith(`/${process.env.ROOM}.test.ts`))
    return [...files].sort((one, other) => isOther(one) - isOther(other) || one.moduleId.localeCompare(other.moduleId))
  }
}

// A new worker for each mutant would take longer than the tests; .ci/mutation-setup.mjs makes the old one as good as new.
Tinypool.prototype.recycleWorkers = () => Promise.resolve()

export default defineConfig({
  root: fileURLToPath(new URL("../packages/sluice", import.meta.url)),
  test: {
    include: [`test/{${pure}}.test.ts`, `test/internal/{${internal}}.test.ts`],
    poolOptions: { threads: { isolate: false } },
    // What a test covers is told from when it ran.
    sequence: { concurrent: false, setupFiles: "list", sequencer: OwnFirst },
    setupFiles: [fileURLToPath(new URL("mutation-setup.mjs", import.meta.url))],
    testTimeout: 30_000,
    hookTimeout: 30_000
  }
})
