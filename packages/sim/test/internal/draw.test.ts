import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Draw, Stream } from "../../src/internal/draw.js"

const seed = FastCheck.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

const streams = Object.values(Stream)

const numbers = (draw: Draw, count = 8) => Array.from({ length: count }, () => draw.number())

describe("Draw", () => {
  it.prop("is a function of the seed and the stream", [seed, FastCheck.constantFrom(...streams)], ([seed, stream]) => {
    assert.deepStrictEqual(numbers(new Draw(seed, stream)), numbers(new Draw(seed, stream)))
  })

  it("streams, and neighbouring seeds, have nothing in common", () => {
    const firsts = Array.from({ length: 500 }, (_, seed) => streams.map((stream) => new Draw(seed, stream).number()))
    assert.strictEqual(new Set(firsts.flat()).size, 500 * streams.length)
    // Bits of the first number of neighbours: half of them differ, more or less.
    const heads = Array.from({ length: 2000 }, (_, seed) => new Draw(seed, Stream.Network).integer(2))
    const changes = heads.filter((bit, i) => i > 0 && bit !== heads[i - 1]).length
    assert(changes > 900 && changes < 1100, `${changes} of 2000`)
  })

  it("seeds above 32 bits are seeds of their own", () => {
    const seeds = [1, 2 ** 32 + 1, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER, 0xffff_ffff]
    assert.strictEqual(new Set(seeds.map((seed) => new Draw(seed, Stream.Host).number())).size, seeds.length)
  })

  it.prop("an integer is below its bound", [seed, FastCheck.integer({ min: -3, max: 1000 })], ([seed, below]) => {
    const draw = new Draw(seed, Stream.Host)
    for (let i = 0; i < 20; i++) {
      const n = draw.integer(below)
      assert(Number.isInteger(n) && n >= 0 && (n < below || n === 0), `${n} is not below ${below}`)
    }
  })

  it("all integers below the bound come up, equally often", () => {
    const draw = new Draw(7, Stream.Host)
    const counts = [0, 0, 0, 0, 0]
    for (let i = 0; i < 5000; i++) counts[draw.integer(5)]++
    for (const count of counts) assert(count > 850 && count < 1150, counts.join(" "))
  })

  it("chances: never, always, and in between", () => {
    const draw = new Draw(1, Stream.Host)
    const hits = (probability: number) =>
      Array.from({ length: 1000 }, () => draw.chance(probability)).filter(Boolean).length
    assert.strictEqual(hits(0), 0)
    assert.strictEqual(hits(-1), 0)
    assert.strictEqual(hits(1), 1000)
    const some = hits(0.25)
    assert(some > 200 && some < 300, `${some}`)
  })

  it.prop("between stays between", [seed, FastCheck.nat(), FastCheck.nat()], ([seed, low, size]) => {
    const n = new Draw(seed, Stream.Host).between(low, low + size)
    assert(n >= low && n <= low + size)
  })

  it("failures before a success have the mean that they should", () => {
    const draw = new Draw(1, Stream.Host)
    assert.strictEqual(draw.failuresBefore(0), Number.POSITIVE_INFINITY)
    assert.strictEqual(draw.failuresBefore(1), 0)
    for (const probability of [0.4, 0.1, 0.02]) {
      const all = Array.from({ length: 4000 }, () => draw.failuresBefore(probability))
      assert.isTrue(all.every((n) => Number.isInteger(n) && n >= 0))
      const mean = all.reduce((sum, n) => sum + n) / all.length
      const expected = (1 - probability) / probability
      assert(Math.abs(mean - expected) < 0.1 * expected, `${mean} is not near ${expected}`)
    }
  })

  it("picks each item", () => {
    const draw = new Draw(1, Stream.Host)
    assert.deepStrictEqual(
      new Set(Array.from({ length: 100 }, () => draw.pick(["a", "b", "c"]))),
      new Set(["a", "b", "c"])
    )
    assert.strictEqual(draw.pick(["only"]), "only")
  })

  it("fills all bytes that it is given", () => {
    const draw = new Draw(1, Stream.Entropy)
    const bytes = draw.bytes(new Uint8Array(4096))
    assert.strictEqual(new Set(bytes).size, 256)
    assert.notDeepEqual(draw.bytes(new Uint8Array(4096)), bytes)
  })

  // A seed in a bug report must mean the same for years.
  it("draws what it has always drawn", () => {
    const digits = (draw: Draw) => Array.from({ length: 8 }, () => draw.integer(10)).join("")
    assert.deepStrictEqual(
      [1, 2, 2 ** 40].map((seed) => digits(new Draw(seed, Stream.Scheduling))),
      ["35394011", "57527446", "85280508"]
    )
  })
})
