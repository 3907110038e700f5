/** Starts a server in a process of its own, so that what it holds is not mixed up with what its peers hold. */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import { Deferred, Duration, Effect, Queue, type Scope } from "effect"
import type { Limits, Network } from "sluice"

/** Who listens: `NodeNetwork`, or a server of `node:http` with `NodeUpgrade`. */
export type HostName = "node" | "upgrade"

export interface Options {
  readonly host?: HostName
  readonly limits?: Limits.Options
}

/** What the process has, after its garbage was collected. */
export interface Report {
  readonly _tag: "Report"
  readonly memory: NodeJS.MemoryUsage
  /** Open descriptors; not known where there is no `/proc`. */
  readonly descriptors: number | undefined
  /** Fibers that have not ended. */
  readonly fibers: number
  /** Scopes with something to release. */
  readonly scopes: number
  readonly connections: number
  /** Bytes taken from the sockets that are open, all together. */
  readonly read: number
}

export type Question = { readonly _tag: "Report" } | { readonly _tag: "Pass"; readonly millis: number }

export type Answer =
  | { readonly _tag: "Ready"; readonly address: Network.Address }
  | { readonly _tag: "Passed" }
  | Report

export interface Server {
  readonly address: Network.Address
  readonly report: Effect.Effect<Report>
  /** Lets time pass there: it does not pass by itself, however slow the machine is. */
  readonly pass: (time: Duration.DurationInput) => Effect.Effect<void>
  /** Asks again and again until the report is as it should be, and gives that report. */
  readonly eventually: (what: string, check: (report: Report) => boolean) => Effect.Effect<Report>
}

const program = fileURLToPath(new URL("server.ts", import.meta.url))
const root = fileURLToPath(new URL("../../../../../", import.meta.url))
const execArgv = ["--expose-gc", "--conditions=source", "--import", "tsx"]

/** Reports that are asked for before something is said to happen never. Each takes some milliseconds. */
const patience = 1000

export const start = (options: Options = {}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function* () {
    const answers = yield* Queue.unbounded<Answer>()
    const ended = yield* Deferred.make<never>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(program, [JSON.stringify(options)], { cwd: root, execArgv })),
      (child) =>
        Effect.async<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    // It is written by `server.ts`, which sends nothing else.
    child.on("message", (answer) => answers.unsafeOffer(answer as Answer))
    child.once("exit", (code, signal) => {
      Deferred.unsafeDone(ended, Effect.dieMessage(`the server has ended: ${code ?? signal}`))
    })
    const answer = Effect.raceFirst(Queue.take(answers), Deferred.await(ended))
    const oneByOne = yield* Effect.makeSemaphore(1)
    const ask = (question: Question) =>
      oneByOne.withPermits(1)(
        Effect.zipRight(
          Effect.sync(() => child.send(question)),
          answer
        )
      )
    const ready = yield* answer
    if (ready._tag !== "Ready") return assert.fail(`it is not ready: ${ready._tag}`)
    const report = Effect.map(ask({ _tag: "Report" }), (answer) =>
      answer._tag === "Report" ? answer : assert.fail(`no report: ${answer._tag}`)
    )
    return {
      address: ready.address,
      report,
      pass: (time) => ask({ _tag: "Pass", millis: Duration.toMillis(time) }),
      eventually: (what, check) =>
        Effect.gen(function* () {
          for (let asked = 0; asked < patience; asked++) {
            const last = yield* report
            if (check(last)) return last
            if (asked === patience - 1) assert.fail(`never: ${what}; the last report: ${JSON.stringify(last)}`)
          }
          return yield* report
        })
    }
  })

/** Bytes of memory that are in use: objects, and what lies outside of the heap, buffers above all. */
export const held = ({ memory }: Report): number => memory.heapUsed + memory.external

export const mebibyte = 1024 * 1024

export const inMebibytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(2)} MiB`
