/** What keeps the process busy: sockets, servers and timers. */
import { Effect } from "effect"
import { eventually } from "../../../sluice/test/support/turns.js"

const count = (): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** Sockets, what is under way on them, and timers; what the test runner has besides is not ours. */
const ours = /^TCP|^Timeout$|^Shutdown|^Write|^GetAddrInfo/

/** Runs the effect, then waits until there are no more sockets and timers than before it. */
export const leavesNoResource = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const before = count()
    const isAsBefore = () => [...count()].every(([name, now]) => !ours.test(name) || now <= (before.get(name) ?? 0))
    return Effect.zipLeft(effect, eventually("all sockets and timers are gone", isAsBefore))
  })

/** Runs the effect, and fails it if something was thrown meanwhile that nobody caught. */
export const throwsNothing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const thrown: Array<unknown> = []
    const record = (error: unknown) => thrown.push(error)
    process.on("uncaughtExceptionMonitor", record)
    return effect.pipe(
      Effect.ensuring(Effect.sync(() => process.off("uncaughtExceptionMonitor", record))),
      Effect.tap(() => (thrown.length === 0 ? Effect.void : Effect.die(thrown[0])))
    )
  })
