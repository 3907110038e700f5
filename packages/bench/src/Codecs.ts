/** The codecs, each in a process of its own and in alternation. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Child from "./Child.js"
import type { DecoderName } from "./codec/decoders.js"
import { order } from "./Plan.js"
import { type Codec, Decoding } from "./Results.js"
import type { Settings } from "./Settings.js"
import { Toolchain } from "./Toolchain.js"

interface Measured {
  readonly name: string
  readonly decoder: DecoderName
  readonly env: Readonly<Record<string, string>>
}

export const memcpy = "memcpy"
export const receive = "Protocol.receive"
export const ws = "ws"
export const wsNative = "ws+bufferutil"

const measured: ReadonlyArray<Measured> = [
  { name: receive, decoder: receive, env: {} },
  { name: "Frame.decodeChunk", decoder: "Frame.decodeChunk", env: {} },
  { name: ws, decoder: ws, env: { WS_NO_BUFFER_UTIL: "1" } },
  { name: wsNative, decoder: ws, env: {} },
  { name: memcpy, decoder: memcpy, env: {} }
]

const decode = Schema.decodeUnknown(Schema.parseJson(Schema.Array(Decoding)))

const measure = ({ decoder, env }: Measured, duration: number) =>
  Effect.gen(function* () {
    const { onServerCpu, program } = yield* Toolchain
    const command = [process.execPath, "--expose-gc", program("codec"), decoder, String(duration)]
    const lines = yield* Child.run([...onServerCpu, ...command], { env })
    return { decodings: yield* decode(lines.at(-1)) }
  }).pipe(Effect.catchAll(({ message }) => Effect.succeed({ error: message })))

/** All of them but those whose peer is not there. */
export const play = (missing: ReadonlyArray<string>, { codecDuration, codecRounds }: Settings) =>
  Effect.gen(function* () {
    const present = measured.filter(({ name }) => !missing.includes(name))
    const rounds = new Map<string, Array<Codec["rounds"][number]>>(present.map(({ name }) => [name, []]))
    for (let round = 0; round < codecRounds; round++) {
      for (const one of order(present, round)) rounds.get(one.name)?.push(yield* measure(one, codecDuration))
    }
    return [...rounds].map(([name, rounds]) => ({ name, rounds }) satisfies Codec)
  })
