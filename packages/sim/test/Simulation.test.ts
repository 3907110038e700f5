import { Console } from "node:console"
import * as dns from "node:dns"
import * as fs from "node:fs"
import { Writable } from "node:stream"
import * as timers from "node:timers"
import { MessageChannel } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Clock,
  Data,
  Deferred,
  Duration,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  Random,
  Ref,
  Scope,
  TestClock
} from "effect"
import { Entropy } from "sluice/Entropy"
import * as Network from "sluice/Network"
import * as SimNetwork from "../src/SimNetwork.js"
import * as Simulation from "../src/Simulation.js"
import type { Kind, SimulationFailure } from "../src/SimulationFailure.js"

/** The failure of a run that must have failed so. */
const failureOf = <A, E>({ failure }: Simulation.Run<A, E>, kind: Kind): SimulationFailure => {
  assert(failure !== undefined)
  assert.strictEqual(failure.kind, kind, failure.message)
  return failure
}

type Options = Parameters<typeof Simulation.run>[1]

const fails = <A, E>(kind: Kind, program: Effect.Effect<A, E, Simulation.Services>, options: Options = {}) =>
  failureOf(Simulation.run(program, options), kind)

/** The value of a run in which nothing is wrong. */
const resultOf = <A, E>({ exit, failure }: Simulation.Run<A, E>): A => {
  assert.isUndefined(failure, failure?.message)
  assert(exit !== undefined && Exit.isSuccess(exit))
  return exit.value
}

const gives = <A, E>(program: Effect.Effect<A, E, Simulation.Services>, options: Options = {}) =>
  resultOf(Simulation.run(program, options))

/** The number of the line on which it is called. */
const thisLine = (): number => Number(/Simulation\.test\.ts:(\d+)/.exec(new Error().stack?.split("\n")[2] ?? "")?.[1])

const seeds = FastCheck.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

/** What some fibers did, in order: three steps each, with a yield in between. */
const interleaving = Effect.gen(function* () {
  const steps: Array<string> = []
  const step = (name: string) =>
    Effect.zipRight(
      Effect.yieldNow(),
      Effect.sync(() => void steps.push(name))
    )
  const fiber = (name: string) => Effect.repeatN(step(name), 2)
  yield* Effect.all(["a", "b", "c"].map(fiber), { concurrency: "unbounded" })
  return steps.join("")
})

describe("run", () => {
  it("gives what the program gave, the virtual time, the steps and a digest", () => {
    const run = Simulation.run(Effect.as(Effect.sleep("90 millis"), "done"), { seed: 5 })
    assert.strictEqual(resultOf(run), "done")
    assert.strictEqual(run.seed, 5)
    assert.strictEqual(Duration.toMillis(run.duration), 90)
    assert.isAbove(run.steps, 1)
    assert.match(run.hash, /^[0-9a-f]{16}$/)
    assert.deepStrictEqual(run.faults, [])
    assert.isUndefined(run.trace)
  })

  it("has a trace if it was asked for, and if the run failed", () => {
    assert.isDefined(Simulation.run(Effect.void, { trace: true }).trace)
    assert.isDefined(Simulation.run(Effect.fail("no")).trace)
    assert.isDefined(Simulation.run(Effect.fail("no"), { verify: false }).trace)
  })

  it.prop(
    "is a function of the seed",
    [seeds],
    ([seed]) => {
      const [one, other] = [Simulation.run(interleaving, { seed }), Simulation.run(interleaving, { seed })]
      assert.deepStrictEqual([one.hash, one.steps, resultOf(one)], [other.hash, other.steps, resultOf(other)])
    },
    { fastCheck: { numRuns: 50 } }
  )

  it("is the same with a trace and without, verified or not", () => {
    const options = [{}, { trace: true }, { verify: false }, { trace: true, verify: false }]
    const runs = options.map((each) => Simulation.run(interleaving, { seed: 3, ...each }))
    assert.strictEqual(new Set(runs.map(({ hash, steps }) => `${hash} ${steps}`)).size, 1)
  })

  it("is the same inside of another, which goes on as if nothing had been", () => {
    const alone = Simulation.run(interleaving, { seed: 8 })
    const outer = gives(
      Effect.gen(function* () {
        yield* Effect.sleep("5 seconds")
        const before = Math.random()
        const inner = Simulation.run(interleaving, { seed: 8 })
        return { inner, time: Date.now(), differs: Math.random() !== before, now: yield* Clock.currentTimeMillis }
      })
    )
    assert.strictEqual(outer.inner.hash, alone.hash)
    assert.deepStrictEqual([outer.time, outer.now, outer.differs], [5000, 5000, true])
  })

  it("another seed is another interleaving", () => {
    const all = Array.from({ length: 200 }, (_, seed) => Simulation.run(interleaving, { seed, verify: false }))
    assert.isAbove(new Set(all.map(resultOf)).size, 100)
    // The digest sees more than the program does: fibers that start and end.
    assert.strictEqual(new Set(all.map(({ hash }) => hash)).size, 200)
  })

  it("finds a lost update, and every order of two fibers", () => {
    const counter = Effect.gen(function* () {
      const ref = yield* Ref.make(0)
      const increment = Effect.flatMap(Ref.get(ref), (n) => Ref.set(ref, n + 1))
      yield* Effect.all([increment, increment], { concurrency: "unbounded" })
      return yield* Ref.get(ref)
    })
    const all = Array.from({ length: 200 }, (_, seed) => gives(counter, { seed, yieldProbability: 0.4 }))
    assert.deepStrictEqual([...new Set(all)].sort(), [1, 2])
  })

  it("comes to its end with any probability of a yield", () => {
    const work = Effect.gen(function* () {
      let sum = 0
      for (let n = 0; n < 300; n++) sum += yield* Effect.map(Effect.succeed(n), (m) => m + 1)
      return sum
    })
    const steps = [0, 0.02, 0.1, 0.4, 0.5, 1].map((yieldProbability) => {
      const run = Simulation.run(work, { yieldProbability })
      assert.strictEqual(resultOf(run), 45_150)
      return run.steps
    })
    assert.deepStrictEqual(
      steps,
      [...steps].sort((a, b) => a - b)
    )
    assert.isBelow(steps[0], 5)
    assert.isAbove(steps[3], 100)
  })

  it("gives Peers: 2, or as many as the options say", () => {
    assert.strictEqual(gives(Simulation.Peers), 2)
    assert.strictEqual(gives(Simulation.Peers, { peers: 7 }), 7)
  })

  it("writes logs and notes into the trace, and nowhere else", () => {
    const program = Effect.gen(function* () {
      yield* Effect.logWarning("the sky falls", { at: 3 })
      yield* Effect.log("two\nlines")
      yield* Effect.logError("it broke", Cause.fail(new Error("why")))
      yield* Effect.logDebug("below the level of the program")
      yield* SimNetwork.on("elsewhere", Simulation.note("here"))
    })
    const { trace } = Simulation.run(program, { trace: true })
    const said = trace!.entries.filter(({ event }) => event._tag === "Log" || event._tag === "Note")
    assert.deepStrictEqual(
      said.map(({ event, host }) => [host, event]),
      [
        ["main", { _tag: "Log", level: "WARN", text: 'the sky falls {\n  "at": 3\n}' }],
        ["main", { _tag: "Log", level: "INFO", text: "two\nlines" }],
        ["main", { _tag: "Log", level: "ERROR", text: "it broke Error: why" }],
        ["elsewhere", { _tag: "Note", text: "here" }]
      ]
    )
  })

  it.effect("a note outside of a simulation is a log at level Debug", () => Simulation.note("nobody reads this"))
})

describe("a run that was given up", () => {
  it("leaves no fiber in the process, nor does a host that has crashed", () => {
    const before = Fiber.unsafeRoots().length
    fails(
      "Deadlock",
      Effect.async<void>(() => {})
    )
    fails("Budget", Effect.forkDaemon(Effect.forever(Effect.sleep(1))).pipe(Effect.zipRight(Effect.sleep("1 day"))))
    gives(
      Effect.gen(function* () {
        const host = yield* SimNetwork.spawn(
          "host",
          Effect.forkDaemon(Effect.never).pipe(Effect.zipRight(Effect.never))
        )
        yield* Effect.sleep(1)
        yield* host.crash()
      })
    )
    assert.strictEqual(Fiber.unsafeRoots().length, before)
  })
})

describe("the virtual clock", () => {
  it("a day passes at once, and nothing is done meanwhile", () => {
    const run = Simulation.run(Effect.sleep("1 day"), { maxDuration: "1 day" })
    assert.strictEqual(Duration.toHours(run.duration), 24)
    assert.isBelow(run.steps, 10)
  })

  it("advances only when nothing can run", () => {
    const program = Effect.gen(function* () {
      const times: Array<number> = []
      const busy = Effect.repeatN(
        Effect.zipRight(
          Effect.yieldNow(),
          Effect.map(Clock.currentTimeMillis, (time) => void times.push(time))
        ),
        50
      )
      yield* Effect.all([busy, Effect.sleep(1), busy, Effect.sleep(0)], { concurrency: "unbounded" })
      return { times: [...new Set(times)], end: yield* Clock.currentTimeMillis }
    })
    for (let seed = 0; seed < 20; seed++) assert.deepStrictEqual(gives(program, { seed }), { times: [0], end: 1 })
  })

  it.prop(
    "timers fire at their time, and in its order",
    [seeds, FastCheck.array(FastCheck.nat({ max: 1000 }), { maxLength: 20 })],
    ([seed, delays]) => {
      const fired: Array<readonly [delay: number, at: number]> = []
      const timer = (delay: number) =>
        Effect.zipRight(
          Effect.sleep(delay),
          Effect.map(Clock.currentTimeMillis, (at) => void fired.push([delay, at]))
        )
      const { duration } = Simulation.run(Effect.forEach(delays, timer, { concurrency: "unbounded" }), {
        seed,
        verify: false
      })
      assert.deepStrictEqual(
        fired,
        [...delays].sort((a, b) => a - b).map((delay) => [delay, delay] as const)
      )
      assert.strictEqual(Duration.toMillis(duration), Math.max(0, ...delays))
    },
    { fastCheck: { numRuns: 50 } }
  )

  it("timers of one instant fire in any order", () => {
    const program = Effect.gen(function* () {
      const order: Array<number> = []
      yield* Effect.forEach(
        [1, 2, 3],
        (n) =>
          Effect.zipRight(
            Effect.sleep(10),
            Effect.sync(() => order.push(n))
          ),
        {
          concurrency: "unbounded"
        }
      )
      return order.join("")
    })
    const orders = Array.from({ length: 100 }, (_, seed) => gives(program, { seed }))
    assert.deepStrictEqual([...new Set(orders)].sort(), ["123", "132", "213", "231", "312", "321"])
  })

  it("a timer that was interrupted takes no time", () => {
    const { duration } = Simulation.run(Effect.timeoutOption(Effect.raceFirst(Effect.sleep(5), Effect.sleep(60)), 100))
    assert.strictEqual(Duration.toMillis(duration), 5)
  })

  it("is a TestClock too: to adjust is to wait", () => {
    const program = Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.zipRight(Effect.sleep("1 minute"), Clock.currentTimeMillis))
      yield* TestClock.adjust("30 seconds")
      const asleep = yield* TestClock.sleeps()
      yield* TestClock.adjust("30 seconds")
      const woken = yield* Fiber.join(fiber)
      yield* TestClock.setTime(100_000)
      const time = yield* Clock.currentTimeMillis
      const { inside } = yield* TestClock.adjustWith(
        Effect.map(Clock.currentTimeMillis, (inside) => ({ inside })),
        "1 second"
      )
      return { asleep: Chunk.toReadonlyArray(asleep), woken, time, inside, end: yield* Clock.currentTimeMillis }
    })
    assert.deepStrictEqual(gives(program), {
      asleep: [60_000],
      woken: 60_000,
      time: 100_000,
      inside: 100_000,
      end: 101_000
    })
  })

  it("cannot be set back", () => {
    const program = Effect.gen(function* () {
      yield* Effect.sleep(500)
      yield* TestClock.setTime(100)
      return yield* Clock.currentTimeMillis
    })
    assert.strictEqual(gives(program), 500)
  })
})

/** What a program may ask the host for at once. */
const hostAnswers = () => ({
  now: Date.now(),
  date: new Date().toISOString(),
  text: Date(),
  given: new Date(86_400_000).toISOString(),
  parsed: Date.parse("2020-01-01T00:00:00Z"),
  performance: performance.now(),
  random: Math.random(),
  uuid: crypto.randomUUID(),
  bytes: [...crypto.getRandomValues(new Uint8Array(4))],
  words: [...crypto.getRandomValues(new Uint32Array(2))]
})

describe("the host", () => {
  const asked = Effect.gen(function* () {
    yield* Effect.sleep("1500 millis")
    return { ...hostAnswers(), effect: yield* Random.next, entropy: [...(yield* Entropy)(4)] }
  })

  it("answers from the seed", () => {
    const one = gives(asked, { seed: 1 })
    assert.deepStrictEqual(gives(asked, { seed: 1 }), one)
    assert.deepStrictEqual(
      [one.now, one.date, one.given, one.parsed, one.performance],
      [1500, "1970-01-01T00:00:01.500Z", "1970-01-02T00:00:00.000Z", 1_577_836_800_000, 1500]
    )
    assert.include(one.text, "1970")
    assert.match(one.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const other = gives(asked, { seed: 2 })
    for (const key of ["random", "uuid", "bytes", "words", "effect", "entropy"] as const) {
      assert.notDeepEqual(other[key], one[key], key)
    }
  })

  it("what one part draws does not shift what another draws", () => {
    const shifted = Effect.zipRight(
      Effect.sync(() => Math.random()),
      asked
    )
    const [one, other] = [gives(asked), gives(shifted)]
    assert.notStrictEqual(other.random, one.random)
    assert.deepStrictEqual([other.uuid, other.effect, other.entropy], [one.uuid, one.effect, one.entropy])
  })

  it("a virtual Date is a Date", () => {
    const program = Effect.sync(() => {
      class Day extends Date {}
      const day = new Day()
      return [new Date() instanceof Date, day instanceof Day, day.getTime(), Date.UTC(1970, 0, 2)]
    })
    assert.deepStrictEqual(gives(program), [true, true, 0, 86_400_000])
  })

  const own = () => [
    Date,
    Math.random,
    performance.now,
    crypto.getRandomValues,
    crypto.randomUUID,
    setTimeout,
    setInterval,
    setImmediate,
    queueMicrotask,
    process.nextTick,
    Promise.prototype.then
  ]

  it("is as it was after a run, whatever its end", () => {
    const before = own()
    const keys = Object.getOwnPropertyNames(performance)
    const check = () => {
      assert.deepStrictEqual(own(), before)
      assert.deepStrictEqual(Object.getOwnPropertyNames(performance), keys)
      assert.isAbove(Date.now(), 1_700_000_000_000)
    }
    assert.notDeepEqual(gives(Effect.sync(own)), before)
    check()
    fails("Failed", Effect.die("no"))
    check()
    fails("HostAsynchrony", Effect.sleep(1).pipe(Effect.zipRight(Effect.promise(() => Promise.resolve()))))
    check()
    fails("Failed", throwsOutside)
    check()
    // A run does not throw, but what is no program may.
    assert.throws(() => Simulation.run(Effect.void, { network: { connectTimeout: "soon" as "1 second" } }))
    check()
  })

  it.effect("goes on after a run: timers, promises and fibers", () =>
    Effect.gen(function* () {
      Simulation.run(Effect.sleep(1))
      yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
      yield* Effect.async<void>((resume) => void setTimeout(() => resume(Effect.void), 0))
      assert.strictEqual(yield* Effect.promise(() => Promise.resolve(3)), 3)
      assert.strictEqual(yield* Fiber.join(Effect.runFork(Effect.as(Effect.yieldNow(), 4))), 4)
    })
  )
})

/** An observer of a fiber runs outside of any. */
const throwsOutside = Effect.gen(function* () {
  const fiber = yield* Effect.fork(Effect.yieldNow())
  fiber.addObserver(() => {
    throw new RangeError("outside")
  })
  yield* Fiber.join(fiber)
})

describe("Failed", () => {
  class Broken extends Data.TaggedError("Broken")<{ readonly part: string }> {}

  it("a program that fails: with its error as the cause", () => {
    const run = Simulation.run(Effect.fail(new Broken({ part: "gear" })))
    const failure = failureOf(run, "Failed")
    assert.deepInclude(failure.cause, { _tag: "Broken", part: "gear" })
    assert.include(failure.message, "Failed with seed 1")
    assert(run.exit !== undefined && Exit.isFailure(run.exit))
  })

  it("a program with a defect", () => {
    const error = new Error("a defect")
    const failure = fails("Failed", Effect.die(error))
    assert.strictEqual(failure.cause, error)
    assert.include(failure.detail, "Error: a defect")
  })

  it("a program that interrupts itself", () => {
    fails("Failed", Effect.interrupt)
  })

  it("a task that throws outside of any fiber", () => {
    const run = Simulation.run(throwsOutside)
    const failure = failureOf(run, "Failed")
    assert.include(failure.detail, "outside of any fiber, a task threw RangeError: outside")
    assert.instanceOf(failure.cause, RangeError)
    assert.isUndefined(run.exit)
  })

  it("a failure that only some seeds have", () => {
    const program = Effect.filterOrFail(interleaving, (order) => order.startsWith("a"))
    const kinds = Array.from({ length: 40 }, (_, seed) => Simulation.run(program, { seed }).failure?.kind)
    assert.deepStrictEqual(new Set(kinds), new Set(["Failed", undefined] as const))
  })
})

describe("Deadlock", () => {
  // Seeds that found what Effect 3.22 counts on: the order in which it makes, starts and interrupts fibers.
  const waits = {
    race: Effect.race(Effect.never, Effect.never),
    raceFirst: Effect.raceFirst(Effect.never, Effect.never),
    timeout: Effect.timeout(Effect.never, "1 day"),
    "all, with concurrency": Effect.all([Effect.never, Effect.never], { concurrency: 2 }),
    "forEach, unbounded": Effect.forEach([1, 2, 3], () => Effect.sleep("1 day"), { concurrency: "unbounded" })
  }
  for (const [name, wait] of Object.entries(waits)) {
    it(`is not seen where ${name} is interrupted, however soon`, () => {
      for (let seed = 1; seed <= 400; seed++) {
        const program = Effect.gen(function* () {
          const fiber = yield* Effect.fork(wait)
          yield* Effect.repeatN(Effect.yieldNow(), seed % 4)
          yield* Fiber.interrupt(fiber)
        })
        gives(program, { seed, verify: false })
      }
    })
  }

  it("names the fibers that wait, their host and span, and the lines of the program", () => {
    let [first, second] = [0, 0]
    const program = Effect.gen(function* () {
      const [one, other] = yield* Effect.all([Deferred.make<void>(), Deferred.make<void>()])
      const waits = Effect.gen(function* () {
        second = thisLine() + 1
        yield* Deferred.await(one)
        yield* Deferred.succeed(other, undefined)
      }).pipe(Effect.withSpan("takes both"))
      const fiber = yield* Effect.fork(SimNetwork.on("there", waits))
      first = thisLine() + 1
      yield* Deferred.await(other)
      yield* Fiber.join(fiber)
    })
    const failure = fails("Deadlock", program)
    assert.strictEqual(failure.detail, "nothing can run, and no timer is set")
    assert.deepStrictEqual(
      failure.waiting.map(({ at, host, span }) => [
        host,
        span,
        at.length,
        at[0].replace(/^.*?([^/]*:\d+):\d+\)?$/, "$1")
      ]),
      [
        ["main", undefined, 1, `Simulation.test.ts:${first}`],
        ["there", "takes both", 1, `Simulation.test.ts:${second}`]
      ]
    )
    const [one, other] = failure.waiting
    assert.include(failure.message, `fiber #${one.fiber} on main: waits at next (`)
    assert.include(failure.message, `fiber #${other.fiber} on there, in span takes both: waits at next (`)
  })

  it("a fiber of a pipeline has no line", () => {
    const failure = fails("Deadlock", Effect.flatMap(Deferred.make<void>(), Deferred.await))
    assert.deepStrictEqual(failure.waiting[0].at, [])
    assert.include(failure.message, "waits in a pipeline")
  })

  it("a fiber that waits in a library is named there, and in the program", () => {
    let line = 0
    const program = Effect.gen(function* () {
      const network = yield* Network.Network
      const { accept } = yield* network.listen({ port: 80 })
      const fromLibrary = Effect.gen(function* () {
        line = thisLine() + 1
        yield* accept
      })
      yield* fromLibrary
    })
    const failure = fails("Deadlock", Effect.scoped(program))
    assert.match(failure.waiting[0].at.at(-1) ?? "", new RegExp(`Simulation\\.test\\.ts:${line}:`))
  })

  it("Effect.never, and an endless sleep, are no timers and no asynchrony of the host", () => {
    fails("Deadlock", Effect.never)
    fails("Deadlock", Effect.sleep(Duration.infinity))
    assert.strictEqual(gives(Effect.raceFirst(Effect.never, Effect.as(Effect.sleep(3), "slept"))), "slept")
  })

  it("is one even if the program prints, which the host does on the side", () => {
    const paper = new Console(new Writable({ write: (_text, _encoding, done) => done() }))
    fails(
      "Deadlock",
      Effect.zipRight(
        Effect.sync(() => paper.log("printed")),
        Effect.never
      )
    )
  })
})

describe("Leak", () => {
  it("a fiber", () => {
    const failure = fails("Leak", Effect.forkDaemon(Effect.never))
    assert.strictEqual(failure.detail, "after the end of the program there are still: 1 fiber")
    assert.lengthOf(failure.waiting, 1)
    assert.include(fails("Leak", Effect.repeatN(Effect.forkDaemon(Effect.never), 1)).detail, "2 fibers")
  })

  it("a fiber that waits for a timer; one that only has to run has its turn", () => {
    fails("Leak", Effect.forkDaemon(Effect.sleep(1)))
    gives(Effect.forkDaemon(Effect.repeatN(Effect.yieldNow(), 20)))
  })

  it("a scope with finalizers; one without is no leak", () => {
    const open = Effect.flatMap(Scope.make(), (scope) => Scope.addFinalizer(scope, Effect.void))
    assert.include(fails("Leak", open).detail, "1 scope with finalizers")
    assert.include(fails("Leak", Effect.zipRight(open, open)).detail, "2 scopes with finalizers")
    gives(Scope.make())
    gives(Effect.flatMap(Scope.make(), (scope) => Scope.close(scope, Exit.void)))
  })

  it("a listener and a connection", () => {
    const program = Effect.gen(function* () {
      const network = yield* Network.Network
      const scope = yield* Scope.make()
      const { address } = yield* Scope.extend(network.listen({ port: 80 }), scope)
      yield* Scope.extend(network.connect(address), scope)
    })
    const { detail } = fails("Leak", program)
    assert.include(detail, "main listens on 127.0.0.1:80")
    assert.include(detail, "main has connection 1 open, as its client")
    assert.include(detail, "main has connection 1 open, as its server")
    assert.include(detail, "1 scope with finalizers")
    gives(program, { allowLeaks: true })
  })

  it("what is in the scope of the run is no leak", () => {
    const program = Effect.gen(function* () {
      const network = yield* Network.Network
      yield* Effect.forkScoped(Effect.never)
      yield* network.connect((yield* network.listen({})).address)
    })
    gives(program)
  })

  it("a program that fails is Failed, whatever it leaves", () => {
    fails("Failed", Effect.zipRight(Effect.forkDaemon(Effect.never), Effect.fail("no")))
  })
})

describe("Budget", () => {
  it("steps", () => {
    const run = Simulation.run(Effect.forever(Effect.yieldNow()), { maxSteps: 500 })
    assert.strictEqual(failureOf(run, "Budget").detail, "it took more than 500 steps, in 0 ms")
    assert.strictEqual(run.steps, 500)
    fails("Budget", Effect.forever(Effect.void), { maxSteps: 500, yieldProbability: 0 })
    fails("Budget", Effect.forkDaemon(Effect.forever(Effect.yieldNow())), { maxSteps: 500 })
  })

  it("virtual time: one hour by default", () => {
    assert.include(fails("Budget", Effect.sleep("61 minutes")).detail, "more than 3600000 ms of virtual time")
    gives(Effect.sleep("60 minutes"))
    fails("Budget", Effect.forever(Effect.sleep("1 second")), { maxDuration: "10 seconds" })
  })
})

describe("HostAsynchrony", () => {
  const waitFor = (begin: (done: () => void) => unknown) =>
    Effect.async<void>((resume) => void begin(() => resume(Effect.void)))

  const calls: ReadonlyArray<readonly [what: string, name: RegExp, program: Effect.Effect<unknown, unknown>]> = [
    ["setTimeout", /^setTimeout is/, waitFor((done) => setTimeout(done, 1))],
    ["setInterval", /^setInterval is/, waitFor((done) => setInterval(done, 1))],
    ["setImmediate", /^setImmediate is/, waitFor((done) => setImmediate(done))],
    ["queueMicrotask", /^queueMicrotask is/, waitFor((done) => queueMicrotask(done))],
    ["process.nextTick, when it is waited for", /^process\.nextTick is/, waitFor((done) => process.nextTick(done))],
    ["Effect.promise", /^Promise\.prototype\.then is/, Effect.promise(() => Promise.resolve())],
    ["Effect.tryPromise", /^Promise\.prototype\.then is/, Effect.tryPromise(async () => 1)],
    ["fs.readFile with a callback", /^FSREQCALLBACK is/, waitFor((done) => fs.readFile(import.meta.filename, done))],
    ["dns.lookup", /^GETADDRINFOREQWRAP is/, waitFor((done) => dns.lookup("localhost", done))],
    [
      "Effect.runFork on the scheduler of the host",
      /^a fiber outside of the simulation \(Effect\.runFork\) is/,
      waitFor((done) => Effect.runFork(Effect.zipRight(Effect.yieldNow(), Effect.sync(done))))
    ],
    [
      "setTimeout of node:timers",
      /^setTimeout or setInterval of node:timers is/,
      waitFor((done) => timers.setTimeout(done, 1))
    ],
    ["setImmediate of node:timers", /^setImmediate of node:timers is/, waitFor((done) => timers.setImmediate(done))],
    [
      "a message port",
      /^MessagePort is/,
      waitFor((done) => {
        const { port1, port2 } = new MessageChannel()
        port2.on("message", () => {
          port2.close()
          done()
        })
        port1.postMessage("now")
      })
    ],
    [
      "await",
      /^a promise \(await\) is/,
      waitFor(async (done) => {
        await undefined
        done()
      })
    ],
    ["Effect.runPromise", /^Promise\.prototype\.then is/, waitFor((done) => Effect.runPromise(Effect.void).then(done))]
  ]

  for (const [what, name, program] of calls) {
    it(`${what} is named, with its place`, () => {
      const { detail } = fails("HostAsynchrony", Effect.zipRight(Effect.sleep(5), program))
      assert.match(detail, name)
      assert.match(detail, /the host's, and not part of the simulation, called at .*test\/Simulation\.test\.ts:\d+/)
    })
  }

  it("ends the run at once, even if nobody waits for it", () => {
    const run = Simulation.run(
      Effect.zipRight(
        Effect.sync(() => setTimeout(() => {}, 1)),
        Effect.sleep(1000)
      )
    )
    failureOf(run, "HostAsynchrony")
    assert.strictEqual(Duration.toMillis(run.duration), 0)
  })

  it("what is synchronous is none of it, nor a tick that nobody waits for", () => {
    gives(Effect.sync(() => Effect.runSync(Effect.succeed(1))))
    gives(Effect.sync(() => fs.readFileSync(import.meta.filename)))
    gives(Effect.sync(() => clearTimeout(undefined)))
    gives(
      Effect.zipRight(
        Effect.sync(() => process.nextTick(() => {})),
        Effect.sleep(5)
      )
    )
  })
})

describe("Nondeterminism", () => {
  it("the state of a module", () => {
    let runs = 0
    const failure = fails(
      "Nondeterminism",
      Effect.suspend(() => Effect.log(`run ${runs++}`))
    )
    assert.include(failure.detail, "log INFO: run 2\nthe other\n")
    assert.include(failure.detail, "log INFO: run 3\nSomething outlives a run")
    assert.match(failure.detail, /^two runs part at line 2 of their traces/)
  })

  it("of a program that fails only the first time", () => {
    let runs = 0
    fails(
      "Nondeterminism",
      Effect.suspend(() => (runs++ === 0 ? Effect.fail("once") : Effect.void))
    )
  })

  it("is not looked for without verify", () => {
    let runs = 0
    gives(
      Effect.suspend(() => Effect.log(`run ${runs++}`)),
      { verify: false }
    )
    assert.strictEqual(runs, 1)
  })
})
