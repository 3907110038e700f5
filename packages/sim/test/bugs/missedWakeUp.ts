import { Deferred, Effect, Option, Ref } from "effect"
import type { Bug } from "./bug.js"

interface Mailbox {
  readonly items: Ref.Ref<ReadonlyArray<number>>
  readonly waiter: Ref.Ref<Option.Option<Deferred.Deferred<void>>>
}

const put = ({ items, waiter }: Mailbox, item: number) =>
  Effect.gen(function* () {
    yield* Ref.update(items, (all) => [...all, item])
    const waiting = yield* Ref.getAndSet(waiter, Option.none())
    if (Option.isSome(waiting)) yield* Deferred.succeed(waiting.value, undefined)
  })

const program = (mayWait: (mailbox: Mailbox) => Effect.Effect<boolean>) => {
  const takeAll = (mailbox: Mailbox): Effect.Effect<ReadonlyArray<number>> =>
    Effect.gen(function* () {
      const taken = yield* Ref.getAndSet(mailbox.items, [])
      if (taken.length > 0) return taken
      const wake = yield* Deferred.make<void>()
      yield* Ref.set(mailbox.waiter, Option.some(wake))
      if (yield* mayWait(mailbox)) yield* Deferred.await(wake)
      return yield* takeAll(mailbox)
    })
  return Effect.gen(function* () {
    const items = yield* Ref.make<ReadonlyArray<number>>([])
    const waiter = yield* Ref.make(Option.none<Deferred.Deferred<void>>())
    const mailbox = { items, waiter }
    yield* Effect.fork(Effect.forEach([1, 2, 3], (item) => put(mailbox, item)))
    let sum = 0
    while (sum < 6) for (const item of yield* takeAll(mailbox)) sum += item
    return sum
  })
}

export const missedWakeUp: Bug<number> = {
  name: "missed wake-up",
  what: "An item comes after the look into the mailbox and before somebody waits, so that nobody is woken.",
  buggy: program(() => Effect.succeed(true)),
  correct: program(({ items }) => Effect.map(Ref.get(items), (all) => all.length === 0)),
  kind: "Deadlock",
  seeds: 100
}
