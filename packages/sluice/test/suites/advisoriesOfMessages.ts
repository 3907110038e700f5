/** Advisories about messages in many fragments, and about what a peer makes the application and the server do. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, FastCheck, Queue, type Scope, Stream } from "effect"
import type * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { concat, utf8 } from "../support/bytes.js"
import {
  answering,
  arrived,
  each,
  echo,
  exchange,
  nobodyIsLeft,
  pass,
  serves,
  statusOf,
  valid,
  withCensus,
  withLines,
  without
} from "../support/hostile.js"
import { logged } from "../support/logs.js"
import * as Peer from "../support/peer.js"
import { eventually, turns } from "../support/turns.js"
import * as Wire from "../support/wire.js"
import { named } from "./advisoriesNamed.js"
import { against, type Host, hearsFor, roles, scenario, urlOf } from "./host.js"

const none: Uint8Array = new Uint8Array(0)

const letter: Uint8Array = utf8("x")

/** Fragments of one message, none of them the last. */
const fragments = (count: number, payload: Uint8Array = letter, opcode = 1): ReadonlyArray<Wire.Raw> =>
  Array.from({ length: count }, (_, i) => ({ opcode: i === 0 ? opcode : 0, fin: false, payload }))

const more = (count: number, payload: Uint8Array = letter) => fragments(count, payload, 0)

/** So that nothing is heard but what the frames lead to. */
const quiet = { pingInterval: "unbounded" } as const

const unbounded = { ...quiet, maxFragments: "unbounded", maxMessageSize: "unbounded" } as const

export const advisoriesOfMessages = (host: Host): void => {
  const test = scenario(host)
  const name = named("network")
  const row = <E>(id: string, what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    test(name(id, what), run)

  for (const role of roles) {
    const hears = hearsFor(host, role)

    describe(`advisories about messages on ${host.name}, as a ${role}`, () => {
      row(
        "CVE-2026-48779",
        "fragments of one byte pin at least their payload and at most four times as much",
        Effect.gen(function* () {
          const count = 4096
          for (const frames of [fragments(count), fragments(count, Uint8Array.of(0), 2)]) {
            const { peer } = yield* against(host, role, { ...unbounded, maxPinnedBytes: 4 * count })
            yield* peer.send(...frames)
            yield* arrived(peer)
            assert.strictEqual(yield* hears(frames, { ...unbounded, maxPinnedBytes: count - 1 }), pinnedTooMuch)
            yield* peer.transport.abort
          }
        })
      )

      row(
        "ws#2331",
        "a message that does not end has a deadline, which fragments do not put off",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, unbounded)
          yield* peer.send(...fragments(1))
          yield* arrived(peer)
          for (const payload of [none, letter]) {
            yield* pass("20 seconds")
            yield* peer.send(...more(1, payload))
            yield* arrived(peer)
          }
          yield* pass("19999 millis")
          yield* arrived(peer)
          yield* pass("1 millis")
          assert.strictEqual(yield* peer.hear, 'Close 1008 "MessageTimeout"')
          yield* peer.transport.abort
          assert.strictEqual((yield* socket.closed)._tag, "Violation")
        })
      )

      row(
        "ws#2329",
        "fragments without a payload count like others",
        Effect.gen(function* () {
          assert.strictEqual(yield* hears([...fragments(1), ...more(1024, none)]), tooManyFragments)
          assert.strictEqual(yield* hears(fragments(1025, none)), tooManyFragments)
          // And the message ends with as many as may be.
          const { peer, socket } = yield* against(host, role)
          yield* peer.send(...fragments(1), ...more(1022, none), { opcode: 0, payload: none })
          assert.deepStrictEqual(yield* socket.take, [{ _tag: "Text", text: "x" }])
          yield* peer.transport.abort
        })
      )

      row(
        "CVE-2026-12151",
        "fragments are counted, and their sizes are added, whether the message is taken whole or in pieces",
        Effect.gen(function* () {
          const third = new Uint8Array(400 * 1024)
          const tooBig = [...fragments(2, third, 2), { opcode: 0, length: third.length }]
          assert.strictEqual(yield* hears(fragments(1025)), tooManyFragments)
          assert.strictEqual(yield* hears(tooBig), messageTooBig)
          for (const [frames, expected] of [
            [fragments(1025), tooManyFragments],
            [tooBig, messageTooBig]
          ] as const) {
            const { peer, socket } = yield* against(host, role)
            const messages = WebSocket.streamed(socket)
            const taking = yield* Effect.fork(
              Stream.runForEach(messages, (message) =>
                message._tag === "TextStream" ? Stream.runDrain(message.text) : Stream.runDrain(message.bytes)
              ).pipe(Effect.either)
            )
            yield* peer.send(...frames)
            assert.strictEqual(yield* peer.hear, expected)
            yield* peer.transport.abort
            assert.strictEqual((yield* taking)._tag, "Left")
          }
        })
      )

      row(
        "CVE-2026-42786",
        "continuations without end are refused by the header of the one that is too much",
        Effect.gen(function* () {
          const { peer } = yield* against(host, role)
          const piece = new Uint8Array(64 * 1024)
          yield* peer.send(...fragments(1, piece, 2))
          yield* peer.send(...more(15, piece))
          yield* arrived(peer)
          yield* peer.send({ opcode: 0, fin: false, length: 1 })
          assert.strictEqual(yield* peer.hear, messageTooBig)
          yield* peer.transport.abort
        })
      )

      row(
        "CVE-2026-65623",
        "a message of 100,000 fragments arrives where nothing forbids it",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, unbounded)
          yield* peer.send(...fragments(9999))
          const middle = peer.bytes(...more(10_000))
          yield* Effect.repeatN(peer.transport.write(middle), 8)
          yield* peer.send({ opcode: 0, payload: utf8("!") })
          const [message] = yield* socket.take
          assert.isTrue(message?._tag === "Text" && message.text === `${"x".repeat(99_999)}!`)
          yield* peer.transport.abort
        })
      )

      row(
        "GHSA-7vpq-g998-qpv7",
        "of a text that is taken in pieces nothing is kept, and of a whole one nothing after its end",
        Effect.gen(function* () {
          // Cut within characters.
          const text = "\u20acuro, \u{1f600} ".repeat(10_000)
          const bytes = utf8(text)
          const cut = (size: number): ReadonlyArray<Wire.Raw> =>
            Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
              opcode: i === 0 ? 1 : 0,
              fin: (i + 1) * size >= bytes.length,
              payload: bytes.subarray(i * size, (i + 1) * size)
            }))
          const pieces = yield* against(host, role, { ...unbounded, maxPinnedBytes: 4096 })
          const taking = yield* Effect.fork(
            WebSocket.streamed(pieces.socket).pipe(
              Stream.take(2),
              Stream.mapEffect((message) =>
                message._tag === "TextStream" ? Stream.mkString(message.text) : Effect.succeed("")
              ),
              Stream.runCollect
            )
          )
          // Before the first piece is there.
          yield* turns()
          yield* pieces.peer.send(...cut(1021))
          yield* pieces.peer.send(...cut(7))
          assert.deepStrictEqual([...(yield* taking)], [text, text])
          yield* pieces.peer.transport.abort

          const whole = yield* against(host, role, { ...unbounded, maxPinnedBytes: 4 * bytes.length })
          for (let i = 0; i < 10; i++) {
            yield* whole.peer.send(...cut(1021))
            assert.deepStrictEqual(yield* whole.socket.take, [{ _tag: "Text", text }])
          }
          yield* whole.peer.transport.abort
        })
      )

      row(
        "Mesop advisory",
        "messages are handled one at a time and in order, unless the application asks for more, and start no fiber",
        withCensus((alive) =>
          Effect.gen(function* () {
            const count = 200
            const numbers = Array.from({ length: count }, (_, i) => i)
            const running = { now: 0, most: 0, fibers: 0 }
            const handled: Array<number> = []
            const handle = (message: Message.Message) =>
              Effect.gen(function* () {
                running.most = Math.max(running.most, ++running.now)
                const number = message._tag === "Text" ? Number(message.text) : -1
                // The later, the sooner.
                yield* Effect.repeatN(Effect.yieldNow(), 1 + ((count - number) % 4))
                running.fibers = Math.max(running.fibers, yield* alive)
                handled.push(number)
                running.now--
              })
            const all = numbers.map((i) => Peer.text(String(i)))
            const inTurn = yield* against(host, role, quiet)
            const handling = yield* Effect.fork(Effect.either(WebSocket.runForEach(inTurn.socket, handle)))
            yield* turns()
            const before = yield* alive
            yield* inTurn.peer.send(...all)
            yield* eventually("all are handled", () => handled.length === count)
            assert.deepStrictEqual(handled, numbers)
            assert.strictEqual(running.most, 1)
            assert.isAtMost(running.fibers, before + 1)
            yield* inTurn.peer.transport.abort
            yield* handling

            const atOnce = yield* against(host, role, quiet)
            const mapped = atOnce.socket.messages.pipe(Stream.mapEffect(handle, { concurrency: 4, unordered: true }))
            const asked = yield* Effect.fork(Effect.either(Stream.runDrain(mapped)))
            handled.length = 0
            running.most = 0
            yield* atOnce.peer.send(...all)
            yield* eventually("all are handled", () => handled.length === count)
            assert.strictEqual(running.most, 4)
            assert.sameMembers(handled, numbers)
            yield* atOnce.peer.transport.abort
            yield* asked
          })
        )
      )
    })
  }

  describe(`advisories about servers on ${host.name}`, () => {
    row(
      "CVE-2026-33151",
      "what is announced is not reserved; what has come is counted for all together, and given back in time",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { limits: { ...quiet, maxPinnedBytes: 200_000, closeTimeout: "unbounded" } },
          echo
        )
        const peers = yield* Effect.all(Array.from({ length: 10 }, () => Peer.connect(address)))
        const words: Array<string> = []
        const hearing = yield* Effect.forkAll(
          peers.map(({ hear }) => Effect.map(hear, (heard) => void words.push(heard)))
        )
        // A megabyte from each is announced, of which a byte comes.
        for (const peer of peers) {
          yield* peer.send(...fragments(1, utf8("attachments: 20"), 1))
          yield* peer.send({ opcode: 0, length: 1_000_000, key: 0 })
          yield* peer.transport.write(letter)
        }
        yield* turns()
        assert.deepStrictEqual(words, [])
        // All but the first send, together, more than all may pin.
        for (const { transport } of peers.slice(1)) yield* transport.write(new Uint8Array(30_000))
        yield* eventually("one is refused", () => words.length > 0)
        yield* turns()
        const refused = words.length
        assert.isBelow(refused, 10)
        yield* pass("60 seconds")
        yield* hearing
        assert.deepStrictEqual(words, [
          ...Array.from({ length: refused }, () => pinnedTooMuch),
          ...Array.from({ length: 10 - refused }, () => timedOut)
        ])
        for (const { transport } of peers) yield* transport.abort
        yield* nobodyIsLeft(connections)
        // All of it was given back: one may have it now.
        const last = yield* Peer.connect(address)
        yield* last.send(...fragments(1, new Uint8Array(49_000), 2))
        yield* arrived(last)
        yield* last.send({ opcode: 0, payload: letter })
        assert.strictEqual(yield* last.hear, "Binary 49001 bytes")
        yield* last.transport.abort
      })
    )

    row(
      "CVE-2022-21676",
      "frames with reserved bits behind the request are a violation, also while the application decides",
      Effect.gen(function* () {
        for (const isSlow of [false, true]) {
          const gate = yield* Deferred.make<void>()
          const { address, connections } = yield* host.serve(
            isSlow ? { authenticate: () => Deferred.await(gate) } : {},
            echo
          )
          const calls = [1, 2, 3, 4, 5, 6, 7].map((rsv) =>
            exchange(address, Peer.opening({ ...Peer.text("x"), rsv }), Wire.raw({ ...Peer.text("y"), rsv }))
          )
          const [replies] = yield* Effect.all(
            [
              Effect.all(calls, { concurrency: "unbounded" }),
              Effect.zipRight(turns(), Deferred.succeed(gate, undefined))
            ],
            { concurrency: 2 }
          )
          for (const reply of replies) {
            assert.strictEqual(statusOf(reply), 101)
            assert.include(reply, "\u0003\u00eaReservedBit")
          }
          yield* serves(address)
          yield* nobodyIsLeft(connections)
        }
      })
    )

    row(
      "CVE-2024-38355",
      "a handler that fails, dies or throws ends its own connection, and no other",
      logged((logs) =>
        Effect.gen(function* () {
          const { address, connections } = yield* host.serve({}, (socket) =>
            WebSocket.runForEach(socket, (message): Effect.Effect<void, unknown> => {
              if (message._tag === "Text" && message.text === "throw") throw new Error("thrown")
              if (message._tag === "Text" && message.text === "die") return Effect.dieMessage("died")
              if (message._tag === "Text" && message.text === "fail") return Effect.fail("failed")
              return socket.send(message)
            })
          )
          const other = yield* WebSocketClient.connect(urlOf(address))
          for (const text of ["throw", "die", "fail"]) {
            const peer = yield* Peer.connect(address)
            yield* peer.send(Peer.text(text))
            assert.strictEqual(yield* peer.hear, 'Close 1011 ""')
            yield* peer.transport.abort
          }
          yield* other.send("still there?")
          assert.deepStrictEqual(yield* other.take, [{ _tag: "Text", text: "still there?" }])
          yield* other.close()
          yield* nobodyIsLeft(connections)
          assert.strictEqual(logs.filter(({ level }) => level === "ERROR").length, 3)
        })
      )
    )

    row(
      "CVE-2022-21676",
      "whatever follows the request, and whatever a server sends, ends in a Close, or waits",
      logged((logs) =>
        Effect.gen(function* () {
          const { address, connections } = yield* host.serve({ limits: quiet }, echo)
          const network = yield* Network.Network
          yield* each(FastCheck.sample(Wire.stream("server"), { numRuns: 150, seed: 24 }), (bytes) =>
            Effect.gen(function* () {
              const transport = yield* network.connect(address)
              yield* Effect.ignore(transport.write([Peer.request("/"), bytes]))
              yield* Effect.ignore(transport.endOfOutput)
              yield* Peer.readText(transport)
            }).pipe(Effect.scoped)
          )
          yield* serves(address)
          yield* nobodyIsLeft(connections)
          yield* each(FastCheck.sample(Wire.stream("client"), { numRuns: 50, seed: 25 }), (bytes) =>
            Effect.gen(function* () {
              const { url } = yield* answering((request) => concat([Peer.switching(request), bytes]), "ends")
              const client = yield* WebSocketClient.connect(url)
              yield* Effect.either(echo(client))
              assert.include(["Aborted", "Clean", "Violation"], (yield* client.closed)._tag)
            }).pipe(Effect.scoped)
          )
          assert.deepStrictEqual(
            logs.filter(({ level }) => level === "ERROR" || level === "FATAL"),
            []
          )
        })
      )
    )

    row(
      "Effect 3, no CVE",
      "a client that leaves within the handshake, by a reset or an end, at any byte, leaves nothing",
      withCensus((alive) =>
        Effect.gen(function* () {
          const handled = yield* Queue.unbounded<void>()
          const { address, connections } = yield* host.serve({}, (socket) =>
            Effect.zipRight(Queue.offer(handled, undefined), socket.closed)
          )
          const network = yield* Network.Network
          const bytes = Peer.request("/")
          const call = (how: "abort" | "endOfOutput") => (size: number) =>
            Effect.gen(function* () {
              const transport = yield* network.connect(address)
              yield* Effect.ignore(transport.write(bytes.slice(0, size)))
              if (size % 2 === 0) yield* turns(2)
              yield* Effect.ignore(transport[how])
            }).pipe(Effect.scoped)
          yield* turns()
          const before = yield* alive
          for (const how of ["abort", "endOfOutput"] as const) {
            const sizes = Array.from({ length: bytes.length + 1 }, (_, size) => size)
            yield* Effect.forEach(sizes, call(how), { concurrency: 16, discard: true })
          }
          yield* nobodyIsLeft(connections)
          yield* turns()
          assert.isAtMost(yield* alive, before + asleep)
          // The whole request came twice.
          assert.isAtMost(yield* Queue.size(handled), 2)
        })
      )
    )

    row(
      "Effect 3, no CVE",
      "50 handshakes with a bad version leave no fiber",
      withCensus((alive) =>
        Effect.gen(function* () {
          let handled = 0
          const { address, connections } = yield* host.serve({}, () => Effect.sync(() => handled++))
          const bad = withLines(without(valid, "Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8")
          const refused = Effect.map(exchange(address, bad), (reply) => assert.strictEqual(statusOf(reply), 426))
          yield* turns()
          const before = yield* alive
          yield* Effect.repeatN(refused, 49)
          yield* nobodyIsLeft(connections)
          yield* turns()
          assert.isAtMost(yield* alive, before + asleep)
          assert.strictEqual(handled, 0)
        })
      )
    )
  })
}

/** Fibers in which the one that keeps all deadlines of a server waits for the next, which may have been cancelled. */
const asleep = 3

const pinnedTooMuch = 'Close 1013 "TooManyPinnedBytes"'
const timedOut = 'Close 1008 "MessageTimeout"'
const tooManyFragments = 'Close 1008 "TooManyFragments"'
const messageTooBig = 'Close 1009 "MessageTooBig"'
