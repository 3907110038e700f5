/**
 * The command line: which cases are played against whom, what is printed, and how the program ends.
 */
import * as Args from "@effect/cli/Args"
import type * as CliApp from "@effect/cli/CliApp"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeNetwork from "@sluice/node/NodeNetwork"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Network from "sluice/Network"
import { Case, Group } from "../Case.js"
import * as Cases from "../Cases.js"
import * as Conformance from "../Conformance.js"
import * as Report from "../Report.js"
import * as Subject from "../Subject.js"

/** What was asked for makes no sense. */
class UsageError extends Data.TaggedError("UsageError")<{ readonly reason: string }> {
  override get message(): string {
    return `${this.reason}; --help says more`
  }
}

/** There is nobody to ask. */
class Unreachable extends Data.TaggedError("Unreachable")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** As the report says. */
class CasesFailed extends Data.TaggedError("CasesFailed") {}

const url = Args.text({ name: "url" }).pipe(
  Args.withDescription("The server, such as ws://127.0.0.1:8080/echo; it must echo every message."),
  Args.optional
)

const options = {
  group: Options.choice("group", Group.literals).pipe(
    Options.withDescription("Plays the cases of one group only."),
    Options.optional
  ),
  case: Options.text("case").pipe(
    Options.withDescription("Plays the cases whose ids begin so, such as framing/reserved-bit/."),
    Options.optional
  ),
  chunking: Options.choice("chunking", ["whole", "bytes", "random"]).pipe(
    Options.withDescription("How what is sent is cut: not, into single bytes, or by chance."),
    Options.withDefault("whole" as const)
  ),
  seed: Options.integer("seed").pipe(Options.withDescription("For --chunking random."), Options.withDefault(1)),
  concurrency: Options.integer("concurrency").pipe(
    Options.withDescription("Cases that are played at a time."),
    Options.withDefault(1)
  ),
  timeout: Options.float("timeout").pipe(
    Options.withDescription("Seconds that the endpoint may take for one step."),
    Options.withDefault(5)
  ),
  json: Options.boolean("json").pipe(Options.withDescription("Prints the report as JSON.")),
  list: Options.boolean("list").pipe(Options.withDescription("Prints the cases as JSON, and plays none.")),
  client: Options.boolean("client").pipe(
    Options.withDescription("Waits for a client that connects once for each case, and echoes every message.")
  ),
  host: Options.text("host").pipe(
    Options.withDescription("Where to wait for a client."),
    Options.withDefault("127.0.0.1")
  ),
  port: Options.integer("port").pipe(
    Options.withDescription("Where to wait for a client; 0 is any free port."),
    Options.withDefault(9001)
  )
}

type Asked = Command.Command.ParseConfig<typeof options>

const encodeList = Schema.encodeSync(Schema.parseJson(Schema.Array(Case)))

const selected = (asked: Asked, role: Case["role"] | undefined): Effect.Effect<ReadonlyArray<Case>, UsageError> => {
  const group = Option.getOrUndefined(asked.group)
  const id = Option.getOrUndefined(asked.case)
  const cases = Cases.select({ role, group, id })
  if (cases.length > 0) return Effect.succeed(cases)
  const where = [
    ...(group === undefined ? [] : [` in the group ${group}`]),
    ...(id === undefined ? [] : [` whose id begins with ${id}`]),
    ...(role === undefined ? [] : [` for a ${role}`])
  ]
  return new UsageError({ reason: `there is no case${where.join("")}` })
}

const play = <R>(asked: Asked, cases: ReadonlyArray<Case>, subject: Subject.Subject<R>) =>
  Effect.gen(function* () {
    const { chunking, concurrency, json, seed, timeout } = asked
    const outcomes = yield* Conformance.run(cases, {
      subject,
      chunking: chunking === "random" ? { seed } : chunking,
      concurrency,
      timeout: timeout * 1000
    })
    const report = Report.make(outcomes)
    yield* Console.log(json ? Report.toJson(report) : Report.format(report))
    if (Report.hasFailures(report)) yield* new CasesFailed()
  })

const askServer = (asked: Asked, url: string) =>
  Effect.gen(function* () {
    const wrong = ({ reason }: Subject.SubjectError) => new UsageError({ reason })
    const { address } = yield* Either.mapLeft(Subject.servedAt(url), wrong)
    const subject = yield* Either.mapLeft(Subject.fromUrl(url), wrong)
    const cases = yield* selected(asked, "server")
    const network = yield* Network.Network
    // Said once here, not once for each case.
    yield* Effect.scoped(network.connect(address)).pipe(
      Effect.timeoutFail({
        duration: asked.timeout * 1000,
        onTimeout: () => ({ message: `no connection within ${asked.timeout} s` })
      }),
      Effect.mapError(({ message }) => new Unreachable({ reason: `Nobody answers at ${url}: ${message}` }))
    )
    yield* play(asked, cases, subject)
  })

const awaitClient = (asked: Asked) =>
  Effect.gen(function* () {
    const cases = yield* selected(asked, "client")
    const network = yield* Network.Network
    const { host, port } = asked
    const listener = yield* Effect.mapError(
      network.listen({ host, port }),
      ({ message }) => new Unreachable({ reason: `Nobody can be waited for at ${host}:${port}: ${message}` })
    )
    const asking = cases.filter(({ setup }) => setup === undefined).length
    yield* Console.error(
      `Waiting for a client at ws://${Network.formatAddress(listener.address)}/ that connects ${asking} times`
    )
    yield* play(asked, cases, yield* Subject.visitor(yield* patient(listener)))
  })

/** The first connection is waited for here, so that no deadline is set for it. */
const patient = (listener: Network.Listener) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const first = yield* Effect.mapError(
      Scope.extend(listener.accept, scope),
      ({ message }) => new Unreachable({ reason: message })
    )
    let isTaken = false
    const accept = Effect.suspend(() => {
      if (isTaken) return listener.accept
      isTaken = true
      return Effect.acquireRelease(Effect.succeed(first), (_, exit) => Scope.close(scope, exit))
    })
    return { address: listener.address, accept }
  })

const command = Command.make("conformance", { url, ...options }, ({ url, ...asked }) =>
  Effect.gen(function* () {
    if (!(asked.timeout > 0)) return yield* new UsageError({ reason: "--timeout must be more than 0 seconds" })
    if (asked.concurrency < 1) return yield* new UsageError({ reason: "--concurrency must be at least 1" })
    if (asked.list) return yield* Console.log(encodeList(yield* selected(asked, asked.client ? "client" : undefined)))
    if (asked.client) {
      if (Option.isSome(url)) return yield* new UsageError({ reason: "with --client there is no URL" })
      return yield* awaitClient(asked)
    }
    if (Option.isNone(url)) return yield* new UsageError({ reason: "there is no URL of a server; or is it --client?" })
    yield* askServer(asked, url.value)
  }).pipe(Effect.scoped, Effect.provide(NodeNetwork.layer()))
).pipe(Command.withDescription("Plays the rules of RFC 6455 against a WebSocket server, or with --client a client."))

/** The statuses with which the program ends. */
const passed = 0
const failed = 1
const misused = 2

const names = new Set([...Object.keys(options), "help", "version", "wizard", "completions", "log-level"])

/** The parser takes an option that it does not know for the URL, and says of the URL that it is one too many. */
const known = (args: ReadonlyArray<string>): Effect.Effect<void, UsageError> => {
  const unknown = args.map((arg) => /^--([^=]+)/.exec(arg)?.[1]).find((name) => name !== undefined && !names.has(name))
  return unknown === undefined ? Effect.void : new UsageError({ reason: `there is no option --${unknown}` })
}

/**
 * The program: what it is given behind its own name, and the status with which it ends.
 *
 * @internal
 */
export const main = (
  args: ReadonlyArray<string>,
  version: string
): Effect.Effect<number, never, CliApp.CliApp.Environment> =>
  known(args).pipe(
    Effect.zipRight(Command.run(command, { name: "conformance", version })(["node", "conformance", ...args])),
    Effect.as(passed),
    Effect.catchTags({
      CasesFailed: () => Effect.succeed(failed),
      Unreachable: ({ message }) => Effect.as(Console.error(message), failed),
      UsageError: ({ message }) => Effect.as(Console.error(message), misused)
    }),
    // Its parser has printed them.
    Effect.catchAll(() => Effect.succeed(misused))
  )
