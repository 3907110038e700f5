/** Runs one of the programs of this package from its source, and reads what it prints. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Effect, Queue } from "effect"

const root = fileURLToPath(new URL("../../../", import.meta.url))

export interface Program {
  /** The next line of its output. */
  readonly line: Effect.Effect<string>
  /** Waits for its end: the status, or the name of the signal. */
  readonly exit: Effect.Effect<number | string | null>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export const start = (name: string, args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  Effect.gen(function* () {
    const lines = yield* Queue.unbounded<string>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--expose-gc", "--conditions=source", "--import", "tsx", `packages/bench/src/${name}.ts`, ...args],
          { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] }
        )
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const ended = new Promise<number | string | null>((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? signal))
    })
    createInterface({ input: child.stdout }).on("line", (line) => Queue.unsafeOffer(lines, line))
    return {
      line: Queue.take(lines),
      exit: Effect.promise(() => ended),
      kill: (signal) => Effect.sync(() => child.kill(signal))
    } satisfies Program
  })
