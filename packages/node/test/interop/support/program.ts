/** Runs a program that is not ours, reads what it prints, and ends it with the scope. */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Data, Deferred, Effect, Exit, Mailbox, type Scope } from "effect"
import { addressOf } from "../../support/hosts.js"

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL("../../../../../", import.meta.url))

/** A file of `programs`. */
export const fileOf = (name: string): string => fileURLToPath(new URL(`../programs/${name}`, import.meta.url))

/** A program with its arguments, and what its environment has besides. */
export interface Command {
  readonly words: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

/** It ended before it said what was waited for. */
export class Ended extends Data.TaggedError("Ended")<{
  readonly words: ReadonlyArray<string>
  readonly status: number | string | null
  readonly said: string
}> {
  override get message(): string {
    return `${this.words.join(" ")} ended with ${this.status}; it said:\n${this.said}`
  }
}

export interface Program {
  /** The next line of its output, or of its complaints; fails once there is none. */
  readonly line: Effect.Effect<string, Ended>
  /** Waits for a line of this form. */
  readonly until: (form: RegExp) => Effect.Effect<RegExpExecArray, Ended>
}

/** How much of what it said is shown when it fails. */
const shown = 4000

export const start = ({ env, words }: Command): Effect.Effect<Program, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [name = "", ...args] = words
    const lines = yield* Mailbox.make<string>()
    const ended = yield* Deferred.make<number | string | null>()
    let said = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(name, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
      ),
      // SIGTERM, upon which those that have started others end them, too.
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGTERM")),
          Deferred.await(ended)
        )
    )
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        said = `${said}${line}\n`.slice(-shown)
        lines.unsafeOffer(line)
      })
    }
    const end = (status: number | string | null) => {
      Deferred.unsafeDone(ended, Effect.succeed(status))
      lines.unsafeDone(Exit.void)
    }
    child.once("error", ({ message }) => end(message))
    child.once("close", (code, signal) => end(code ?? signal))
    const line = Effect.catchAll(lines.take, () =>
      Effect.flatMap(Deferred.await(ended), (status) => new Ended({ words, status, said }))
    )
    const until: Program["until"] = (form) =>
      Effect.flatMap(line, (line) => {
        const match = form.exec(line)
        return match === null ? until(form) : Effect.succeed(match)
      })
    return { line, until }
  })

/** Runs it to its end: the lines that it said. Fails unless its status is 0. */
export const run = (command: Command): Effect.Effect<ReadonlyArray<string>, Ended> =>
  Effect.scoped(
    Effect.flatMap(start(command), ({ line }) => {
      const rest = (lines: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, Ended> =>
        Effect.matchEffect(line, {
          onSuccess: (line) => rest([...lines, line]),
          onFailure: (ended) => (ended.status === 0 ? Effect.succeed(lines) : ended)
        })
      return rest([])
    })
  )

/** A folder that is deleted with the scope. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "sluice-interop-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 5 }))
)

/** A port on which nobody listens any more. */
const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = addressOf(server)
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** What they say whose port somebody else has taken in between. */
const taken = /address already in use|cannot bind|unable to bind|error on binding/i

/**
 * Starts a program that cannot have a port of the system's choice. `ready` is what it says once it listens; if somebody
 * else has taken its port meanwhile, it is started again with another.
 */
export const startOnFreePort = <R>(
  command: (port: number) => Effect.Effect<Command, never, R>,
  ready: RegExp
): Effect.Effect<number, Ended, R | Scope.Scope> =>
  Effect.gen(function* () {
    const port = yield* freePort
    const program = yield* start(yield* command(port))
    yield* program.until(ready)
    return port
  }).pipe(Effect.retry({ times: 5, while: ({ said }) => taken.test(said) }))
