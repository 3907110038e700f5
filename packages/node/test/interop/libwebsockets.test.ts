/**
 * The test programs of libwebsockets. They speak subprotocols of their own: `lws-mirror-protocol`, in which the server
 * sends back what it gets, and `dumb-increment-protocol`, in which it sends numbers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Queue, type Scope } from "effect"
import { Message, type Network, Protocol, WebSocket, WebSocketClient } from "sluice"
import { leavesNoFiber } from "../../../sluice/test/support/fibers.js"
import { node, upgrade } from "../support/hosts.js"
import { libwebsockets } from "./peers.js"
import { baseOf } from "./support/dialogue.js"
import { where } from "./support/needs.js"
import { start, startOnFreePort } from "./support/program.js"

/** Says what happens, too, not only what goes wrong. */
const talkative = ["-d", "15"]

const test = <E>(what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
  it.effect(what, () => leavesNoFiber(Effect.scoped(Effect.provide(run, node.network))))

/** The server, and a client of ours that speaks this with it. */
const connected = <const P extends string>(subprotocol: P) =>
  Effect.gen(function* () {
    const command = (port: number) =>
      Effect.succeed({ words: [libwebsockets.server, "-i", "lo", `--port=${port}`, ...talkative] })
    const port = yield* startOnFreePort(command, /-> OPERATIONAL/)
    return yield* WebSocketClient.connect({ url: baseOf({ host: "127.0.0.1", port }), subprotocols: [subprotocol] })
  })

where([libwebsockets.needs], "libwebsockets", () => {
  describe("our client of libwebsockets", () => {
    test(
      "texts, as long as the server can send back whole, and a close with code and reason",
      Effect.gen(function* () {
        const socket = yield* connected("lws-mirror-protocol")
        assert.strictEqual(socket.subprotocol, "lws-mirror-protocol")
        for (const size of [0, 1, 125, 126, 4000]) {
          yield* socket.send("x".repeat(size))
          assert.deepStrictEqual(yield* socket.take, [Message.text("x".repeat(size))])
        }
        assert.deepStrictEqual(
          yield* socket.close({ code: 4000, reason: "bye" }),
          Protocol.CloseReason.Clean({ code: 4000, reason: "bye", initiator: "local" })
        )
      })
    )

    test(
      "what the server sends by itself, a Ping, and a close that the server begins",
      Effect.gen(function* () {
        const socket = yield* connected("dumb-increment-protocol")
        yield* socket.ping
        const [first] = yield* socket.take
        assert.deepStrictEqual(first, Message.text("0"))
        yield* socket.send("closeme\n")
        assert.deepStrictEqual(
          yield* socket.closed,
          Protocol.CloseReason.Clean({ code: 1001, reason: "seeya", initiator: "peer" })
        )
      })
    )

    test(
      "a subprotocol that it does not know: it hangs up, and that is an error",
      Effect.gen(function* () {
        const error = yield* Effect.flip(connected("unknown"))
        assert.strictEqual(error._tag, "InvalidResponse")
      })
    )
  })

  for (const host of [node, upgrade]) {
    test(
      `libwebsockets as a client of ${host.name}: subprotocols, messages both ways, permessage-deflate declined, a close`,
      Effect.gen(function* () {
        const offers = yield* Queue.unbounded<ReadonlyArray<string>>()
        const mirrored = yield* Queue.unbounded<Message.Message>()
        const closing = yield* Deferred.make<Protocol.CloseReason>()
        const { address } = yield* host.serve(
          {
            subprotocols: ["lws-mirror-protocol", "dumb-increment-protocol"],
            // It sends an Origin without the port.
            origin: "any",
            authenticate: ({ extensions }) =>
              Queue.offer(
                offers,
                extensions.map(({ name }) => name)
              )
          },
          (socket) =>
            socket.subprotocol === "lws-mirror-protocol"
              ? WebSocket.runForEach(socket, (message) =>
                  Effect.zipRight(Queue.offer(mirrored, message), socket.send(message))
                )
              : Effect.gen(function* () {
                  yield* socket.send("7")
                  yield* socket.ping
                  yield* Deferred.succeed(closing, yield* socket.close({ code: 4321, reason: "enough" }))
                })
        )
        const program = yield* start({
          words: [libwebsockets.client, address.host ?? "", `--port=${address.port}`, "-l", ...talkative]
        })
        yield* program.until(/rx 1 '7'/)
        assert.deepStrictEqual([...(yield* Queue.takeN(offers, 2))], [["permessage-deflate"], ["permessage-deflate"]])
        // It draws circles and lines.
        for (const message of yield* Queue.takeN(mirrored, 100)) {
          assert.match(message._tag === "Text" ? message.text : message._tag, /^[cd] #[0-9A-F]{6} [-\d ]+;$/)
        }
        assert.strictEqual(Protocol.codeOf(yield* Deferred.await(closing)), 4321)
      })
    )
  }
})
