import { NodeRuntime } from "@effect/platform-node"
import { NodeNetwork } from "@sluice/node"
import { Config, Console, Effect } from "effect"
import { stayConnected } from "./client.js"

// Start the echo example, then this; then stop the echo and start it again.
const program = Effect.gen(function* () {
  const url = yield* Config.withDefault(Config.string("URL"), "ws://127.0.0.1:8080/")
  yield* stayConnected({ url, token: Effect.succeed("a secret"), report: Console.log })
})

NodeRuntime.runMain(program.pipe(Effect.provide(NodeNetwork.layer())))
