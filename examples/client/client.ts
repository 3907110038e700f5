import { Duration, Effect, Schedule } from "effect"
import { Fields, Message, Protocol, Rejection, WebSocket, WebSocketClient } from "sluice"

/** What the client is told to do. */
export interface Options {
  readonly url: string
  /** Evaluated for each attempt, so that a token that has expired is not sent again. */
  readonly token: Effect.Effect<string>
  /** Hears what happens, one line each time. */
  readonly report: (line: string) => Effect.Effect<void>
}

/** A network may come back, and a busy server may have time later; but what is forbidden stays forbidden. */
const isTemporary = (error: WebSocketClient.ConnectError): boolean =>
  Rejection.isRejection(error)
    ? error.status === 408 || error.status === 429 || error.status >= 500
    : error._tag === "TransportError" && error.reason !== "Unsupported"

/** How long the server wants us to stay away (RFC 9110 §10.2.3): a refusal has all the fields of its reply. */
const retryAfter = (error: WebSocketClient.ConnectError): Duration.Duration => {
  const value = Rejection.isRejection(error) ? Fields.get(error.fields, "Retry-After") : undefined
  // It may also be a date, which is left out here.
  return value !== undefined && /^\d{1,6}$/.test(value) ? Duration.seconds(Number(value)) : Duration.zero
}

/**
 * When to try again: after 0.2 s, 0.4 s, 0.8 s and so on, but at least every 10 s; a little sooner or later, so that
 * clients do not come in step; and never before the server wants us back.
 */
const policy = Schedule.identity<WebSocketClient.ConnectError>().pipe(
  Schedule.whileInput(isTemporary),
  Schedule.intersect(
    Schedule.exponential("200 millis").pipe(Schedule.union(Schedule.spaced("10 seconds")), Schedule.jittered)
  ),
  Schedule.modifyDelay(([error], delay) => Duration.max(delay, retryAfter(error)))
)

/** Stays connected: tries again, with care, whatever ends the connection. Fails when trying again cannot help. */
export const stayConnected = ({ report, token, url }: Options) => {
  const request = Effect.map(token, (token) => ({
    url,
    fields: [["Authorization", `Bearer ${token}`]] as const
  }))

  const connect = report(`connecting to ${url}`).pipe(
    Effect.zipRight(WebSocketClient.connect(request)),
    Effect.tapError((error) => report(describe(error))),
    Effect.retry(policy)
  )

  return Effect.gen(function* () {
    const socket = yield* connect
    yield* report("connected")
    yield* socket.send("Hello").pipe(
      Effect.zipRight(WebSocket.runForEach(socket, (message) => report(`received ${show(message)}`))),
      // Whatever went wrong, the connection has ended, and `closed` knows why.
      Effect.ignore
    )
    const reason = yield* socket.closed
    yield* report(`closed with ${Protocol.codeOf(reason)} (${reason._tag})`)
  }).pipe(
    // One scope for each connection: all that belongs to it is gone before the next one is made.
    Effect.scoped,
    // All clients of a server that restarts lose it at once. They should not come back at once.
    Effect.repeat(Schedule.jittered(Schedule.spaced("1 second")))
  )
}

const describe = (error: WebSocketClient.ConnectError): string =>
  Rejection.isRejection(error) ? `refused with ${error.status}: ${error.message}` : `failed: ${error.message}`

const show = (message: Message.Message): string =>
  Message.isText(message) ? message.text : `${message.bytes.length} bytes`
