/**
 * The handle of a connection: its effects, thin on top of the synchronous `Connection`.
 *
 * A server has many idle connections: what can be made when it is asked for is a getter of the prototype.
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import type * as Duration from "effect/Duration"
import { millis } from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as CloseCode from "../CloseCode.js"
import { Entropy } from "../Entropy.js"
import * as Message from "../Message.js"
import * as Protocol from "../Protocol.js"
import { Connection, type ConnectionOptions, type ReceiveError } from "./connection.js"
import type { Inbox } from "./inbox.js"

/**
 * Identifies a `WebSocket`.
 *
 * @category type ids
 * @since 0.1.0
 */
export const TypeId: unique symbol = Symbol.for("sluice/WebSocket")

/**
 * The type of `TypeId`.
 *
 * @category type ids
 * @since 0.1.0
 */
export type TypeId = typeof TypeId

/**
 * What can be sent: a message, one that was encoded once for many, or just its text or its bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type Sendable = Message.Message | Message.Encoded | string | Uint8Array

/**
 * How to close: the code is 1000 and the reason empty unless said otherwise.
 *
 * @category models
 * @since 0.1.0
 */
export interface CloseOptions {
  /** A code that may be sent (RFC 6455 §7.4). */
  readonly code?: number | undefined
  /** At most 123 bytes in UTF-8. */
  readonly reason?: string | undefined
}

/**
 * One open WebSocket connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebSocket<out Subprotocol extends string | undefined = string | undefined> {
  readonly [TypeId]: TypeId
  /** What is spoken inside the messages, as the opening handshake has chosen it. */
  readonly subprotocol: Subprotocol
  /** The side that this end plays. */
  readonly role: Protocol.Role
  /**
   * The messages of the peer, in order. Ends after a clean close, ours too; fails with what the peer broke, or with
   * the fault of the transport. Nothing is read ahead beyond the receive window. To be consumed once.
   */
  readonly messages: Stream.Stream<Message.Message, ReceiveError>
  /** All messages that are here, at least one, waiting if need be; fails with `None` where `messages` ends. */
  readonly take: Effect.Effect<ReadonlyArray<Message.Message>, Option.Option<ReceiveError>>
  /**
   * Sends a message. Suspends while the peer does not read; fails when the connection is no longer open. Bytes must
   * not be changed after they were sent. A lone surrogate in a text is sent as U+FFFD.
   */
  readonly send: (message: Sendable) => Effect.Effect<void, Protocol.SendError>
  /**
   * Sends a message if that need not wait; `false` if the peer does not read and has enough waiting for it: then nothing
   * is sent. So one peer that is slow need not hold up a broadcast to many. Fails as `send` does.
   */
  readonly offer: (message: Sendable) => Effect.Effect<boolean, Protocol.SendError>
  /** Sends messages in order. Those that go out in one turn leave in one write. */
  readonly sendAll: (messages: Iterable<Sendable>) => Effect.Effect<void, Protocol.SendError>
  /** Sends a Ping and waits for its Pong (RFC 6455 §5.5.2): the round trip. */
  readonly ping: Effect.Effect<Duration.Duration, Protocol.SendError>
  /**
   * Starts the closing handshake if nobody did (RFC 6455 §7.1.2), and waits for its end. Messages that come after it
   * are dropped. Interrupting the wait does not undo the close.
   */
  readonly close: (options?: CloseOptions) => Effect.Effect<Protocol.CloseReason, Protocol.SendError>
  /** Waits for the end of the connection: who closed it, and why. Always answers. */
  readonly closed: Effect.Effect<Protocol.CloseReason>
  /** Whether messages can be sent, now. */
  readonly isOpen: Effect.Effect<boolean>
}

/** @internal */
export const toMessage = (message: Sendable): Message.Message | Message.Encoded =>
  typeof message === "string"
    ? Message.text(message)
    : message instanceof Uint8Array
      ? Message.binary(message)
      : message

const refuse = (connection: Connection): Effect.Effect<never, Protocol.SendError> =>
  Effect.suspend(() => {
    const { state } = connection
    return new Protocol.SendError(
      state._tag === "Closed"
        ? { reason: "ConnectionClosed", detail: `the connection has ended: ${describe(state.reason)}` }
        : { reason: "ConnectionClosing", detail: "a Close frame was sent, after which no message may follow" }
    )
  })

const describe = (reason: Protocol.CloseReason): string =>
  `${reason._tag}, code ${Protocol.codeOf(reason)} (${CloseCode.name(Protocol.codeOf(reason))})`

type Readiness = (connection: Connection) => boolean

/** @internal Waits until the connection is ready for more, and fails once it never will be. */
export const until = (connection: Connection, isReady: Readiness): Effect.Effect<void, Protocol.SendError> => {
  const look: Effect.Effect<void, Protocol.SendError> = Effect.suspend(() => {
    if (connection.state._tag !== "Open") return refuse(connection)
    return isReady(connection) ? Effect.void : Effect.zipRight(wait, look)
  })
  const wait = connection.sending.wait(() => connection.state._tag !== "Open" || isReady(connection))
  return look
}

/** @internal */
export const sendable = (connection: Connection) => until(connection, ({ sending }) => sending.canSend)
/** @internal */
export const continuable = (connection: Connection) => until(connection, ({ sending }) => sending.canContinue)

/** An effect that is one object, since there is one for each message. */
class Send extends Effectable.Class<void, Protocol.SendError> {
  private readonly connection: Connection
  private readonly message: Sendable

  constructor(connection: Connection, message: Sendable) {
    super()
    this.connection = connection
    this.message = message
  }

  commit(): Effect.Effect<void, Protocol.SendError> {
    const { connection } = this
    if (!connection.offer(toMessage(this.message))) return Effect.zipRight(sendable(connection), this)
    // Until it is no longer too much for the peer; whether it arrives is not known if the connection ends first.
    return connection.sending.canContinue ? Effect.void : continuable(connection)
  }
}

/** @internal What the end of an inbox is for who takes one message after the other: an end, or a failure. */
export const ending = <E>(ended: Exit.Exit<never, Option.Option<E>>): Effect.Effect<void, E> =>
  Effect.catchAll(ended, Option.match({ onNone: () => Effect.void, onSome: Effect.fail }))

type Pulling = Channel.Channel<Chunk.Chunk<Message.Message>, unknown, ReceiveError>

// An effect for the wait only: what is here, and the end, are steps of the channel, which are far cheaper.
const pulling = (inbox: Inbox<ReceiveError>): Pulling => {
  const pull = (): Pulling => {
    const batch = inbox.takeAll()
    if (batch.length > 0) return Channel.flatMap(Channel.write(Chunk.unsafeFromArray(whole(batch))), pull)
    return inbox.ended === undefined
      ? Channel.flatMap(Channel.fromEffect(inbox.changed), pull)
      : Channel.fromEffect(ending(inbox.ended))
  }
  return Channel.suspend(pull)
}

/** @internal */
export class Handle<Subprotocol extends string | undefined> implements WebSocket<Subprotocol> {
  readonly [TypeId]: TypeId = TypeId
  readonly connection: Connection
  readonly subprotocol: Subprotocol

  constructor(connection: Connection, subprotocol: Subprotocol) {
    this.connection = connection
    this.subprotocol = subprotocol
  }

  get role() {
    return this.connection.role
  }

  get take() {
    return Effect.map(this.connection.inbox.take, whole)
  }

  get messages() {
    return Stream.fromChannel(pulling(this.connection.inbox))
  }

  readonly send = (message: Sendable): Effect.Effect<void, Protocol.SendError> => new Send(this.connection, message)

  get offer() {
    const { connection } = this
    return (message: Sendable): Effect.Effect<boolean, Protocol.SendError> =>
      Effect.suspend(() => {
        if (connection.state._tag !== "Open") return refuse(connection)
        return Effect.succeed(connection.offer(toMessage(message)))
      })
  }

  get sendAll() {
    return (messages: Iterable<Sendable>) => Effect.forEach(messages, this.send, { discard: true })
  }

  get ping() {
    const { connection } = this
    return Effect.flatMap(Effect.clock, (clock) =>
      Effect.async<Duration.Duration, Protocol.SendError>((resume) => {
        if (connection.state._tag !== "Open") return resume(refuse(connection))
        const start = clock.unsafeCurrentTimeMillis()
        const forget = connection.ping((at) =>
          resume(at === undefined ? refuse(connection) : Effect.succeed(millis(at - start)))
        )
        return Effect.sync(forget)
      })
    )
  }

  get close() {
    return (options: CloseOptions = {}): Effect.Effect<Protocol.CloseReason, Protocol.SendError> =>
      Effect.suspend(() => this.connection.close(options) ?? this.closed)
  }

  get closed(): Effect.Effect<Protocol.CloseReason> {
    const { connection } = this
    return Effect.async((resume) => {
      const forget = connection.whenClosed((reason) => resume(Effect.succeed(reason)))
      return Effect.sync(forget)
    })
  }

  get isOpen() {
    return Effect.sync(() => this.connection.state._tag === "Open")
  }
}

/**
 * Makes the handle of a connection that is closed when the scope ends.
 *
 * @internal
 */
export const attach = <Subprotocol extends string | undefined>(
  options: Omit<ConnectionOptions, "scheduler" | "entropy">,
  subprotocol: Subprotocol
): Effect.Effect<Handle<Subprotocol>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scheduler = yield* FiberRef.get(FiberRef.currentScheduler)
    const entropy = yield* Entropy
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => new Connection({ ...options, scheduler, entropy })),
      (connection, exit) =>
        Effect.async<void>((resume) => {
          connection.close({ code: codeFor(exit) })
          connection.whenClosed(() => resume(Effect.void))
        })
    )
    return new Handle(connection, subprotocol)
  })

/** @internal Every `WebSocket` is a `Handle`: nothing else has the type id. */
export const connectionOf = (self: WebSocket): Connection => (self as Handle<string | undefined>).connection

/** @internal The type of what is in the inbox as long as `streamed` was not called. */
export const wholeMessage = (item: Message.Message | Message.Piece): Message.Message => {
  if (item._tag === "Piece") {
    throw new Error("the messages of this WebSocket are taken as streams: use `streamed` only")
  }
  return item
}

const whole = (batch: ReadonlyArray<Message.Message | Message.Piece>): ReadonlyArray<Message.Message> =>
  batch.map(wholeMessage)

/**
 * The peer is told why the handler or the scope has ended: as it should, because we go away, or because we failed.
 *
 * @internal
 */
export const codeFor = (exit: Exit.Exit<unknown, unknown>): number =>
  Exit.isSuccess(exit)
    ? CloseCode.NormalClosure
    : Exit.isInterrupted(exit)
      ? CloseCode.GoingAway
      : CloseCode.InternalError
