import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, type Layer, Option, type Scope, Stream } from "effect"
import { pushBack } from "../../src/internal/pushBack.js"
import * as MemoryNetwork from "../../src/MemoryNetwork.js"
import * as Network from "../../src/Network.js"
import { withoutLanes } from "../suites/host.js"
import { assertBytes, concat, utf8 } from "../support/bytes.js"
import { toLatin1 } from "../support/http.js"
import { turns } from "../support/turns.js"

const pair = Effect.gen(function* () {
  const network = yield* Network.Network
  const listener = yield* network.listen({})
  const client = yield* network.connect(listener.address)
  return { client, server: yield* listener.accept }
})

const networks: ReadonlyArray<readonly [name: string, layer: Layer.Layer<Network.Network>]> = [
  ["a transport with a lane", MemoryNetwork.layer()],
  ["a transport without", withoutLanes(MemoryNetwork.layer())]
]

for (const [name, layer] of networks) {
  const scenario = <E>(what: string, test: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    it.effect(what, () => Effect.scoped(Effect.provide(test, layer)))

  describe(`${name}, pushed back`, () => {
    scenario(
      "reads the bytes, then what comes, then the end",
      Effect.gen(function* () {
        const { client, server } = yield* pair
        const pushed = pushBack(client, utf8("before "))
        yield* server.write(utf8("after"))
        yield* server.endOfOutput
        const chunks = yield* Stream.runCollect(Network.reads(pushed))
        assert.strictEqual(toLatin1(concat(Chunk.toReadonlyArray(chunks))), "before after")
        assert.isTrue(Option.isNone(yield* Effect.flip(pushed.read)))
      })
    )

    scenario(
      "writes, ends and knows where it is as before",
      Effect.gen(function* () {
        const { client, server } = yield* pair
        const pushed = pushBack(client, utf8("x"))
        assert.deepStrictEqual([pushed.remote, pushed.local], [client.remote, client.local])
        assert.strictEqual(pushed.lane === undefined, client.lane === undefined)
        yield* pushed.write([utf8("a"), utf8("b")])
        yield* pushed.endOfOutput
        const chunks = yield* Stream.runCollect(Network.reads(server))
        assert.strictEqual(toLatin1(concat(Chunk.toReadonlyArray(chunks))), "ab")
      })
    )

    scenario(
      "waits for room as before",
      Effect.gen(function* () {
        const { client, server } = yield* pair
        const pushed = pushBack(client, utf8("x"))
        const writing = yield* Effect.fork(Effect.forEach([1, 2, 3], () => pushed.write(new Uint8Array(64 * 1024))))
        yield* turns()
        assert.isNull(writing.unsafePoll())
        yield* Stream.runDrain(Stream.take(Network.reads(server), 3))
        yield* writing.await
        assertBytes(yield* pushed.read, utf8("x"))
      })
    )

    scenario(
      "has the bytes also when the peer has broken off",
      Effect.gen(function* () {
        const { client, server } = yield* pair
        const pushed = pushBack(client, utf8("x"))
        yield* server.abort
        yield* turns()
        assertBytes(yield* pushed.read, utf8("x"))
        const error = yield* Effect.flip(pushed.read)
        assert.isTrue(Option.isSome(error) && error.value.reason === "ConnectionReset")
      })
    )

    scenario(
      "has nothing after an abort of its own",
      Effect.gen(function* () {
        const { client, server } = yield* pair
        const pushed = pushBack(client, utf8("x"))
        yield* pushed.abort
        assert.isTrue(Option.isSome(yield* Effect.flip(pushed.read)))
        assert.isTrue(Option.isSome(yield* Effect.flip(server.read)))
      })
    )

    scenario(
      "of no bytes is itself",
      Effect.gen(function* () {
        const { client } = yield* pair
        assert.strictEqual(pushBack(client, new Uint8Array(0)), client)
      })
    )
  })
}

describe("the lane of a transport, pushed back", () => {
  it.effect("polls the bytes first, and then with the room of the caller", () =>
    Effect.gen(function* () {
      const { client } = yield* pair
      const rooms: Array<Uint8Array | undefined> = []
      const { lane } = client
      if (lane === undefined) assert.fail()
      const watched: Network.Lane = {
        ...lane,
        poll: (room) => {
          rooms.push(room)
          return lane.poll(room)
        }
      }
      const pushed = pushBack(Network.fromLane(watched, client), utf8("x")).lane
      const room = new Uint8Array(8)
      const first = pushed?.poll(room)
      assert.isTrue(first instanceof Uint8Array && toLatin1(first) === "x")
      assert.deepStrictEqual([pushed?.poll(room), rooms], ["Pending", [room]])
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )

  it.effect("has no second life after its abort", () =>
    Effect.gen(function* () {
      const { client } = yield* pair
      const pushed = pushBack(client, utf8("x")).lane
      pushed?.abort()
      assert.isTrue(pushed?.poll() instanceof Network.TransportError)
      assert.isTrue(pushed?.failure() instanceof Network.TransportError)
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )
})
