/** Advisories about single frames and their lengths: what is refused, how early, and what a connection sends by itself. */
import { assert, describe } from "@effect/vitest"
import { Effect, Exit, type Scope, Stream } from "effect"
import * as Limits from "../../src/Limits.js"
import * as Message from "../../src/Message.js"
import type * as Network from "../../src/Network.js"
import { toHex, utf8 } from "../support/bytes.js"
import { arrived, each, echo } from "../support/hostile.js"
import * as Peer from "../support/peer.js"
import { turns } from "../support/turns.js"
import type * as Wire from "../support/wire.js"
import { named } from "./advisoriesNamed.js"
import { against, type Host, hearsFor, roles, scenario } from "./host.js"

/** What a program without types may take for the reason of a close, or for a message. */
const noText: ReadonlyArray<unknown> = [
  100,
  3_000_000_000,
  Number.NaN,
  true,
  ["a"],
  {},
  { length: 100 },
  new Uint8Array(16),
  new Uint8Array(200),
  new Float64Array(8),
  new ArrayBuffer(100),
  new DataView(new ArrayBuffer(8)),
  Buffer.from("text")
]

const noMessage: ReadonlyArray<unknown> = [
  200,
  2 ** 31,
  -1,
  Number.NaN,
  null,
  undefined,
  true,
  {},
  [],
  { length: 100 },
  { byteLength: 100 },
  new Float64Array(8),
  new ArrayBuffer(100),
  new DataView(new ArrayBuffer(8))
]

export const advisoriesOfFrames = (host: Host): void => {
  const test = scenario(host)
  const name = named("network")
  const row = <E>(id: string, what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    test(name(id, what), run)

  for (const role of roles) {
    const hears = hearsFor(host, role)

    describe(`advisories about frames on ${host.name}, as a ${role}`, () => {
      row(
        "CVE-2026-45736",
        "a close reason that is no string is sent as the text that it has, or not at all",
        Effect.gen(function* () {
          yield* each(noText, (value) =>
            Effect.gen(function* () {
              const text = String(value)
              const { peer, socket } = yield* against(host, role)
              // What a program without types does.
              const closing = yield* Effect.fork(Effect.either(socket.close({ reason: value as string })))
              if (utf8(text).length > 123) {
                const refused = yield* closing
                assert.isTrue(refused._tag === "Left" && refused.left.reason === "CloseReasonTooLong")
                yield* Effect.fork(socket.close())
                assert.strictEqual(yield* peer.hear, 'Close 1000 ""')
              } else assert.strictEqual(yield* peer.hear, `Close 1000 ${JSON.stringify(text)}`)
              yield* peer.transport.abort
              yield* socket.closed
            })
          )
        })
      )

      row(
        "ws 1.0.1",
        "a Ping carries its own number, and what is no message is not sent",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          for (const number of ["00000001", "00000002", "00000003"]) {
            const pinging = yield* Effect.fork(socket.ping)
            assert.strictEqual(yield* peer.hear, `Ping ${number}`)
            yield* peer.send(Peer.pong(Buffer.from(number, "hex")))
            yield* pinging
          }
          for (const value of noMessage) {
            // What a program without types does: a defect of it.
            assert.isTrue(Exit.isFailure(yield* Effect.exit(socket.send(value as string))))
            yield* socket.send("next")
            assert.strictEqual(yield* peer.hear, 'Text "next"')
          }
        })
      )

      row(
        "CVE-2026-1528",
        "a length that no number holds is refused by the header",
        Effect.gen(function* () {
          const length = (length: bigint): ReadonlyArray<Wire.Raw> => [{ opcode: 2, length }]
          for (const tooBig of [2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
            assert.strictEqual(yield* hears(length(tooBig)), 'Close 1009 "FrameTooBig"')
          }
          for (const overflow of [2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n]) {
            assert.strictEqual(yield* hears(length(overflow)), 'Close 1002 "LengthOverflow"')
          }
          const unbounded = { maxFramePayload: "unbounded", maxMessageSize: "unbounded" } as const
          assert.strictEqual(yield* hears(length(2n ** 53n), unbounded), 'Close 1009 "FrameTooBig"')
          // As much as a number counts exactly: waited for, and nothing is reserved for it.
          const { peer, socket } = yield* against(host, role, { ...unbounded, maxPinnedBytes: 4096 })
          yield* peer.send(...length(2n ** 53n - 1n))
          yield* peer.transport.write(utf8("a few bytes"))
          yield* turns()
          assert.isTrue(yield* socket.isOpen)
          yield* peer.transport.abort
        })
      )

      row(
        "CVE-2020-27813",
        "the lengths of fragments are added without an overflow",
        Effect.gen(function* () {
          const first: Wire.Raw = { opcode: 2, fin: false, payload: utf8("a") }
          const next = (length: bigint): ReadonlyArray<Wire.Raw> => [first, { opcode: 0, length }]
          for (const tooBig of [2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n]) {
            assert.strictEqual(yield* hears(next(tooBig)), 'Close 1009 "FrameTooBig"')
          }
          assert.strictEqual(yield* hears(next(2n ** 63n)), 'Close 1002 "LengthOverflow"')
          const limits = { maxFramePayload: "unbounded" } as const
          assert.strictEqual(yield* hears(next(2n ** 53n - 1n), limits), 'Close 1009 "MessageTooBig"')
          assert.strictEqual(yield* hears(next(2n ** 20n), limits), 'Close 1009 "MessageTooBig"')
          assert.strictEqual(
            yield* hears([first, { opcode: 0, payload: utf8("bcd") }], { maxMessageSize: 3 }),
            'Close 1009 "MessageTooBig"'
          )
        })
      )

      row(
        "GHSA-rhh8-5xw9-c3gm",
        "frames that are not masked as they must be are refused, by their header",
        Effect.gen(function* () {
          const key = role === "server" ? undefined : 0x37fa213d
          const wrong = role === "server" ? 'Close 1002 "UnmaskedFrame"' : 'Close 1002 "MaskedFrame"'
          yield* each([1, 2, 8, 9, 10], (opcode) =>
            Effect.gen(function* () {
              for (const payload of [utf8(""), utf8("hi")]) {
                assert.strictEqual(yield* hears([{ opcode, key, payload }]), wrong)
              }
              assert.strictEqual(yield* hears([{ opcode, key, length: 100 }]), wrong)
            })
          )
          assert.strictEqual(
            yield* hears([
              { ...Peer.text("a"), fin: false },
              { opcode: 0, key }
            ]),
            wrong
          )
          assert.strictEqual(yield* hears([{ opcode: 2, key, length: 2 ** 40 }]), wrong)
          assert.strictEqual(yield* hears([{ opcode: 0, key }]), wrong)
        })
      )

      row(
        "CVE-2026-19204",
        "an opcode that is not assigned is refused by the first byte of its header",
        Effect.gen(function* () {
          yield* each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15], (opcode) =>
            Effect.gen(function* () {
              for (const first of [opcode, 0x80 | opcode]) {
                const { peer } = yield* against(host, role)
                yield* peer.transport.write(Uint8Array.of(first))
                assert.strictEqual(yield* peer.hear, 'Close 1002 "ReservedOpcode"')
                yield* peer.transport.abort
              }
              assert.strictEqual(yield* hears([{ opcode, length: 2 ** 40 }]), 'Close 1002 "ReservedOpcode"')
            })
          )
        })
      )

      row(
        "openai-java#1013",
        "of the Pongs for a peer that does not read one waits at most: it hears few, and the last",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, {
            maxControlFramesPerSecond: "unbounded",
            pingInterval: "unbounded"
          })
          const payload = "x".repeat(125)
          const pings = peer.bytes(...Array.from({ length: 500 }, () => Peer.ping(payload)))
          const repetitions = Math.ceil((2 * host.held) / pings.length) + 8
          yield* Effect.repeatN(peer.transport.write(pings), repetitions - 1)
          yield* peer.send(Peer.ping("last"))
          yield* turns()
          let pongs = 0
          const last = toHex(utf8("last"))
          yield* peer.frames.pipe(
            Stream.tap(() => Effect.sync(() => pongs++)),
            Stream.takeUntil((frame) => toHex(frame.payload) === last),
            Stream.runDrain
          )
          // What is on its way, what waits in the transport, and the replies to what was read in one turn.
          const most = host.held + 3 * 64 * 1024
          assert.isAtMost(pongs * (payload.length + 2), most)
          assert.isAbove(repetitions * 500 * (payload.length + 2), most)
          yield* arrived(peer)
          assert.isTrue(yield* socket.isOpen)
        })
      )

      row(
        "openai-java#1013",
        "a flood of Pings ends the connection",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const most = Limits.defaults.maxControlFramesPerSecond as number
          yield* peer.send(...Array.from({ length: most + 1 }, () => Peer.ping()))
          const heard = yield* Stream.runCollect(
            Stream.takeUntil(Stream.repeatEffect(peer.hear), (frame) => frame.startsWith("Close"))
          )
          assert.strictEqual([...heard].pop(), 'Close 1008 "TooManyControlFrames"')
          assert.isAtMost(heard.length, most + 1)
          yield* peer.transport.abort
          assert.strictEqual((yield* socket.closed)._tag, "Violation")
        })
      )

      row(
        "CVE-2023-32695",
        "the content of a message is a text or bytes, whatever it looks like",
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const texts = [
            '2["__proto__"]',
            '2[{"toString":"rekt"}]',
            '{"__proto__":{"polluted":1},"_tag":"Binary","bytes":200}',
            '{"_tag":"Encoded"}',
            "51-",
            "[".repeat(10_000),
            "\0",
            "\ufeff",
            "constructor",
            "error"
          ]
          yield* peer.send(Peer.text('{"_tag":"Binary"}'))
          assert.deepStrictEqual(yield* socket.take, [Message.text('{"_tag":"Binary"}')])
          const running = yield* Effect.fork(Effect.either(echo(socket)))
          for (const text of texts) {
            yield* peer.send(Peer.text(text), Peer.binary(utf8(text)))
            const frames = yield* Stream.runCollect(Stream.take(peer.frames, 2))
            assert.deepStrictEqual(
              [...frames].map(({ opcode, payload }) => [opcode, Buffer.from(payload).toString()]),
              [
                [Peer.Opcode.Text, text],
                [Peer.Opcode.Binary, text]
              ]
            )
          }
          assert.notProperty({}, "polluted")
          yield* peer.transport.abort
          yield* running
        })
      )
    })
  }
}
