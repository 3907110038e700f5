/**
 * Laws of what a lane gives: bytes, the end, a reset. Who has no lane obeys them.
 */
import * as Effect from "effect/Effect"
import { abort, ascii, type Draft, each, end, isGone, join, Kind, pattern, write, writeAll } from "./ends.js"
import { describePolled, expectBytes, expectEqual, Unmet } from "./expectation.js"
import { counter, expectPolled, hasFailed, next, type Polled, pollBytes, pollFails, withLane } from "./lanes.js"
import { eventually, soon, turns } from "./turns.js"

/** @internal */
export const laneInputLaws = (): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `the lane of the ${side} is polled for bytes, and for the end`,
    demand: `\`poll\` gives \`"Pending"\` while nothing is here, what the ${other} wrote, and \`"End"\` from its end on; \`onReadable\` tells each time that there is something new.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const woken = counter()
        lane.onReadable(woken)
        for (let i = 0; i < 5; i++) {
          yield* expectPolled("a poll before there are bytes", lane.poll(), "Pending")
          woken.count = 0
          yield* write(far, ascii(`word ${i}`))
          yield* eventually("`onReadable` tells that bytes are here", () => woken.count > 0)
          yield* pollBytes(lane, ascii(`word ${i}`))
        }
        yield* expectPolled("a poll after all bytes", lane.poll(), "Pending")
        woken.count = 0
        yield* end(far)
        yield* eventually("`onReadable` tells that the end is here", () => woken.count > 0)
        yield* expectPolled("a poll at the end", yield* next(lane, "the lane gives the end"), "End")
        yield* turns()
        yield* expectPolled("a poll after the end", lane.poll(), "End")
      })
    )
  })),

  ...each((side, other) => ({
    name: `the lane of the ${side} is polled with room for the bytes`,
    demand: `What \`poll\` gives when it has a room is a view of the start of that room, or of one that it had before, or memory of its own; in order, whatever rooms there are, and never in bytes that it gave before.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const bytes = pattern(300_000)
        const pieces = Array.from({ length: 10 }, (_, i) => bytes.subarray(i * 30_000, (i + 1) * 30_000))
        const writing = yield* Effect.fork(Effect.zipRight(writeAll(far, pieces), end(far)))
        const parts: Array<Uint8Array> = []
        const rooms: Array<Uint8Array> = []
        let turn = 0
        const sizes = [100_000, 0, 500_000, 70_000, 10]
        const roomy = (): Polled => {
          const size = sizes[turn++ % sizes.length] ?? 0
          // Behind some bytes that are not to be touched
          const room = size === 0 ? undefined : new Uint8Array(size + 8).subarray(8)
          if (room !== undefined) rooms.push(room)
          return lane.poll(room)
        }
        for (;;) {
          const polled = yield* next(lane, "bytes come, or the end", roomy)
          if (polled === "End") break
          if (!(polled instanceof Uint8Array)) {
            return yield* new Unmet({ expected: "bytes, or the end", seen: describePolled(polled) })
          }
          const room = rooms.find(({ buffer }) => buffer === polled.buffer)
          if (room !== undefined) yield* expectEqual("where the bytes begin in the room", polled.byteOffset, 8)
          parts.push(polled)
        }
        yield* soon(`the write of the ${other} is done`, writing.await)
        yield* expectBytes(`what the lane of the ${side} gives`, join(parts), bytes)
        for (const room of rooms) {
          yield* expectBytes("what is before a room", new Uint8Array(room.buffer, 0, 8), new Uint8Array(8))
        }
      })
    )
  })),

  ...each((side, other) => ({
    name: `the lane of the ${side} gives what was there before somebody asked`,
    demand: `Bytes of the ${other} that arrived before \`onReadable\` was called are polled, in order, and belong to who polls.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        yield* write(far, ascii("before"))
        yield* turns()
        yield* pollBytes(lane, ascii("before"))
        const bytes = pattern(300_000)
        const writing = yield* Effect.fork(Effect.zipRight(writeAll(far, bytes), end(far)))
        const parts: Array<Uint8Array> = []
        for (let polled = yield* next(lane, "bytes come"); polled !== "End"; polled = yield* next(lane, "more comes")) {
          if (!(polled instanceof Uint8Array)) {
            return yield* new Unmet({ expected: "bytes, or the end", seen: describePolled(polled) })
          }
          parts.push(join([polled]))
          polled.fill(0)
        }
        yield* soon(`the write of the ${other} is done`, writing.await)
        yield* expectBytes(`what the lane of the ${side} gives`, join(parts), bytes)
      })
    )
  })),

  ...each((side) => ({
    name: `the lane of the ${side} wakes who asked last`,
    demand: "A second call of `onReadable` replaces the first.",
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const [first, second] = [counter(), counter()]
        lane.onReadable(first)
        yield* expectPolled("a poll before there are bytes", lane.poll(), "Pending")
        lane.onReadable(second)
        yield* write(far, ascii("x"))
        yield* eventually("the second is woken", () => second.count > 0)
        yield* turns()
        yield* expectEqual("calls of the first", first.count, 0)
      })
    )
  })),

  ...each((side, other) => ({
    name: `the lane of the ${side} is told of a reset`,
    demand: `When the ${other} aborts, \`onReadable\` is called, and \`poll\` gives \`ConnectionReset\` from then on.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const woken = counter()
        lane.onReadable(woken)
        yield* expectPolled("a poll before there is a reset", lane.poll(), "Pending")
        yield* abort(far)
        yield* eventually("`onReadable` is called", () => woken.count > 0)
        const { hasResets } = yield* Kind
        const given = yield* next(lane, "the lane gives the reset")
        if (!hasResets && given === "End") return
        yield* pollFails(given, "ConnectionReset")
        yield* turns()
        yield* pollFails(lane.poll(), "ConnectionReset")
        yield* hasFailed(lane, ...isGone)
      })
    )
  }))
]
