import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect } from "effect"
import { Network } from "sluice"
import { serve } from "./server.js"

const program = Effect.gen(function* () {
  const address = yield* serve(yield* Config.withDefault(Config.integer("PORT"), 8080))
  yield* Console.log(`Open http://${Network.formatAddress(address)}/ and connect with the token of Ada: ada's token`)
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.scoped(program))
