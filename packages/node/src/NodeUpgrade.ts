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
import * as EventScheduler from "sluice/EventScheduler"
import * as Fields from "sluice/Fields"
import * as Handshake from "sluice/Handshake"
import * as Rejection from "sluice/Rejection"
import * as WebSocketServer from "sluice/WebSocketServer"
import { transportOf } from "./internal/transport.js"

/**
 * Which requests are for the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The path of the service, such as `/chat`; every path by default. The first service whose path it is gets a request.
   * What no service wants is left to other listeners of the event, and refused with 404 if there are none.
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
): Effect.Effect<WebSocketServer.Service, never, Scope.Scope | UR | Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const acceptor = yield* WebSocketServer.make(options, handler)
    yield* attach(server, acceptor, options)
    // Before it is detached: who comes meanwhile gets an answer.
    yield* Effect.addFinalizer(() => acceptor.drain())
    return acceptor
  })

/**
 * Hands the upgrade requests of an HTTP server to an acceptor, until the scope ends; the part of `serve` that is of Node.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import { NodeUpgrade } from "@sluice/node"
 * import { Effect } from "effect"
 * import { WebSocket, WebSocketServer } from "sluice"
 *
 * const http = createServer()
 *
 * // says who comes, before the handshake
 * const program = Effect.gen(function* () {
 *   const echo = yield* WebSocketServer.make({}, (socket) => WebSocket.runForEach(socket, socket.send))
 *   yield* NodeUpgrade.attach(http, {
 *     ...echo,
 *     accept: (transport, received) =>
 *       Effect.zipRight(Effect.log(transport.remote), echo.accept(transport, received))
 *   })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const attach = (
  server: Server,
  acceptor: WebSocketServer.Acceptor,
  options: Options = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const scheduler = EventScheduler.make()
    const clock = yield* Effect.clock
    const service: Service = {
      now: () => clock.unsafeCurrentTimeMillis(),
      isFor: (target) => options.path === undefined || pathOf(target) === options.path,
      take: (request, socket, head) => {
        runFork(acceptor.accept(transportOf(socket, scheduler), receivedOf(request, head)))
      }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => register(server, service)),
      (remove) => Effect.sync(remove)
    )
  })

interface Service {
  readonly now: () => number
  readonly isFor: (target: string) => boolean
  readonly take: (request: IncomingMessage, socket: Socket, head: Buffer) => void
}

interface Dispatcher {
  readonly services: Array<Service>
  readonly onUpgrade: (request: IncomingMessage, stream: Duplex, head: Buffer) => void
}

// One listener for all services of an HTTP server, so that each request has one answer.
const dispatchers = new WeakMap<Server, Dispatcher>()

const dispatcherOf = (server: Server): Dispatcher => {
  const services: Array<Service> = []
  const onUpgrade: Dispatcher["onUpgrade"] = (request, stream, head) => {
    // The socket of an HTTP server is one of node:net, or of node:tls, which is one too.
    const socket = stream as Socket
    const service = services.find(({ isFor }) => isFor(request.url ?? ""))
    if (service === undefined && server.listenerCount("upgrade") > 1) {
      // Whoever takes it: should nobody listen for its errors, one of them must not end the process.
      socket.on("error", ignore)
      return
    }
    socket.setTimeout(0)
    socket.setNoDelay(true)
    if (service === undefined) notFound(socket, services[0]?.now())
    else service.take(request, socket, head)
  }
  const dispatcher = dispatchers.get(server) ?? { services, onUpgrade }
  dispatchers.set(server, dispatcher)
  return dispatcher
}

const register = (server: Server, service: Service): (() => void) => {
  const { onUpgrade, services } = dispatcherOf(server)
  services.push(service)
  if (services.length === 1) server.on("upgrade", onUpgrade)
  return () => {
    services.splice(services.indexOf(service), 1)
    if (services.length === 0) server.off("upgrade", onUpgrade)
  }
}

const pathOf = (target: string): string => {
  const query = target.indexOf("?")
  return query < 0 ? target : target.slice(0, query)
}

const ignore = () => {}

// How long a client that was refused may take to leave, and what it may still send.
const lingerMillis = 10_000
const maxLinger = 64 * 1024

const notFound = (socket: Socket, date: number | undefined): void => {
  const destroy = () => socket.destroy()
  const timer = setTimeout(destroy, lingerMillis)
  let lingered = 0
  socket.on("error", destroy)
  socket.on("close", () => clearTimeout(timer))
  socket.on("data", (chunk: Uint8Array) => {
    lingered += chunk.length
    if (lingered > maxLinger) destroy()
  })
  socket.end(Rejection.toBytes(new Rejection.NotFound(), { date }))
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
