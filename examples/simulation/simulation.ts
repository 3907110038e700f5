/**
 * The till and its customers on a simulated network, and what must hold whatever the network does.
 */
import { Fault, SimNetwork, Simulation } from "@sluice/sim"
import { Effect, Ref } from "effect"
import { type Book, empty, pay, serve } from "./service.js"

const names = ["ada", "bob", "cleo"]

/** One host for the till, and one for each customer; the simulation says how many, and tries fewer of them too. */
export const program = (book: Book) =>
  Effect.gen(function* () {
    // Made outside of the host, as a database is: a crash of the host does not touch it.
    const ledger = yield* Ref.make(empty)
    yield* SimNetwork.spawn("till", Effect.scoped(Effect.zipRight(serve(ledger, book), Effect.never)))

    const customers = names.slice(0, yield* Simulation.Peers)
    yield* Effect.forEach(customers, (name) => SimNetwork.on(name, pay("ws://till/", name, [10, 5])), {
      concurrency: "unbounded",
      discard: true
    })

    const paid = 15 * customers.length
    const { total } = yield* Ref.get(ledger)
    if (total !== paid) yield* Effect.fail(`paid ${paid}, but booked ${total}`)
  })

/** A network that delays, stalls, splits and cuts, and a till that crashes: when and where is drawn from the seed. */
export const options: Simulation.Options = { faults: [Fault.chaos({ hosts: ["till"] })] }
