/** Each peer as a client of our server: on both hosts of Node, and through a reverse proxy. */
import { Effect } from "effect"
import type { Network } from "sluice"
import type { Host } from "../../../sluice/test/suites/host.js"
import { node, upgrade } from "../support/hosts.js"
import { type Peer, peers, proxies } from "./peers.js"
import { baseOf, dialogue, seenIn, sizes } from "./support/dialogue.js"
import { playground } from "./support/playground.js"
import { run } from "./support/program.js"

/** Leads the client of a peer through the dialogue; `address` is where it finds the server. */
const lead = <E, R>(
  host: Host,
  client: NonNullable<Peer["client"]>,
  before: (server: Network.Address) => Effect.Effect<Network.Address, E, R>
) =>
  Effect.gen(function* () {
    const { address, ends, offers, unfinished } = yield* playground(host)
    const base = baseOf(yield* before(address))
    const command = yield* client
    const lines = yield* run({ ...command, words: [...command.words, base, JSON.stringify(sizes)] })
    return { seen: yield* seenIn(lines), ends: yield* ends, offers, unfinished: yield* unfinished }
  }).pipe(Effect.provide(host.network))

for (const { can, client, name, needs } of peers) {
  if (client === undefined) continue
  for (const host of [node, upgrade]) {
    dialogue([needs], `${name} as a client of ${host.name}`, can, lead(host, client, Effect.succeed))
  }
  for (const proxy of proxies) {
    const before = ({ port }: Network.Address) =>
      Effect.map(proxy.before(port), (port) => ({ host: "127.0.0.1", port }))
    dialogue([needs, proxy.needs], `${name} as a client through ${proxy.name}`, can, lead(node, client, before))
  }
}
