/** What connections cost that are open and say nothing. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Child from "./Child.js"
import * as Generator from "./Generator.js"
import type { Peer } from "./Peer.js"
import { handshakeLoad, order } from "./Plan.js"
import type { Failed, Idle, Memory } from "./Results.js"
import * as Server from "./Server.js"
import type { Settings } from "./Settings.js"

/** What the load generator says when it lets the connections go. */
const Held = Schema.Union(Schema.Struct({ closed_by_server: Schema.Number }), Schema.Struct({ error: Schema.String }))
const decodeHeld = Schema.decode(Schema.parseJson(Held))

/** What is live, as far as the server can say it. */
const liveOf = (usage: Server.MemoryUsage | undefined) =>
  usage === undefined ? undefined : usage.heapUsed + usage.external

/** Twice: what the first collection finalizes is freed by the next. */
const settled = (server: Server.Server) =>
  server.collect.pipe(Effect.zipRight(Effect.sleep("200 millis")), Effect.zipRight(server.collect))

const measure = (peer: Peer, connections: number) =>
  Effect.gen(function* () {
    const server = yield* Server.start(peer)
    // code is compiled and buffers are made by the first connections
    yield* Generator.measure(server, handshakeLoad, { warmUp: 100, duration: 500 }, [])
    yield* Effect.sleep("300 millis")
    const liveBefore = liveOf(yield* settled(server))
    const base = yield* server.resident
    const child = yield* Child.start(yield* Generator.command(server, "idle", { conns: connections }))
    const opened = yield* child.line
    if (!opened.startsWith("OPEN")) return { error: opened }
    const after = (yield* server.resident) - base
    yield* Effect.sleep("2 seconds")
    const live = liveOf(yield* settled(server))
    const resident = (yield* server.resident) - base
    yield* child.endInput
    const held = yield* decodeHeld(yield* child.line)
    if ("error" in held) return held
    return {
      base,
      after: after / connections,
      settled: resident / connections,
      closed: held.closed_by_server,
      ...(live === undefined || liveBefore === undefined ? {} : { heap: (live - liveBefore) / connections })
    }
  }).pipe(
    Effect.scoped,
    Effect.catchAll(({ message }) => Effect.succeed({ error: message }))
  )

/** Each peer by itself: an idle server beside it would not matter to time, but it would to memory. */
export const play = (peers: ReadonlyArray<Peer>, { idleConnections, idleRounds }: Settings) =>
  Effect.gen(function* () {
    const present = peers.filter(({ missing }) => missing === undefined)
    const samples = new Map<string, Array<Memory | Failed>>(present.map(({ name }) => [name, []]))
    for (let round = 0; round < idleRounds; round++) {
      for (const peer of order(present, round)) samples.get(peer.name)?.push(yield* measure(peer, idleConnections))
    }
    return [...samples].map(([name, samples]) => ({ name, connections: idleConnections, samples }) satisfies Idle)
  })
