import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect, Exit, Fiber, Option, Scope } from "effect"
import { Entropy } from "../src/Entropy.js"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Network from "../src/Network.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { laneless, memory, scenario, urlOf } from "./suites/host.js"
import { assertBytes, utf8 } from "./support/bytes.js"
import { turns } from "./support/turns.js"

for (const host of [memory, laneless]) transportLaws(host.name, host)

describe("MemoryNetwork", () => {
  const test = scenario(memory)

  test(
    "as many may wait to be accepted as the backlog says",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({ backlog: 2 })
      yield* network.connect(listener.address)
      yield* network.connect(listener.address)
      const error = yield* Effect.flip(network.connect(listener.address))
      assert.deepStrictEqual([error.reason, error.operation], ["ConnectionRefused", "connect"])
      assert.include(error.detail, "2 connections")
      yield* listener.accept
      yield* network.connect(listener.address)
    })
  )

  test(
    "ports that nobody asked for are taken in order, and those that are taken are left out",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const ports = Effect.map(network.listen({}), ({ address }) => address.port)
      assert.deepStrictEqual(yield* Effect.all([ports, ports]), [49152, 49153])
      yield* network.listen({ port: 49154 })
      assert.strictEqual(yield* ports, 49155)
      // The same port of another host is another address.
      assert.deepStrictEqual((yield* network.listen({ host: "::1", port: 49152 })).address, {
        host: "::1",
        port: 49152
      })
    })
  )

  it.effect("each layer is a network of its own", () =>
    Effect.gen(function* () {
      const listen = Effect.flatMap(Network.Network, (network) => network.listen({ port: 80 }))
      const connect = Effect.flatMap(Network.Network, (network) => network.connect({ host: "127.0.0.1", port: 80 }))
      yield* Effect.provide(listen, MemoryNetwork.layer())
      const error = yield* Effect.flip(Effect.provide(connect, MemoryNetwork.layer()))
      assert.strictEqual(error.reason, "ConnectionRefused")
    }).pipe(Effect.scoped)
  )

  it.effect("a sender waits when the window is full, and goes on when it is not", () =>
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const client = yield* network.connect(listener.address)
      const server = yield* listener.accept
      yield* client.write(utf8("1234"))
      yield* client.write(utf8("5678"))
      const third = yield* Effect.fork(client.write(utf8("9abc")))
      yield* turns()
      assert.isTrue(Option.isNone(yield* Fiber.poll(third)), "12 bytes are not below 10")
      assertBytes(yield* server.read, utf8("1234"))
      yield* Fiber.join(third)
      assertBytes(yield* server.read, utf8("5678"))
      assertBytes(yield* server.read, utf8("9abc"))
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer({ window: 10 })))
  )

  test(
    "the two sides share no memory",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const client = yield* network.connect(listener.address)
      const server = yield* listener.accept
      const sent = utf8("as it was")
      yield* client.write(sent)
      sent.fill(0)
      const received = yield* server.read
      assertBytes(received, utf8("as it was"))
      received.fill(1)
      assertBytes(sent, new Uint8Array(9))
    })
  )

  // Not on the test clock, which does more when it is used for the first time.
  it.live("a run is the same each time: the same bytes on the wire, in the same order", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        const trace: Array<string> = []
        const network = yield* Network.Network
        const seen: Network.Network["Type"] = {
          ...network,
          listen: (options) =>
            Effect.map(network.listen(options), ({ accept, address }) => ({
              address,
              accept: Effect.map(accept, (transport) => watched(transport, trace))
            }))
        }
        yield* Effect.gen(function* () {
          const { address } = yield* WebSocketServer.serve({}, (socket, { id }) =>
            WebSocket.runForEach(socket, (message) =>
              Effect.zipRight(Effect.yieldNow(), socket.sendAll([message, `${id}`]))
            )
          )
          const client = (i: number) =>
            Effect.gen(function* () {
              const socket = yield* WebSocketClient.connect(urlOf(address))
              for (let n = 0; n < 5; n++) {
                yield* socket.send(`${i} ${n}`)
                yield* socket.take
              }
            }).pipe(Effect.scoped)
          yield* Effect.forEach([1, 2, 3, 4], client, { concurrency: "unbounded" })
        }).pipe(Effect.scoped, Effect.provideService(Network.Network, seen))
        return trace
      })
      const once = Effect.suspend(() => {
        let next = 0
        const entropy = (size: number) => Uint8Array.from({ length: size }, () => (next++ * 31) & 0xff)
        const alike = Effect.provide(Effect.provideService(run, Entropy, entropy), MemoryNetwork.layer())
        // In a new fiber, since a fiber yields after so many steps of its own.
        return Effect.flatMap(Effect.fork(alike), Fiber.join)
      })
      const first = yield* once
      assert.isAbove(first.length, 40)
      assert.deepStrictEqual(yield* once, first)
    })
  )

  test(
    "a connection whose peer is in a closed scope is reset for it",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const scope = yield* Scope.make()
      const client = yield* network.connect(listener.address)
      yield* Scope.extend(listener.accept, scope)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(client.read)
      assert.isTrue(Option.isSome(error) && error.value.reason === "ConnectionReset")
    })
  )
})

/** A transport that says what is read and written, and by whom. */
const watched = (transport: Network.Transport, trace: Array<string>): Network.Transport => {
  const tell = (what: string, bytes: Uint8Array) =>
    trace.push(`${transport.remote.port} ${what} ${Buffer.from(bytes).toString("hex")}`)
  return {
    remote: transport.remote,
    local: transport.local,
    read: Effect.tap(transport.read, (bytes) => Effect.sync(() => tell("in", bytes))),
    write: (bytes) =>
      Effect.zipRight(
        Effect.sync(() => {
          for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) tell("out", chunk)
        }),
        transport.write(bytes)
      ),
    endOfOutput: transport.endOfOutput,
    abort: transport.abort
  }
}
