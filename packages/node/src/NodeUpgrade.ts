/**
 * WebSocket services beside the ordinary routes of a `node:http` server, on its `upgrade` event.
 *
 * The HTTP server reads the head of the request; all that follows, from the checks of the handshake on, is what
 * `WebSocketServer` does on its own. The socket is taken over in the turn of the event, so that a reset at any time is
 * heard by somebody.
 *
 * @since 0.1.0
 */
import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Fields from "sluice/Fields"
import * as Handshake from "sluice/Handshake"
import * as Rejection from "sluice/Rejection"
import * as WebSocketServer from "sluice/WebSocketServer"
import { EventScheduler } from "./internal/eventScheduler.js"
import { transportOf } from "./internal/transport.js"

/**
 * Which requests are for the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The path of the service, such as `/chat`; every path by default. A request for another path is left to the other
   * listeners of the event, and is refused with 404 if there are none.
   */
  readonly path?: string | undefined
}

/**
 * Serves WebSockets on an HTTP server until the scope ends; then it drains, and the HTTP server goes on.
 *
 * Nothing is changed for requests that ask for no upgrade. `node:http` answers by itself what it takes for malformed
 * HTTP.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import { NodeUpgrade } from "@sluice/node"
 * import { WebSocket } from "sluice"
 *
 * const http = createServer((_request, response) => response.end("an ordinary route"))
 *
 * const program = NodeUpgrade.serve(http, { path: "/echo" }, (socket) =>
 *   WebSocket.runForEach(socket, (message) => socket.send(message))
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const serve = <
  const P extends ReadonlyArray<string> = readonly [],
  const Required extends boolean = false,
  Principal = void,
  UE = never,
  UR = never,
  E = never,
  R = never
>(
  server: Server,
  options: WebSocketServer.Options<P, Required, Principal, UE, UR> & Options,
  handler: WebSocketServer.Handler<Handshake.Subprotocol<P, Required>, Principal, E, R>
): Effect.Effect<{ readonly connections: Effect.Effect<number> }, never, Scope.Scope | UR | Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const isFor = (target: string) => options.path === undefined || pathOf(target) === options.path
    const authenticate = (incoming: WebSocketServer.Incoming): Effect.Effect<Principal, Rejection.Rejection, UR> => {
      if (!isFor(incoming.resource)) return new Rejection.NotFound()
      // Without `authenticate` the type of the principal is `void`.
      return options.authenticate?.(incoming) ?? Effect.succeed(undefined as Principal)
    }
    const acceptor = yield* WebSocketServer.make({ ...options, authenticate }, handler)
    const run = Runtime.runSync(yield* Effect.runtime<never>())
    const scheduler = new EventScheduler()

    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      if (!isFor(request.url ?? "") && server.listenerCount("upgrade") > 1) return
      // The socket of an HTTP server is one of node:net, or of node:tls, which is one too.
      const socket = stream as Socket
      socket.setTimeout(0)
      socket.setNoDelay(true)
      run(acceptor.accept(transportOf(socket, scheduler), receivedOf(request, head)))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => server.on("upgrade", onUpgrade)),
      () => Effect.sync(() => server.off("upgrade", onUpgrade))
    )
    return { connections: acceptor.connections }
  })

const pathOf = (target: string): string => {
  const query = target.indexOf("?")
  return query < 0 ? target : target.slice(0, query)
}

/** The head as it was sent: `rawHeaders` has the names and values in turn, with their order, case and repetitions. */
const receivedOf = (request: IncomingMessage, head: Buffer): Handshake.Received => {
  const entries: Array<readonly [string, string]> = []
  const { rawHeaders } = request
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) entries.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""])
  // Should node:http let a field through that is not valid, the request is refused as one without any: it has no Host.
  const fields = Either.getOrElse(Fields.make(entries), () => Fields.empty)
  return Handshake.received(
    { method: request.method ?? "", target: request.url ?? "", version: request.httpVersion, fields },
    head
  )
}
