/** More than fits into memory: what a peer does not read is not taken, and a message of any size passes through. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { Limits, type Network } from "sluice"
import { concat, pattern } from "../../../sluice/test/support/bytes.js"
import * as Peer from "../../../sluice/test/support/peer.js"
import * as Wire from "../../../sluice/test/support/wire.js"
import * as NodeNetwork from "../../src/NodeNetwork.js"
import * as Child from "./support/child.js"
import { note } from "./support/figures.js"

const { Opcode } = Peer

const chunk = 64 * 1024

/** Reads so many bytes and has each chunk looked at. */
const read = (transport: Network.Transport, size: number, look: (bytes: Uint8Array, at: number) => void) =>
  Effect.suspend(() => {
    let at = 0
    return Effect.whileLoop({
      while: () => at < size,
      body: () => transport.read,
      step: (bytes) => {
        look(bytes, at)
        at += bytes.length
      }
    })
  })

describe.sequential("more than fits into memory", () => {
  it.scoped(
    "64 MiB echoed to a peer that does not read: the server stops reading, holds no more than is stated, and loses nothing",
    (context) =>
      Effect.gen(function* () {
        const total = 64 * Child.mebibyte
        const { receiveWindowBytes, sendHighWaterMark } = Limits.defaults
        assert.isNumber(receiveWindowBytes)
        assert.isNumber(sendHighWaterMark)
        // SECURITY.md: the receive window and one message more, what `send` and one message more may leave waiting, and
        // what Node reads ahead.
        const stated = Number(receiveWindowBytes) + Number(sendHighWaterMark) + 2 * chunk + 256 * 1024
        const server = yield* Child.start({ limits: { pingInterval: "unbounded" } })
        const warm = yield* Peer.connect(server.address)
        const message = { opcode: 2, payload: pattern(chunk) }
        for (let i = 0; i < 200; i++) {
          yield* warm.send(message)
          assert.strictEqual(yield* warm.hear, `Binary ${chunk} bytes`)
        }
        const peer = yield* Peer.connect(server.address)
        const before = yield* server.report
        const frame = peer.bytes(message)
        const sending = yield* Effect.fork(
          Effect.forEach(Array.from({ length: total / chunk }), () => peer.transport.write(frame), { discard: true })
        )
        // It takes no more at some point, though much more was sent.
        let taken = -1
        let same = 0
        yield* server.eventually("it has stopped reading", (report) => {
          same = report.read === taken ? same + 1 : 0
          taken = report.read
          return same >= 20
        })
        const stalled = yield* server.report
        const growth = Child.held(stalled) - Child.held(before)
        const [read1, read2] = [stalled.read - before.read, (yield* server.report).read - before.read]
        yield* note(
          context,
          `read ${Child.inMebibytes(read1)} of 64 MiB and holds ${Child.inMebibytes(growth)} more; ` +
            `stated ${Child.inMebibytes(stated)}`
        )
        assert.strictEqual(read1, read2)
        assert.isBelow(read1, total / 2)
        assert.isAtMost(growth, stated + 2 * Child.mebibyte)
        // Then it reads: all of it comes back, in order.
        const echoed = Wire.raw(message)
        const size = (total / chunk) * echoed.length
        yield* read(peer.transport, size, (bytes, at) => {
          for (let i = 0; i < bytes.length; i += 997) {
            if (bytes[i] !== echoed[(at + i) % echoed.length]) assert.fail(`the byte at ${at + i} is another one`)
          }
        })
        yield* Fiber.join(sending)
      }).pipe(Effect.provide(NodeNetwork.layer())),
    240_000
  )

  it.scoped(
    "a gibibyte passes through as one message, in and out, with at most 8 MiB",
    (context) =>
      Effect.gen(function* () {
        const total = 1024 * Child.mebibyte
        const limits = { maxMessageSize: "unbounded", maxFragments: "unbounded", messageTimeout: "unbounded" } as const
        const server = yield* Child.start({ limits })
        const fragment = (fin: boolean, opcode: number, payload = pattern(chunk)) => ({ fin, opcode, payload })
        const play = (peer: Peer.Peer, count: number, between: Effect.Effect<unknown> = Effect.void) =>
          Effect.gen(function* () {
            const many = concat(Array.from({ length: 16 }, () => peer.bytes(fragment(false, Opcode.Continuation))))
            const sending = yield* Effect.fork(
              Effect.gen(function* () {
                yield* peer.send(fragment(false, Opcode.Binary, new Uint8Array(0)))
                for (let i = 0; i < count; i += 16) {
                  yield* peer.transport.write(many)
                  if (i % (count / 16) === 0) yield* between
                }
                yield* peer.send(fragment(true, Opcode.Continuation, new Uint8Array(0)))
              })
            )
            const payload = yield* peer.frames.pipe(
              Stream.takeUntil((frame) => frame.fin),
              Stream.runFold(0, (size, frame) => {
                if (frame.opcode !== Opcode.Binary && frame.opcode !== Opcode.Continuation)
                  assert.fail(Peer.show(frame))
                return size + frame.payload.length
              })
            )
            yield* Fiber.join(sending)
            return payload
          })
        const warm = yield* Peer.connect(server.address, Peer.request("/streamed"))
        yield* play(warm, 1024)
        const peer = yield* Peer.connect(server.address, Peer.request("/streamed"))
        const before = Child.held(yield* server.report)
        const rssBefore = (yield* server.report).memory.rss
        let most = 0
        let rss = 0
        const look = Effect.map(server.report, (report) => {
          most = Math.max(most, Child.held(report) - before)
          rss = Math.max(rss, report.memory.rss - rssBefore)
        })
        const received = yield* play(peer, total / chunk, look)
        yield* note(context, `at most ${Child.inMebibytes(most)} more, resident ${Child.inMebibytes(rss)} more`)
        assert.strictEqual(received, total)
        assert.isAtMost(most, 8 * Child.mebibyte)
      }).pipe(Effect.provide(NodeNetwork.layer())),
    300_000
  )
})
