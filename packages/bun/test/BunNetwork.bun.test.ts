/** Runs on Bun only: `npm test` starts it there. */
import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Config, ConfigProvider, Effect, Either, Fiber, Layer, Stream } from "effect"
import { Limits, Message, Network, WebSocketClient, WebSocketServer } from "sluice"
import * as WebSocket from "sluice/WebSocket"
import { advisories } from "../../sluice/test/suites/advisories.js"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { type Host, scenario, urlOf } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { assertBytes, pattern } from "../../sluice/test/support/bytes.js"
import * as BunNetwork from "../src/BunNetwork.js"

/** What the kernel takes for a peer that does not read: the buffers of both ends of a loopback connection. */
const kernel = 16 * 1024 * 1024

const bun: Host = {
  name: "bun",
  network: BunNetwork.layer(),
  serve: WebSocketServer.serve,
  held: kernel,
  sizes: [20_000, 200_000],
  isGuest: false
}

transportLaws(bun.name, bun)
messages(bun)
closing(bun)
flow(bun)
serving(bun)
connecting(bun)
advisories(bun)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

describe("BunNetwork", () => {
  const test = scenario(bun)

  it("runs on Bun", () => {
    assert.isDefined(process.versions.bun)
  })

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
    "an address that this machine does not have cannot be listened on, nor one that is taken",
    Effect.gen(function* () {
      const network = yield* Network.Network
      // RFC 5737: an address for documentation.
      const error = yield* Effect.flip(network.listen({ host: "198.51.100.7" }))
      assert.deepStrictEqual([error.reason, error.operation], ["AddressNotAvailable", "listen"])
      const { address } = yield* network.listen({})
      const taken = yield* Effect.flip(network.listen(address))
      assert.deepStrictEqual([taken.reason, taken.operation], ["AddressInUse", "listen"])
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
      const client = yield* WebSocketClient.connect(urlOf(served.right.address))
      yield* client.send("hello")
      assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
    })
  )

  // Effect 3.22 loses 680 of these on Bun, without an error.
  test(
    "of 1,000 writes to a peer that stalls none is lost, and each is whole and in order",
    Effect.gen(function* () {
      const count = 1000
      const size = 64 * 1024
      const { address } = yield* WebSocketServer.serve({}, (socket) =>
        Effect.forEach(Array.from({ length: count }), (_, i) => socket.send(pattern(size).fill(i % 251)), {
          discard: true
        })
      )
      const client = yield* WebSocketClient.connect(urlOf(address))
      // It reads nothing until the server has filled all there is.
      yield* Effect.repeatN(Effect.yieldNow({ priority: 1 }), 1000)
      let received = 0
      yield* Stream.runForEach(client.messages, (message) =>
        Effect.sync(() => {
          const bytes = Message.payload(message)
          if (bytes.length !== size || bytes.some((byte) => byte !== received % 251)) {
            assert.fail(`message ${received}: ${bytes.length} bytes of ${bytes[0]}`)
          }
          received++
        })
      )
      assert.strictEqual(received, count)
    })
  )

  test(
    "connections that speak at once do not see what others read",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
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
        BunNetwork.layerConfig({ highWaterMark: Config.integer("HIGH_WATER_MARK") }).pipe(
          Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["HIGH_WATER_MARK", "1024"]]))))
        )
      )
    )
  )
})
