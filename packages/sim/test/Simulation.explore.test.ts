import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Duration, Effect, FastCheck, Random, Schema } from "effect"
import * as Network from "sluice/Network"
import * as Fault from "../src/Fault.js"
import * as SimNetwork from "../src/SimNetwork.js"
import * as Simulation from "../src/Simulation.js"

/** Explores with these environment variables, and not with those of the process. */
const explore = <A, E>(
  program: Effect.Effect<A, E, Simulation.Services>,
  options: Simulation.ExploreOptions<A> = {},
  variables: Record<string, string> = {}
) =>
  Simulation.explore(program, options).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

/** The first of some findings. */
const firstOf = <A, E>({ failures: [first] }: Simulation.Report<A, E>): Simulation.Finding<A, E> => {
  assert.isDefined(first)
  return first
}

/** Has a shell run a command whose words are those of `printenv`, and gives the variable as the shell understood it. */
const words = ["printenv", "SLUICE_SIM_REPLAY"]
const replayOf = (command: string): string => execFileSync("sh", ["-c", command], { encoding: "utf8" }).trimEnd()

/** Which seeds a program was run with, in order and once each. */
const collecting = () => {
  const seen = new Set<number>()
  const program = Effect.map(Random.nextInt, (n) => void seen.add(n))
  return { program, seen }
}

const drawnBy = (seed: number) => Simulation.run(Random.nextInt, { seed }).exit

/** Fails with one seed in some. */
const sometimes = Effect.filterOrFail(
  Random.nextIntBetween(0, 10),
  (n) => n !== 0,
  () => "unlucky" as const
)

describe("explore", () => {
  it.effect("runs 100 seeds from 1 on", () =>
    Effect.gen(function* () {
      const { program, seen } = collecting()
      const report = yield* explore(program)
      assert.strictEqual(report.seeds, 100)
      assert.strictEqual(seen.size, 100)
      assert.isAtLeast(report.steps, 100)
      assert.deepStrictEqual(report.failures, [])
      const drawn = yield* Effect.flatten(Effect.sync(() => drawnBy(1)!))
      assert.strictEqual([...seen][0], drawn)
    })
  )

  it.effect("runs as many as it is told to, from where it is told to", () =>
    Effect.gen(function* () {
      const { program, seen } = collecting()
      yield* explore(program, { seeds: 3, from: 40 })
      const drawn = yield* Effect.all([40, 41, 42].map((seed) => drawnBy(seed)!))
      assert.deepStrictEqual([...seen], drawn)
    })
  )

  it.effect("lets the event loop have its turns", () =>
    Effect.gen(function* () {
      // With the clock of the test, which stands still, there is one turn for all.
      let turns = 0
      const counting = Effect.forever(
        Effect.zipRight(
          Effect.sync(() => turns++),
          Effect.yieldNow()
        )
      )
      yield* Effect.raceFirst(explore(Effect.void, { seeds: 5 }), counting)
      assert.isAbove(turns, 0)
    })
  )

  it.effect("stops at the first failure, or at as many as it is told to", () =>
    Effect.gen(function* () {
      const one = yield* explore(sometimes, { maxShrinkRuns: 0 })
      assert.lengthOf(one.failures, 1)
      assert.strictEqual(one.seeds, firstOf(one).seed)
      const three = yield* explore(sometimes, { maxFailures: 3, maxShrinkRuns: 0 })
      assert.lengthOf(three.failures, 3)
      assert.deepStrictEqual(three.failures[0].found, firstOf(one).found)
      const found = three.failures.map(({ seed }) => seed)
      assert.deepStrictEqual(
        found,
        [...new Set(found)].sort((a, b) => a - b)
      )
      assert.strictEqual(three.seeds, found[2])
    })
  )

  it.effect("a check says what is wrong with a value", () =>
    Effect.gen(function* () {
      const { failure, found } = firstOf(
        yield* explore(Effect.succeed(3), { check: (n) => (n === 3 ? "not three" : undefined), maxShrinkRuns: 0 })
      )
      assert.deepStrictEqual([failure.kind, failure.detail, failure.seed], ["Failed", "not three", 1])
      assert.deepStrictEqual(found.exit, Effect.runSyncExit(Effect.succeed(3)))
    })
  )

  it.effect("a check may throw, as assertions do", () =>
    Effect.gen(function* () {
      const error = new Error("expected 3 to be 4")
      const check = () => {
        throw error
      }
      const { failure } = firstOf(yield* explore(Effect.succeed(3), { check }))
      assert.deepStrictEqual([failure.kind, failure.detail], ["Failed", error.message])
      assert.strictEqual(failure.cause, error)
    })
  )

  it.effect("a check that says nothing finds nothing, and a program that failed is not checked", () =>
    Effect.gen(function* () {
      const checked: Array<number> = []
      const check = (n: number) => {
        checked.push(n)
      }
      assert.deepStrictEqual((yield* explore(Effect.succeed(3), { check, seeds: 2 })).failures, [])
      yield* explore(Effect.fail("no"), { check, maxShrinkRuns: 0 })
      assert.deepStrictEqual(checked, [3, 3])
    })
  )

  it.effect("a trace comes with each finding", () =>
    Effect.gen(function* () {
      const { found, smallest } = firstOf(yield* explore(Effect.zipRight(Simulation.note("here"), Effect.fail("no"))))
      for (const { trace } of [found, smallest]) {
        assert.isTrue(trace?.entries.some(({ event }) => event._tag === "Note" && event.text === "here"))
      }
    })
  )

  it.effect("a trace comes with each finding of a check, too", () =>
    Effect.gen(function* () {
      const program = Simulation.note("here")
      const { found, smallest } = firstOf(yield* explore(program, { check: () => "wrong" }))
      for (const { trace } of [found, smallest]) assert.isDefined(trace)
    })
  )
})

describe("the event loop", () => {
  it.live("gets its turn while many seeds are run", () =>
    Effect.gen(function* () {
      let turns = 0
      const timer = setInterval(() => turns++, 0)
      yield* Effect.iterate(0, {
        while: () => turns === 0,
        body: () =>
          Effect.map(Simulation.explore(Effect.yieldNow(), { seeds: 1000, progress: false }), ({ seeds }) => seeds)
      }).pipe(Effect.ensuring(Effect.sync(() => clearInterval(timer))))
      assert.isAbove(turns, 0)
    })
  )
})

describe("environment variables", () => {
  it.effect("SLUICE_SIM_SEEDS and SLUICE_SIM_FROM take the place of the options", () =>
    Effect.gen(function* () {
      const { program, seen } = collecting()
      const variables = { SLUICE_SIM_SEEDS: "2", SLUICE_SIM_FROM: "70" }
      const report = yield* explore(program, { seeds: 50, from: 1 }, variables)
      assert.strictEqual(report.seeds, 2)
      assert.deepStrictEqual([...seen], yield* Effect.all([70, 71].map((seed) => drawnBy(seed)!)))
    })
  )

  it.effect("SLUICE_SIM_REPLAY, a number, repeats one run", () =>
    Effect.gen(function* () {
      const faults = [Fault.chaos()]
      const program = Effect.fail("no")
      const replayed = firstOf(yield* explore(program, { faults }, { SLUICE_SIM_REPLAY: "12" }))
      const { failure: _, ...run } = Simulation.run(program, { seed: 12, faults, trace: true })
      assert.deepInclude(replayed.found, run)
      assert.strictEqual(replayed.seed, 12)
      assert.strictEqual(replayed.smallest, replayed.found)
    })
  )

  it.effect("SLUICE_SIM_REPLAY, an object, repeats it with these peers and faults", () =>
    Effect.gen(function* () {
      const faults = [Fault.stall({ after: 5, to: "server" })]
      const replay = JSON.stringify({ seed: 12, peers: 5, faults })
      const program = Effect.flatMap(Simulation.Peers, (peers) => Effect.fail(`${peers} peers`))
      const { failure, found } = firstOf(
        yield* explore(program, { faults: [Fault.chaos()] }, { SLUICE_SIM_REPLAY: replay })
      )
      assert.deepStrictEqual(found.faults, faults)
      assert.strictEqual(failure.cause, "5 peers")
    })
  )

  it.effect("a replay in which nothing is wrong says so", () =>
    Effect.gen(function* () {
      const report = yield* explore(Effect.void, { seeds: 9 }, { SLUICE_SIM_REPLAY: "3" })
      assert.deepStrictEqual([report.seeds, report.failures], [1, []])
    })
  )

  it.effect("what they cannot be is a ConfigError", () =>
    Effect.gen(function* () {
      const wrong = [
        { SLUICE_SIM_SEEDS: "many" },
        { SLUICE_SIM_FROM: "1.5" },
        { SLUICE_SIM_REPLAY: "first" },
        { SLUICE_SIM_REPLAY: "1.5" },
        { SLUICE_SIM_REPLAY: "{}" },
        { SLUICE_SIM_REPLAY: '{"seed":1,"peers":0}' },
        { SLUICE_SIM_REPLAY: '{"seed":1,"faults":[{"_tag":"Rain"}]}' }
      ]
      for (const variables of wrong) {
        const error = yield* Effect.flip(explore(Effect.void, {}, variables))
        assert.strictEqual(error._op, "InvalidData", JSON.stringify(variables))
        assert.include(JSON.stringify(error), Object.keys(variables)[0])
      }
    })
  )
})

/** Sends one byte from a client to a server, and gives how long that took. */
const oneByte = Effect.gen(function* () {
  const peers = yield* Simulation.Peers
  const listening = yield* Deferred.make<void>()
  const serve = Effect.gen(function* () {
    const listener = yield* Effect.flatMap(Network.Network, ({ listen }) => listen({ port: 80 }))
    yield* Deferred.succeed(listening, undefined)
    const answer = Effect.scoped(
      Effect.flatMap(listener.accept, (transport) =>
        Effect.zipRight(Effect.flatMap(transport.read, transport.write), Effect.exit(transport.read))
      )
    )
    yield* Effect.forever(Effect.ignore(answer))
  })
  yield* SimNetwork.spawn("server", Effect.scoped(serve))
  yield* Deferred.await(listening)
  const visit = Effect.scoped(
    Effect.gen(function* () {
      const transport = yield* Effect.flatMap(Network.Network, ({ connect }) => connect({ host: "server", port: 80 }))
      yield* transport.write(Uint8Array.of(1))
      yield* transport.read
    })
  )
  for (let peer = 1; peer <= peers; peer++) yield* SimNetwork.on(`client ${peer}`, visit)
}).pipe(Effect.scoped)

describe("shrinking", () => {
  const harmless = [
    Fault.latency({ latency: 3, jitter: 2 }),
    Fault.chunking({ chunking: "Random" }),
    Fault.stall({ after: 900, lasts: 50 })
  ]

  it.effect("to the faults that matter", () =>
    Effect.gen(function* () {
      const reset = Fault.cut({ inside: "Bytes", bytes: 0, from: "client 1" })
      const faults = [harmless[0], harmless[1], reset, harmless[2]]
      const { found, smallest } = firstOf(yield* explore(oneByte, { faults }))
      assert.deepStrictEqual(found.faults, faults)
      assert.deepStrictEqual(smallest.faults, [reset])
      assert.isAtMost(smallest.steps, found.steps)
    })
  )

  it.effect("to no fault, where none matters", () =>
    Effect.gen(function* () {
      const { smallest } = firstOf(yield* explore(Effect.zipRight(oneByte, Effect.fail("no")), { faults: harmless }))
      assert.deepStrictEqual(smallest.faults, [])
    })
  )

  it.effect("to two faults, if it takes both", () =>
    Effect.gen(function* () {
      const both = [Fault.latency({ latency: 20, from: "server" }), Fault.latency({ latency: 20, to: "server" })]
      const slow = Effect.timeoutFail(oneByte, { duration: 79, onTimeout: () => "late" })
      const faults = [harmless[1], both[0], harmless[2], both[1]]
      const { smallest } = firstOf(yield* explore(slow, { faults, peers: 1 }))
      assert.deepStrictEqual(smallest.faults, both)
    })
  )

  it.effect("to as few peers as it takes", () =>
    Effect.gen(function* () {
      const crowded = Effect.filterOrFail(
        Simulation.Peers,
        (peers) => peers < 3,
        (peers) => `${peers} are too many`
      )
      const { failure, found } = firstOf(yield* explore(crowded, { peers: 9 }))
      assert.strictEqual(failure.cause, "3 are too many")
      assert.include(found.failure?.detail, "9 are too many")
    })
  )

  it.effect("to as little time as it takes", () =>
    Effect.gen(function* () {
      const faults = [Fault.stall({ after: 0, lasts: 60_000 }), Fault.stall({ after: 50_000, lasts: 10 })]
      const slow = Effect.timeoutFail(oneByte, { duration: 1000, onTimeout: () => "late" })
      const { found, smallest } = firstOf(yield* explore(slow, { faults, peers: 1 }))
      assert.lengthOf(smallest.faults, 1)
      // Half of it would not be enough.
      const [fault] = smallest.faults
      assert(fault._tag === "Stall" && fault.lasts !== undefined)
      assert.isAtLeast(fault.lasts, 500)
      assert.isBelow(fault.lasts, 2000)
      assert.isAtMost(Duration.toMillis(smallest.duration), Duration.toMillis(found.duration))
    })
  )

  it.effect("only to what fails in the same way", () =>
    Effect.gen(function* () {
      // With peers it deadlocks, without it fails.
      const program = Effect.flatMap(Simulation.Peers, (peers) => (peers === 1 ? Effect.fail("one") : Effect.never))
      const { smallest } = firstOf(yield* explore(program, { peers: 4 }))
      assert.strictEqual(smallest.failure?.kind, "Deadlock")
    })
  )

  it.effect("not at all, if no run may be tried", () =>
    Effect.gen(function* () {
      const report = yield* explore(Effect.fail("no"), { faults: harmless, maxShrinkRuns: 0, command: ["x"] })
      const { command, found, smallest, smallestCommand } = firstOf(report)
      assert.strictEqual(smallest, found)
      assert.strictEqual(smallestCommand, command)
      assert.strictEqual(command, "SLUICE_SIM_REPLAY=1 x")
    })
  )

  it.effect("tries no more runs than it may", () =>
    Effect.gen(function* () {
      let runs = 0
      const program = Effect.suspend(() => {
        runs++
        return Effect.fail("no")
      })
      yield* explore(program, { faults: [Fault.chaos()], maxShrinkRuns: 10, verify: false })
      // A run that fails is run again, to look where.
      assert.isAtMost(runs, 22)
    })
  )
})

describe("commands", () => {
  const program = Effect.gen(function* () {
    yield* oneByte
    if (yield* Random.nextBoolean) yield* Effect.sleep(1)
    return yield* Effect.filterOrFail(Random.nextIntBetween(0, 3), (n) => n !== 0)
  })
  const options = { faults: [Fault.chaos({ horizon: "1 second", maxStall: "100 millis" })], peers: 4, command: words }

  it.effect("both commands, given to a shell, repeat their runs", () =>
    Effect.gen(function* () {
      const report = yield* explore(program, { ...options, maxFailures: 3, maxShrinkRuns: 60 })
      assert.lengthOf(report.failures, 3)
      for (const { command, failure, found, smallest, smallestCommand } of report.failures) {
        assert.strictEqual(failure.command, smallestCommand)
        assert.include(failure.message, `\nagain: ${smallestCommand}`)
        const pairs = [
          [command, found],
          [smallestCommand, smallest]
        ] as const
        for (const [line, run] of pairs) {
          const again = firstOf(yield* explore(program, options, { SLUICE_SIM_REPLAY: replayOf(line) }))
          assert.strictEqual(again.found.hash, run.hash)
          assert.deepStrictEqual(again.found.faults, run.faults)
          assert.strictEqual(again.failure.detail, run.failure?.detail)
          assert.deepStrictEqual(again.found.trace, run.trace)
          // The command of a repeated run repeats it.
          assert.deepStrictEqual(JSON.parse(replayOf(again.smallestCommand)), JSON.parse(replayOf(line)))
        }
      }
    })
  )

  it.effect("is that of the process, if none is given", () =>
    Effect.gen(function* () {
      const { command } = firstOf(yield* explore(Effect.fail("no")))
      assert.match(command, /^SLUICE_SIM_REPLAY=1 node /)
    })
  )

  it.prop(
    "faults survive the command line",
    [FastCheck.integer({ min: 0 }), FastCheck.string()],
    ([seed, name]) => {
      const { faults } = Simulation.run(Effect.void, { seed, faults: [Fault.chaos({ hosts: [name] })] })
      const json = JSON.stringify([...faults, Fault.stall({ from: name, lasts: Duration.infinity })])
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Fault.Fault)))(json),
        JSON.parse(json)
      )
    },
    { fastCheck: { numRuns: 50 } }
  )
})

describe("assert", () => {
  const withoutVariables = Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))

  it.effect("succeeds if nothing is wrong", () =>
    withoutVariables(Simulation.assert(Effect.sleep("1 minute"), { seeds: 5 }))
  )

  it.effect("fails with the first failure, made smaller", () =>
    Effect.gen(function* () {
      const options = { faults: [Fault.chaos()], command: ["npm", "test"] }
      const error = yield* Effect.flip(withoutVariables(Simulation.assert(Effect.fail("no"), options)))
      assert(error._tag === "SimulationFailure")
      const report = yield* explore(Effect.fail("no"), options)
      assert.strictEqual(error.message, firstOf(report).failure.message)
      assert.include(error.message, "again: SLUICE_SIM_REPLAY=")
    })
  )
})

describe("format", () => {
  it.effect("of what has not failed", () =>
    Effect.gen(function* () {
      const report = yield* explore(Effect.void, { seeds: 20 })
      assert.strictEqual(
        Simulation.format({ ...report, elapsed: Duration.millis(40) }),
        "20 seeds, 500 a second, no failure"
      )
    })
  )

  it.effect("of what has", () =>
    Effect.gen(function* () {
      const faults = [Fault.stall({ after: 100 }), Fault.refuse()]
      const report = yield* explore(oneByte, { faults, command: ["npm", "test"], yieldProbability: 0 })
      const { found, smallest } = firstOf(report)
      const text = Simulation.format({ ...report, elapsed: Duration.seconds(2) })
      const refuse = `'{"seed":${smallest.seed},"faults":[{"_tag":"Refuse","probability":1}],"peers":1}'`
      const [, ...lines] = text.split("\n")
      assert.strictEqual(text.split("\n")[0], "1 seed, 1 a second, 1 failed")
      assert.match(lines[0], /^Failed with seed \d+: TransportError: ConnectionRefused/)
      assert.includeMembers(lines, [
        `again: SLUICE_SIM_REPLAY=${refuse} npm test`,
        `  found with seed 1 in ${found.steps} steps and 0 ms: SLUICE_SIM_REPLAY=1 npm test`,
        `  at its smallest ${smallest.steps} steps and 0 ms`,
        "  with Refuse probability 1"
      ])
    })
  )
})
