import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Config, ConfigProvider, Effect, Either, Fiber, Layer, Stream } from "effect"
import { Limits, Message, Network, WebSocketClient, WebSocketServer } from "sluice"
import * as WebSocket from "sluice/WebSocket"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { scenario, urlOf } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { assertBytes, pattern } from "../../sluice/test/support/bytes.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import { node } from "./support/hosts.js"

transportLaws(node.name, node)
messages(node)
closing(node)
flow(node)
serving(node)
connecting(node)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

describe("NodeNetwork", () => {
  const test = scenario(node)

  test(
    "a port that is none is an error, not a defect",
    Effect.gen(function* () {
      const network = yield* Network.Network
      for (const port of [-1, 65536, 1.5, Number.NaN]) {
        const connect = yield* Effect.flip(network.connect({ host: "127.0.0.1", port }))
        assert.deepStrictEqual([connect.reason, connect.operation], ["AddressNotAvailable", "connect"])
        const listen = yield* Effect.flip(network.listen({ port }))
        assert.deepStrictEqual([listen.reason, listen.operation], ["AddressNotAvailable", "listen"])
      }
    })
  )

  test(
    "an address that this machine does not have cannot be listened on",
    Effect.gen(function* () {
      const network = yield* Network.Network
      // RFC 5737: an address for documentation.
      const error = yield* Effect.flip(network.listen({ host: "198.51.100.7" }))
      assert.deepStrictEqual([error.reason, error.operation], ["AddressNotAvailable", "listen"])
    })
  )

  test(
    "a name is looked up, and the URL may have one",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({ host: "localhost" }, echo)
      const client = yield* WebSocketClient.connect(`ws://localhost:${address.port}`)
      yield* client.send("hello")
      assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
    })
  )

  test(
    "an IPv6 address stands in brackets in a URL",
    Effect.gen(function* () {
      const served = yield* Effect.either(WebSocketServer.serve({ host: "::1" }, echo))
      if (Either.isLeft(served)) {
        // A machine without IPv6.
        assert.strictEqual(served.left.reason, "AddressNotAvailable")
        return
      }
      const { address } = served.right
      assert.strictEqual(address.host, "::1")
      const client = yield* WebSocketClient.connect(urlOf(address))
      yield* client.send("hello")
      assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
      assert.match(urlOf(address), /^ws:\/\/\[::1\]:/)
    })
  )

  test(
    "connections that read at once into one buffer do not see what others read, and what one keeps stays as it is",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      // Whole in one chunk, several in a chunk, and gathered from many.
      const sizes = [1, 100, 5_000, 70_000, 300_000, 10, 200_000]
      const of = (client: number) => sizes.map((size) => pattern(size).map((byte) => byte ^ client))
      const clients = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (number) =>
        Effect.map(WebSocketClient.connect(urlOf(address)), (client) => ({ client, sent: of(number) }))
      )
      yield* Effect.forEach(
        clients,
        ({ client, sent }) =>
          Effect.gen(function* () {
            const received = yield* Effect.fork(Stream.runCollect(Stream.take(client.messages, sent.length)))
            yield* client.sendAll(sent)
            for (const [i, message] of Array.from(yield* Fiber.join(received)).entries()) {
              assertBytes(Message.payload(message), sent[i] ?? new Uint8Array(0), `message ${i}`)
            }
          }),
        { concurrency: "unbounded", discard: true }
      )
    })
  )

  it.effect("options may come from the configuration", () =>
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      const client = yield* WebSocketClient.connect(urlOf(address))
      yield* client.send(new Uint8Array(Limits.defaults.maxMessageSize as number))
      const [message] = yield* client.take
      assert.strictEqual(message?._tag, "Binary")
    }).pipe(
      Effect.scoped,
      Effect.provide(
        NodeNetwork.layerConfig({ highWaterMark: Config.integer("HIGH_WATER_MARK") }).pipe(
          Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["HIGH_WATER_MARK", "1024"]]))))
        )
      )
    )
  )
})
