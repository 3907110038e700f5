import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Network } from "sluice"
import * as BunNetwork from "../src/BunNetwork.js"

describe("BunNetwork on another host", () => {
  it.scoped("says that it needs Bun, and what to use", () =>
    Effect.gen(function* () {
      const network = yield* Network.Network
      for (const error of [
        yield* Effect.flip(network.connect({ host: "127.0.0.1", port: 1 })),
        yield* Effect.flip(network.listen({}))
      ]) {
        assert.strictEqual(error.reason, "Unsupported")
        assert.match(error.message, /does not run on Bun; on Node\.js there is @sluice\/node/)
      }
    }).pipe(Effect.provide(BunNetwork.layer()))
  )
})
