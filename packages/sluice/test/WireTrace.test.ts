import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option, Stream, TestClock } from "effect"
import * as Message from "../src/Message.js"
import type * as WebSocket from "../src/WebSocket.js"
import * as WireTrace from "../src/WireTrace.js"
import { against, memory, roles, scenario } from "./suites/host.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"
import { turns } from "./support/turns.js"

const test = scenario(memory)

/** All frames of a trace, once the connection has ended. */
const tracing = (socket: WebSocket.WebSocket, options?: WireTrace.Options) =>
  Effect.zipLeft(Effect.fork(Stream.runCollect(WireTrace.frames(socket, options))), turns())

const lines = (frames: Iterable<WireTrace.TracedFrame>) => Array.from(frames, WireTrace.format)

for (const role of roles) {
  describe(`a trace of the ${role}`, () => {
    test(
      "shows the frames of both ways in order, without their payloads, and ends with the connection",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(memory, role)
        const trace = yield* tracing(socket)
        yield* peer.send(Peer.text("hello"), { opcode: 2, fin: false, payload: new Uint8Array(3) }, Peer.ping("?"), {
          opcode: 0
        })
        yield* turns()
        yield* socket.send("näh")
        yield* socket.send(Message.encode(Message.binary(new Uint8Array(9))))
        yield* Effect.fork(Stream.runDrain(peer.frames))
        yield* socket.send(new Uint8Array(100_000))
        yield* turns()
        yield* peer.send(Peer.close(4000, "secret"))
        yield* turns()
        yield* peer.transport.endOfOutput
        const frames = yield* Fiber.join(trace)
        assert.deepStrictEqual(lines(frames), [
          "received Text, 5 bytes",
          "received Binary, 3 bytes, more follows",
          "received Ping, 1 bytes",
          "received Continuation, 0 bytes",
          "sent Pong, 1 bytes",
          "sent Text, 4 bytes",
          "sent Binary, 9 bytes",
          "sent Binary, 100000 bytes",
          "received Close, 4000 (Private Use), 8 bytes",
          "sent Close, 4000 (Private Use), 2 bytes"
        ])
        for (const { payload } of frames) assert.isTrue(Option.isNone(payload))
      })
    )

    test(
      "shows as much of the payloads as it was asked for",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(memory, role)
        const trace = yield* tracing(socket, { payload: 3 })
        yield* peer.send(Peer.text("ab"), Peer.text("abcd"))
        yield* turns()
        yield* socket.send(new Uint8Array([1, 2, 3, 4]))
        yield* turns()
        yield* peer.transport.abort
        assert.deepStrictEqual(lines(yield* Fiber.join(trace)), [
          "received Text, 2 bytes, 61 62",
          "received Text, 4 bytes, 61 62 63 …",
          "sent Binary, 4 bytes, 01 02 03 …"
        ])
      })
    )

    test(
      "costs a bounded number of frames when it is read too slowly, and holds nobody up",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(memory, role)
        const seen: Array<string> = []
        const trace = yield* WireTrace.frames(socket, { bufferSize: 4 }).pipe(
          Stream.runForEach((frame) =>
            Effect.zipRight(
              Effect.sync(() => seen.push(WireTrace.format(frame))),
              Effect.sleep("1 second")
            )
          ),
          Effect.fork
        )
        yield* turns()
        yield* Effect.fork(Stream.runDrain(socket.messages))
        for (let i = 0; i < 50; i++) yield* peer.send(Peer.binary(new Uint8Array(i)))
        yield* turns()
        yield* peer.send(Peer.ping())
        assert.strictEqual(yield* peer.hear, "Pong")
        yield* peer.transport.abort
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(trace)
        assert.isAtMost(seen.length, 10)
        assert.strictEqual(seen.at(-1), "sent Pong, 0 bytes")
      })
    )

    test(
      "is logged in lines, two traces at once are both served, and one that has ended costs nothing",
      logged((logs) =>
        Effect.gen(function* () {
          const { peer, socket } = yield* against(memory, role)
          const trace = yield* tracing(socket)
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* WireTrace.log(socket)
              yield* TestClock.adjust("5 seconds")
              yield* turns()
              yield* peer.send(Peer.text("logged"))
              yield* turns()
            })
          )
          yield* peer.send(Peer.text("not logged"))
          yield* turns()
          yield* peer.transport.abort
          const frames = lines(yield* Fiber.join(trace)).filter((line) => line.includes("Text"))
          assert.deepStrictEqual(frames, ["received Text, 6 bytes", "received Text, 10 bytes"])
          const [line, ...others] = logs.filter(({ text }) => text.includes("Text"))
          assert.match(line?.text ?? "", /level=DEBUG .*message="received Text, 6 bytes".* after=5s/)
          assert.deepStrictEqual(others, [])
        })
      )
    )
  })
}
