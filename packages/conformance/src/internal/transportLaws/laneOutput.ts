/**
 * Laws of what a lane takes, how it ends, and of the scheduler of a transport. Who has none obeys them.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Network from "sluice/Network"
import {
  abort,
  ascii,
  carries,
  connected,
  type Draft,
  each,
  end,
  isGone,
  join,
  pattern,
  pieces,
  readAll,
  readEnd,
  readSome,
  readsReset,
  write,
  writeAll
} from "./ends.js"
import { expectBytes, expectEqual } from "./expectation.js"
import { counter, fill, hasFailed, pollBytes, pollFails, withLane } from "./lanes.js"
import { eventually, soon, turns } from "./turns.js"

const writingLaws = (held: number): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `the lane of the ${side} takes all that is offered, and says when to wait`,
    demand: `\`offer\` takes every chunk; it gives \`false\`, as \`isWritable\` does, before more than ${held} bytes wait for the ${other} to read, and \`onWritable\` tells when there is room again.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const woken = counter()
        lane.onWritable(woken)
        yield* expectEqual("`isWritable` before there is an offer", lane.isWritable(), true)
        const count = yield* fill(lane, held)
        yield* expectEqual("`isWritable` after an offer that gave false", lane.isWritable(), false)
        // Who does not wait is taken at his word.
        lane.offer([ascii("a"), new Uint8Array(0), ascii("bc")])
        lane.offer([])
        const expected = join([pieces(count), ascii("abc")])
        yield* expectBytes(`what the ${other} reads`, yield* readSome(far, expected.length), expected)
        yield* eventually("`onWritable` tells that there is room", () => woken.count > 0 && lane.isWritable())
        lane.offer([ascii("more")])
        yield* expectBytes(`what the ${other} reads then`, yield* readSome(far, 4), ascii("more"))
        yield* expectEqual("the lane has failed", lane.failure() !== undefined, false)
      })
    )
  })),

  ...each((side) => ({
    name: `the lane of the ${side} tells of room to who asked last`,
    demand: "A second call of `onWritable` replaces the first.",
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const [first, second] = [counter(), counter()]
        lane.onWritable(first)
        lane.onWritable(second)
        const count = yield* fill(lane, held)
        yield* readSome(far, pieces(count).length)
        yield* eventually("the second is told", () => second.count > 0)
        yield* expectEqual("calls of the first", first.count, 0)
      })
    )
  })),

  ...each((side, other) => ({
    name: `the lane of the ${side} ends its output behind what was offered`,
    demand: `After \`end\` the ${other} reads all that was offered, and the end; \`failure\` is \`Closed\` at once, later offers are dropped, and the ${side} still polls.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        const count = yield* fill(lane, held)
        lane.end()
        yield* hasFailed(lane, "Closed")
        lane.offer([ascii("too late")])
        lane.end()
        yield* expectBytes(`what the ${other} reads`, yield* readAll(far), pieces(count))
        yield* readEnd(far)
        yield* write(far, ascii("reply"))
        yield* pollBytes(lane, ascii("reply"))
        yield* hasFailed(lane, "Closed")
      })
    )
  })),

  ...each((side) => ({
    name: `the lane of the ${side} tells who waits for room that there will be none`,
    demand:
      "When the peer aborts, `onWritable` is called, and `failure` is `ConnectionReset` or `BrokenPipe`; what is offered then is dropped.",
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        yield* fill(lane, held)
        const woken = counter()
        lane.onWritable(woken)
        yield* abort(far)
        yield* eventually("`onWritable` is called", () => woken.count > 0 && lane.failure() !== undefined)
        yield* hasFailed(lane, ...isGone)
        lane.offer([ascii("too late")])
        yield* hasFailed(lane, ...isGone)
      })
    )
  }))
]

const abortLaws: ReadonlyArray<Draft> = [
  ...each((side, other) => ({
    name: `an abort of the lane of the ${side} is a reset for the peer, and an end of all for the ${side}`,
    demand: `From then on \`failure\` and \`poll\` give \`Closed\`, even where bytes wait; offers are dropped, and the ${other} reads \`ConnectionReset\`.`,
    test: Effect.forEach(
      ["", "unread"],
      (waiting) =>
        withLane(side, (lane, { far }) =>
          Effect.gen(function* () {
            yield* write(far, ascii(waiting))
            yield* turns()
            lane.abort()
            yield* hasFailed(lane, "Closed")
            yield* pollFails(lane.poll(), "Closed")
            lane.offer([ascii("too late")])
            lane.end()
            lane.abort()
            yield* readsReset(far)
            yield* turns()
            yield* hasFailed(lane, "Closed")
            yield* pollFails(lane.poll(), "Closed")
          })
        ),
      { discard: true }
    )
  })),

  ...each((side, other) => ({
    name: `an abort of the lane of the ${side} after its end takes nothing from the peer`,
    demand: `The ${other} reads all that was offered, and then the end, not a reset.`,
    test: withLane(side, (lane, { far }) =>
      Effect.gen(function* () {
        lane.offer([ascii("all that there is "), ascii("to say")])
        lane.end()
        yield* turns()
        lane.abort()
        yield* turns()
        yield* expectBytes(`what the ${other} reads`, yield* readAll(far), ascii("all that there is to say"))
        yield* readEnd(far)
      })
    )
  }))
]

const schedulerLaws: ReadonlyArray<Draft> = [
  ...each((side, other) => ({
    name: `the scheduler of the ${side} runs fibers`,
    demand: `A fiber on \`scheduler\` that reads, yields and writes answers the ${other}.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const { scheduler } = near.transport
      if (scheduler === undefined) return
      yield* soon("a fiber on the scheduler goes on when it yields", Effect.withScheduler(Effect.yieldNow(), scheduler))
      const echo = Stream.runForEach(Network.reads(near.transport), (bytes) =>
        Effect.zipRight(Effect.yieldNow(), near.transport.write(bytes))
      )
      yield* Effect.fork(Effect.withScheduler(Effect.zipRight(echo, near.transport.endOfOutput), scheduler))
      const bytes = pattern(200_000)
      yield* carries(`what the ${other} reads`, far, bytes, Effect.zipRight(writeAll(far, bytes), end(far)))
    })
  }))
]

/** @internal */
export const laneOutputLaws = (held: number): ReadonlyArray<Draft> => [
  ...writingLaws(held),
  ...abortLaws,
  ...schedulerLaws
]
