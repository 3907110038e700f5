/**
 * What the load generator measures, on any network: echo on every path, `/sub` and `/pub` for fan-out, limits lifted. Two
 * paths echo in another manner: `/stream` through `messages`, `/json` through a Schema.
 *
 * Environment: `PORT`, `MAX_MESSAGE` in bytes (64 MiB). Prints a line that starts with `ready`; on SIGUSR2 collects
 * garbage and prints the memory in use.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketServer from "sluice/WebSocketServer"

const reportMemory = () => {
  globalThis.gc?.()
  globalThis.gc?.()
  console.log(`gc ${JSON.stringify(process.memoryUsage())}`)
}

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const echoStream = (socket: WebSocket.WebSocket) =>
  Stream.runForEach(socket.messages, (message) => socket.send(message))

const Said = Schema.parseJson(Schema.Struct({ text: Schema.String }))
const decode = Schema.decode(Said)
const encode = Schema.encode(Said)

const echoJson = (socket: WebSocket.WebSocket) =>
  WebSocket.runForEach(socket, (message) =>
    message._tag === "Text"
      ? decode(message.text).pipe(Effect.flatMap(encode), Effect.flatMap(socket.send))
      : Effect.void
  )

/** Serves until it is interrupted. */
export const program = Effect.gen(function* () {
  const port = yield* Config.withDefault(Config.integer("PORT"), 9000)
  const maxMessage = yield* Config.withDefault(Config.integer("MAX_MESSAGE"), 64 * 1024 * 1024)
  const subscribers = new Set<WebSocket.WebSocket>()

  const subscribe = (socket: WebSocket.WebSocket) =>
    Effect.acquireUseRelease(
      Effect.sync(() => subscribers.add(socket)),
      () => WebSocket.runForEach(socket, () => Effect.void),
      () => Effect.sync(() => subscribers.delete(socket))
    )

  const publish = (socket: WebSocket.WebSocket) =>
    WebSocket.runForEach(socket, (message) => WebSocket.broadcast(subscribers, message))

  const server = yield* WebSocketServer.serve(
    {
      port,
      backlog: 4096,
      origin: "any",
      limits: {
        maxFramePayload: maxMessage,
        maxMessageSize: maxMessage,
        maxFragments: "unbounded",
        maxControlFramesPerSecond: "unbounded",
        maxPinnedBytes: "unbounded",
        maxPendingBytes: "unbounded",
        maxConnections: "unbounded",
        maxHandshakes: "unbounded"
      }
    },
    (socket, { accepted }) => {
      if (accepted.resource === "/sub") return subscribe(socket)
      if (accepted.resource === "/pub") return publish(socket)
      if (accepted.resource === "/stream") return echoStream(socket)
      if (accepted.resource === "/json") return echoJson(socket)
      return echo(socket)
    }
  )
  process.on("SIGUSR2", reportMemory)
  console.log(`ready gc=SIGUSR2 port=${server.address.port}`)
  return yield* Effect.never
}).pipe(Effect.scoped)
