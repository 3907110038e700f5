import { Simulation, Trace } from "@sluice/sim"
import { Console, Effect } from "effect"
import { bookBuggy, bookFixed } from "./service.js"
import { options, program } from "./simulation.js"

const books = { buggy: bookBuggy, fixed: bookFixed }

/** Fibers come and go in dozens. A trace is data, so that one can look at the rest of it. */
const withoutFibers = (trace: Trace.Trace): Trace.Trace => ({
  ...trace,
  entries: trace.entries.filter(({ event }) => event._tag !== "FiberStarted" && event._tag !== "FiberEnded")
})

const explore = (name: "buggy" | "fixed") =>
  Effect.gen(function* () {
    // The words of this very command, so that the report can say how to repeat a failure.
    const command = ["npx", "tsx", "--conditions=source", "examples/simulation/main.ts", name]
    const report = yield* Simulation.explore(program(books[name]), { ...options, seeds: 500, command })
    yield* Console.log(`${name}: ${Simulation.format(report)}\n`)

    const trace = report.failures[0]?.smallest.trace
    if (trace === undefined) return
    yield* Console.log(Trace.toText(withoutFibers(trace)))
    yield* Console.log(Trace.toMermaid(trace))
  })

// `buggy` or `fixed` for one of them; both otherwise.
const [, , wanted] = process.argv
const names = (["buggy", "fixed"] as const).filter((name) => wanted === undefined || wanted === name)

Effect.runPromise(Effect.forEach(names, explore, { discard: true }))
