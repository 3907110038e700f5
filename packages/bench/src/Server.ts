/** A measured server: a process that listens on a port of its own, on the CPU of the servers. */
import { readFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Child from "./Child.js"
import type { Peer } from "./Peer.js"
import { Toolchain } from "./Toolchain.js"

const MemoryUsage = Schema.Struct({ rss: Schema.Number, heapUsed: Schema.Number, external: Schema.Number })
export type MemoryUsage = typeof MemoryUsage.Type

export interface Server {
  readonly peer: Peer
  readonly port: number
  readonly pid: number
  readonly hasEnded: Effect.Effect<boolean>
  /** Has it collect garbage and say what it still uses, if it can. */
  readonly collect: Effect.Effect<MemoryUsage | undefined>
  /** The resident set in bytes, as the system counts it. */
  readonly resident: Effect.Effect<number>
}

/** A port that nobody uses, now. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    // it listens on TCP
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const decodeMemory = Schema.decode(Schema.parseJson(MemoryUsage))

const memoryPrefix = "gc "

const awaitLine = (child: Child.Child, prefix: string) =>
  Effect.repeat(child.line, { until: (line) => line.startsWith(prefix) })

/** Starts it and waits until it says that it is ready. */
export const start = (peer: Peer): Effect.Effect<Server, Child.ChildError, Toolchain | Scope.Scope> =>
  Effect.gen(function* () {
    if (peer.missing !== undefined) return yield* new Child.ChildError({ reason: peer.missing })
    const { onServerCpu } = yield* Toolchain
    const port = yield* freePort
    // thousands of connections are as many open files
    const command = [...onServerCpu, "sh", "-c", `ulimit -n $(ulimit -Hn); exec ${peer.command}`]
    const child = yield* Child.start(command, { env: { ...peer.env, PORT: String(port) } })
    const ready = yield* awaitLine(child, "ready").pipe(
      Effect.timeoutFail({
        duration: "30 seconds",
        onTimeout: () => new Child.ChildError({ reason: "was not ready within 30 s" })
      })
    )
    const signal = /\bgc=(SIG\w+)/.exec(ready)?.[1]
    const pid = Number(/\bpid=(\d+)/.exec(ready)?.[1] ?? child.pid)
    return {
      peer,
      port,
      pid,
      hasEnded: child.hasEnded,
      collect:
        signal === undefined
          ? Effect.succeed(undefined)
          : Effect.sync(() => process.kill(pid, signal)).pipe(
              Effect.zipRight(awaitLine(child, memoryPrefix)),
              Effect.flatMap((line) => decodeMemory(line.slice(memoryPrefix.length))),
              Effect.timeout("15 seconds"),
              Effect.catchAllCause(() => Effect.succeed(undefined))
            ),
      resident: Effect.sync(() => {
        const status = readFileSync(`/proc/${pid}/status`, "utf8")
        return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) * 1024
      })
    }
  })
