import { NodeRuntime } from "@effect/platform-node"
import { NodeNetwork } from "@sluice/node"
import { Config, Console, Effect } from "effect"
import { Network, WebSocketClient } from "sluice"
import { ask, serve } from "./counter.js"

const program = Effect.gen(function* () {
  const { address } = yield* serve(yield* Config.withDefault(Config.integer("PORT"), 0))
  yield* Console.log(`The counter listens on ${Network.formatAddress(address)}`)

  yield* Console.log("counter/1:", yield* ask(address, ["add 1", "add 20", "subtract 3"]))

  // The same counter, on the same address, over WebSocket.
  const socket = yield* WebSocketClient.connect(`ws://${Network.formatAddress(address)}/`)
  yield* socket.send("add 300")
  yield* Console.log("websocket:", yield* socket.take)
})

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeNetwork.layer())))
