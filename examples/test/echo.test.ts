import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Message, Network, WebSocketClient } from "sluice"
import { echo } from "../echo/echo.js"
import { networks } from "./support/networks.js"

describe("echo", () => {
  for (const [where, network] of networks) {
    it.scopedLive(`sends back what it gets, ${where}`, () =>
      Effect.gen(function* () {
        const { address } = yield* echo(0)
        const socket = yield* WebSocketClient.connect(`ws://${Network.formatAddress(address)}/`)
        for (const message of [Message.text("Hello"), Message.binary(new Uint8Array([1, 2, 3]))]) {
          yield* socket.send(message)
          const [reply] = yield* socket.take
          assert.deepStrictEqual(reply && Message.payload(reply), Message.payload(message))
          assert.strictEqual(reply?._tag, message._tag)
        }
      }).pipe(Effect.provide(network))
    )
  }
})
