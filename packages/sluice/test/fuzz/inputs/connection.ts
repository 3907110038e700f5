/** Connections: two bytes for the setting, one for the cuts and the pauses, then what the peer says. */
import { FastCheck } from "effect"
import type * as Limits from "../../../src/Limits.js"
import { concat, hex, utf8 } from "../../support/bytes.js"
import { latin1 } from "../../support/http.js"
import { requests } from "../../support/requests.js"
import * as Wire from "../../support/wire.js"
import type { Random } from "../random.js"
import { type Inputs, split } from "../target.js"
import { reframed } from "./reframing.js"

const tight: Limits.Options = {
  maxHeadSize: 600,
  maxFields: 10,
  maxFramePayload: 300,
  maxMessageSize: 500,
  maxFragments: 4,
  receiveWindowMessages: 2,
  receiveWindowBytes: 100,
  sendHighWaterMark: 64,
  maxControlFramesPerSecond: 3
}

const ends = ["ends its output", "resets", "falls silent", "leaves unread"] as const
const works = ["echo", "wait", "stream", "close", "collect", "flood"] as const

/** What the first three bytes of an input say. */
export interface Setting {
  readonly role: Wire.Role
  readonly hasLane: boolean
  /** Whether the opening handshake is right, and the input is what comes behind it. */
  readonly isOpened: boolean
  readonly end: (typeof ends)[number]
  readonly limits: Limits.Options
  readonly window: number
  readonly work: (typeof works)[number]
  /** When our side ends in the middle, as a server that drains or a client that is interrupted: in turns of its fiber. */
  readonly cutAfter: number | undefined
  readonly seed: number
  /** Whether a server decides with an effect that takes a while. */
  readonly isAsked: boolean
}

export const settingOf = (option: number, work: number, seed: number): Setting => ({
  role: (option & 1) === 0 ? "server" : "client",
  hasLane: (option & 2) === 0,
  isOpened: (option & 4) === 0,
  end: ends[(option >> 3) & 3],
  limits: (option & 32) === 0 ? {} : tight,
  window: (option & 64) === 0 ? 64 * 1024 : 100,
  work: works[(work & 0x7f) % works.length],
  seed,
  cutAfter: (option & 128) === 0 ? undefined : seed & 0x3f,
  isAsked: (work & 128) !== 0
})

const streams = { server: Wire.stream("server"), client: Wire.stream("client") }

/** Frames behind a handshake that is right, in any setting. */
const make = (random: Random): Uint8Array => {
  const option = random.next() & 0xfb
  const { role } = settingOf(option, 0, 0)
  const [bytes] = FastCheck.sample(streams[role], { numRuns: 1, seed: random.next() | 0 })
  return concat([Uint8Array.of(option, random.next(), random.next()), bytes])
}

const change = (input: Uint8Array, random: Random): Uint8Array => {
  const changed = reframed(input.subarray(3), random)
  const setting = random.oneIn(3) ? random.bytes(3) : input.subarray(0, 3)
  return concat([setting, changed])
}

const session = (role: Wire.Role, last: ReadonlyArray<Wire.Raw>): Uint8Array =>
  concat(
    [
      { opcode: 1, payload: utf8("text") },
      { opcode: 9, payload: utf8("ping") },
      { opcode: 2, fin: false, payload: utf8("be") },
      { opcode: 0, payload: utf8("gun") },
      ...last
    ].map((frame) => Wire.raw({ ...frame, key: Wire.keyTo(role) }))
  )

/** A session for each way to end, to work and to be heard, and the requests that a server must judge. */
const seeds = (): ReadonlyArray<Uint8Array> => [
  ...Array.from({ length: 32 }, (_, i) => {
    const option = (i & 3) | ((i & 28) << 1)
    const last: ReadonlyArray<Wire.Raw> =
      i % 3 === 0 ? [] : [{ opcode: 8, payload: i % 3 === 1 ? Uint8Array.of(3, 232) : Uint8Array.of(0) }]
    return concat([Uint8Array.of(option, i, i), session(settingOf(option, i, i).role, last)])
  }),
  ...requests.flatMap(({ request }, i) =>
    i % 8 !== 0 || request.length > 1000 ? [] : [concat([Uint8Array.of(4 | (i & 0x38), i, i), latin1(request)])]
  ),
  concat([Uint8Array.of(4, 0, 1), utf8("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]),
  concat([Uint8Array.of(5, 0, 1), utf8("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")]),
  concat([Uint8Array.of(5, 0, 1), utf8("HTTP/1.1 200 Yes\r\n\r\n")])
]

const words = [
  ...split("888000000000|8800|8900|898000000000|8a840000000000000001|818000000000|0100|0000").map(hex),
  ...split("GET / HTTP/1.1\r\n|\r\n\r\n|HTTP/1.1 101 \r\n|Host: b\r\n|Content-Length: 5\r\n|HTTP/1.1 503 \r\n").map(
    utf8
  )
]

export const inputs: Inputs = { seeds, words, maxSize: 16 * 1024, make, change }
