import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Accumulator from "../../src/internal/accumulator.js"
import { assertBytes, concat, pattern } from "../support/bytes.js"

const piece = FastCheck.uint8Array({ maxLength: 90 })

const build = (pieces: Iterable<Uint8Array>, expected?: number): Accumulator.Accumulator => {
  let accumulator = Accumulator.empty
  for (const piece of pieces) accumulator = Accumulator.append(accumulator, piece, expected)
  return accumulator
}

describe("append", () => {
  it.prop(
    "what comes out is what came in, whatever length was expected",
    [FastCheck.array(piece), FastCheck.nat({ max: 2000 })],
    ([pieces, expected]) => {
      const accumulator = build(pieces, expected)
      assertBytes(Accumulator.toBytes(accumulator), concat(pieces))
      assert.strictEqual(accumulator.length, concat(pieces).length)
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop(
    "is persistent: any accumulator may be continued many times, and none sees the bytes of another",
    [FastCheck.array(FastCheck.tuple(FastCheck.nat(), piece, FastCheck.nat({ max: 300 })), { maxLength: 40 })],
    ([steps]) => {
      const all = [{ accumulator: Accumulator.empty, model: concat([]) }]
      for (const [parent, piece, expected] of steps) {
        const { accumulator, model } = all[parent % all.length]
        all.push({ accumulator: Accumulator.append(accumulator, piece, expected), model: concat([model, piece]) })
      }
      for (const { accumulator, model } of all) assertBytes(Accumulator.toBytes(accumulator), model)
    },
    { fastCheck: { numRuns: 300 } }
  )

  it("is persistent where there is spare room: the second to append to it gets a buffer of its own", () => {
    const base = build([Uint8Array.of(1, 2, 3)])
    const first = Accumulator.append(base, Uint8Array.of(4, 5))
    const second = Accumulator.append(base, Uint8Array.of(6, 7))
    assert.strictEqual(first.buffer, base.buffer)
    assert.notStrictEqual(second.buffer, base.buffer)
    assertBytes(Accumulator.toBytes(first), Uint8Array.of(1, 2, 3, 4, 5))
    assertBytes(Accumulator.toBytes(second), Uint8Array.of(1, 2, 3, 6, 7))
    assertBytes(Accumulator.toBytes(base), Uint8Array.of(1, 2, 3))
  })

  it("keeps its own copy: the piece may be overwritten afterwards", () => {
    const piece = Uint8Array.of(1, 2, 3)
    const accumulator = Accumulator.append(Accumulator.empty, piece)
    piece.fill(9)
    assertBytes(Accumulator.toBytes(accumulator), Uint8Array.of(1, 2, 3))
  })

  it("an empty piece costs nothing", () => {
    const accumulator = build([Uint8Array.of(1)])
    assert.strictEqual(Accumulator.append(accumulator, new Uint8Array(0), 1000), accumulator)
  })
})

describe("room", () => {
  it.prop(
    "what is put into the room need not be copied, and comes out as if it had been",
    [FastCheck.array(FastCheck.tuple(piece, FastCheck.boolean())), FastCheck.nat({ max: 2000 })],
    ([pieces, expected]) => {
      let accumulator = Accumulator.empty
      for (const [piece, isPut] of pieces) {
        const room = isPut ? Accumulator.room(accumulator, piece.length) : undefined
        assert.isAtMost(room?.length ?? 0, piece.length)
        if (room !== undefined && room.length === piece.length) {
          room.set(piece)
          const { buffer } = accumulator
          accumulator = Accumulator.append(accumulator, room, expected)
          assert.strictEqual(accumulator.buffer, buffer)
        } else accumulator = Accumulator.append(accumulator, piece, expected)
      }
      assertBytes(Accumulator.toBytes(accumulator), concat(pieces.map(([piece]) => piece)))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it("there is none where the buffer is full, or where somebody else has gone on with it", () => {
    const full = Accumulator.append(Accumulator.empty, pattern(100), 100)
    assert.isUndefined(Accumulator.room(full, 10))
    const base = build([Uint8Array.of(1, 2, 3)])
    assert.strictEqual(Accumulator.room(base, 1000)?.length, 61)
    Accumulator.append(base, Uint8Array.of(4))
    assert.isUndefined(Accumulator.room(base, 1000))
  })
})

describe("memory", () => {
  it.prop(
    "at most four times the bytes that have come are pinned, 16 times from 32 KiB on, or 64, whatever was announced",
    [
      FastCheck.array(FastCheck.oneof(piece, FastCheck.nat({ max: 40_000 }).map(pattern))),
      FastCheck.oneof(FastCheck.nat({ max: 2000 }), FastCheck.constant(Number.MAX_SAFE_INTEGER))
    ],
    ([pieces, expected]) => {
      let accumulator = Accumulator.empty
      for (const piece of pieces) {
        accumulator = Accumulator.append(accumulator, piece, expected)
        const most = accumulator.length * (accumulator.length < 32 * 1024 ? 4 : 16)
        assert.isAtMost(Accumulator.pinned(accumulator), Math.max(64, most))
        assert.strictEqual(Accumulator.pinned(accumulator), accumulator.buffer.bytes.buffer.byteLength)
      }
    },
    { fastCheck: { numRuns: 300 } }
  )

  it("a length that was announced is not exceeded, and is reached in few steps", () => {
    const chunks = Array.from({ length: 1024 }, () => pattern(1024))
    const accumulator = build(chunks, 1024 * 1024)
    assert.strictEqual(Accumulator.pinned(accumulator), 1024 * 1024)
  })

  it("100,000 pieces of one byte are copied into a few buffers only (linear time)", () => {
    let accumulator = Accumulator.empty
    const buffers = new Set<unknown>()
    for (let i = 0; i < 100_000; i++) {
      accumulator = Accumulator.append(accumulator, Uint8Array.of(i))
      buffers.add(accumulator.buffer)
    }
    assertBytes(
      Accumulator.toBytes(accumulator),
      new Uint8Array(100_000).map((_, i) => i)
    )
    assert.isAtMost(buffers.size, 20)
  })
})
