import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import * as Credential from "../src/Credential.js"

const text = FastCheck.string({ unit: "grapheme" })

describe("Credential", () => {
  it.prop("is equal to itself and to nothing else", [text, text], ([one, other]) => {
    const isOne = Credential.equalTo(Redacted.make(one))
    assert.isTrue(isOne(Redacted.make(one)))
    assert.strictEqual(isOne(Redacted.make(other)), one === other)
    assert.isFalse(isOne(Redacted.make(`${one}x`)))
    assert.isFalse(isOne(Redacted.make(`x${one}`)))
  })

  it("knows text that looks alike apart, and takes any length", () => {
    const isSecret = Credential.equalTo(Redacted.make("caf\u00e9"))
    for (const other of ["cafe\u0301", "caf\u00c9", "CAF\u00c9", "caf", "", "caf\u00e9\0", "x".repeat(100_000)]) {
      assert.isFalse(isSecret(Redacted.make(other)), other)
    }
    const isEmpty = Credential.equalTo(Redacted.make(""))
    assert.isTrue(isEmpty(Redacted.make("")))
    assert.isFalse(isEmpty(Redacted.make("\0")))
  })
})
