/** 500 clients that send their request one byte a second: each is refused at the deadline, and keeps nobody waiting. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, type Duration, Effect, Fiber, Schedule, Stream, TestClock } from "effect"
import { type Limits, Message, Network, Rejection, WebSocket, WebSocketClient } from "sluice"
import { type Host, memory, scenario, urlOf } from "../../../sluice/test/suites/host.js"
import { leavesNoFiber } from "../../../sluice/test/support/fibers.js"
import { toLatin1 } from "../../../sluice/test/support/http.js"
import * as Peer from "../../../sluice/test/support/peer.js"
import { eventually, eventuallyEffect, turns } from "../../../sluice/test/support/turns.js"
import { node } from "../support/hosts.js"
import { leavesNoResource, throwsNothing } from "../support/resources.js"
import { note } from "./support/figures.js"

const total = 500

/** Lets time pass, and all that follows from it happen. */
const pass = (time: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(time), turns(8))

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const timedOut = (timeout: number): string => toLatin1(Rejection.toBytes(new Rejection.HandshakeTimeout({ timeout })))

/** The reply, less the time at which it was made. */
const undated = (reply: string): string => reply.replace(/^Date: .*\r\n/m, "")

const serve = (host: Host, limits?: Limits.Options) => host.serve({ limits }, echo)

/** Somebody else comes, is served, and leaves. */
const visit = (address: Network.Address) =>
  Effect.gen(function* () {
    const client = yield* WebSocketClient.connect(urlOf(address))
    yield* client.send("hello")
    assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
    assert.strictEqual((yield* client.close())._tag, "Clean")
  }).pipe(Effect.scoped)

const connect = (address: Network.Address) => Effect.flatMap(Network.Network, ({ connect }) => connect(address))

const nobody = (connections: Effect.Effect<number>) =>
  eventuallyEffect(
    "nobody is connected",
    Effect.map(connections, (count) => count === 0)
  )

/** More bytes than can be sent one a second before the deadline, and fewer than the request has. */
const bytes = Peer.request("/").slice(0, 20)

describe.sequential("500 clients that send one byte a second", () => {
  const timeout = 2000

  it.live(
    "on node: each gets a 408, and others are served meanwhile",
    (context) =>
      Effect.gen(function* () {
        const { address, connections } = yield* serve(node, { handshakeTimeout: timeout })
        const waiting = new Set<number>()
        const call = (i: number) =>
          Effect.gen(function* () {
            const transport = yield* connect(address)
            waiting.add(i)
            const sending = Stream.fromIterable(bytes).pipe(
              Stream.schedule(Schedule.spaced("1 second")),
              Stream.runForEach((byte) => Effect.ignore(transport.write(Uint8Array.of(byte)))),
              Effect.zipRight(Effect.dieMessage(`${bytes.length} bytes were taken, one a second`))
            )
            const reply = yield* Effect.raceFirst(Peer.readText(transport), sending)
            waiting.delete(i)
            assert.strictEqual(undated(reply), timedOut(timeout))
            yield* transport.endOfOutput
          }).pipe(Effect.scoped)
        const calls = yield* Effect.fork(
          Effect.forEach(Chunk.range(1, total), call, { concurrency: "unbounded", discard: true })
        )
        yield* eventually("somebody waits", () => waiting.size > 0)
        // How many waited when somebody else had come and gone.
        const visits: Array<number> = []
        while (waiting.size > 0) {
          yield* visit(address)
          visits.push(waiting.size)
        }
        yield* Fiber.join(calls)
        yield* nobody(connections)
        yield* note(context, `${visits.length} visits, one while ${Math.max(...visits)} waited`)
        assert.isAbove(Math.max(...visits), 0, "a visit ended while somebody waited")
      }).pipe(Effect.scoped, Effect.provide(node.network), leavesNoFiber, leavesNoResource, throwsNothing),
    60_000
  )

  const test = scenario(memory)

  test(
    "in memory: each gets a 408 after 10 s, not before, and others are served meanwhile",
    Effect.gen(function* () {
      const { address, connections } = yield* serve(memory)
      const group = Effect.gen(function* () {
        const transports = yield* Effect.replicateEffect(connect(address), total / 2)
        const replies: Array<string> = []
        yield* Effect.forEach(
          transports,
          (transport) =>
            Effect.fork(
              Effect.flatMap(Peer.readText(transport), (reply) => {
                replies.push(reply)
                return transport.endOfOutput
              })
            ),
          { discard: true }
        )
        const send = (byte: number) =>
          Effect.forEach(transports, (transport) => transport.write(Uint8Array.of(byte)), { discard: true })
        return { send, replies }
      })
      const first = yield* group
      yield* pass("500 millis")
      // Each has a deadline of its own.
      const second = yield* group
      for (const byte of bytes.subarray(0, 9)) {
        yield* second.send(byte)
        yield* pass("500 millis")
        yield* first.send(byte)
        yield* visit(address)
        yield* pass("500 millis")
      }
      const refused = () => [first.replies.length, second.replies.length]
      yield* pass("499 millis")
      assert.deepStrictEqual(refused(), [0, 0])
      yield* pass("1 millis")
      assert.deepStrictEqual(refused(), [total / 2, 0])
      yield* visit(address)
      yield* pass("499 millis")
      assert.deepStrictEqual(refused(), [total / 2, 0])
      yield* pass("1 millis")
      assert.deepStrictEqual(refused(), [total / 2, total / 2])
      assert.deepStrictEqual(new Set([...first.replies, ...second.replies].map(undated)), new Set([timedOut(10_000)]))
      yield* nobody(connections)
    })
  )
})
