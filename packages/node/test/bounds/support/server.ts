/**
 * The server that is measured, in a process of its own: `child.ts` starts it and asks it questions.
 *
 * What it does with a connection is said by the path. Its time is that of a `TestClock`, which passes when it is told
 * so. It ends when the process that started it is gone.
 */
import { subscribe } from "node:diagnostics_channel"
import { existsSync, readdirSync } from "node:fs"
import type { Socket } from "node:net"
import { Effect, Logger, LogLevel, Queue, Stream, Supervisor, TestClock, TestContext } from "effect"
import { Rejection, WebSocket, type WebSocketServer } from "sluice"
import { node, upgrade } from "../../support/hosts.js"
import type { Answer, Options, Question, Report } from "./child.js"
import { watchScopes } from "./scopes.js"

/** One turn of the event loop. What the tests have for it belongs to their runner, which is not to be measured. */
const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

const turns = (count: number) => Effect.repeatN(turn, count - 1)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

/** Sends each message back as it comes. */
const stream = (socket: WebSocket.WebSocket) =>
  Stream.runForEach(WebSocket.streamed(socket), (message) =>
    message._tag === "TextStream"
      ? WebSocket.sendStream(socket, "Text", message.text)
      : WebSocket.sendStream(socket, "Binary", message.bytes)
  )

/** Has something to release, so that its scope is counted. */
const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.zipRight(
    Effect.addFinalizer(() => Effect.void),
    effect
  )

const handler = (socket: WebSocket.WebSocket, { accepted }: WebSocketServer.Connected) =>
  counted(accepted.resource === "/streamed" ? stream(socket) : echo(socket))

const refusal = new Rejection.Unauthorized({ challenges: [Rejection.bearer] })

const authenticate = ({ resource }: WebSocketServer.Incoming) => {
  if (resource === "/private") return Effect.scoped(counted(refusal))
  if (resource === "/slow") return Effect.scoped(counted(Effect.zipRight(turns(4), refusal)))
  return Effect.void
}

const sockets = new Set<Socket>()

const descriptors = (): number | undefined =>
  existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : undefined

const collect = Effect.zipRight(
  Effect.sync(() => globalThis.gc?.()),
  turn
)

// The tests say what they start it with.
const options = JSON.parse(process.argv[2]) as Options
const host = options.host === "upgrade" ? upgrade : node

const tell = (answer: Answer) => Effect.sync(() => process.send?.(answer))

const program = Effect.gen(function* () {
  subscribe("net.server.socket", (message) => {
    // This is what the channel carries, says the documentation of Node.
    const { socket } = message as { readonly socket: Socket }
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  const questions = yield* Queue.unbounded<Question>()
  // `child.ts` sends nothing else.
  process.on("message", (question) => questions.unsafeOffer(question as Question))
  process.on("disconnect", () => process.exit())

  const openScopes = watchScopes()
  const fibers = yield* Supervisor.track
  const { address, connections } = yield* Effect.supervised(
    host.serve({ subprotocols: ["echo.v1"], authenticate, limits: options.limits }, handler),
    fibers
  )
  const report = Effect.gen(function* () {
    yield* Effect.repeatN(collect, 2)
    return {
      _tag: "Report",
      memory: process.memoryUsage(),
      descriptors: descriptors(),
      fibers: (yield* fibers.value).length,
      scopes: openScopes(),
      connections: yield* connections,
      read: [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0)
    } satisfies Report
  })
  const answer = (question: Question) =>
    question._tag === "Report"
      ? Effect.flatMap(report, tell)
      : TestClock.adjust(question.millis).pipe(Effect.zipRight(turns(32)), Effect.zipRight(tell({ _tag: "Passed" })))

  yield* tell({ _tag: "Ready", address })
  return yield* Effect.forever(Effect.flatMap(Queue.take(questions), answer))
})

Effect.runFork(
  program.pipe(
    Effect.scoped,
    Effect.provide([host.network, TestContext.TestContext, Logger.minimumLogLevel(LogLevel.Error)])
  )
)
