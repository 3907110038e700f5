import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Option } from "effect"
import { Network } from "sluice"
import { serve } from "./server.js"

const program = Effect.gen(function* () {
  const port = yield* Config.option(Config.integer("PORT"))
  // Port 3000 if nothing else was said, or any other if somebody has it already.
  const address = yield* Option.match(port, { onSome: serve, onNone: () => Effect.orElse(serve(3000), () => serve(0)) })
  yield* Console.log(`The chat is at http://${Network.formatAddress(address)} - open it in two tabs`)
  return yield* Effect.never
})

// Ctrl-C and SIGTERM interrupt the program: its scope ends, and with it all that belongs to it.
NodeRuntime.runMain(Effect.scoped(program))
