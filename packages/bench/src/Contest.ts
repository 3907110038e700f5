/** Plays a cell: all its servers run at once, and the load goes from one to the next. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ScopedRef from "effect/ScopedRef"
import * as Generator from "./Generator.js"
import { type CellPlan, type Contestant, order } from "./Plan.js"
import type { Cell, Sample } from "./Results.js"
import * as Server from "./Server.js"
import type { Settings } from "./Settings.js"
import * as Span from "./Span.js"

const noSamples = (): Array<Sample> => []

/** A contestant, its server or why there is none, and its samples so far. */
const enter = (contestant: Contestant) =>
  Effect.map(ScopedRef.fromAcquire(Effect.either(Server.start(contestant.peer))), (server) => ({
    contestant,
    server,
    samples: noSamples()
  }))

type Entry = Effect.Effect.Success<ReturnType<typeof enter>>

/** The server as it is, or a new one where it has ended. */
const running = ({ contestant, server }: Entry) =>
  Effect.gen(function* () {
    const current = yield* ScopedRef.get(server)
    const hasEnded = Either.isLeft(current) || (yield* current.right.hasEnded)
    if (hasEnded) yield* ScopedRef.set(server, Effect.either(Server.start(contestant.peer)))
    return yield* ScopedRef.get(server)
  })

/** Takes a sample; again, if it is a noisy one, as often as that may be, and the quietest counts. */
const sample = (entry: Entry, { load }: CellPlan, span: Span.Span, settings: Settings) =>
  Effect.gen(function* () {
    let best: Sample | undefined
    for (let tries = 0; tries <= settings.retries; tries++) {
      const server = yield* running(entry)
      const taken: Sample = Either.isRight(server)
        ? yield* Generator.measure(server.right, load, span, entry.contestant.flags)
        : { error: `server: ${server.left.message}` }
      if (best === undefined || Generator.noise(taken) < Generator.noise(best)) best = taken
      if (Generator.noise(best) <= settings.noise) return best
      // a server that does not live through the load will not do so next time
      if (Either.isLeft(server) || (yield* server.right.hasEnded)) break
    }
    return best ?? { error: "not measured" }
  })

export const play = (plan: CellPlan, settings: Settings) =>
  Effect.gen(function* () {
    const entries = yield* Effect.forEach(plan.contestants, enter, { concurrency: "unbounded" })
    const span = Span.lasting(settings, plan.load)
    const first = { warmUp: settings.firstWarmUp / 2, duration: settings.firstWarmUp / 2 }
    for (const entry of entries) yield* sample(entry, plan, first, { ...settings, retries: 0 })
    for (let round = 0; round < settings.rounds; round++) {
      for (const entry of order(entries, round)) entry.samples.push(yield* sample(entry, plan, span, settings))
    }
    const rows = entries.map(({ contestant: { against, name }, samples }) => ({ name, against, samples }))
    return { part: plan.part, load: plan.load, rows } satisfies Cell
  }).pipe(Effect.scoped)
