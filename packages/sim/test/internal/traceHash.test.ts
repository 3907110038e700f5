import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { TraceHash } from "../../src/internal/traceHash.js"

type Item = number | string | Uint8Array

const add = (hash: TraceHash, item: Item): void => {
  if (typeof item === "string") hash.text(item)
  else if (typeof item === "number") hash.number(item)
  else hash.bytes(item)
}

const digest = (items: ReadonlyArray<Item>): string => {
  const hash = new TraceHash()
  for (const item of items) add(hash, item)
  return hash.digest()
}

// Around the half and the whole of its buffer.
const sizes = FastCheck.constantFrom(0, 1, 2047, 2048, 2049, 4093, 4096, 4097, 9000)
const item: FastCheck.Arbitrary<Item> = FastCheck.oneof(
  FastCheck.double({ noNaN: true }),
  FastCheck.string(),
  FastCheck.uint8Array({ maxLength: 100 }),
  FastCheck.tuple(sizes, FastCheck.nat({ max: 255 })).map(([size, fill]) => new Uint8Array(size).fill(fill))
)
const items = FastCheck.array(item, { maxLength: 12 })

describe("TraceHash", () => {
  it.prop("is a function of what was added", [items], ([items]) => {
    assert.match(digest(items), /^[0-9a-f]{16}$/)
    assert.strictEqual(digest(items), digest(items))
  })

  it.prop(
    "sees each byte that changes",
    [FastCheck.uint8Array({ minLength: 1, maxLength: 5000 }), FastCheck.nat(), items],
    ([bytes, at, items]) => {
      const changed = bytes.slice()
      changed[at % bytes.length] ^= 1
      assert.notStrictEqual(digest([...items, changed]), digest([...items, bytes]))
      assert.notStrictEqual(digest([changed, ...items]), digest([bytes, ...items]))
    }
  )

  it.prop("sees where one item ends", [FastCheck.string(), FastCheck.string({ minLength: 1 })], ([one, other]) => {
    assert.notStrictEqual(digest([one, other]), digest([one + other]))
    const bytes = (text: string) => new TextEncoder().encode(text)
    assert.notStrictEqual(digest([bytes(one), bytes(other)]), digest([bytes(one + other)]))
  })

  it("sees the order, also of what fills its buffer", () => {
    const [a, b] = [new Uint8Array(4096).fill(1), new Uint8Array(4096).fill(2)]
    assert.notStrictEqual(digest([a, b]), digest([b, a]))
    assert.notStrictEqual(digest([1, 2]), digest([2, 1]))
    assert.notStrictEqual(digest([1, a]), digest([a, 1]))
  })

  it("keeps no bytes that somebody may change afterwards", () => {
    for (const size of [10, 3000]) {
      const bytes = new Uint8Array(size)
      const hash = new TraceHash()
      hash.bytes(bytes)
      bytes.fill(1)
      assert.strictEqual(hash.digest(), digest([new Uint8Array(size)]))
    }
  })
})
