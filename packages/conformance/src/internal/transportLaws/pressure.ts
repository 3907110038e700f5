/**
 * Laws of backpressure: who writes waits for who reads, and for nobody else.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import {
  carries,
  connected,
  type Draft,
  type End,
  each,
  end,
  fails,
  type HeldUp,
  heldUp,
  pattern,
  pieces,
  readAll,
  readSome,
  writeAll
} from "./ends.js"
import { expect, expectBytes } from "./expectation.js"
import { eventually, soon, turns } from "./turns.js"

/** Pieces that are read beyond those that were taken. */
const more = 4

/** Each byte that was written comes out, and then there is room for more. */
const goesOn = (reader: End, writer: End, { atRest, taken }: HeldUp) =>
  Effect.gen(function* () {
    const expected = pieces(atRest + more)
    const received = yield* readSome(reader, expected.length)
    yield* expectBytes(`what the ${reader.side} reads`, received.subarray(0, expected.length), expected)
    yield* eventually(`the ${writer.side} writes more when it is read`, () => taken() >= atRest + more)
  })

/** @internal */
export const pressureLaws = (held: number): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `the ${side} that writes to a peer that never reads is held up, and goes on when it reads`,
    demand: `No more than ${held} bytes are taken while the ${other} does not read, beside the chunk that waits; all of them arrive when it does.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      yield* goesOn(far, near, yield* heldUp(near, held))
    })
  })),

  ...each((side, other) => ({
    name: `the ${side} that is held up still reads`,
    demand: `What the ${other} writes arrives while the ${side} waits for it to read.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const waiting = yield* heldUp(near, held)
      const answer = pattern(200_000)
      yield* carries(`what the ${side} reads`, near, answer, Effect.zipRight(writeAll(far, answer), end(far)))
      yield* goesOn(far, near, waiting)
    })
  })),

  {
    name: "both ends that are held up go on when both read",
    demand: "Two ends that write until both have to wait are free again when they read, and have lost nothing.",
    test: Effect.gen(function* () {
      const { client, server } = yield* connected()
      const [ofClient, ofServer] = yield* Effect.all([heldUp(client, held), heldUp(server, held)], { concurrency: 2 })
      yield* Effect.all([goesOn(server, client, ofClient), goesOn(client, server, ofServer)], { concurrency: 2 })
    })
  },

  ...each((side, other) => ({
    name: `the end of the output of the ${side} comes after all that was written`,
    demand: `The write that waits comes to its end at once, and nothing is taken any more; the ${other} reads the chunk that waited too, and then the end.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const { atRest, fiber } = yield* heldUp(near, held)
      yield* end(near)
      // It may fail, or succeed: then the one after it fails.
      yield* fails(`the last write of the ${side}`, Fiber.join(fiber), "write", "Closed")
      yield* expectBytes(`what the ${other} reads`, yield* readAll(far), pieces(atRest + 1))
    })
  })),

  ...each((side) => ({
    name: `several fibers of the ${side} that write and wait are all woken`,
    demand: "Each of their writes comes to its end when the peer reads, and no byte is lost.",
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const waiting = yield* heldUp(near, held)
      yield* Fiber.interrupt(waiting.fiber)
      const writers = yield* Effect.forEach([1, 2, 3, 4], (i) =>
        Effect.fork(writeAll(near, new Uint8Array(1000).fill(i)))
      )
      yield* turns()
      const expected = pieces(waiting.atRest + 1).length
      const before = (yield* readSome(far, expected)).subarray(expected)
      yield* soon("all who wrote are done", Fiber.joinAll(writers))
      yield* end(near)
      const received = [...before, ...(yield* readAll(far))]
      for (const i of [1, 2, 3, 4]) {
        const count = received.filter((byte) => byte === i).length
        yield* expect(count === 1000, `1000 bytes of writer ${i} arrive`, () => `${count}`)
      }
    })
  }))
]
