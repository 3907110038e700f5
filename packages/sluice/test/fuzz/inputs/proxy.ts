/** Headers of the PROXY protocol: a byte for the limit, one for the cuts, then the bytes of the connection. */
import { concat, hex } from "../../support/bytes.js"
import { latin1 } from "../../support/http.js"
import { type Inputs, split } from "../target.js"

/** What the first byte of an input says. */
export const limits = [4096, 16, 28, "unbounded"] as const

const signature = "0d0a0d0a000d0a515549540a"
const inet = "c0a80001c0a8000bdc0401bb"

const lines = [
  "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n\r\n",
  "PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 0 65535\r\n",
  `PROXY UNKNOWN ${"x".repeat(91)}\r\n`
]

const binaries = [
  `${signature}2111000c${inet}`,
  `${signature}21210024${"20010db8".padEnd(64, "0")}0001ffff47`,
  `${signature}213100d8${"2f61".padEnd(216, "0")}${"0061".padEnd(216, "0")}`,
  // The checksum is that of the header.
  `${signature}21110013${inet}0300041c1ae9c6`,
  `${signature}2111001b${inet}020003612e620400010005000101`,
  `${signature}20000000`,
  `${signature}21120000`
]

const seeds = (): ReadonlyArray<Uint8Array> =>
  [...lines.map(latin1), ...binaries.map(hex)].flatMap((bytes, i) =>
    limits.map((_, limit) => concat([Uint8Array.of(limit, i), bytes]))
  )

const words = [
  ...[...split("\r\n|\r|\n| |PROXY |TCP4 |TCP6 |UNKNOWN|UNKNOWN |::|:|.|0|255|256|65535|65536"), "1.2.3.4", "::1"].map(
    latin1
  ),
  ...[signature, `${signature}21`, "2111000c", "21210024", "213100d8", "030004", "040000", "010000", "ffff"].map(hex)
]

export const inputs: Inputs = { seeds, words, maxSize: 8 * 1024 }
