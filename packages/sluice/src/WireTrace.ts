/**
 * The frames of one connection as they pass, for the moment in which something is not understood.
 *
 * A trace is turned on for one `WebSocket` and ends with its scope. It never holds the connection up: who reads it too
 * slowly misses frames. Payloads are left out unless they are asked for, since they belong to the users.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CloseCode from "./CloseCode.js"
import { Opcode } from "./Frame.js"
import { connectionOf } from "./internal/handle.js"
import type { WebSocket } from "./WebSocket.js"

/**
 * A frame that passed.
 *
 * @category models
 * @since 0.1.0
 */
export interface TracedFrame {
  /** Which way it went. */
  readonly direction: "received" | "sent"
  /** When, in milliseconds of the `Clock`. */
  readonly at: number
  /** What it is, as in `Frame.Opcode`. */
  readonly opcode: number
  /** Whether it ends a message. */
  readonly fin: boolean
  /** Bytes of its payload. */
  readonly size: number
  /** The code of a Close frame that has one. */
  readonly closeCode: Option.Option<number>
  /** The beginning of the payload, if it was asked for: what had come when the frame began. */
  readonly payload: Option.Option<Uint8Array>
}

/**
 * What a trace shows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many bytes of each payload are shown; none by default. */
  readonly payload?: number | undefined
  /** How many frames wait for a slow reader before the oldest are dropped; 1,024 by default. */
  readonly bufferSize?: number | undefined
}

const defaultBufferSize = 1024

/**
 * The frames from now on, until the connection ends.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { type WebSocket, WireTrace } from "sluice"
 *
 * const sizes = (socket: WebSocket.WebSocket) =>
 *   WireTrace.frames(socket).pipe(
 *     Stream.filter((frame) => frame.direction === "sent"),
 *     Stream.map((frame) => frame.size)
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const frames = (self: WebSocket, options: Options = {}): Stream.Stream<TracedFrame> =>
  Stream.unwrapScoped(Effect.map(begin(self, options), Mailbox.toStream))

const begin = (
  self: WebSocket,
  { bufferSize = defaultBufferSize, payload: shown = 0 }: Options
): Effect.Effect<Mailbox.ReadonlyMailbox<TracedFrame>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const mailbox = yield* Mailbox.make<TracedFrame>({ capacity: Math.max(1, bufferSize), strategy: "sliding" })
    const connection = connectionOf(self)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const forget = connection.trace((direction, { fin, opcode, payload, size }) => {
          mailbox.unsafeOffer({
            direction,
            at: clock.unsafeCurrentTimeMillis(),
            opcode,
            fin,
            size,
            closeCode: opcode === Opcode.Close ? codeOf(payload) : Option.none(),
            payload: shown > 0 ? Option.some(payload.slice(0, shown)) : Option.none()
          })
        })
        return [forget, connection.whenClosed(() => mailbox.unsafeDone(Exit.void))]
      }),
      (stops) =>
        Effect.sync(() => {
          for (const stop of stops) stop()
        })
    )
    return mailbox
  })

const codeOf = (payload: Uint8Array): Option.Option<number> =>
  payload.length < 2 ? Option.none() : Option.some((payload[0] << 8) | payload[1])

/**
 * Logs the frames from now on, each in a line, as long as the scope and the connection live.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { WebSocket, WebSocketServer, WireTrace } from "sluice"
 *
 * const server = WebSocketServer.serve({ port: 8080 }, (socket, { id }) =>
 *   Effect.gen(function* () {
 *     if (id === 17) yield* WireTrace.log(socket)
 *     yield* WebSocket.runForEach(socket, (message) => socket.send(message))
 *   })
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const log = (
  self: WebSocket,
  options: Options & {
    /** The level of the lines; `Debug` by default. */
    readonly level?: LogLevel.LogLevel | undefined
  } = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const start = yield* Clock.currentTimeMillis
    const { level = LogLevel.Debug } = options
    const mailbox = yield* begin(self, options)
    yield* Mailbox.toStream(mailbox).pipe(
      Stream.runForEach((frame) =>
        Effect.annotateLogs(Effect.logWithLevel(level, format(frame)), "after", Duration.format(frame.at - start))
      ),
      Effect.forkScoped
    )
  })

const names: ReadonlyMap<number, string> = new Map(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]))

/**
 * A frame in one line, such as `received Text, 12 bytes, more follows`.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (self: TracedFrame): string =>
  [
    `${self.direction} ${names.get(self.opcode) ?? `opcode ${self.opcode}`}`,
    ...Option.match(self.closeCode, { onNone: () => [], onSome: (code) => [`${code} (${CloseCode.name(code)})`] }),
    `${self.size} bytes`,
    ...(self.fin ? [] : ["more follows"]),
    ...Option.match(self.payload, { onNone: () => [], onSome: (payload) => [printed(payload, self.size)] })
  ].join(", ")

const printed = (payload: Uint8Array, size: number): string => {
  const digits = Array.from(payload, (byte) => byte.toString(16).padStart(2, "0")).join(" ")
  return payload.length < size ? `${digits} …` : digits
}
