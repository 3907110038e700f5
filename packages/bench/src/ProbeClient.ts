/**
 * Connects once with default options and says what happened, as lines of JSON; then echoes until the end.
 *
 * Usage: `node dist/ProbeClient.js URL [SUBPROTOCOL ...]`
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeNetwork from "@sluice/node/NodeNetwork"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Protocol from "sluice/Protocol"
import * as Rejection from "sluice/Rejection"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"

const print = (line: object) => Console.log(JSON.stringify(line))

const describeError = (error: WebSocketClient.ConnectError) =>
  Rejection.isRejection(error)
    ? {
        result: "rejected",
        tag: error._tag,
        status: error.status,
        fields: error.fields,
        body: typeof error.body === "string" ? error.body : new TextDecoder().decode(error.body)
      }
    : { result: "failed", tag: error._tag, detail: error.message }

const describeClose = (reason: Protocol.CloseReason) => ({
  result: "closed",
  clean: Protocol.isClean(reason),
  code: Protocol.codeOf(reason),
  reason: Protocol.CloseReason.$match(reason, {
    Clean: ({ reason }) => reason,
    Drained: ({ reason }) => reason,
    Violation: ({ error }) => error.message,
    HeartbeatLost: ({ silence }) => `no sign of life for ${silence} ms`,
    Aborted: ({ cause }) => cause.message
  })
})

const probe = (url: string, subprotocols: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url, subprotocols })
    yield* print({ result: "accepted", subprotocol: socket.subprotocol ?? null })
    yield* Effect.ignore(WebSocket.runForEach(socket, (message) => socket.send(message)))
    yield* print(describeClose(yield* socket.closed))
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => print(describeError(error)))
  )

const program = Effect.suspend(() => {
  const [url, ...subprotocols] = process.argv.slice(2)
  return url === undefined ? Effect.fail("usage: ProbeClient URL [SUBPROTOCOL ...]") : probe(url, subprotocols)
})

NodeRuntime.runMain(Effect.provide(program, NodeNetwork.layer()))
