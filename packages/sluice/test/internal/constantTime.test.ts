import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { equals } from "../../src/internal/constantTime.js"

/** The same bytes, and which of them were looked at, in order. */
const watched = (bytes: Uint8Array) => {
  const seen: Array<number> = []
  const watched: ArrayLike<number> = new Proxy(bytes, {
    get: (target, property) => {
      if (typeof property === "string" && /^\d+$/.test(property)) seen.push(Number(property))
      return Reflect.get(target, property, target)
    }
  })
  return { seen, watched }
}

const bytes = FastCheck.uint8Array({ minLength: 1, maxLength: 64 })

describe("constantTime", () => {
  it.prop(
    "says whether the bytes are the same",
    [bytes, FastCheck.nat(), FastCheck.integer({ min: 1, max: 255 })],
    ([bytes, at, bits]) => {
      const other = bytes.slice()
      other[at % other.length]! ^= bits
      assert.isTrue(equals(bytes, bytes.slice()))
      assert.isFalse(equals(bytes, other))
      assert.isFalse(equals(other, bytes))
      assert.isFalse(equals(bytes, bytes.slice(1)))
      assert.isFalse(equals(bytes.slice(1), bytes))
    }
  )

  it.prop("looks at every byte once, wherever they differ", [bytes, bytes], ([one, other]) => {
    const length = Math.min(one.length, other.length)
    const self = watched(one.slice(0, length))
    const that = watched(other.slice(0, length))
    equals(self.watched, that.watched)
    const all = Array.from({ length }, (_, at) => at)
    assert.deepStrictEqual([self.seen, that.seen], [all, all])
  })
})
