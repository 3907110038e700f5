import { NodeRuntime } from "@effect/platform-node"
import { NodeNetwork } from "@sluice/node"
import { Config, Console, Effect } from "effect"
import { Network } from "sluice"
import { echo } from "./echo.js"

const program = Effect.gen(function* () {
  const { address } = yield* echo(yield* Config.withDefault(Config.integer("PORT"), 8080))
  yield* Console.log(`The echo listens on ws://${Network.formatAddress(address)}`)
  // The server lives as long as the scope it was made in: until Ctrl-C, and until everybody was told to leave.
  return yield* Effect.never
})

// The network is chosen here, at the edge; the service does not know which one it is.
NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeNetwork.layer())))
