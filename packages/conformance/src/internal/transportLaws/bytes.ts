/**
 * Laws of bytes: they arrive whole, in order, and belong to who reads them.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Network from "sluice/Network"
import {
  accept,
  ascii,
  carries,
  connect,
  connected,
  type Draft,
  type End,
  each,
  end,
  join,
  listen,
  pattern,
  readChunks,
  write,
  writeAll
} from "./ends.js"
import { expectBytes } from "./expectation.js"

/** Writes the bytes in chunks of these sizes, over and over, and ends the output. */
const writeInPieces = (writer: End, bytes: Uint8Array, sizes: ReadonlyArray<number>) =>
  Effect.suspend(() => {
    let at = 0
    let next = 0
    const writeNext = Effect.suspend(() => {
      const size = sizes[next++ % sizes.length] ?? bytes.length
      const piece = bytes.slice(at, at + size)
      at += piece.length
      return writeAll(writer, piece)
    })
    return Effect.zipRight(
      Effect.whileLoop({ while: () => at < bytes.length, body: () => writeNext, step: () => {} }),
      end(writer)
    )
  })

const carriesInPieces = (what: string, writer: End, reader: End, bytes: Uint8Array, sizes: ReadonlyArray<number>) =>
  carries(`what the ${reader.side} reads of ${what}`, reader, bytes, writeInPieces(writer, bytes, sizes))

/** As the `Buffer` of Node, whose slice is a view and not a copy. */
class ViewBytes extends Uint8Array<ArrayBuffer> {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end)
  }
}

/** @internal */
export const bytesLaws = (): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `bytes of the ${side} arrive whole and in order`,
    demand: `A megabyte that the ${side} writes in chunks of all sizes is what the ${other} reads, and then the end.`,
    test: Effect.flatMap(connected(side), ({ far, near }) =>
      carriesInPieces(
        "a megabyte",
        near,
        far,
        pattern(1024 * 1024),
        [1, 2, 3, 125, 4096, 65535, 65536, 65537, 200_000, 100_000]
      )
    )
  })),

  ...each((side, other) => ({
    name: `many small writes of the ${side} arrive in order`,
    demand: `Two thousand writes of a few bytes, one after the other, are read by the ${other} as they were written.`,
    test: Effect.flatMap(connected(side), ({ far, near }) =>
      carriesInPieces("many small writes", near, far, pattern(8000), [1, 3, 7, 5, 4])
    )
  })),

  ...each((side, other) => ({
    name: `one large chunk of the ${side} arrives whole`,
    demand: `A chunk of 4 MiB that the ${side} writes at once is what the ${other} reads.`,
    test: Effect.flatMap(connected(side), ({ far, near }) =>
      carriesInPieces("a large chunk", near, far, pattern(4 * 1024 * 1024), [4 * 1024 * 1024])
    )
  })),

  {
    name: "both ends write at once, each its own bytes",
    demand: "What one end writes and what the other writes meanwhile do not mix, and neither waits for the other.",
    test: Effect.flatMap(connected(), ({ client, server }) => {
      const bytes = pattern(500_001)
      return Effect.all(
        [
          carriesInPieces(
            "what the client writes meanwhile",
            client,
            server,
            bytes.subarray(0, 500_000),
            [30_000, 1, 70_000]
          ),
          carriesInPieces("what the server writes meanwhile", server, client, bytes.subarray(1), [100_000, 9, 5000])
        ],
        { concurrency: 2, discard: true }
      )
    })
  },

  {
    name: "several chunks are written as one, the empty ones too",
    demand: "`write` takes no chunk, several, and empty ones, and the peer reads them joined.",
    test: Effect.gen(function* () {
      const { client, server } = yield* connected()
      const writing = writeAll(client, []).pipe(
        Effect.zipRight(writeAll(client, [ascii("a"), new Uint8Array(0), ascii("bc"), pattern(70_000)])),
        Effect.zipRight(writeAll(client, new Uint8Array(0))),
        Effect.zipRight(end(client))
      )
      yield* carries("what the server reads", server, join([ascii("abc"), pattern(70_000)]), writing)
    })
  },

  ...each((side, other) => ({
    name: `what the ${other} has read belongs to it`,
    demand: `The ${other} may keep the bytes that it read, and write into them; what it reads later is not changed by that, nor are the bytes that the ${side} wrote.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const versions = [0, 1, 2, 3].map((i) => {
        const bytes = i < 2 ? new Uint8Array(1000) : new ViewBytes(new ArrayBuffer(1000))
        bytes.set(pattern(1000 + i).subarray(i))
        return bytes
      })
      const kept: Array<ReadonlyArray<Uint8Array>> = []
      for (const [i, bytes] of versions.entries()) {
        yield* write(near, bytes)
        const read = yield* readChunks(far, 1000)
        yield* expectBytes(`what the ${other} reads`, join(read), bytes)
        if (i % 2 === 1) for (const chunk of read) chunk.fill(0)
        kept.push(read)
      }
      for (const [i, bytes] of versions.entries()) {
        const expected = i % 2 === 1 ? new Uint8Array(1000) : bytes
        yield* expectBytes(`what the ${other} read and kept`, join(kept[i] ?? []), expected)
        yield* expectBytes(`what the ${side} wrote and kept`, bytes, pattern(1000 + i).subarray(i))
      }
    })
  })),

  {
    name: "64 connections at once each have their own bytes",
    demand: "Clients that connect at the same time are each answered with what they wrote, and with nothing else.",
    test: Effect.gen(function* () {
      const listener = yield* listen()
      const echo = Effect.flatMap(accept(listener), (server) =>
        Effect.forkScoped(Effect.zipRight(Stream.runForEach(Network.reads(server), server.write), server.endOfOutput))
      )
      yield* Effect.forkScoped(Effect.repeatN(echo, 63))
      const call = (i: number) =>
        Effect.gen(function* () {
          const client: End = { side: "client", transport: yield* connect(listener.address) }
          const sent = new Uint8Array(10_000 + i).fill(i)
          yield* carries(`what client ${i} reads`, client, sent, Effect.zipRight(writeAll(client, sent), end(client)))
        })
      yield* Effect.forEach(Chunk.range(1, 64), call, { concurrency: "unbounded", discard: true })
    })
  }
]
