import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Logger, LogLevel } from "effect"
import { Network } from "sluice"
import { operations } from "./operations.js"

const program = Effect.gen(function* () {
  const address = Network.formatAddress(yield* operations(yield* Config.withDefault(Config.integer("PORT"), 8080)))
  yield* Console.log(`The clock is at ws://${address}/, and http://${address}/ready and /metrics say how it is`)
  return yield* Effect.never
})

// SIGTERM interrupts the program: its scope ends, and the server drains. `Debug` shows each connection in the log.
NodeRuntime.runMain(program.pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Debug)), {
  disablePrettyLogger: true
})
