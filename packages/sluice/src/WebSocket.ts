/**
 * The live connection: messages in and out, pings, and how it ended.
 *
 * A `WebSocket` comes from `WebSocketServer` or `WebSocketClient`, or from `make` over any transport after any opening
 * handshake. It runs the pure `Protocol` machine; Pings are answered and dead peers found whatever the application does.
 *
 * @since 0.1.0
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import * as CloseCode from "./CloseCode.js"
import { Opcode } from "./Frame.js"
import type { ReceiveError } from "./internal/connection.js"
import * as Deadlines from "./internal/deadlines.js"
import {
  attach,
  type CloseOptions,
  connectionOf,
  continuable,
  ending,
  type Sendable,
  sendable,
  TypeId,
  toMessage,
  type WebSocket,
  wholeMessage
} from "./internal/handle.js"
import { laneOf } from "./internal/laneOf.js"
import * as Ledger from "./internal/ledger.js"
import * as Meter from "./internal/meter.js"
import { sequentially } from "./internal/sequentially.js"
import { decodeUtf8, encodeUtf8 } from "./internal/webPlatform.js"
import * as Limits from "./Limits.js"
import * as Message from "./Message.js"
import type { Transport } from "./Network.js"
import * as Protocol from "./Protocol.js"

export { type CloseOptions, type ReceiveError, type Sendable, TypeId, type WebSocket }

/**
 * Whether a value is a `WebSocket`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isWebSocket = (u: unknown): u is WebSocket => Predicate.hasProperty(u, TypeId)

/**
 * What a connection starts from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Subprotocol extends string | undefined = undefined> {
  /** Which side this is. */
  readonly role: Protocol.Role
  /** What the opening handshake has chosen; none by default. */
  readonly subprotocol?: Subprotocol
  /** Bytes that came behind the head of the opening handshake. */
  readonly rest?: Uint8Array | undefined
  /** Limits and timeouts. */
  readonly limits?: Limits.Options | undefined
}

/**
 * Makes the handle of a connection after its opening handshake.
 *
 * When the scope ends, the connection is closed with 1000, 1001 (interrupted) or 1011 (failed), which takes at most
 * `closeTimeout`; then the transport is aborted by its own scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Subprotocol extends string | undefined = undefined>(
  transport: Transport,
  options: Options<Subprotocol>
): Effect.Effect<WebSocket<Subprotocol>, never, Scope.Scope> =>
  sequentially(
    Effect.gen(function* () {
      const limits = Limits.make(options.limits)
      const deadlines = yield* Deadlines.make
      const lane = yield* laneOf(transport)
      const { rest = new Uint8Array(0), role } = options
      // Left out only where its type is `undefined`.
      const subprotocol = options.subprotocol as Subprotocol
      const meter = yield* Meter.make(role)
      return yield* attach(
        { role, rest, limits, lane, deadlines, ledger: yield* Ledger.current(limits), meter },
        subprotocol
      )
    })
  )

/**
 * Handles each message in order, until the connection ends; the fastest way to consume messages.
 *
 * What the handler sends while it works on messages that came together leaves in one write. Ends after a clean close;
 * fails with the error of the handler, with what the peer broke, or with the fault of the transport.
 *
 * @example
 * ```ts
 * import { WebSocket } from "sluice"
 *
 * const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const runForEach: {
  <E, R>(
    handler: (message: Message.Message) => Effect.Effect<unknown, E, R>
  ): (self: WebSocket) => Effect.Effect<void, E | ReceiveError, R>
  <E, R>(
    self: WebSocket,
    handler: (message: Message.Message) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E | ReceiveError, R>
} = dual(
  2,
  <E, R>(
    self: WebSocket,
    handler: (message: Message.Message) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, E | ReceiveError, R> => {
    const { inbox } = connectionOf(self)
    return Effect.suspend(() => {
      let ended = false
      return Effect.whileLoop<unknown, E | ReceiveError, R>({
        while: () => !ended,
        body: () => {
          const message = inbox.next()
          if (message !== undefined) return handler(wholeMessage(message))
          if (inbox.ended === undefined) return inbox.changed
          ended = true
          return ending(inbox.ended)
        },
        step: ignore
      })
    })
  }
)

const ignore = () => {}

/**
 * Sends a message to each of them that need not wait for its peer, and says how many these are.
 *
 * It is encoded once. Who is closed, or whose peer does not read what waits for it already, misses it, as with `offer`:
 * so the slow do not hold up the others.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { WebSocket } from "sluice"
 *
 * const subscribers = new Set<WebSocket.WebSocket>()
 *
 * const publish = (socket: WebSocket.WebSocket) =>
 *   WebSocket.runForEach(socket, (message) => WebSocket.broadcast(subscribers, message))
 *
 * const announce = Effect.flatMap(WebSocket.broadcast(subscribers, "in five minutes"), (count) =>
 *   Effect.log(`${count} of ${subscribers.size} were told`)
 * )
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const broadcast = (sockets: Iterable<WebSocket>, message: Sendable): Effect.Effect<number> =>
  Effect.sync(() => {
    const sent = toMessage(message)
    const encoded = sent._tag === "Encoded" ? sent : Message.encode(sent)
    let count = 0
    for (const socket of sockets) if (connectionOf(socket).offer(encoded)) count++
    return count
  })

/**
 * A sink that sends each message.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { WebSocket } from "sluice"
 *
 * const count = (socket: WebSocket.WebSocket) =>
 *   Stream.range(1, 10).pipe(Stream.map(String), Stream.run(WebSocket.sink(socket)))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const sink = (self: WebSocket): Sink.Sink<void, Sendable, never, Protocol.SendError> =>
  Sink.forEachChunk((messages: Chunk.Chunk<Sendable>) => self.sendAll(messages))

/**
 * A message that is taken as it comes. Its stream ends with the message, and is to be consumed once, before the next
 * message is pulled; what is not consumed is skipped.
 *
 * @category models
 * @since 0.1.0
 */
export type Streamed =
  | { readonly _tag: "TextStream"; readonly text: Stream.Stream<string, ReceiveError> }
  | { readonly _tag: "BinaryStream"; readonly bytes: Stream.Stream<Uint8Array, ReceiveError> }

/**
 * The messages of the peer, each as a stream of what has come of it, in memory that does not grow with the message.
 *
 * Takes the place of `messages` from then on. The limits `maxMessageSize` and `maxFramePayload` still count: lift them
 * for messages without bound. A text is cut between characters only.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { WebSocket } from "sluice"
 *
 * const sizes = (socket: WebSocket.WebSocket) =>
 *   WebSocket.streamed(socket).pipe(
 *     Stream.mapEffect((message) =>
 *       message._tag === "BinaryStream"
 *         ? Stream.runFold(message.bytes, 0, (size, bytes) => size + bytes.length)
 *         : Effect.succeed(0)
 *     )
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const streamed = (self: WebSocket): Stream.Stream<Streamed, ReceiveError> =>
  Stream.suspend(() => {
    const connection = connectionOf(self)
    if (connection.state._tag !== "Closed") connection.state = Protocol.inPieces(connection.state)
    let items: ReadonlyArray<Message.Message | Message.Piece> = []
    let at = 0
    // The message of which the last piece has not been taken.
    let current: object | undefined
    const next: Effect.Effect<Message.Message | Message.Piece, Option.Option<ReceiveError>> = Effect.suspend(() => {
      if (at < items.length) return Effect.succeed(items[at++])
      return Effect.flatMap(connection.inbox.take, (batch) => {
        items = batch
        at = 0
        return next
      })
    })
    const nextPiece = Effect.map(next, (item) => {
      if (item._tag === "Piece") {
        if (item.last) current = undefined
        return item.bytes
      }
      current = undefined
      return Message.payload(item)
    })
    const skip = Effect.whileLoop({ while: () => current !== undefined, body: () => nextPiece, step: ignore })
    const begin = Effect.map(next, (item): Streamed => {
      const message = {}
      const first = item._tag === "Piece" ? item.bytes : Message.payload(item)
      if (item._tag === "Piece" && !item.last) current = message
      const others = Stream.repeatEffectOption(
        Effect.suspend(() => (current === message ? nextPiece : Effect.fail(Option.none())))
      )
      const bytes = Stream.concat(Stream.succeed(first), others)
      const type = item._tag === "Piece" ? item.type : item._tag
      return type === "Text"
        ? { _tag: "TextStream", text: Stream.map(bytes, decodeUtf8) }
        : { _tag: "BinaryStream", bytes }
    })
    return Stream.repeatEffectOption(Effect.zipRight(skip, begin))
  })

/**
 * Sends one message whose content comes as a stream, each chunk a fragment (RFC 6455 §5.4).
 *
 * Other messages wait until it is finished; control frames do not. If the stream fails or is interrupted the message
 * cannot be ended, so the connection is closed with 1011.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { WebSocket } from "sluice"
 *
 * const send = (socket: WebSocket.WebSocket) =>
 *   WebSocket.sendStream(socket, "Text", Stream.make("a long ", "story"))
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const sendStream: {
  <E, R>(
    self: WebSocket,
    type: "Text",
    content: Stream.Stream<string, E, R>
  ): Effect.Effect<void, E | Protocol.SendError, R>
  <E, R>(
    self: WebSocket,
    type: "Binary",
    content: Stream.Stream<Uint8Array, E, R>
  ): Effect.Effect<void, E | Protocol.SendError, R>
} = <E, R>(
  self: WebSocket,
  type: "Text" | "Binary",
  content: Stream.Stream<string, E, R> | Stream.Stream<Uint8Array, E, R>
): Effect.Effect<void, E | Protocol.SendError, R> => {
  const connection = connectionOf(self)
  const acquire: Effect.Effect<void, Protocol.SendError> = Effect.suspend(() => {
    if (connection.state._tag !== "Open" || !connection.sending.canSend) {
      return Effect.zipRight(Effect.interruptible(sendable(connection)), acquire)
    }
    connection.sending.streaming = true
    return Effect.void
  })
  const release = (_: void, exit: Exit.Exit<unknown, unknown>) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit)) {
        connection.close({ code: CloseCode.InternalError, reason: "a streamed message was abandoned" })
      }
      connection.sending.streaming = false
      connection.sending.wake()
    })
  const use = Effect.suspend(() => {
    let opcode: Opcode = Opcode[type]
    // A character may be cut between two chunks of a text.
    let high = ""
    const fragment = (bytes: Uint8Array, last: boolean): Effect.Effect<void, Protocol.SendError> =>
      Effect.suspend(() => {
        if (connection.state._tag !== "Open" || !connection.sending.canContinue) {
          return Effect.zipRight(continuable(connection), fragment(bytes, last))
        }
        connection.sending.fragment(opcode, last, bytes)
        opcode = Opcode.Continuation
        return Effect.void
      })
    const encode = (chunk: string | Uint8Array): Uint8Array => {
      if (typeof chunk !== "string") return chunk
      const text = high + chunk
      const cut = isHighSurrogate(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length
      high = text.slice(cut)
      return encodeUtf8(text.slice(0, cut))
    }
    return Stream.runForEach<string | Uint8Array, E, R, void, Protocol.SendError, never>(content, (chunk) =>
      fragment(encode(chunk), false)
    ).pipe(Effect.zipRight(Effect.suspend(() => fragment(encodeUtf8(high), true))))
  })
  return Effect.acquireUseRelease(acquire, () => use, release)
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
