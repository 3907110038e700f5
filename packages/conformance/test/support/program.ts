/** Runs the program `conformance` from its source, as a process of its own. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect, Queue, Schema } from "effect"
import { Report } from "../../src/Report.js"

const root = fileURLToPath(new URL("../../../../", import.meta.url))

export interface Ended {
  readonly status: number | string | null
  readonly out: string
  readonly err: string
}

/** Starts it. `said` are the lines that it writes beside its output, as they come. */
export const start = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const said = yield* Queue.unbounded<string>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--conditions=source", "--import", "tsx", "packages/conformance/src/bin.ts", ...args],
          { cwd: root, stdio: ["ignore", "pipe", "pipe"] }
        )
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let out = ""
    let err = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text
      for (const line of text.split("\n")) if (line !== "") Queue.unsafeOffer(said, line)
    })
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code, signal) => resolve({ status: code ?? signal, out, err }))
    })
    return { said: Queue.take(said), ended: Effect.promise(() => ended) }
  })

/** Runs it to its end. */
export const run = (...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(start(...args), ({ ended }) => ended))

/** The report that it printed as JSON. */
export const reportOf = ({ out }: Ended): Report => Schema.decodeUnknownSync(Schema.parseJson(Report))(out)
