import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { mask, maskingKeys, noKeys } from "../../src/internal/masking.js"
import { assertBytes, hex, pattern } from "../support/bytes.js"

const key = FastCheck.integer({ min: 0, max: 0xffff_ffff })

/** RFC 6455 §5.3, as it is written there. */
const naive = (bytes: Uint8Array, start: number, end: number, key: number, phase: number): Uint8Array => {
  const octets = [key >>> 24, (key >>> 16) & 0xff, (key >>> 8) & 0xff, key & 0xff]
  return bytes.map((byte, i) => (i < start || i >= end ? byte : byte ^ octets[(phase + i - start) % 4]))
}

describe("mask (RFC 6455 §5.3)", () => {
  it("j = i MOD 4, and the most significant byte of the key is the first", () => {
    const bytes = new Uint8Array(6)
    mask(bytes, 0, 6, 0x37fa213d, 0)
    assertBytes(bytes, hex("37 fa 21 3d 37 fa"))
    const later = new Uint8Array(6)
    mask(later, 1, 6, 0x37fa213d, 3)
    assertBytes(later, hex("00 3d 37 fa 21 3d"))
  })

  it("a key of 0 changes nothing", () => {
    const bytes = pattern(600)
    mask(bytes, 0, 600, 0, 0)
    assertBytes(bytes, pattern(600))
  })

  it.prop(
    "agrees with a loop over bytes for all lengths to 600, offsets to 8 and phases, and touches nothing outside",
    [key],
    ([key]) => {
      const before = pattern(620)
      for (let length = 0; length <= 600; length++) {
        for (let offset = 0; offset <= 8; offset++) {
          for (let phase = 0; phase <= 3; phase++) {
            const bytes = before.slice()
            mask(bytes, offset, offset + length, key, phase)
            const octets = [key >>> 24, key >>> 16, key >>> 8, key]
            for (let i = 0; i < bytes.length; i++) {
              const inside = i >= offset && i < offset + length
              const expected = inside ? (before[i] ^ octets[(phase + i - offset) & 3]) & 0xff : before[i]
              if (bytes[i] !== expected) assert.fail(`length ${length}, offset ${offset}, phase ${phase}, byte ${i}`)
            }
          }
        }
      }
    },
    { fastCheck: { numRuns: 4 } }
  )

  it.prop(
    "agrees with a loop over bytes in any view of any buffer, the ends of which need not be those of a word",
    [key, FastCheck.nat({ max: 17 }), FastCheck.nat({ max: 9 }), FastCheck.nat({ max: 3000 }), FastCheck.nat()],
    ([key, byteOffset, start, length, phase]) => {
      for (const tail of [0, 1, 3, 5, 8]) {
        const buffer = new Uint8Array(byteOffset + start + length + tail).map((_, i) => i * 31)
        const before = buffer.slice()
        const view = buffer.subarray(byteOffset, byteOffset + start + length)
        mask(view, start, start + length, key, phase)
        assertBytes(buffer, naive(before, byteOffset + start, byteOffset + start + length, key, phase))
      }
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.prop(
    "masking twice is nothing, and masking in two parts is masking whole",
    [key, FastCheck.nat({ max: 2000 }), FastCheck.nat()],
    ([key, length, index]) => {
      const at = index % (length + 1)
      const whole = pattern(length)
      mask(whole, 0, length, key, 0)
      const inParts = pattern(length)
      mask(inParts, 0, at, key, 0)
      mask(inParts, at, length, key, at)
      assertBytes(inParts, whole)
      mask(whole, 0, length, key, 0)
      assertBytes(whole, pattern(length))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it("the buffers of two connections in turn do not get in the way of each other", () => {
    const buffers = [pattern(700), pattern(64), pattern(1024), new Uint8Array(pattern(701).buffer, 1, 700)]
    const expected: Array<Uint8Array> = buffers.map((bytes) => bytes.slice())
    for (let round = 0; round < 12; round++) {
      const i = (round * 7) % buffers.length
      const key = 0x01020304 * (round + 1)
      const end = buffers[i].length - round
      mask(buffers[i], round, end, key, round)
      expected[i] = naive(expected[i], round, end, key, round)
      for (const [j, bytes] of buffers.entries()) assertBytes(bytes, expected[j], `buffer ${j}, round ${round}`)
    }
  })
})

describe("maskingKeys (RFC 6455 §5.3)", () => {
  it("a fresh key each time: no byte of the entropy is used twice, none is skipped", () => {
    const drawn: Array<Uint8Array> = []
    const next = maskingKeys((size) => {
      // A view inside of a larger buffer, as a source of randomness may give.
      const view = new Uint8Array(new ArrayBuffer(size + 11), 7, size)
      view.set(view.map((_, i) => i * 13 + drawn.length))
      drawn.push(view)
      return view
    })
    const keys = Array.from({ length: 200 }, next)
    const expected = drawn.flatMap((bytes) =>
      Array.from({ length: bytes.length / 4 }, (_, i) =>
        Number.parseInt(Buffer.from(bytes).toString("hex", 4 * i, 4 * i + 4), 16)
      )
    )
    assert.isAbove(drawn.length, 1)
    assert.deepStrictEqual(keys, expected.slice(0, 200))
    assert.isTrue(keys.every((key) => Number.isInteger(key) && key >= 0 && key <= 0xffff_ffff))
  })

  it("takes no entropy before the first key", () => {
    let drawn = 0
    const next = maskingKeys((size) => {
      drawn++
      return new Uint8Array(size)
    })
    assert.strictEqual(drawn, 0)
    next()
    assert.strictEqual(drawn, 1)
  })

  it("§5.1: a server has none", () => {
    assert.isUndefined(noKeys())
  })
})
