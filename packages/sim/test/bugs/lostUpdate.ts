import { Effect, Ref } from "effect"
import type { Bug } from "./bug.js"

const program = (deposit: (balance: Ref.Ref<number>, amount: number) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const balance = yield* Ref.make(0)
    yield* Effect.forEach([1, 10, 100], (amount) => deposit(balance, amount), { concurrency: "unbounded" })
    return yield* Ref.get(balance)
  })

export const lostUpdate: Bug<number> = {
  name: "lost update",
  what: "A balance is read and then written, and what others wrote in between is lost.",
  buggy: program((balance, amount) =>
    Effect.gen(function* () {
      const before = yield* Ref.get(balance)
      yield* Ref.set(balance, before + amount)
    })
  ),
  correct: program((balance, amount) => Ref.update(balance, (before) => before + amount)),
  check: (balance) => (balance === 111 ? undefined : `the balance is ${balance}, not 111`),
  kind: "Failed",
  seeds: 100
}
