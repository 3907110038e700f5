import { assert, describe, it } from "@effect/vitest"
import { Effect, Equal } from "effect"
import { Network, Rejection, WebSocketClient } from "sluice"
import { ask, serve } from "../custom-protocol/counter.js"
import { echo } from "../echo/echo.js"
import { networks } from "./support/networks.js"

describe("custom-protocol", () => {
  for (const [where, network] of networks) {
    it.scopedLive(`counts over counter/1 and over WebSocket, on one address, ${where}`, () =>
      Effect.gen(function* () {
        const { address } = yield* serve(0)
        assert.deepStrictEqual(yield* ask(address, ["add 1"]), ["total 1"])

        const socket = yield* WebSocketClient.connect(`ws://${Network.formatAddress(address)}/`)
        yield* socket.send("add 10")
        assert.deepStrictEqual(yield* socket.take, [{ _tag: "Text", text: "total 11" }])

        const lines = ["add 100", "what?", "add -1", "add 9999999999"] as const
        assert.deepStrictEqual(yield* ask(address, lines), [
          "total 111",
          "say: add NUMBER",
          "total 110",
          "say: add NUMBER"
        ])

        yield* socket.send(new Uint8Array(1))
        assert.deepInclude(yield* socket.closed, { _tag: "Clean", code: 1003 })
      }).pipe(Effect.provide(network))
    )

    it.scopedLive(`is told when the server does not speak it, ${where}`, () =>
      Effect.gen(function* () {
        const { address } = yield* echo(0)
        const error = yield* Effect.flip(ask(address, ["add 1"]))
        assert.isTrue(Equal.equals(error, new Rejection.NotAnUpgrade()), `${error}`)
      }).pipe(Effect.provide(network))
    )
  }
})
