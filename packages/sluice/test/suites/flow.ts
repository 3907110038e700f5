/** Backpressure both ways: a peer that does not read, and a consumer that does not pull, cost a stated number of bytes. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Either, Exit, Fiber, Option, Stream } from "effect"
import * as Limits from "../../src/Limits.js"
import * as Message from "../../src/Message.js"
import type * as Protocol from "../../src/Protocol.js"
import * as WebSocket from "../../src/WebSocket.js"
import { pattern } from "../support/bytes.js"
import * as Peer from "../support/peer.js"
import { eventually, settled, turns } from "../support/turns.js"
import { against, type Host, roles, scenario } from "./host.js"

const { receiveWindowBytes, receiveWindowMessages, sendHighWaterMark } = Limits.defaults as {
  // They are numbers by default.
  readonly [K in keyof Limits.Limits]: number
}

/** What one read of a socket gives at most, and what the peer writes at once here. */
const chunk = 64 * 1024

const numbered = (i: number, size: number): string => String(i).padEnd(size, ".")

const sizeOf = (message: Message.Message): number => Message.payload(message).length

/** Sends numbered messages for ever; how many sends succeeded, and how the last ended. */
const flood = (socket: WebSocket.WebSocket, size: number) =>
  Effect.gen(function* () {
    const flooding = { sent: 0 }
    const sending = Effect.suspend(() => socket.send(numbered(flooding.sent, size))).pipe(
      Effect.tap(() => Effect.sync(() => flooding.sent++)),
      Effect.forever
    )
    return { flooding, fiber: yield* Effect.fork(sending) }
  })

/** What a send that waits ends in. */
const refusalOf = (fiber: Fiber.Fiber<unknown, Protocol.SendError>) =>
  Effect.map(Effect.flip(Fiber.join(fiber)), ({ reason }) => reason)

const filler = 20_000

/** Fills the way to a peer that does not read; then one sender waits for its message to leave, another to begin. */
const blocked = (host: Host, role: (typeof roles)[number]) =>
  Effect.gen(function* () {
    const { peer, socket } = yield* against(host, role)
    const { fiber, flooding } = yield* flood(socket, filler)
    const sent = yield* settled(() => flooding.sent)
    const waiting = yield* Effect.fork(socket.send("waits"))
    yield* turns()
    assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)) && Option.isNone(yield* Fiber.poll(waiting)))
    return { peer, socket, sent, fiber, waiting }
  })

export const flow = (host: Host): void => {
  const test = scenario(host)

  describe(`backpressure on ${host.name}`, () => {
    for (const role of roles) {
      for (const size of host.sizes) {
        test(
          `messages of ${size} bytes that the ${role} sends to a peer that never reads wait, and go on when it reads`,
          Effect.gen(function* () {
            const { peer, socket } = yield* against(host, role)
            const { flooding } = yield* flood(socket, size)
            const sent = yield* settled(() => flooding.sent)
            assert.isAtMost(sent * size, host.held + sendHighWaterMark + size)
            if (size > host.held) assert.strictEqual(sent, 0, "what the transport holds is not sent")
            const count = sent + 8
            const frames = yield* Stream.runCollect(Stream.take(peer.frames, count))
            let i = 0
            for (const { payload } of frames) {
              assert.strictEqual(payload.length, size)
              assert.strictEqual(Number.parseInt(new TextDecoder().decode(payload.subarray(0, 12)), 10), i++)
            }
            yield* eventually("more is sent", () => flooding.sent >= count)
          })
        )
      }

      test(
        `messages that the ${role} offers to a peer that does not read are turned away, until it reads; none else is lost`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const taken: Array<number> = []
          let i = 0
          const offer = Effect.suspend(() => socket.offer(numbered(i, filler))).pipe(
            Effect.tap((isTaken) => Effect.sync(() => isTaken && taken.push(i)).pipe(Effect.map(() => i++)))
          )
          // What was offered just now has not left yet.
          const offering = Effect.zipRight(turns(), offer)
          yield* Effect.repeat(offering, { until: (isTaken) => !isTaken })
          assert.isAtMost(taken.length * filler, host.held + sendHighWaterMark + filler)
          assert.isFalse(yield* offer)
          assert.isTrue(yield* socket.isOpen)
          const read = yield* Effect.fork(Stream.runCollect(Stream.take(peer.frames, taken.length + 1)))
          yield* Effect.repeat(offering, { until: (isTaken) => isTaken })
          const numbers = Array.from(yield* Fiber.join(read), ({ payload }) =>
            Number.parseInt(new TextDecoder().decode(payload.subarray(0, 12)), 10)
          )
          assert.deepStrictEqual(numbers, taken)
        })
      )

      test(
        `a broadcast of the ${role} goes to all but who does not read and who is closed, and waits for neither`,
        Effect.gen(function* () {
          const slow = yield* blocked(host, role)
          const gone = yield* against(host, role)
          yield* gone.peer.transport.abort
          yield* gone.socket.closed
          const readers = yield* Effect.replicateEffect(against(host, role), 3)
          const sockets = [slow.socket, gone.socket, ...readers.map(({ socket }) => socket)]
          assert.strictEqual(yield* WebSocket.broadcast(sockets, "to all"), readers.length)
          assert.strictEqual(yield* WebSocket.broadcast([], "to none"), 0)
          for (const { peer } of readers) {
            const [frame] = Array.from(yield* Stream.runCollect(Stream.take(peer.frames, 1)))
            assert.deepStrictEqual([frame?.opcode, new TextDecoder().decode(frame?.payload)], [1, "to all"])
          }
          assert.isTrue(Option.isNone(yield* Fiber.poll(slow.fiber)))
        })
      )

      test(
        `a message that the ${role} sends in pieces to a peer that never reads waits`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const piece = pattern(filler)
          let pulled = 0
          const content = Stream.repeatEffect(
            Effect.as(
              Effect.sync(() => pulled++),
              piece
            )
          )
          yield* Effect.fork(WebSocket.sendStream(socket, "Binary", content))
          const count = yield* settled(() => pulled)
          assert.isAtMost(count * piece.length, host.held + sendHighWaterMark + 2 * piece.length)
          yield* Stream.runDrain(Stream.take(peer.frames, count + 8))
          yield* eventually("more is sent", () => pulled > count + 8)
        })
      )

      test(
        `sends of the ${role} that wait fail when the peer is gone`,
        Effect.gen(function* () {
          const { fiber, peer, socket, waiting } = yield* blocked(host, role)
          const pinging = yield* Effect.fork(socket.ping)
          yield* turns()
          yield* peer.transport.abort
          assert.strictEqual(yield* refusalOf(fiber), "ConnectionClosed")
          assert.strictEqual(yield* refusalOf(waiting), "ConnectionClosed")
          assert.strictEqual(yield* refusalOf(pinging), "ConnectionClosed")
          assert.strictEqual((yield* socket.closed)._tag, "Aborted")
        })
      )

      test(
        `sends of the ${role} that wait fail when the peer closes`,
        Effect.gen(function* () {
          const { fiber, peer, socket, waiting } = yield* blocked(host, role)
          yield* peer.send(Peer.close(4000))
          assert.strictEqual(yield* refusalOf(fiber), "ConnectionClosing")
          assert.strictEqual(yield* refusalOf(waiting), "ConnectionClosing")
          const heard = yield* Stream.runLast(
            Stream.takeUntil(Stream.repeatEffect(peer.hear), (frame) => /^Close|^End|^Reset/.test(frame))
          )
          assert.deepStrictEqual(heard, Option.some('Close 4000 ""'))
          yield* peer.transport.endOfOutput
          assert.strictEqual((yield* socket.closed)._tag, "Clean")
        })
      )

      test(
        `a peer that has closed and ended its output still gets all that the ${role} has sent`,
        Effect.gen(function* () {
          const { fiber, peer, sent, socket, waiting } = yield* blocked(host, role)
          yield* peer.send(Peer.close(4000))
          yield* peer.transport.endOfOutput
          yield* Fiber.await(fiber)
          yield* Fiber.await(waiting)
          yield* turns()
          const heard = yield* peer.hearAll
          assert.deepStrictEqual(heard.slice(-2), ['Close 4000 ""', "End"])
          assert.isAtLeast(heard.length, sent + 2)
          assert.strictEqual((yield* socket.closed)._tag, "Clean")
        })
      )

      test(
        `the Close of the ${role} goes out past all that waits`,
        Effect.gen(function* () {
          const { fiber, peer, sent, socket, waiting } = yield* blocked(host, role)
          const closing = yield* Effect.fork(socket.close({ code: 4000, reason: "enough" }))
          assert.strictEqual(yield* refusalOf(fiber), "ConnectionClosing")
          assert.strictEqual(yield* refusalOf(waiting), "ConnectionClosing")
          const heard = yield* Stream.runCollect(
            Stream.takeUntil(Stream.repeatEffect(peer.hear), (frame) => /^Close|^End|^Reset/.test(frame))
          )
          const words = [...heard]
          assert.strictEqual(words.pop(), 'Close 4000 "enough"')
          // All that succeeded was sent, and nothing of what waited for its turn.
          assert.isAtLeast(words.length, sent)
          assert.isAtMost(words.length, sent + 1)
          assert.isTrue(words.every((frame) => frame === "Text 20000 bytes"))
          yield* peer.send(Peer.close(4000))
          yield* peer.transport.endOfOutput
          assert.strictEqual((yield* Fiber.join(closing))._tag, "Clean")
        })
      )

      test(
        `the ${role} holds one Pong for a peer that never reads: the latest`,
        Effect.gen(function* () {
          const { peer } = yield* blocked(host, role)
          yield* peer.send(...Array.from({ length: 100 }, (_, i) => Peer.ping(String.fromCharCode(i + 32))))
          yield* turns()
          const pong = yield* peer.frames.pipe(
            Stream.filter(({ opcode }) => opcode === Peer.Opcode.Pong),
            Stream.take(1),
            Stream.runHead
          )
          assert.deepStrictEqual(Option.map(pong, Peer.show), Option.some("Pong c283"))
          yield* peer.send(Peer.ping("z"))
          const next = yield* Stream.runHead(Stream.filter(peer.frames, ({ opcode }) => opcode === Peer.Opcode.Pong))
          assert.deepStrictEqual(Option.map(next, Peer.show), Option.some("Pong 7a"))
        })
      )

      for (const size of host.sizes) {
        test(
          `a consumer of the ${role} that never pulls stops a peer that sends messages of ${size} bytes`,
          Effect.gen(function* () {
            const { peer, socket } = yield* against(host, role)
            const perWrite = Math.max(1, Math.floor(chunk / (size + 14)))
            let next = 0
            let written = 0
            const write = Effect.suspend(() => {
              const bytes = peer.bytes(...Array.from({ length: perWrite }, () => Peer.text(numbered(next++, size))))
              return Effect.map(peer.transport.write(bytes), () => {
                written += bytes.length
              })
            })
            yield* Effect.fork(Effect.forever(write))
            yield* settled(() => written)
            // The window, a chunk that filled it, and a chunk that waits behind it; a message is kept whole.
            const most = Math.max(chunk, size + 14)
            assert.isAtMost(written, host.held + receiveWindowBytes + 2 * most)
            const first = yield* socket.take
            assert.isAtMost(first.length, receiveWindowMessages)
            assert.isAtMost(
              first.reduce((sum, message) => sum + sizeOf(message), 0),
              receiveWindowBytes + most
            )
            let i = 0
            const expected = (message: Message.Message) =>
              assert.deepStrictEqual(message, Message.text(numbered(i++, size)))
            first.forEach(expected)
            const before = written
            while (i < 3 * perWrite || written === before) (yield* socket.take).forEach(expected)
          })
        )
      }

      test(
        `a consumer of the ${role} that stops in the middle of a message in pieces stops the peer`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, {
            maxMessageSize: "unbounded",
            maxFramePayload: "unbounded"
          })
          const total = host.held + 4 * 1024 * 1024
          const gate = yield* Deferred.make<void>()
          let consumed = 0
          const taking = yield* Effect.fork(
            WebSocket.streamed(socket).pipe(
              Stream.take(1),
              Stream.flatMap((message) => (message._tag === "BinaryStream" ? message.bytes : Stream.empty)),
              Stream.runForEach((piece) =>
                Effect.zipRight(
                  Effect.sync(() => (consumed += piece.length)),
                  Deferred.await(gate)
                )
              )
            )
          )
          const payload = pattern(chunk)
          let written = 0
          const write = Effect.map(peer.transport.write(payload), () => (written += payload.length))
          // The header of a frame whose payload follows in pieces, masked with zeros.
          yield* peer.transport.write(
            peer.bytes({ opcode: 2, length: total, ...(role === "server" ? { key: 0 } : {}) })
          )
          yield* Effect.fork(Effect.repeatN(write, total / chunk - 1))
          yield* settled(() => written)
          assert.isAtMost(consumed, receiveWindowBytes + chunk)
          assert.isAtMost(written, host.held + receiveWindowBytes + 3 * chunk)
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(taking)
          assert.strictEqual(consumed, total)
        })
      )

      test(
        `the ${role} answers Pings while its handler is busy`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          yield* Effect.fork(WebSocket.runForEach(socket, () => Effect.never))
          yield* peer.send(Peer.text("work"), Peer.text("more work"), Peer.ping("1"))
          assert.strictEqual(yield* peer.hear, "Pong 31")
          yield* peer.send(Peer.ping("2"))
          assert.strictEqual(yield* peer.hear, "Pong 32")
        })
      )

      test(
        `the ${role} finds by a send that the peer is gone, though its window is full`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          yield* peer.send(...Array.from({ length: receiveWindowMessages }, () => Peer.text("x")), Peer.ping())
          yield* turns()
          yield* peer.transport.abort
          const error = yield* Effect.flip(Effect.forever(socket.send("anybody?")))
          assert.strictEqual(error.reason, "ConnectionClosed")
          assert.strictEqual((yield* socket.closed)._tag, "Aborted")
          // What came before is still handled.
          const messages = yield* Effect.either(Stream.runCollect(socket.messages))
          assert.isTrue(Either.isLeft(messages) && messages.left._tag === "TransportError")
        })
      )

      test(
        `an interrupted send of the ${role} leaves the connection as it is`,
        Effect.gen(function* () {
          const { fiber, peer, sent, socket, waiting } = yield* blocked(host, role)
          yield* Fiber.interrupt(waiting)
          yield* Fiber.interrupt(fiber)
          const last = yield* Effect.fork(socket.send("last"))
          const heard = yield* Stream.runCollect(
            Stream.takeUntil(Stream.repeatEffect(peer.hear), (frame) => frame === 'Text "last"')
          )
          assert.isAtLeast(heard.length, sent + 1)
          assert.isAtMost(heard.length, sent + 2)
          assert.isTrue(Exit.isSuccess(yield* Fiber.await(last)))
        })
      )
    }
  })
}
