import { Effect, Random, Ref } from "effect"
import type { Bug } from "./bug.js"

type State = "pending" | "shipped" | "cancelled"

/** Whether an order went from pending to another state. */
type Move = (order: Ref.Ref<State>, to: State) => Effect.Effect<boolean>

/** What the database takes for a write. */
const write = Effect.sleep("100 millis")

const program = (move: Move) =>
  Effect.gen(function* () {
    const order = yield* Ref.make<State>("pending")
    const sent = yield* Ref.make<ReadonlyArray<string>>([])
    const tell = (text: string) => Ref.update(sent, (texts) => [...texts, text])
    const payment = Effect.gen(function* () {
      yield* Effect.sleep(yield* Random.nextIntBetween(29_000, 31_000))
      if (yield* move(order, "shipped")) yield* tell("your order is on its way")
    })
    const timeout = Effect.gen(function* () {
      yield* Effect.sleep("30 seconds")
      if (yield* move(order, "cancelled")) yield* tell("your order is cancelled")
    })
    yield* Effect.all([payment, timeout], { concurrency: "unbounded" })
    return yield* Ref.get(sent)
  })

export const timeoutRace: Bug<ReadonlyArray<string>> = {
  name: "timeout race",
  what: "An order is paid about when it times out, and before either was written down it is both shipped and cancelled.",
  buggy: program((order, to) =>
    Effect.gen(function* () {
      if ((yield* Ref.get(order)) !== "pending") return false
      yield* write
      yield* Ref.set(order, to)
      return true
    })
  ),
  correct: program((order, to) =>
    Effect.gen(function* () {
      const isFirst = yield* Ref.modify(order, (state) => (state === "pending" ? [true, to] : [false, state]))
      if (isFirst) yield* write
      return isFirst
    })
  ),
  check: (sent) => (sent.length === 1 ? undefined : `the customer was told: ${sent.join("; ")}`),
  kind: "Failed",
  seeds: 50
}
