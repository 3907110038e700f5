/**
 * Advisories about work and memory that grow faster than what the peer sends, and about what the pure steps refuse.
 * Work is counted, not timed.
 */
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Redacted, Scheduler, Scope } from "effect"
import * as Credential from "../../src/Credential.js"
import * as Extension from "../../src/Extension.js"
import * as Fields from "../../src/Fields.js"
import * as Frame from "../../src/Frame.js"
import * as Handshake from "../../src/Handshake.js"
import * as Http1 from "../../src/Http1.js"
import { equals } from "../../src/internal/constantTime.js"
import * as Limits from "../../src/Limits.js"
import type * as Network from "../../src/Network.js"
import * as Protocol from "../../src/Protocol.js"
import * as Rejection from "../../src/Rejection.js"
import * as Upgrade from "../../src/Upgrade.js"
import * as WebSocket from "../../src/WebSocket.js"
import { byteByByte, concat, pattern, toHex, utf8 } from "../support/bytes.js"
import { valid, withLines } from "../support/hostile.js"
import { latin1 } from "../support/http.js"
import { turn } from "../support/turns.js"
import * as Wire from "../support/wire.js"
import { measure } from "../support/work.js"
import { named } from "./advisoriesNamed.js"

const unbounded = { maxHeadSize: "unbounded", maxFields: "unbounded", maxTarget: "unbounded" } as const

/** The state after the chunks, none of which breaks a rule. */
const fed = (chunks: Iterable<Uint8Array>, role: Wire.Role = "server"): Protocol.Open => {
  const limits = Limits.make({ maxFragments: "unbounded", maxMessageSize: "unbounded", maxFramePayload: "unbounded" })
  let state: Protocol.Open | Protocol.Closing = Protocol.open({ role, limits })
  for (const chunk of chunks) state = Protocol.receive(state, chunk).state
  return state._tag === "Open" ? state : assert.fail("the connection has failed")
}

/** Fragments of one byte, of which the last may end the message. */
const fragments = (count: number, opcode = 1, fin = true): ReadonlyArray<Uint8Array> =>
  Array.from({ length: count }, (_, i) =>
    // With a key of zero a chunk may be read again and again: nothing is unmasked in it.
    Wire.raw({ opcode: i === 0 ? opcode : 0, fin: fin && i === count - 1, key: 0, payload: Uint8Array.of(120) })
  )

/** What twice as much input costs, in everything that is counted, is about twice as much. */
const growsLinearly = (size: number, of: (size: number) => () => unknown, mostBlocks: number): void => {
  const [once, twice] = [measure(of(size)), measure(of(2 * size))]
  assert.deepStrictEqual(twice.expressions, [])
  // It is counted at all.
  assert.isAtLeast(once.blocks, size / 16)
  assert.isAtMost(once.blocks, mostBlocks * size)
  assert.isAtMost(twice.blocks, 2.2 * once.blocks)
  assert.isAtMost(twice.characters, 2.2 * once.characters + 2000)
  // A buffer that has grown is a power of its size: at its worst moment nearly all was just copied.
  assert.isAtMost(twice.bytes, 4 * size + 2.2 * once.bytes)
}

export const advisoriesOfTheMachine = (): void => {
  const name = named("machine")
  // One after the other, and the event loop has its turn between two: each keeps the process busy for a while.
  const row = (id: string, what: string, run: () => void) =>
    it.live(name(id, what), () => Effect.zipRight(turn, Effect.sync(run)))

  describe.sequential("advisories about the pure steps", () => {
    row("CVE-2026-48779", "what is kept of fragments and chunks of one byte is at most four times the payload", () => {
      for (const opcode of [1, 2]) {
        let payload = 0
        let state = fed([])
        for (const chunk of fragments(5000, opcode, false)) {
          payload++
          const next = Protocol.receive(state, chunk).state
          state = next._tag === "Open" ? next : assert.fail("the connection has failed")
          assert.isAtLeast(Protocol.pinned(state), payload)
          assert.isAtMost(Protocol.pinned(state), Math.max(64, 4 * payload))
        }
        const header = Wire.raw({ opcode, key: 0, length: 5000 })
        state = fed([header])
        for (let i = 1; i < 5000; i++) {
          const next = Protocol.receive(state, Uint8Array.of(120)).state
          state = next._tag === "Open" ? next : assert.fail("the connection has failed")
          assert.isAtMost(Protocol.pinned(state), Math.max(64, 4 * i))
        }
      }
    })

    row("CVE-2026-48779", "fragments and chunks of one byte cost work in proportion to their number", () => {
      growsLinearly(4000, (size) => () => fed(fragments(size).flatMap(byteByByte)), 400)
    })

    row("CVE-2026-45736", "no code of ours takes memory that is not zeroed", () => {
      const packages = new URL("../../../", import.meta.url)
      for (const own of ["sluice", "node", "sim"]) {
        const folder = new URL(`${own}/src/`, packages)
        const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
        assert.isAbove(files.length, 5)
        for (const file of files) {
          assert.notMatch(readFileSync(new URL(file, folder), "utf8"), /allocUnsafe|SlowBuffer|new Buffer\b/, file)
        }
      }
    })

    row("CVE-2021-32640", "Sec-WebSocket-Protocol of 64 KiB is read in linear time, and by no expression", () => {
      for (const unit of [" ", ",", " ,", ", ", "\t,", "a,", "a ", " a", '"', '",', "a, "]) {
        growsLinearly(
          32 * 1024,
          (size) => offering("Sec-WebSocket-Protocol", `a${unit.repeat(size / unit.length)}b`),
          24
        )
      }
    })

    row("CVE-2020-7662", "a quoted string that is not closed is read in linear time, and by no expression", () => {
      for (const unit of ["\\", '\\"', "a", " ", "a, b; c=\\", ",", ';"', "\\\\"]) {
        const value = (size: number) => `a; b="${unit.repeat(size / unit.length)}x`
        growsLinearly(32 * 1024, (size) => offering("Sec-WebSocket-Extensions", value(size)), 24)
        growsLinearly(32 * 1024, (size) => () => Extension.parse([value(size)]), 24)
      }
    })

    row("CVE-2021-33880", "a secret is compared with the same work, whatever of a guess is right", () => {
      const secret = "correct horse battery staple"
      const isRight = Credential.equalTo(Redacted.make(secret))
      const guesses = Array.from(secret, (_, i) => `${secret.slice(0, i)}${"x".repeat(secret.length - i)}`)
      const costs = [...guesses, secret].map((guess) => measure(() => isRight(Redacted.make(guess))))
      // It is counted at all: the bytes of two digests.
      assert.isAtLeast(costs[0]!.blocks, 32)
      for (const cost of costs) assert.deepStrictEqual(cost, costs[0])
      assert.deepStrictEqual(
        [...guesses, secret].map((guess) => isRight(Redacted.make(guess))),
        [...guesses.map(() => false), true]
      )
      // The digests of two guesses differ early; what compares them is given two that differ late, too.
      const same = pattern(32)
      const compared = Array.from(same, (_, i) => {
        const other = same.slice()
        other[i]! ^= 1
        return measure(() => assert.isFalse(equals(same, other)))
      })
      for (const cost of compared) assert.deepStrictEqual(cost, compared[0])
    })

    row("CVE-2023-43669", "a head in any chunks is looked at once", () => {
      const heads: ReadonlyArray<(size: number) => string> = [
        (size) => withLines(valid, `X: ${"x".repeat(size)}`),
        (size) => withLines(valid, `${"x".repeat(size)}: x`),
        (size) => withLines(valid, ...Array.from({ length: size / 4 }, () => "x:")),
        (size) => valid.replace("GET /", `GET /${"x".repeat(size)}`),
        (size) => `${valid.slice(0, -2)}X: ${"x ".repeat(size / 2)}`
      ]
      for (const head of heads) {
        for (const length of [1, 7, 1024, 1 << 20]) {
          growsLinearly(
            8 * 1024,
            (size) => {
              const bytes = latin1(head(size))
              const chunks = Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
                bytes.subarray(i * length, (i + 1) * length)
              )
              return () => {
                let state: Http1.AwaitingRequest | undefined = Http1.request(unbounded)
                for (const chunk of chunks) {
                  if (state === undefined) assert.fail("it ended early")
                  const read: Either.Either<
                    Http1.AwaitingRequest | Http1.Complete<Http1.RequestHead>,
                    Http1.HeadError
                  > = Http1.receive(state, chunk)
                  state = Either.isRight(read) && read.right._tag === "AwaitingRequest" ? read.right : undefined
                }
              }
            },
            80
          )
        }
      }
    })

    row("CVE-2023-43669", "a head is refused at the byte that is too much", () => {
      const seen = (head: string, options: Http1.Options) => {
        let state = Http1.request(options)
        for (const [i, byte] of byteByByte(latin1(head)).entries()) {
          const read = Http1.receive(state, byte)
          if (Either.isLeft(read)) return [i, read.left.reason]
          if (read.right._tag === "AwaitingRequest") state = read.right
        }
        return assert.fail("it was not refused")
      }
      assert.deepStrictEqual(seen(`GET / HTTP/1.1\r\nX: ${"x".repeat(100)}`, { maxHeadSize: 50 }), [50, "HeadTooLarge"])
      assert.deepStrictEqual(seen(`GET / HTTP/1.1\r\n${"x:\r\n".repeat(9)}`, { maxFields: 3 }), [28, "TooManyFields"])
      assert.deepStrictEqual(seen(`GET /${"x".repeat(99)}`, { maxTarget: 10 }), [14, "TargetTooLong"])
    })

    row("ws 3.3.1", "no extension is found by the name of what every object has", () => {
      for (const own of ["constructor", "__proto__", "toString", "hasOwnProperty", "prototype"]) {
        const offers = Either.getOrThrow(Extension.parse([`${own}; ${own}=${own}; ${own}`]))
        assert.deepStrictEqual(offers, [
          {
            name: own,
            parameters: [
              { name: own, value: own },
              { name: own, value: undefined }
            ]
          }
        ])
        assert.deepStrictEqual(Extension.negotiate(offers, []), [])
        const confirmed = Extension.confirm(offers, [])
        assert.isTrue(Either.isLeft(confirmed) && confirmed.left.reason === "NotOffered")
        const fields = Either.getOrThrow(Fields.make([["a", "b"]]))
        assert.deepStrictEqual([Fields.get(fields, own), Fields.has(fields, own)], [undefined, false])
      }
    })

    row("ws 1.0.1", "what looks like a message and is none is a defect of the sender, and nothing is written", () => {
      for (const role of ["client", "server"] as const) {
        assert.deepStrictEqual(written(role, "first"), ["success", 'Text "first"', 'Text "next"'])
        for (const value of [
          { _tag: "Binary", bytes: 200 },
          { _tag: "Binary", bytes: "text" },
          { _tag: "Binary", bytes: [1, 2, 3] },
          { _tag: "Binary", bytes: { length: 200 } },
          { _tag: "Binary", bytes: undefined },
          { _tag: "Text", text: 200 },
          { _tag: "Text", text: { length: 200 } },
          { _tag: "Text", text: new Uint8Array(8) },
          { _tag: "Encoded", type: "Binary", payload: 200, frame: 200 },
          { _tag: "Encoded", type: "Binary", payload: { length: 9 }, frame: { length: 9 } },
          { _tag: "Encoded", type: "constructor", payload: utf8("a"), frame: utf8("no frame") }
        ]) {
          // What a program does that sends what it has parsed.
          assert.deepStrictEqual(written(role, JSON.parse(JSON.stringify(value))), ["defect", 'Text "next"'])
        }
      }
    })

    row("CVE-2026-1528", "the lengths of 64 bits, with all limits and with none", () => {
      const reason = (length: bigint, maxFramePayload: Limits.Limit) =>
        Frame.decodeChunk(Frame.decoder({ role: "client", maxFramePayload }), Wire.raw({ opcode: 2, length })).error
          ?.reason
      for (const [length, bounded, free] of [
        [2n ** 32n, "FrameTooBig", undefined],
        [2n ** 53n - 1n, "FrameTooBig", undefined],
        [2n ** 53n, "FrameTooBig", "FrameTooBig"],
        [2n ** 53n + 1n, "FrameTooBig", "FrameTooBig"],
        [2n ** 63n - 1n, "FrameTooBig", "FrameTooBig"],
        [2n ** 63n, "LengthOverflow", "LengthOverflow"],
        [2n ** 64n - 1n, "LengthOverflow", "LengthOverflow"]
      ] as const) {
        assert.deepStrictEqual([reason(length, 1024), reason(length, "unbounded")], [bounded, free], String(length))
      }
    })

    row("CVE-2020-27813", "the sum of lengths does not wrap, and does not become small", () => {
      const limits = Limits.make({ maxFramePayload: "unbounded", maxMessageSize: Number.MAX_SAFE_INTEGER })
      const first = Protocol.receive(
        Protocol.open({ role: "client", limits }),
        Wire.raw({ opcode: 2, fin: false, payload: utf8("a") })
      )
      const last = Protocol.receive(first.state, Wire.raw({ opcode: 0, length: 2n ** 53n - 1n }))
      assert.isTrue(last.state._tag === "Closing")
      assert.deepStrictEqual(
        last.replies.map(({ payload }) => toHex(payload)),
        [`03f1${toHex(utf8("MessageTooBig"))}`]
      )
    })

    row("CVE-2026-1527", "no constructor of what is written takes a line break or NUL", () => {
      for (const ends of ["\r\n", "\r", "\n", "\0"]) {
        const text = `a${ends}b`
        const nonce = new Uint8Array(16)
        const initiate = (options: Partial<Handshake.InitiateOptions>) =>
          Handshake.initiate({ authority: "localhost", ...options }, nonce)
        const head = { method: "GET", target: "/", version: "1.1", fields: Fields.empty }
        const reply = { version: "1.1", status: 200, reason: "OK", fields: Fields.empty }
        const refused: ReadonlyArray<readonly [what: string, made: Either.Either<unknown, unknown>]> = [
          ["the value of a field", Fields.make([["X", text]])],
          ["the name of a field", Fields.make([[text, "1"]])],
          ["a field that is added", Fields.append(Fields.empty, "X", text)],
          ["a field of a 101", Upgrade.extraFields([["X", text]])],
          ["an authority", initiate({ authority: text })],
          ["a target", initiate({ target: `/${text}` })],
          ["an origin", initiate({ origin: `http://${text}` })],
          ["a subprotocol", initiate({ subprotocols: [text] })],
          ["a field of a request", initiate({ fields: [["X", text]] })],
          ["an extension", initiate({ extensions: [extension(text)] })],
          ["the parameter of an extension", initiate({ extensions: [extension("a", text)] })],
          ["a method", Http1.encodeRequest({ ...head, method: text })],
          ["a target of any request", Http1.encodeRequest({ ...head, target: `/${text}` })],
          ["a version", Http1.encodeRequest({ ...head, version: `1${ends}` })],
          ["a reason phrase", Http1.encodeResponse({ ...reply, reason: text })],
          ["the version of a reply", Http1.encodeResponse({ ...reply, version: `1${ends}` })],
          ["the reason phrase of a refusal", Rejection.custom({ status: 400, reason: text })],
          ["a challenge", Rejection.challenge(`Basic realm="${text}"`)]
        ]
        for (const [what, made] of refused) assert.isTrue(Either.isLeft(made), `${what}: ${JSON.stringify(ends)}`)
      }
    })

    row("CVE-2026-65623", "100,000 fragments cost a fixed number of steps each, and are copied a few times", () => {
      const steps = 60
      const count = 100_000
      const single = fragments(count)
      const frames = Frame.decodeChunk(Frame.decoder({ role: "server" }), concat(single)).frames
      assert.strictEqual(frames.length, count)
      for (const chunks of [single, [concat(single)], [concat(single.slice(0, 9)), concat(single.slice(9))]]) {
        const { blocks, bytes } = measure(() => fed(chunks))
        assert.isAtLeast(blocks, count)
        assert.isAtMost(blocks, steps * count)
        assert.isAtMost(bytes, 16 * count)
      }
      growsLinearly(
        10_000,
        (size) => {
          const own = fragments(size, 2)
          return () => fed(own)
        },
        steps
      )
    })

    row("CVE-2020-36049", "a text in chunks of one byte is put together in linear time", () => {
      for (const text of ["x", "\u20ac", "\u{1f600}"]) {
        growsLinearly(
          12 * 1024,
          (size) => {
            const bytes = Wire.raw({ opcode: 1, key: 0, payload: utf8(text.repeat(size / utf8(text).length)) })
            const chunks = byteByByte(bytes)
            return () => fed(chunks)
          },
          80
        )
      }
    })
  })
}

/** The offer of a request with a long field, which is read with or without a refusal. */
const offering = (field: string, value: string) => {
  const read = Either.getOrThrow(
    Http1.receive(Http1.request(unbounded), latin1(withLines(valid, `${field}: ${value}`)))
  )
  if (read._tag !== "Complete") return assert.fail("the head is not complete")
  return () => Handshake.offer(Handshake.received(read.head))
}

const extension = (name: string, value = "1"): Extension.Extension<never> => ({
  name,
  reserved: [],
  offers: [{ name, parameters: [{ name: "b", value }] }],
  accept: () => assert.fail("asked"),
  confirm: () => Either.left("no")
})

/** What becomes of a `send`, and what is then on the wire when a text is sent after it. */
const written = (role: Wire.Role, value: WebSocket.Sendable): ReadonlyArray<string> => {
  // Tasks run when the test says so, and what one of them throws comes to the test.
  const scheduler = new Scheduler.ControlledScheduler()
  const out: Array<Uint8Array> = []
  const address = { host: "localhost", port: 1 }
  const lane: Network.Lane = {
    poll: () => "Pending",
    onReadable: () => {},
    offer: (chunks) => {
      for (const chunk of chunks) out.push(chunk.slice())
      return true
    },
    isWritable: () => true,
    onWritable: () => {},
    failure: () => undefined,
    end: () => {},
    abort: () => {}
  }
  const transport: Network.Transport = {
    remote: address,
    local: address,
    read: Effect.never,
    write: () => Effect.void,
    endOfOutput: Effect.void,
    abort: Effect.void,
    lane
  }
  const heard: Array<string> = []
  const program = Effect.gen(function* () {
    const socket = yield* WebSocket.make(transport, { role, limits: { pingInterval: "unbounded" } })
    const exit = yield* Effect.exit(socket.send(value))
    heard.push(Exit.isSuccess(exit) ? "success" : "defect")
    yield* Effect.yieldNow()
    yield* socket.send("next")
    yield* Effect.yieldNow()
    return yield* Effect.never
  })
  const scope = Effect.runSync(Scope.make())
  const fiber = Effect.runFork(Scope.extend(program, scope), { scheduler })
  for (let i = 0; i < 16; i++) scheduler.step()
  const { error, frames } = Frame.decodeChunk(
    Frame.decoder({ role: role === "client" ? "server" : "client" }),
    concat(out)
  )
  heard.push(...frames.map(({ payload }) => `Text ${JSON.stringify(new TextDecoder().decode(payload))}`))
  if (error !== undefined) heard.push(error.reason)
  fiber.unsafeInterruptAsFork(fiber.id())
  for (let i = 0; i < 16; i++) scheduler.step()
  return heard
}
