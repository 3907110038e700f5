/** A whole run: part after part, and what is known of it so far after each. */
import { cpus } from "node:os"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Codecs from "./Codecs.js"
import * as Contest from "./Contest.js"
import * as Idle from "./Idle.js"
import type { Peer } from "./Peer.js"
import { plan } from "./Plan.js"
import type { PartName, Results } from "./Results.js"
import type { Settings } from "./Settings.js"
import * as show from "./show.js"

/** Says what is done and, behind it, how long it took. */
const told = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const done = yield* effect
    const seconds = ((yield* Clock.currentTimeMillis) - start) / 1000
    yield* Console.error(`${what}: ${seconds.toFixed(1)} s`)
    return done
  })

const playPart = (part: PartName, peers: ReadonlyArray<Peer>, settings: Settings, before: Results) =>
  Effect.gen(function* () {
    if (part === "idle") {
      const idle = yield* told(`idle: ${show.count(settings.idleConnections)} connections`, Idle.play(peers, settings))
      return { ...before, idle }
    }
    if (part === "codec") {
      const missing = peers.flatMap(({ missing, name }) => (missing === undefined ? [] : [name]))
      return { ...before, codecs: yield* told("codec", Codecs.play(missing, settings)) }
    }
    const cells = yield* Effect.forEach(plan(part, peers), (cell) =>
      told(`${part}: ${show.load(cell.load)}`, Contest.play(cell, settings))
    )
    return { ...before, cells: [...before.cells, ...cells] }
  })

const start = (peers: ReadonlyArray<Peer>, settings: Settings, command: string): Effect.Effect<Results> =>
  Effect.map(DateTime.now, (now) => ({
    date: DateTime.formatIsoDateUtc(now),
    node: process.version,
    cpu: `${cpus()[0]?.model.trim() ?? "unknown"}, ${cpus().length} CPUs`,
    command,
    rounds: settings.rounds,
    duration: settings.duration,
    isPinned: settings.cpus !== undefined,
    peers: peers.map(({ missing, name, title }) => ({ name, title, ...(missing === undefined ? {} : { missing }) })),
    cells: [],
    idle: [],
    codecs: []
  }))

/** Plays the parts in order; `keep` gets what is known after each. */
export const run = <E, R>(
  peers: ReadonlyArray<Peer>,
  settings: Settings,
  command: string,
  keep: (results: Results) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function* () {
    let results = yield* start(peers, settings, command)
    for (const part of settings.parts) {
      results = yield* playPart(part, peers, settings, results)
      yield* keep(results)
    }
    return results
  })
