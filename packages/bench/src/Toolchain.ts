/** What has to be on this machine, and what is built before anything is measured. */
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { availableParallelism } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type BuildOptions, build } from "esbuild"
import * as Child from "./Child.js"
import type { Settings } from "./Settings.js"

/** Something is missing here; the reason says how to get it. */
export class MissingTool extends Data.TaggedError("MissingTool")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** What a run works with. */
export class Toolchain extends Context.Tag("@sluice/bench/Toolchain")<
  Toolchain,
  {
    /** The load generator. */
    readonly generator: string
    /** A program of this package, by its name, as JavaScript. */
    readonly program: (name: Program) => string
    /** What stands before a command so that it runs on the CPU of the servers, or of the generator. */
    readonly onServerCpu: ReadonlyArray<string>
    readonly onGeneratorCpu: ReadonlyArray<string>
  }
>() {}

const root = fileURLToPath(new URL("../../../", import.meta.url))
const sources = fileURLToPath(new URL("../", import.meta.url))

/** Servers and codecs are measured as JavaScript: a loader that compiles would be measured too. */
const programs = {
  sluice: "src/EchoNode.ts",
  sluiceBun: "src/EchoBun.ts",
  ws: "src/servers/ws.ts",
  effectPlatform: "src/servers/effectPlatform.ts",
  uws: "src/servers/uws.ts",
  bun: "src/servers/bun.ts",
  rawNet: "src/servers/rawNet.ts",
  codec: "src/codec/main.ts"
} as const

/** The same with all that is installed in it, so that what is not used is left out. */
const bundled = { sluiceBundled: programs.sluice } as const

export type Program = keyof typeof programs | keyof typeof bundled

/** The packages of this repository go into the bundle, from their sources; all others are loaded as installed. */
const installed = ["effect", "@effect/*", "ws", "bufferutil", "@trufflesuite/*"]

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The first of the programs that is on the path. */
export const find = (...names: ReadonlyArray<string>): string | undefined =>
  names
    .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
    .find(isExecutable)

/** The C compiler, which is asked for by other names if CC says so. */
const findCompiler = () => find(...(process.env.CC === undefined ? [] : [process.env.CC]), "cc", "gcc", "clang")

/** Why nothing can be measured here, if so. */
export const problem = (cpus: Settings["cpus"]): string | undefined => {
  if (process.platform !== "linux") {
    return "The benchmark runs on Linux only: its load generator waits with epoll and reads CPU times from /proc."
  }
  if (findCompiler() === undefined) {
    return "The load generator is a C program, and there is no cc, gcc or clang: apt-get install gcc libc6-dev, or name one in CC."
  }
  if (cpus === undefined) return undefined
  if (find("taskset") === undefined) {
    return "Servers and load are pinned to CPUs by taskset, which is not here: apt-get install util-linux, or --no-pin."
  }
  const count = availableParallelism()
  return Math.max(cpus.server, cpus.generator) < count
    ? undefined
    : `There are ${count} CPUs, counted from 0: name two others in --cpus, or --no-pin.`
}

const withRequire = `import{createRequire}from"node:module";const require=createRequire(import.meta.url);`

const pin = (cpu: number | undefined) => (cpu === undefined ? [] : ["taskset", "-c", String(cpu)])

/** Builds the load generator and the measured programs, in a folder that is gone when the scope ends. */
export const make = (cpus: Settings["cpus"]): Effect.Effect<Context.Tag.Service<Toolchain>, MissingTool, Scope.Scope> =>
  Effect.gen(function* () {
    const reason = problem(cpus)
    if (reason !== undefined) return yield* new MissingTool({ reason })
    const cache = join(root, "node_modules/.cache")
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => {
        mkdirSync(cache, { recursive: true })
        return mkdtempSync(join(cache, "bench-"))
      }),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    const generator = join(folder, "loadgen")
    const compile = [findCompiler() ?? "cc", "-O2", "-o", generator, join(sources, "native/loadgen.c")]
    yield* Effect.mapError(
      Child.run(compile),
      (error) => new MissingTool({ reason: `The load generator does not compile: the compiler ${error.message}` })
    )
    yield* Effect.tryPromise({
      try: () => {
        const options: BuildOptions = {
          absWorkingDir: sources,
          outdir: folder,
          outExtension: { ".js": ".mjs" },
          bundle: true,
          conditions: ["source"],
          platform: "node",
          format: "esm",
          target: "node20",
          logLevel: "silent"
        }
        return Promise.all([
          build({ ...options, entryPoints: programs, external: [...installed] }),
          // What is CommonJS in there asks for modules of Node.
          build({ ...options, entryPoints: bundled, banner: { js: withRequire } })
        ])
      },
      catch: (error) => new MissingTool({ reason: `The servers cannot be bundled: ${error}` })
    })
    return {
      generator,
      program: (name) => join(folder, `${name}.mjs`),
      onServerCpu: pin(cpus?.server),
      onGeneratorCpu: pin(cpus?.generator)
    }
  })
