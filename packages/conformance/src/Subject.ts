/**
 * Endpoints under test: how the runner gets a connection to one, for each case anew.
 *
 * `sluice` is the echo of sluice itself, in both roles, on the `Network` of the context. `fromUrl` is a server that runs
 * somewhere; `server` and `client` make a subject of any program; `visitor` waits for clients that come by themselves.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import type * as Limits from "sluice/Limits"
import * as Network from "sluice/Network"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"
import * as WebSocketServer from "sluice/WebSocketServer"
import type { Setup } from "./Case.js"

/**
 * A connection between the runner and an endpoint, on which nothing was said yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Link {
  /** The end of the runner. */
  readonly transport: Network.Transport
  /** What a client writes into `Host`. */
  readonly host: string
  /** What a client asks for. */
  readonly path: string
}

/**
 * The endpoint cannot be set up as a case wants it; the case is skipped.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsupported extends Data.TaggedError("Unsupported")<{
  /** Why, in words. */
  readonly reason: string
}> {
  /** One line for a person. */
  override get message(): string {
    return this.reason
  }
}

/**
 * The connection to an endpoint cannot be made; the case fails.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubjectError extends Data.TaggedError("SubjectError")<{
  /** What went wrong, in words. */
  readonly reason: string
}> {
  /** One line for a person. */
  override get message(): string {
    return this.reason
  }
}

/**
 * An endpoint under test. What it lacks a role for is not asked of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject<out R = never> {
  /** Connects to it as to a server. */
  readonly server?:
    | ((setup: Setup | undefined) => Effect.Effect<Link, Unsupported | SubjectError, R | Scope.Scope>)
    | undefined
  /** Waits for it as for a client. */
  readonly client?:
    | ((setup: Setup | undefined) => Effect.Effect<Link, Unsupported | SubjectError, R | Scope.Scope>)
    | undefined
}

/**
 * Where a server listens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Served {
  /** The address. */
  readonly address: Network.ConnectOptions
  /** What clients write into `Host`; the address by default. */
  readonly host?: string | undefined
  /** What clients ask for; `/` by default. */
  readonly path?: string | undefined
}

/** Says what went wrong, of errors of any kind. */
const failed = (what: string, error: unknown): SubjectError =>
  new SubjectError({ reason: `${what}: ${error instanceof Error ? error.message : String(error)}` })

const connectTo = ({ address, host, path }: Served) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* Effect.mapError(network.connect(address), (error) => failed("no connection", error))
    return { transport, host: host ?? Network.formatAddress(address), path: path ?? "/" }
  })

/**
 * A server that is made anew for each case: the effect starts an echo, set up as the case wants it, and says where it
 * listens. It lives in the scope. It fails with `Unsupported` where it cannot be set up so.
 *
 * @example
 * ```ts
 * import { Subject } from "@sluice/conformance"
 * import { Effect } from "effect"
 * import { WebSocket, WebSocketServer } from "sluice"
 *
 * const subject = Subject.server((setup) =>
 *   Effect.gen(function* () {
 *     if (setup !== undefined) return yield* new Subject.Unsupported({ reason: "it has no options" })
 *     return yield* WebSocketServer.serve({}, (socket) => WebSocket.runForEach(socket, socket.send))
 *   })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const server = <E, R>(
  serve: (setup: Setup | undefined) => Effect.Effect<Served, E, R>
): Subject<R | Network.Network> => ({
  server: (setup) =>
    serve(setup).pipe(
      Effect.mapError((error) => (error instanceof Unsupported ? error : failed("it does not serve", error))),
      Effect.flatMap(connectTo)
    )
})

/**
 * A client that is run anew for each case: the effect connects to the URL, set up as the case wants it, echoes until the
 * connection ends, and then ends itself, in whatever way. It fails with `Unsupported` where it cannot be set up so.
 *
 * @example
 * ```ts
 * import { Subject } from "@sluice/conformance"
 * import { Effect } from "effect"
 * import { WebSocket, WebSocketClient } from "sluice"
 *
 * const subject = Subject.client((url, setup) =>
 *   Effect.gen(function* () {
 *     if (setup !== undefined) return yield* new Subject.Unsupported({ reason: "it has no options" })
 *     const socket = yield* WebSocketClient.connect(url)
 *     yield* WebSocket.runForEach(socket, socket.send)
 *   })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const client = <E, R>(
  connect: (url: string, setup: Setup | undefined) => Effect.Effect<unknown, E, R>
): Subject<R | Network.Network> => ({
  client: (setup) =>
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* Effect.mapError(network.listen({}), (error) => failed("the runner cannot listen", error))
      const host = Network.formatAddress(listener.address)
      const left = yield* Deferred.make<never, Unsupported | SubjectError>()
      yield* connect(`ws://${host}/`, setup).pipe(
        Effect.matchCauseEffect({
          onFailure: (cause) => Deferred.fail(left, whyLeft(cause)),
          onSuccess: () => Deferred.fail(left, new SubjectError({ reason: "the client has not connected" }))
        }),
        Effect.forkScoped
      )
      const accepted = Effect.mapError(listener.accept, (error) => failed("no connection", error))
      return { transport: yield* Effect.raceFirst(accepted, Deferred.await(left)), host, path: "/" }
    })
})

const whyLeft = (cause: Cause.Cause<unknown>): Unsupported | SubjectError => {
  const error = Cause.squash(cause)
  return error instanceof Unsupported ? error : failed("the client has not connected", error)
}

/**
 * Clients that come to a listener by themselves, one connection for each case: a program in any language that connects
 * again and again, and echoes. What needs a setup is not asked of it. When it does not come in time the case fails, and
 * it is not waited for any more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const visitor = (listener: Network.Listener): Effect.Effect<Subject> =>
  Effect.sync(() => {
    let isGone = false
    const accepted = listener.accept.pipe(
      Effect.mapError((error) => failed("no connection", error)),
      Effect.map((transport) => ({ transport, host: Network.formatAddress(listener.address), path: "/" })),
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          isGone = true
        })
      )
    )
    return {
      client: (setup) =>
        setup !== undefined
          ? cannotBeSetUp
          : Effect.suspend(
              (): ReturnType<NonNullable<Subject["client"]>> =>
                isGone ? new Unsupported({ reason: "the client does not connect any more" }) : accepted
            )
    }
  })

const cannotBeSetUp = new Unsupported({ reason: "it would have to be set up for that" })

/**
 * A server that runs somewhere, by its URL; fails with what is wrong with the URL. What needs a setup is not asked of it.
 *
 * @example
 * ```ts
 * import { Subject } from "@sluice/conformance"
 *
 * const subject = Subject.fromUrl("ws://127.0.0.1:8080/echo")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUrl = (text: string): Either.Either<Subject<Network.Network>, SubjectError> =>
  Either.map(servedAt(text), (served) =>
    server((setup) => (setup === undefined ? Effect.succeed(served) : cannotBeSetUp))
  )

/**
 * What a URL says of a server (RFC 6455 §3).
 *
 * @category getters
 * @since 0.1.0
 */
export const servedAt = (text: string): Either.Either<Served, SubjectError> => {
  const url = Either.getOrUndefined(Either.try(() => new URL(text)))
  if (url === undefined) return wrong(`${text} is not a URL; ws://host:port/path is one`)
  const isSecure = url.protocol === "wss:"
  if (!isSecure && url.protocol !== "ws:") return wrong(`${text} begins neither with ws:// nor with wss://`)
  if (text.includes("#")) return wrong(`${text} has a fragment, which a WebSocket URL must not`)
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  const address = { host, port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port) }
  return Either.right({
    address: isSecure ? { ...address, tls: { serverName: host } } : address,
    host: url.host,
    path: url.pathname + url.search
  })
}

const wrong = (reason: string) => Either.left(new SubjectError({ reason }))

const limitsOf = (setup: Setup): Limits.Options => {
  const { origins: _, subprotocolRequired: __, subprotocols: ___, ...limits } = setup
  return limits
}

const echo = (socket: WebSocket.WebSocket): Effect.Effect<void> =>
  // That a peer breaks a rule, or leaves, is what a case is about.
  Effect.ignore(WebSocket.runForEach(socket, socket.send))

/** Without what a server logs of peers that break rules and leave, also when it ends. */
const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> => {
  const quiet = Logger.withMinimumLogLevel(LogLevel.None)
  return Effect.flatMap(
    Effect.acquireRelease(Scope.make(), (scope, exit) => quiet(Scope.close(scope, exit))),
    (scope) => quiet(Scope.extend(effect, scope))
  )
}

/**
 * The echo of sluice, as a server and as a client, on the network of the context; it can be set up for every case.
 *
 * @category constants
 * @since 0.1.0
 */
export const sluice: Subject<Network.Network | Scope.Scope> = {
  ...server((setup: Setup = {}) =>
    quietly(
      WebSocketServer.serve(
        {
          limits: limitsOf(setup),
          subprotocols: setup.subprotocols,
          subprotocolRequired: setup.subprotocolRequired ?? false,
          origin: setup.origins ?? "same-origin"
        },
        echo
      )
    )
  ),
  ...client((url, setup: Setup = {}) =>
    quietly(
      Effect.flatMap(WebSocketClient.connect({ url, limits: limitsOf(setup), subprotocols: setup.subprotocols }), echo)
    )
  )
}
