/** What networks on the sockets of a host have in common: addresses, names, ports, many bytes, and their options. */
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Either, Fiber, Layer, Stream } from "effect"
import type { ConfigError } from "effect/ConfigError"
import * as Limits from "../../src/Limits.js"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { assertBytes, pattern } from "../support/bytes.js"
import { settled } from "../support/turns.js"
import { type Host, scenario, urlOf } from "./host.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

export const sockets = (
  host: Host,
  layerConfig: (options: { readonly highWaterMark: Config.Config<number> }) => Layer.Layer<Network.Network, ConfigError>
): void => {
  describe(`the sockets of ${host.name}`, () => {
    const test = scenario(host)

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
        const { address } = served.right
        assert.strictEqual(address.host, "::1")
        const client = yield* WebSocketClient.connect(urlOf(address))
        yield* client.send("hello")
        assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
        assert.match(urlOf(address), /^ws:\/\/\[::1\]:/)
      })
    )

    test(
      "connections that read at once do not see what others read, and what one keeps stays as it is",
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

    // Effect 3.22 loses 680 of these on Bun, without an error.
    test(
      "of 1,000 writes to a peer that stalls none is lost, and each is whole and in order",
      Effect.gen(function* () {
        const count = 1000
        const size = 64 * 1024
        let sent = 0
        const { address } = yield* WebSocketServer.serve({}, (socket) =>
          Effect.whileLoop({
            while: () => sent < count,
            body: () => socket.send(new Uint8Array(size).fill(sent % 251)),
            step: () => {
              sent++
            }
          })
        )
        const client = yield* WebSocketClient.connect(urlOf(address))
        // It reads nothing until the server has filled all there is.
        assert.isBelow(yield* settled(() => sent), count)
        let received = 0
        yield* WebSocket.runForEach(client, (message) =>
          Effect.sync(() => {
            assertBytes(Message.payload(message), new Uint8Array(size).fill(received % 251), `message ${received}`)
            received++
          })
        )
        assert.strictEqual(received, count)
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
          layerConfig({ highWaterMark: Config.integer("HIGH_WATER_MARK") }).pipe(
            Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["HIGH_WATER_MARK", "1024"]]))))
          )
        )
      )
    )
  })
}
