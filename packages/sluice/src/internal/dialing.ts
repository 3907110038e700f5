/**
 * What all clients do to reach a server: read the URL, connect within a deadline, follow redirections, and leave nothing
 * of what has failed.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Scope from "effect/Scope"
import type * as Fields from "../Fields.js"
import type * as Limits from "../Limits.js"
import * as Network from "../Network.js"
import type * as Rejection from "../Rejection.js"
import * as Deadlines from "./deadlines.js"
import * as Grammar from "./grammar.js"
import type { InvalidResponse } from "./invalidResponse.js"
import type { RedirectError } from "./redirectError.js"
import * as Redirection from "./redirection.js"
import { RequestError } from "./requestError.js"
import { parseUrl } from "./webPlatform.js"

/**
 * Why there is no connection: the server refused it, its answer is not valid, it led elsewhere too often or where nobody
 * should follow, the network failed, or the request cannot be sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type ConnectError =
  | Rejection.Rejection
  | InvalidResponse
  | RedirectError
  | Network.TransportError
  | RequestError
  | Fields.FieldError

/** @internal What a client is asked for, whichever protocol it speaks. */
export interface Asked {
  readonly url: string
  readonly address?: Network.Address | undefined
  readonly fields?: Iterable<Redirection.RequestField> | undefined
  readonly maxRedirects?: number | undefined
}

/** @internal What a failed attempt has acquired is released at once, not when the caller's scope ends. */
export const attempt = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* restore(effect).pipe(
        Scope.extend(scope),
        Effect.onExit((exit) => (exit._tag === "Failure" ? Scope.close(scope, exit) : Effect.void))
      )
    })
  )

/**
 * Asks one URL after the other, each in an attempt of its own, until one does not lead elsewhere; all together have the
 * time of one handshake.
 *
 * @internal
 */
export const dial = <A, E, R>(
  asked: Asked,
  scheme: Redirection.Scheme,
  limits: Pick<Limits.Limits, "handshakeTimeout">,
  open: (hop: Redirection.Hop) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | RedirectError | Network.TransportError, R | Scope.Scope> => {
  const { maxRedirects = 0, url } = asked
  const ask = (hop: Redirection.Hop): Effect.Effect<A, E | RedirectError, R | Scope.Scope> =>
    Effect.catchAll(attempt(open(hop)), (error) => {
      const redirection = Redirection.redirectionOf(error)
      if (redirection === undefined) return Effect.fail(error)
      return Effect.flatMap(Redirection.next(hop, redirection, scheme, maxRedirects), ask)
    })
  const opened = Effect.suspend((): Effect.Effect<A, E | RedirectError, R | Scope.Scope> => {
    const first = Redirection.first(url, asked.fields)
    return maxRedirects > 0 ? ask(first) : open(first)
  })
  const timeout = Deadlines.toMillis(limits.handshakeTimeout)
  return timeout === Number.POSITIVE_INFINITY
    ? opened
    : Effect.timeoutFail(opened, { duration: timeout, onTimeout: () => timedOut(url, timeout) })
}

const timedOut = (url: string, timeout: number) => {
  const detail = `the opening handshake with ${Grammar.withoutQuery(url)} was not complete after ${timeout} ms`
  return new Network.TransportError({ reason: "TimedOut", operation: "connect", detail })
}

/** @internal Where a URL leads to, and what is said there. */
export interface Destination {
  readonly address: Network.Address
  readonly authority: string
  readonly target: string
  readonly tls: Network.ConnectOptions["tls"]
}

/** @internal The address that was asked for is that of the first origin, and of no other. */
export const destinationOf = (
  { isForeign, url }: Redirection.Hop,
  { address }: Asked,
  scheme: Redirection.Scheme
): Either.Either<Destination, RequestError> =>
  address === undefined || isForeign
    ? readUrl(url, scheme)
    : Either.map(readUrl(url, scheme), (destination) => ({ ...destination, address }))

const readUrl = (text: string, scheme: Redirection.Scheme): Either.Either<Destination, RequestError> => {
  const url = parseUrl(text)
  const shown = Grammar.withoutQuery(text)
  if (url === undefined) return wrongUrl(`${shown} is not a URL; ${scheme}://host:port/path is one`)
  const isSecure = url.protocol === `${scheme}s:`
  if (!isSecure && url.protocol !== `${scheme}:`) {
    return wrongUrl(`the scheme of ${shown} is neither ${scheme}: nor ${scheme}s:`)
  }
  // RFC 6455 §3: "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used"; RFC 9110
  // §7.1: "The target URI excludes the reference's fragment component"
  if (url.hash !== "" || text.includes("#")) return wrongUrl(`${shown} has a fragment, which is not sent; leave it out`)
  if (url.username !== "" || url.password !== "") {
    return wrongUrl("the URL has credentials, which would not be sent; put them into the field Authorization")
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  return Either.right({
    address: { host, port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port) },
    tls: isSecure ? { serverName: host } : undefined,
    authority: url.host,
    target: url.pathname + url.search
  })
}

const wrongUrl = (detail: string) => Either.left(new RequestError({ reason: "Url", detail }))

/** @internal Connects there; the connection lives in the scope. */
export const reach = ({
  address,
  tls
}: Destination): Effect.Effect<Network.Transport, Network.TransportError, Network.Network | Scope.Scope> =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect({ ...address, tls })
    if (tls !== undefined && transport.tls === undefined && network.isInProcess !== true) {
      const detail = "the URL asks for TLS, which this network does not have; it connects to ws: and http:"
      return yield* new Network.TransportError({ reason: "Unsupported", operation: "connect", detail })
    }
    return transport
  })
