import { describe, it } from "@effect/vitest"
import * as FrameHeader from "../../src/internal/frameHeader.js"
import { assertBytes, hex } from "../support/bytes.js"

describe("a header (RFC 6455 §5.2)", () => {
  // longer than any payload that a test can hold
  it.each([
    [2 ** 32 - 1, "82 7f 00000000ffffffff"],
    [2 ** 32, "82 7f 0000000100000000"],
    [2 ** 40 + 5, "82 7f 0000010000000005"],
    [Number.MAX_SAFE_INTEGER, "82 7f 001fffffffffffff"]
  ])("of %i bytes of payload has both halves of its length", (length, expected) => {
    const bytes = new Uint8Array(FrameHeader.size(length, false))
    FrameHeader.write(bytes, 0, 0x82, length, undefined)
    assertBytes(bytes, hex(expected))
  })
})
