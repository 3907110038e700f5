/** The socket server of `@effect/platform-node`, which builds on `ws`: echo by `runRaw` and the writer. */

import type { CloseEvent, Socket, SocketError } from "@effect/platform/Socket"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { backlog, host, maxMessage, port, ready } from "./ready.js"

type Writer = (chunk: Uint8Array | string | CloseEvent) => Effect.Effect<void, SocketError>

const subscribers = new Set<Writer>()

const subscribe = (socket: Socket, write: Writer) => {
  subscribers.add(write)
  return Effect.ensuring(
    socket.runRaw(() => {}),
    Effect.sync(() => subscribers.delete(write))
  )
}

const publish = (socket: Socket) =>
  socket.runRaw((message) => Effect.forEach(subscribers, (write) => write(message), { discard: true }))

const handle = (socket: Socket) =>
  Effect.gen(function* () {
    // it is provided, which the type of the server does not say
    const request = yield* Effect.serviceOption(NodeSocketServer.IncomingMessage)
    const url = Option.isSome(request) ? request.value.url : undefined
    const write = yield* socket.writer
    if (url === "/sub") yield* subscribe(socket, write)
    else if (url === "/pub") yield* publish(socket)
    else yield* socket.runRaw(write)
  }).pipe(
    Effect.scoped,
    Effect.catchAllCause(() => Effect.void)
  )

const program = Effect.gen(function* () {
  const options = { host, port, perMessageDeflate: false, maxPayload: maxMessage, backlog }
  const server = yield* NodeSocketServer.makeWebSocket(options)
  ready()
  return yield* server.run(handle)
})

NodeRuntime.runMain(Effect.scoped(program))
