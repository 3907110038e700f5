/**
 * Decodes masked frames in one process, no socket, and prints what a frame takes as JSON.
 *
 * Usage: `node codec.mjs DECODER MILLISECONDS`
 */
import { type DecoderName, decoders, type Tally } from "./decoders.js"
import * as Frames from "./frames.js"

const [name, milliseconds] = process.argv.slice(2)
// it is started by `Codecs` only, which takes the name from there
const decoder = decoders[name as DecoderName]
const nanos = Number(milliseconds) * 1e6

const now = () => Number(process.hrtime.bigint())

/** A receiver may go on in the next turn. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Nanoseconds of each pass over the chunks, for that time and at least so often. */
const passes = async (pass: () => void, duration: number, least: number) => {
  const taken: Array<number> = []
  for (const end = now() + duration; now() < end || taken.length < least; ) {
    const start = now()
    pass()
    taken.push(now() - start)
    await turn()
  }
  return taken
}

/** The tenth part of the passes are faster: steady where other programs disturb some of them. */
const undisturbed = (taken: ReadonlyArray<number>) =>
  [...taken].sort((one, other) => one - other)[Math.floor(taken.length / 10)] ?? Number.NaN

const measure = async (size: number, frames: Frames.Frames) => {
  const chunks = Frames.chunks(Frames.make(size, frames))
  const tally: Tally = { messages: 0, bytes: 0, last: 0 }
  const decode = decoder(tally)
  // What is decoded is unmasked in place: so each pass fills the chunks anew, which `memcpy` measures alone.
  const pass = () => {
    for (const { from, to } of chunks) {
      from.copy(to)
      decode(to)
    }
  }
  await passes(pass, nanos / 2, 2)
  Object.assign(tally, { messages: 0, bytes: 0, last: 0 })
  const taken = await passes(pass, nanos, 5)
  // `Frame.decodeChunk` knows no messages, so that each fragment counts
  const messages = taken.length * (frames.isFragmented && name !== "Frame.decodeChunk" ? 1 : frames.count)
  const bytes = taken.length * frames.count * size
  const isRight =
    tally.messages === messages && tally.bytes === bytes && tally.last === messages * Frames.lastByte(size)
  if (name !== "memcpy" && !isRight) {
    throw new Error(`${name} decoded ${tally.messages} messages of ${messages}, ${tally.bytes} bytes of ${bytes}`)
  }
  return undisturbed(taken) / frames.count
}

/** About so many bytes in a pass. */
const volume = 8 * 1024 * 1024
const messageSizes = [16, 128, 1024, 64 * 1024, 1024 * 1024]
const fragmentCounts = [1000, 10_000, 100_000]
const fragmentSize = 16

const decodings = []
for (const size of messageSizes) {
  const count = Math.max(1, Math.ceil(volume / size))
  decodings.push({ task: "messages", size, frames: count, nanos: await measure(size, { count, isFragmented: false }) })
}
for (const count of fragmentCounts) {
  const taken = await measure(fragmentSize, { count, isFragmented: true })
  decodings.push({ task: "fragments", size: fragmentSize, frames: count, nanos: taken })
}
console.log(JSON.stringify(decodings))
