/**
 * `Sec-WebSocket-Accept` (RFC 6455 §4.2.2, item 5.4), computed here so that nothing of the endpoint under test is used
 * to judge it: SHA-1 after RFC 3174 §6.1.
 */
import * as Encoding from "effect/Encoding"
import { utf8 } from "./bytes.js"

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

const sha1 = (message: Uint8Array): Uint8Array => {
  // RFC 3174 §4: a one, zeros, and the length in bits as 64 bits, up to a multiple of 64 bytes
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 4, message.length * 8)
  const h = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
  for (let block = 0; block < padded.length; block += 64) {
    const w = new Uint32Array(80)
    for (let t = 0; t < 16; t++) w[t] = view.getUint32(block + 4 * t)
    for (let t = 16; t < 80; t++) w[t] = rotate(word(w, t - 3) ^ word(w, t - 8) ^ word(w, t - 14) ^ word(w, t - 16), 1)
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = h
    for (let t = 0; t < 80; t++) {
      const [f, k] =
        t < 20
          ? [(b & c) | (~b & d), 0x5a827999]
          : t < 40
            ? [b ^ c ^ d, 0x6ed9eba1]
            : t < 60
              ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc]
              : [b ^ c ^ d, 0xca62c1d6]
      const next = (rotate(a, 5) + f + e + word(w, t) + k) | 0
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    for (const [i, value] of [a, b, c, d, e].entries()) h[i] = word(h, i) + value
  }
  const digest = new DataView(new ArrayBuffer(20))
  for (const [i, value] of h.entries()) digest.setUint32(4 * i, value)
  return new Uint8Array(digest.buffer)
}

const word = (words: Uint32Array, index: number): number => words[index] ?? 0

/** @internal */
export const acceptKey = (key: string): string =>
  Encoding.encodeBase64(sha1(utf8(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)))
