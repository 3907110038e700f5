/** Our client at the server of each peer, and at our own server behind each proxy. */
import { assert, layer } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Queue, Schema, type Scope, Stream } from "effect"
import { CloseCode, Fields, Message, type Network, Protocol, Rejection, WebSocket, WebSocketClient } from "sluice"
import { assertBytes, pattern } from "../../../sluice/test/support/bytes.js"
import { node } from "../support/hosts.js"
import { peers, proxies } from "./peers.js"
import { type Abilities, baseOf, sizes } from "./support/dialogue.js"
import { type Needs, where } from "./support/needs.js"
import { ours, playground } from "./support/playground.js"
import { type Ended, start } from "./support/program.js"

/** A server that listens. */
class Served extends Context.Tag("test/interop/Served")<
  Served,
  {
    /** Its URL, without a path. */
    readonly base: string
    /** Waits until a connection has ended with this code, and says with which reason; asked for once. */
    readonly reasonFor: (code: number) => Effect.Effect<string | undefined, Ended>
  }
>() {}

const megabyte = pattern(1024 * 1024)

/** What our client tries. */
const tried = <E>(
  needs: ReadonlyArray<Needs>,
  name: string,
  { echoesCode, sendFragments }: Pick<Abilities, "echoesCode" | "sendFragments">,
  served: Effect.Effect<Served["Type"], E, Network.Network | Scope.Scope>
) =>
  where(needs, name, () =>
    layer(Layer.provideMerge(Layer.scoped(Served, served), node.network), { timeout: 120_000 })(name, (it) => {
      const connect = (path: string, subprotocols: ReadonlyArray<string> = []) =>
        Effect.flatMap(Served, ({ base }) => WebSocketClient.connect({ url: base + path, subprotocols }))

      it.scoped("texts and binaries, to 1 MiB", () =>
        Effect.gen(function* () {
          const socket = yield* connect("/echo")
          for (const text of ["\u00e9 \u20ac \u{1f600}", ...sizes.map((size) => "x".repeat(size))]) {
            yield* socket.send(text)
            const [answer] = yield* socket.take
            assert.isTrue(answer?._tag === "Text" && answer.text === text, `a text of ${text.length}`)
          }
          for (const size of sizes) {
            yield* socket.send(megabyte.subarray(0, size))
            const [answer] = yield* socket.take
            if (answer?._tag !== "Binary") return assert.fail(`${answer?._tag} for ${size} bytes`)
            assertBytes(answer.bytes, megabyte.subarray(0, size))
          }
        })
      )

      it.scoped("the subprotocol that the server chose, and no extension that was not asked for", () =>
        Effect.gen(function* () {
          const chosen = yield* connect("/echo", ["a", "b"])
          assert.strictEqual(chosen.subprotocol, "b")
          assert.strictEqual(Fields.get(chosen.response.fields, "Sec-WebSocket-Extensions"), undefined)
          assert.strictEqual((yield* connect("/echo")).subprotocol, undefined)
        })
      )

      it.scoped("a message in fragments from the client", () =>
        Effect.gen(function* () {
          const socket = yield* connect("/echo")
          yield* WebSocket.sendStream(socket, "Text", Stream.make("He", "l", "lo"))
          assert.deepStrictEqual(yield* socket.take, [Message.text("Hello")])
        })
      )

      if (sendFragments) {
        it.scoped("a message in fragments from the server", () =>
          Effect.gen(function* () {
            const socket = yield* connect("/fragments")
            assert.deepStrictEqual(yield* socket.take, [Message.text("Hello")])
            // They are more than one: who takes only one closes.
            const { base } = yield* Served
            const whole = yield* WebSocketClient.connect({ url: `${base}/fragments`, limits: { maxFragments: 1 } })
            yield* Effect.flip(whole.take)
            assert.strictEqual(Protocol.codeOf(yield* whole.closed), CloseCode.PolicyViolation)
          })
        )
      }

      it.scoped("Pings, both ways", () =>
        Effect.gen(function* () {
          assert.isTrue(Duration.greaterThanOrEqualTo(yield* (yield* connect("/echo")).ping, 0))
          const pinged = yield* connect("/ping")
          assert.deepStrictEqual(yield* pinged.take, [Message.text("ponged")])
        })
      )

      it.scoped("a close from the client", () =>
        Effect.gen(function* () {
          const socket = yield* connect("/echo")
          const reason = yield* socket.close({ code: 4000, reason: "bye" })
          assert.deepInclude(reason, { _tag: "Clean", initiator: "local" })
          assert.include(echoesCode ? [4000] : [4000, 1000], Protocol.codeOf(reason))
          assert.strictEqual(yield* Effect.flatMap(Served, ({ reasonFor }) => reasonFor(4000)), "bye")
        })
      )

      it.scoped("a close from the server", () =>
        Effect.gen(function* () {
          const socket = yield* connect("/close")
          assert.deepStrictEqual(yield* socket.closed, Protocol.CloseReason.Clean({ ...ours, initiator: "peer" }))
        })
      )

      it.scoped("refusals, with what they say", () =>
        Effect.gen(function* () {
          for (const [path, status, body] of [
            ["/missing", 404, "nothing here\n"],
            ["/forbidden", 403, "not for you\n"]
          ] as const) {
            const error = yield* Effect.flip(connect(path))
            if (!Rejection.isRejection(error)) return assert.fail(`${path}: ${error.message}`)
            const said = typeof error.body === "string" ? error.body : new TextDecoder().decode(error.body)
            assert.deepStrictEqual([error.status, said], [status, body])
          }
        })
      )
    })
  )

const Port = Schema.parseJson(Schema.Struct({ port: Schema.Number }))

for (const { can, name, needs, server, serverFragments } of peers) {
  if (server === undefined) continue
  tried(
    [needs],
    `our client of ${name}`,
    { sendFragments: serverFragments, echoesCode: can.echoesCode },
    Effect.gen(function* () {
      const { line, until } = yield* start(yield* server)
      const { port } = yield* Effect.flatMap(line, Schema.decode(Port))
      const reasonFor = (code: number) =>
        Effect.map(until(new RegExp(`"closed": ?\\[${code}, ?"([^"]*)"`)), ([, reason]) => reason)
      return { base: baseOf({ host: "127.0.0.1", port }), reasonFor }
    })
  )
}

for (const { before, name, needs } of proxies) {
  tried(
    [needs],
    `our client of our server, through ${name}`,
    { sendFragments: true, echoesCode: true },
    Effect.gen(function* () {
      const { address, ended } = yield* playground(node)
      const reasonFor = (code: number): Effect.Effect<string> =>
        Effect.flatMap(Queue.take(ended), ({ reason }) =>
          reason._tag === "Clean" && reason.code === code ? Effect.succeed(reason.reason) : reasonFor(code)
        )
      return { base: baseOf({ host: "127.0.0.1", port: yield* before(address.port) }), reasonFor }
    })
  )
}
