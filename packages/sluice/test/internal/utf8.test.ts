import { isUtf8 } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as Utf8 from "../../src/internal/utf8.js"
import { byteByByte, concat, cut, cuts, hex, toHex, utf8 } from "../support/bytes.js"
import * as Cases from "../support/utf8Cases.js"

const checkAll = (chunks: ReadonlyArray<Uint8Array>): Utf8.State => chunks.reduce(Utf8.check, Utf8.start)

describe("valid (RFC 3629 §3)", () => {
  it.each(Cases.boundaries)("U+%s is a character, and incomplete after each byte but its last", (codePoint, bytes) => {
    assert.strictEqual(
      toHex(utf8(String.fromCodePoint(Number.parseInt(codePoint, 16)))),
      toHex(hex(bytes)),
      "the row of the table"
    )
    let state = Utf8.start
    const all = hex(bytes)
    for (const [i, byte] of all.entries()) {
      state = Utf8.check(state, Uint8Array.of(byte))
      assert.notStrictEqual(state, Utf8.invalid)
      assert.strictEqual(state === Utf8.start, i === all.length - 1, `after byte ${i}`)
    }
  })

  it("nothing is a text", () => {
    assert.strictEqual(Utf8.check(Utf8.start, new Uint8Array(0)), Utf8.start)
  })
})

describe("invalid (RFC 3629 §4)", () => {
  // Before, so that the fault is not where the text begins; after, so that there is something to be skipped.
  const before = utf8("aé€😀")
  const after = utf8("zzzzzzzz")

  it.each(Cases.invalid)("%s (%s) fails at its byte %i, wherever the bytes are cut", (_, bytes, bad) => {
    const all = concat([before, hex(bytes), after])
    const first = before.length + bad
    for (let at = 0; at <= all.length; at++) {
      const [head, tail] = [all.subarray(0, at), all.subarray(at)]
      const state = Utf8.check(Utf8.start, head)
      assert.strictEqual(state === Utf8.invalid, at > first, `${at} bytes`)
      assert.strictEqual(Utf8.check(state, tail), Utf8.invalid, `cut at ${at}`)
    }
    assert.strictEqual(checkAll(byteByByte(all)), Utf8.invalid)
  })

  it.each(Cases.incomplete)("a text that ends with %s is not wrong yet, and not complete", (bytes) => {
    const state = Utf8.check(Utf8.start, concat([before, hex(bytes)]))
    assert.notStrictEqual(state, Utf8.invalid)
    assert.notStrictEqual(state, Utf8.start)
  })

  it("a fault is found at each index of a run of ASCII, however long it is and wherever it is cut", () => {
    for (let length = 1; length <= 20; length++) {
      for (let bad = 0; bad < length; bad++) {
        const bytes = new Uint8Array(length).fill(0x61)
        bytes[bad] = 0xff
        for (let at = 0; at <= length; at++) {
          const state = Utf8.check(Utf8.start, bytes.subarray(0, at))
          assert.strictEqual(state === Utf8.invalid, at > bad)
          assert.strictEqual(Utf8.check(state, bytes.subarray(at)), Utf8.invalid)
        }
      }
    }
  })

  it.prop("after a fault nothing makes a text valid again", [Cases.bytes], ([bytes]) => {
    assert.strictEqual(Utf8.check(Utf8.invalid, bytes), Utf8.invalid)
    const hostile = concat([hex("ff"), new Uint8Array(254).fill(0x80), bytes])
    assert.strictEqual(Utf8.check(Utf8.invalid, hostile), Utf8.invalid)
  })
})

describe("the platform agrees", () => {
  // One byte of each kind that RFC 3629 §4 tells apart, and the two ends of each range.
  const kinds = [
    ...[0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef],
    ...[0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
  ]

  it("on every two bytes", () => {
    const bytes = new Uint8Array(2)
    for (bytes[0] = 0; ; bytes[0]++) {
      for (bytes[1] = 0; ; bytes[1]++) {
        if ((Utf8.check(Utf8.start, bytes) === Utf8.start) !== isUtf8(bytes)) assert.fail(toHex(bytes))
        if (bytes[1] === 255) break
      }
      if (bytes[0] === 255) break
    }
  })

  it("on every four bytes of the kinds that RFC 3629 §4 tells apart", () => {
    for (const a of kinds) {
      for (const b of kinds) {
        for (const c of kinds) {
          for (const d of kinds) {
            const bytes = Uint8Array.of(a, b, c, d)
            if ((Utf8.check(Utf8.start, bytes) === Utf8.start) !== isUtf8(bytes)) assert.fail(toHex(bytes))
          }
        }
      }
    }
  })

  it.prop(
    "on random bytes at random cuts: TextDecoder with `fatal`",
    [Cases.bytes, cuts],
    ([bytes, at]) => {
      const expected = Cases.isValid(bytes)
      assert.strictEqual(Utf8.check(Utf8.start, bytes) === Utf8.start, expected, "whole")
      assert.strictEqual(checkAll(cut(bytes, at)) === Utf8.start, expected, "cut")
      assert.strictEqual(checkAll(byteByByte(bytes)) === Utf8.start, expected, "byte by byte")
    },
    { fastCheck: { numRuns: 500 } }
  )

  it.prop(
    "a fault is seen at its first byte: as long as it is not seen, the text can be completed",
    [Cases.bytes],
    ([bytes]) => {
      // Each way to complete a character; one of them fits unless a byte before was wrong.
      const ends = ["", "80", "80 80", "80 80 80", "a0 80", "90 80 80"].map(hex)
      for (let length = 0; length <= bytes.length; length++) {
        const head = bytes.subarray(0, length)
        const canBeCompleted = ends.some((end) => isUtf8(concat([head, end])))
        assert.strictEqual(Utf8.check(Utf8.start, head) !== Utf8.invalid, canBeCompleted, toHex(head))
      }
    },
    { fastCheck: { numRuns: 300 } }
  )
})

describe("lastBoundary", () => {
  it.prop("is where the character begins in which a text was cut", [Cases.text, cuts], ([text, at]) => {
    const bytes = utf8(text)
    for (const head of at.map((index) => bytes.subarray(0, index % (bytes.length + 1)))) {
      if (Utf8.check(Utf8.start, head) === Utf8.start) continue
      const boundary = Utf8.lastBoundary(head)
      assert.isTrue(isUtf8(head.subarray(0, boundary)), "what is before it is a text")
      assert.isBelow(boundary, head.length)
      assert.isFalse(isUtf8(head.subarray(boundary)), "what is after it is not")
    }
  })

  it.each(Cases.incomplete)("is 0 in %s alone", (bytes) => {
    assert.strictEqual(Utf8.lastBoundary(hex(bytes)), 0)
    assert.strictEqual(Utf8.lastBoundary(concat([utf8("ab€"), hex(bytes)])), 5)
  })
})
