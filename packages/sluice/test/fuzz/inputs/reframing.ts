/** Frames changed as frames: what the bytes of a connection are taken apart to, and made of again. */
import { concat, hex, utf8 } from "../../support/bytes.js"
import * as Wire from "../../support/wire.js"
import { replaced } from "../mutation.js"
import type { Random } from "../random.js"

/** Frames as they come, whatever is wrong with them; what is no frame at the end is one of its own. */
const framesOf = (bytes: Uint8Array): Array<Wire.Raw> => {
  const frames: Array<Wire.Raw> = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [b0, b1] = [bytes[at], bytes[at + 1]]
    const short = b1 & 0x7f
    const size = short === 126 ? 2 : short === 127 ? 8 : 0
    const long = bytes.subarray(at + 2, at + 2 + size)
    const length = size === 0 ? BigInt(short) : long.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    const start = at + 2 + size + (b1 >= 0x80 ? 4 : 0)
    const key = b1 >= 0x80 ? bytes.subarray(start - 4, start) : undefined
    const end = Math.min(bytes.length, start + Number(length))
    const payload = bytes.subarray(start, end).map((byte, i) => byte ^ (key?.[i % 4] ?? 0))
    frames.push({
      opcode: b0 & 15,
      fin: b0 >= 0x80,
      rsv: (b0 >> 4) & 7,
      key: key === undefined ? undefined : key.reduce((sum, byte) => sum * 256 + byte, 0),
      payload,
      length: end < start + Number(length) ? length & ((1n << 63n) - 1n) : undefined,
      form: size === 0 ? undefined : size === 2 ? 16 : 64
    })
    at = Math.max(end, at + 2)
  }
  return frames
}

const write = (frame: Wire.Raw): Uint8Array => {
  const length = BigInt(frame.length ?? frame.payload?.length ?? 0)
  return Wire.raw({
    ...frame,
    form: length > 65535n ? 64 : length > 125n && frame.form === undefined ? 16 : frame.form
  })
}

/** Close codes about which it changes whether they may be received (RFC 6455 §7.4). */
const codes = [0, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65535]

const sizes = [0, 1, 2, 124, 125, 125, 126, 126, 127, 200, 201, 300]

const opcodes = [0, 0, 1, 2, 8, 9, 10, 3, 15]

/** Changes one frame, or the order of the frames. */
const changeFrames = (frames: Array<Wire.Raw>, random: Random): void => {
  const at = random.below(frames.length + 1)
  const frame = frames[at] ?? { opcode: random.pick(opcodes), payload: random.bytes(random.below(130)) }
  const payload = frame.payload ?? new Uint8Array(0)
  const change = random.below(10)
  if (change === 0) frames.splice(at, 1)
  else if (change === 1) frames.splice(random.below(frames.length + 1), 0, frame)
  else if (change === 2) frames[at] = { ...frame, fin: frame.fin === false }
  else if (change === 3) frames[at] = { ...frame, opcode: random.pick(opcodes) }
  else if (change === 4) frames[at] = { ...frame, rsv: random.pick([0, 0, 1, 4]), form: undefined, length: undefined }
  else if (change === 5) frames[at] = { ...frame, key: frame.key === undefined ? random.next() : undefined }
  else if (change === 6) {
    const cut = random.below(payload.length + 1)
    const first = { ...frame, fin: false, payload: payload.slice(0, cut), length: undefined }
    const last = { ...frame, opcode: 0, payload: payload.slice(cut), length: undefined }
    frames.splice(at, 1, first, last)
  } else if (change === 7) {
    const start = random.below(payload.length + 1)
    const inserted = random.pick([random.bytes(1 + random.below(4)), ...characters])
    frames[at] = { ...frame, payload: replaced(payload, start, start + random.below(5), inserted), length: undefined }
  } else if (change === 8) {
    const code = random.pick(codes)
    frames.splice(at, 0, {
      opcode: 8,
      key: frame.key,
      payload: Uint8Array.of(code >> 8, code, ...random.pick(characters))
    })
  } else {
    // The sizes about which the form of a length changes, in any form.
    const size = random.oneIn(16) ? 65_534 + random.below(4) : random.pick(sizes)
    const form = random.oneIn(3) ? random.pick([16, 64] as const) : undefined
    frames[at] = { ...frame, payload: new Uint8Array(size).fill(random.pick([0x61, 0xff])), length: undefined, form }
  }
}

/** Each length of UTF-8, and what is none: a surrogate, an overlong form, beyond the last, cut; and a close code. */
export const characters: ReadonlyArray<Uint8Array> = [
  ...["é", "€", "😀", "\u{10ffff}", "\ufeff", "\0"].map(utf8),
  ...["eda080", "c080", "f490", "e282", "80", "03e8"].map(hex)
]

/** The bytes with some of their frames changed. */
export const reframed = (bytes: Uint8Array, random: Random): Uint8Array => {
  const frames = framesOf(bytes)
  do changeFrames(frames, random)
  while (random.oneIn(2))
  return concat(frames.map(write))
}
