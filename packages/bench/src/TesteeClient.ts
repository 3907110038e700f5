/**
 * The client that a fuzzing server tests: runs each of its cases by echoing every message until the close.
 *
 * Usage: `node dist/TesteeClient.js ws://host:port`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeNetwork from "@sluice/node/NodeNetwork"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"

const agent = "sluice"

const limits = {
  maxFramePayload: 64 * 1024 * 1024,
  maxMessageSize: 64 * 1024 * 1024,
  maxFragments: "unbounded",
  maxControlFramesPerSecond: "unbounded"
} as const

const caseCount = (server: string) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url: `${server}/getCaseCount`, limits })
    const [message] = yield* socket.take
    yield* socket.close()
    return message?._tag === "Text" ? Number(message.text) : 0
  }).pipe(Effect.scoped)

const runCase = (server: string, number: number) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url: `${server}/runCase?case=${number}&agent=${agent}`, limits })
    // That the server breaks a rule, or leaves, is what a case is about.
    yield* Effect.ignore(WebSocket.runForEach(socket, (message) => socket.send(message)))
    yield* socket.closed
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => Console.error(`case ${number}: ${error.message}`))
  )

const updateReports = (server: string) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url: `${server}/updateReports?agent=${agent}`, limits })
    yield* socket.closed
  }).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const server = process.argv[2]?.replace(/\/+$/, "")
  if (server === undefined) return yield* Effect.fail("usage: TesteeClient ws://host:port")
  const cases = yield* caseCount(server)
  for (let number = 1; number <= cases; number++) yield* runCase(server, number)
  yield* updateReports(server)
  yield* Console.log(`ran ${cases} cases`)
})

NodeRuntime.runMain(Effect.provide(program, NodeNetwork.layer()))
