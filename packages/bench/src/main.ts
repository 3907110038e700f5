/** The benchmark: `npm run bench`. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { main } from "./cli.js"

const program = Effect.map(main(process.argv.slice(2)), (status) => {
  // Not an exit: what was printed may still have to be written.
  process.exitCode = status
})

NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
