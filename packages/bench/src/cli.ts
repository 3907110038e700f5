/** The command line: what is measured and how, and where the report goes. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type * as CliApp from "@effect/cli/CliApp"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { render } from "./Chart.js"
import * as Peer from "./Peer.js"
import { write } from "./Report.js"
import { decode, encode, type PartName, partNames, type Results } from "./Results.js"
import { run } from "./Run.js"
import { defaults, quick, type Settings } from "./Settings.js"
import * as Toolchain from "./Toolchain.js"

/** What was asked for makes no sense. */
class UsageError extends Data.TaggedError("UsageError")<{ readonly reason: string }> {
  override get message(): string {
    return `${this.reason}; --help says more`
  }
}

const options = {
  parts: Options.text("parts").pipe(
    Options.withDescription(`What is measured, with commas between: ${partNames.join(",")}.`),
    Options.optional
  ),
  peers: Options.text("peers").pipe(
    Options.withDescription("Who is measured, with commas between; else all that are here."),
    Options.optional
  ),
  server: Options.text("server").pipe(
    Options.withDescription("Another server, as name=command; may be given more than once."),
    Options.repeated
  ),
  quick: Options.boolean("quick").pipe(Options.withDescription("Everything in some minutes, with few rounds.")),
  rounds: Options.integer("rounds").pipe(
    Options.withDescription("How often each server is measured in each cell."),
    Options.optional
  ),
  duration: Options.integer("duration").pipe(
    Options.withDescription("Milliseconds that a sample takes."),
    Options.optional
  ),
  cpus: Options.text("cpus").pipe(
    Options.withDescription("The CPU of the servers and that of the load generator."),
    Options.withDefault("0,1")
  ),
  noPin: Options.boolean("no-pin").pipe(Options.withDescription("Leaves the choice of the CPUs to the system.")),
  out: Options.directory("out").pipe(
    Options.withDescription("Where RESULTS.md, results.svg and results.json are written."),
    Options.optional
  ),
  report: Options.file("report").pipe(
    Options.withDescription("Measures nothing, and writes the report of a results.json again."),
    Options.optional
  )
}

type Asked = Command.Command.ParseConfig<typeof options>

const split = (list: string) => list.split(",").filter((name) => name !== "")

const partsOf = (asked: Asked): Effect.Effect<ReadonlyArray<PartName>, UsageError> =>
  Option.match(asked.parts, {
    onNone: () => Effect.succeed(partNames),
    onSome: (list) => {
      const wanted = split(list)
      const unknown = wanted.find((name) => partNames.every((part) => part !== name))
      return unknown === undefined
        ? Effect.succeed(partNames.filter((part) => wanted.includes(part)))
        : new UsageError({ reason: `there is no part ${unknown}, but ${partNames.join(", ")}` })
    }
  })

const cpusOf = (asked: Asked): Effect.Effect<Settings["cpus"], UsageError> => {
  if (asked.noPin) return Effect.succeed(undefined)
  const [server, generator] = split(asked.cpus).map(Number)
  return server !== undefined && generator !== undefined && [server, generator].every(Number.isInteger)
    ? Effect.succeed({ server, generator })
    : new UsageError({ reason: "--cpus has two numbers, as in 0,1" })
}

const settingsOf = (asked: Asked) =>
  Effect.gen(function* () {
    const base = asked.quick ? quick : defaults
    const rounds = Option.getOrElse(asked.rounds, () => base.rounds)
    const duration = Option.getOrElse(asked.duration, () => base.duration)
    if (rounds < 1) return yield* new UsageError({ reason: "--rounds must be at least 1" })
    if (duration < 10) return yield* new UsageError({ reason: "--duration must be at least 10 milliseconds" })
    // fewer rounds than usual are for a look, so that all that is done by turns is done as seldom
    const idleRounds = Math.min(rounds, base.idleRounds)
    const codecRounds = Math.min(rounds, base.codecRounds)
    const [parts, cpus] = [yield* partsOf(asked), yield* cpusOf(asked)]
    return { ...base, parts, rounds, duration, idleRounds, codecRounds, cpus } satisfies Settings
  })

const outsideOf = (asked: Asked) =>
  Effect.forEach(asked.server, (given) => {
    const at = given.indexOf("=")
    return at > 0
      ? Effect.succeed(Peer.outside(given.slice(0, at), given.slice(at + 1)))
      : new UsageError({ reason: `--server is name=command, not ${given}` })
  })

const peersOf = (asked: Asked) =>
  Effect.gen(function* () {
    const outside = yield* outsideOf(asked)
    const builtIn = yield* Peer.builtIn
    const wanted = Option.map(asked.peers, split)
    if (Option.isNone(wanted)) return [...builtIn, ...outside]
    const unknown = wanted.value.find((name) => builtIn.every((peer) => peer.name !== name))
    if (unknown !== undefined) {
      const names = builtIn.map(({ name }) => name).join(", ")
      return yield* new UsageError({ reason: `there is no peer ${unknown}, but ${names}` })
    }
    return [...builtIn.filter(({ name }) => wanted.value.includes(name)), ...outside]
  })

const home = fileURLToPath(new URL("../", import.meta.url))

/** A run that is all of it goes beside the sources; one of a part goes where nobody takes it for that. */
const folderOf = (asked: Asked) => {
  const isWhole = !asked.quick && Option.isNone(asked.parts) && Option.isNone(asked.peers) && asked.server.length === 0
  return Option.getOrElse(
    Option.map(asked.out, (out) => resolve(out)),
    () => join(home, isWhole ? "." : "results")
  )
}

const writeReport = (folder: string, results: Results) =>
  Effect.sync(() => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "RESULTS.md"), write(results))
    writeFileSync(join(folder, "results.svg"), render(results))
  })

const saveAndReport = (folder: string, results: Results) =>
  Effect.gen(function* () {
    yield* writeReport(folder, results)
    const saved = yield* encode(results)
    yield* Effect.sync(() => writeFileSync(join(folder, "results.json"), `${saved}\n`))
  })

const reportAgain = (file: string, asked: Asked) =>
  Effect.gen(function* () {
    const text = yield* Effect.sync(() => readFileSync(file, "utf8"))
    const results = yield* Effect.mapError(
      decode(text),
      ({ message }) => new UsageError({ reason: `${file} holds no results: ${message}` })
    )
    const folder = Option.getOrElse(asked.out, () => dirname(file))
    yield* writeReport(folder, results)
    yield* Console.log(`Written to ${folder}`)
  })

/** How the run can be repeated; where the report went is of no interest. */
const commandOf = (args: ReadonlyArray<string>) => {
  const told = args.filter((arg, index) => !arg.startsWith("--out") && args[index - 1] !== "--out")
  return ["npm run bench", ...(told.length === 0 ? [] : ["--", ...told])].join(" ")
}

const measure = (asked: Asked, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const settings = yield* settingsOf(asked)
    const toolchain = yield* Toolchain.make(settings.cpus)
    yield* Effect.gen(function* () {
      const peers = yield* peersOf(asked)
      for (const { missing, title } of peers) if (missing !== undefined) yield* Console.error(`${title}: ${missing}`)
      const folder = folderOf(asked)
      const command = commandOf(args)
      yield* run(peers, settings, command, (results) => saveAndReport(folder, results))
      yield* Console.log(`Written to ${folder}`)
    }).pipe(Effect.provideService(Toolchain.Toolchain, toolchain))
  }).pipe(Effect.scoped)

const command = (args: ReadonlyArray<string>) =>
  Command.make("bench", options, (asked) =>
    Option.match(asked.report, {
      onNone: () => measure(asked, args),
      onSome: (file) => reportAgain(file, asked)
    })
  ).pipe(Command.withDescription("Measures sluice beside other WebSocket servers, and writes a report."))

/** The statuses with which the program ends. */
const done = 0
const cannot = 1
const misused = 2

/** The program: what it is given behind its own name, and the status with which it ends. */
export const main = (args: ReadonlyArray<string>): Effect.Effect<number, never, CliApp.CliApp.Environment> =>
  Command.run(command(args), { name: "bench", version: "0.0.0" })(["node", "bench", ...args]).pipe(
    Effect.as(done),
    Effect.catchTags({
      MissingTool: ({ message }) => Effect.as(Console.error(message), cannot),
      UsageError: ({ message }) => Effect.as(Console.error(message), misused)
    }),
    // Its parser has printed them.
    Effect.catchAll(() => Effect.succeed(misused))
  )
