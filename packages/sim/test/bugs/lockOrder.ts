import { Effect, Ref } from "effect"
import type { Bug } from "./bug.js"

interface Account {
  readonly id: number
  readonly lock: Effect.Semaphore
  readonly balance: Ref.Ref<number>
}

const account = (id: number): Effect.Effect<Account> =>
  Effect.all({ id: Effect.succeed(id), lock: Effect.makeSemaphore(1), balance: Ref.make(100) })

const program = (inOrder: (from: Account, to: Account) => readonly [Account, Account]) => {
  const transfer = (from: Account, to: Account, amount: number) => {
    const [first, second] = inOrder(from, to)
    return Ref.update(from.balance, (balance) => balance - amount).pipe(
      Effect.zipRight(Ref.update(to.balance, (balance) => balance + amount)),
      second.lock.withPermits(1),
      first.lock.withPermits(1)
    )
  }
  return Effect.gen(function* () {
    const [mine, yours] = yield* Effect.all([account(1), account(2)])
    yield* Effect.all([transfer(mine, yours, 10), transfer(yours, mine, 30)], { concurrency: "unbounded" })
    return yield* Effect.all([Ref.get(mine.balance), Ref.get(yours.balance)])
  })
}

export const lockOrder: Bug<readonly [number, number]> = {
  name: "lock order",
  what: "Two transfers between the same accounts, in opposite directions, each hold the lock that the other needs.",
  buggy: program((from, to) => [from, to]),
  correct: program((from, to) => (from.id < to.id ? [from, to] : [to, from])),
  check: ([mine, yours]) => (mine === 120 && yours === 80 ? undefined : `the balances are ${mine} and ${yours}`),
  kind: "Deadlock",
  seeds: 20
}
