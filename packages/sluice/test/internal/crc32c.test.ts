import { assert, describe, it } from "@effect/vitest"
import { crc32c } from "../../src/internal/crc32c.js"
import { utf8 } from "../support/bytes.js"

describe("crc32c", () => {
  // The vectors of RFC 3720, Appendix B.4, whose bytes are printed in the order of the wire, and the usual check value.
  const vectors: ReadonlyArray<readonly [what: string, bytes: Uint8Array, crc: number]> = [
    ["nothing", new Uint8Array(0), 0],
    ["the check value", utf8("123456789"), 0xe3069283],
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e]
  ]
  for (const [what, bytes, crc] of vectors) {
    it(what, () => {
      assert.strictEqual(crc32c(bytes), crc)
    })
  }
})
