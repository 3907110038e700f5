/** A process that ends with the scope that started it. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** It could not be started, or has ended when more was expected of it. */
export class ChildError extends Data.TaggedError("ChildError")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

export interface Child {
  readonly pid: number
  /** The next line of its output; fails once there is none, with the end of what it said on standard error. */
  readonly line: Effect.Effect<string, ChildError>
  /** All lines that are left, once it has ended. */
  readonly rest: Effect.Effect<ReadonlyArray<string>>
  /** Waits for its end; fails unless its status is 0. */
  readonly success: Effect.Effect<void, ChildError>
  readonly hasEnded: Effect.Effect<boolean>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Ends its input. */
  readonly endInput: Effect.Effect<void>
}

export interface Options {
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** What is kept of the standard error of a process. */
const keptComplaints = 600

export const start = (
  [program = "", ...args]: ReadonlyArray<string>,
  { env }: Options = {}
): Effect.Effect<Child, ChildError, Scope.Scope> =>
  Effect.gen(function* () {
    const lines = yield* Mailbox.make<string>()
    let complaints = ""
    let hasEnded = false
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(program, args, { env: { ...process.env, ...env }, stdio: "pipe" })),
      (child) =>
        Effect.async<void>((resume) => {
          if (hasEnded || child.pid === undefined) return resume(Effect.void)
          child.once("close", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    // it may end before its input was read
    child.stdin.on("error", () => {})
    child.stderr.on("data", (chunk) => {
      complaints = `${complaints}${chunk}`.slice(-keptComplaints)
    })
    createInterface({ input: child.stdout }).on("line", (line) => lines.unsafeOffer(line))
    let status: number | string | null = null
    child.once("close", (code, signal) => {
      hasEnded = true
      status = signal ?? code
      lines.unsafeDone(Exit.void)
    })
    const ended = Effect.sync(() => new ChildError({ reason: `has ended (${status}) ${complaints}`.trim() }))
    yield* Effect.async<void, ChildError>((resume) => {
      child.once("spawn", () => resume(Effect.void))
      child.once("error", ({ message }) => resume(new ChildError({ reason: message })))
    })
    const { pid } = child
    if (pid === undefined) return yield* new ChildError({ reason: `${program} has no process` })
    const rest = Stream.runCollect(Mailbox.toStream(lines)).pipe(Effect.map((rest) => [...rest]))
    return {
      pid,
      line: Effect.catchAll(lines.take, () => Effect.flip(ended)),
      rest,
      success: Effect.zipRight(
        rest,
        Effect.suspend(() => (status === 0 ? Effect.void : Effect.flip(ended)))
      ),
      hasEnded: Effect.sync(() => hasEnded),
      signal: (signal) => Effect.sync(() => child.kill(signal)),
      endInput: Effect.sync(() => child.stdin.end())
    }
  })

/** Runs a program to its end: the lines of its output. */
export const run = (
  command: ReadonlyArray<string>,
  options?: Options
): Effect.Effect<ReadonlyArray<string>, ChildError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const child = yield* start(command, options)
      const lines = yield* child.rest
      yield* child.success
      return lines
    })
  )
