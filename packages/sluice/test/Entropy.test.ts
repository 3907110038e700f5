import { assert, describe, it } from "@effect/vitest"
import { Effect, Encoding, Fiber, Option, Stream } from "effect"
import { Entropy } from "../src/Entropy.js"
import * as Network from "../src/Network.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import { memory, urlOf } from "./suites/host.js"
import * as Peer from "./support/peer.js"

describe("Entropy", () => {
  it.effect("is random without being asked for", () =>
    Effect.gen(function* () {
      const entropy = yield* Entropy
      const seen = new Set(Array.from({ length: 100 }, () => entropy(16).join()))
      assert.strictEqual(seen.size, 100)
      for (const size of [0, 1, 4, 1000]) assert.strictEqual(entropy(size).length, size)
    })
  )

  it.effect("is where the key of a client and its masks come from (RFC 6455 §4.1, §5.3)", () =>
    Effect.gen(function* () {
      const given: Array<Uint8Array> = []
      let next = 0
      const entropy = (size: number) => {
        const bytes = new Uint8Array(size)
        const view = new DataView(bytes.buffer)
        for (let at = 0; at + 4 <= size; at += 4) view.setUint32(at, 0x9e3779b9 * ++next)
        given.push(bytes.slice())
        return bytes
      }
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const connecting = yield* Effect.fork(
        Effect.provideService(WebSocketClient.connect(urlOf(listener.address)), Entropy, entropy)
      )
      const transport = yield* listener.accept
      const { head } = yield* Peer.readHead(transport)
      assert.include(head, `\r\nSec-WebSocket-Key: ${Encoding.encodeBase64(given[0]!)}\r\n`)
      yield* transport.write(Peer.switching(head))
      const socket = yield* Fiber.join(connecting)
      yield* Effect.fork(socket.sendAll(Array.from({ length: 200 }, () => "x".repeat(20))))
      const peer = Peer.make(transport, "server")
      const keys: Array<number> = []
      for (let i = 0; i < 200; i++) {
        const frame = Option.getOrThrow(yield* Stream.runHead(peer.frames))
        keys.push(frame.maskingKey ?? -1)
      }
      // Each frame has a key of its own, of four bytes that were given, and that were not used before.
      assert.strictEqual(new Set(keys).size, 200)
      const pool = Buffer.concat(given.slice(1)).toString("hex")
      for (const key of keys) {
        const bytes = Buffer.alloc(4)
        bytes.writeUInt32BE(key >>> 0)
        assert.isTrue(
          pool.includes(bytes.toString("hex")) || pool.includes(bytes.swap32().toString("hex")),
          String(key)
        )
      }
    }).pipe(Effect.scoped, Effect.provide(memory.network))
  )
})
