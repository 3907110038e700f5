/** Frames: a byte for the setting, one for the cuts, then the bytes of the connection. */
import { FastCheck } from "effect"
import * as Limits from "../../../src/Limits.js"
import type * as Protocol from "../../../src/Protocol.js"
import { concat, hex, utf8 } from "../../support/bytes.js"
import * as Wire from "../../support/wire.js"
import type { Random } from "../random.js"
import { type Inputs, split } from "../target.js"
import { characters, reframed } from "./reframing.js"

const limits: ReadonlyArray<Pick<Limits.Limits, "maxFramePayload" | "maxMessageSize" | "maxFragments">> = [
  Limits.defaults,
  { maxFramePayload: "unbounded", maxMessageSize: "unbounded", maxFragments: "unbounded" },
  { maxFramePayload: 125, maxMessageSize: "unbounded", maxFragments: 3 },
  { maxFramePayload: 200, maxMessageSize: 300, maxFragments: 8 },
  { maxFramePayload: 0, maxMessageSize: 0, maxFragments: 1 },
  { maxFramePayload: "unbounded", maxMessageSize: 10, maxFragments: "unbounded" },
  { maxFramePayload: 1000, maxMessageSize: 500, maxFragments: 2 },
  { maxFramePayload: 65536, maxMessageSize: 70_000, maxFragments: 0 }
]

/** What the first byte of an input says. */
export interface Setting {
  readonly role: Protocol.Role
  readonly isClosing: boolean
  readonly isInPieces: boolean
  /** For the decoder alone: takes both masked and unmasked frames, and RSV1. */
  readonly isLenient: boolean
  readonly limits: (typeof limits)[number]
}

export const settingOf = (option: number): Setting => ({
  role: (option & 1) === 0 ? "server" : "client",
  isClosing: (option & 6) === 6,
  isInPieces: (option & 8) !== 0,
  isLenient: (option & 16) !== 0,
  limits: limits[option >> 5]
})

const change = (input: Uint8Array, random: Random): Uint8Array =>
  concat([input.subarray(0, 2), reframed(input.subarray(2), random)])

const streams = { server: Wire.stream("server"), client: Wire.stream("client") }

const make = (random: Random): Uint8Array => {
  const option = random.next() & 0xff
  const { role } = settingOf(option)
  const [bytes] = FastCheck.sample(streams[role], { numRuns: 1, seed: random.next() | 0 })
  return concat([Uint8Array.of(option, random.next()), bytes])
}

/** What is refused by its header. */
const refused: ReadonlyArray<Wire.Raw> = [
  { opcode: 2, length: 1n << 63n },
  { opcode: 2, length: 1n << 62n },
  { opcode: 2, payload: utf8("125"), form: 16 },
  { opcode: 2, payload: utf8("65535"), form: 64 },
  { opcode: 9, payload: new Uint8Array(126) },
  { opcode: 9, fin: false },
  { opcode: 3 },
  { opcode: 1, rsv: 4 }
]

const seeds = (): ReadonlyArray<Uint8Array> => [
  ...sessions(),
  ...refused.flatMap((frame, i) => [
    concat([Uint8Array.of(0, i), Wire.raw({ ...frame, key: Wire.keyTo("server") })]),
    concat([Uint8Array.of(1, i), Wire.raw(frame)])
  ])
]

/** Each kind of frame to each role, under each limit. */
const sessions = (): ReadonlyArray<Uint8Array> =>
  Array.from({ length: 256 }, (_, option) => {
    const role = settingOf(option).role
    const frames: ReadonlyArray<Wire.Raw> = [
      { opcode: 9, payload: utf8("ping") },
      { opcode: 1, payload: utf8("text €") },
      { opcode: 2, fin: false, payload: utf8("be") },
      { opcode: 10 },
      { opcode: 0, payload: utf8("gun") },
      { opcode: 8, payload: concat([Uint8Array.of(0x03, 0xe8 + (option >> 4)), utf8("bye")]) }
    ]
    const kept = frames.filter((_, i) => option < 32 || ((option * 7) >> i) % 3 > 0)
    return concat([
      Uint8Array.of(option, option),
      ...kept.map((frame) => Wire.raw({ ...frame, key: Wire.keyTo(role) }))
    ])
  })

/** Headers whole and cut, lengths in each form. */
const words = [
  ...split("8100|818000000000|0100|0000|8000|8900|8a00|8800|880203e8"),
  ...split("7e007e|7effff|7f0000000000010000|7f0020|7f80|fe007d|ff0000")
].map(hex)

export const inputs: Inputs = { seeds, words: [...words, ...characters], maxSize: 66 * 1024, make, change }
