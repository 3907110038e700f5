/**
 * An open connection as a pure machine (RFC 6455 §5.5, §7): Open, Closing, Closed.
 *
 * The machine takes bytes and returns messages, the frames to be sent (Pong, Close), and its next state. It answers
 * Pings, answers and starts the closing handshake, fails the connection on a violation, and says who closed it and why.
 * It has no clock, no randomness and no transport: `WebSocket` runs it. States are values; each transition takes the
 * states for which it is defined.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as CloseCode from "./CloseCode.js"
import * as Frame from "./Frame.js"
import * as Accumulator from "./internal/accumulator.js"
import * as Assembly from "./internal/assembly.js"
import * as ClosePayload from "./internal/closePayload.js"
import { ProtocolError } from "./internal/closePayload.js"
import { add, none } from "./internal/fewItems.js"
import * as FramePart from "./internal/framePart.js"
import type { TransportError } from "./internal/transportError.js"
import { encodeUtf8 } from "./internal/webPlatform.js"
import type * as Limits from "./Limits.js"
import type * as Message from "./Message.js"

export { ProtocolError }

/**
 * The side of the connection; a client masks its frames (RFC 6455 §5.1).
 *
 * @category models
 * @since 0.1.0
 */
export type Role = "client" | "server"

/**
 * A rule that the peer broke; each knows the close code that answers it.
 *
 * @category errors
 * @since 0.1.0
 */
export type Violation = Frame.FrameError | Message.MessageError | ProtocolError

/**
 * We asked for something that cannot be sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class SendError extends Data.TaggedError("SendError")<{
  /**
   * `ConnectionClosing` and `ConnectionClosed`: nothing can be sent any more. `InvalidCloseCode` and
   * `CloseReasonTooLong`: the Close frame would be illegal. `PayloadTooLong`: a Ping has at most 125 bytes.
   */
  readonly reason:
    | "ConnectionClosing"
    | "ConnectionClosed"
    | "InvalidCloseCode"
    | "CloseReasonTooLong"
    | "PayloadTooLong"
  /** What was asked for, and what would be right. */
  readonly detail: string
}> {
  /** One line for a person. */
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}

/**
 * How a connection ended (RFC 6455 §7.1.4 to §7.1.6).
 *
 * `Clean`: both Close frames were exchanged; `code` and `reason` are those that the peer sent, 1005 if it sent none.
 * `Drained`: the same, asked for by a server that shuts down. `Violation`: the peer broke a rule and was told so.
 * `HeartbeatLost`: the peer was silent for too long. `Aborted`: the transport ended before the closing handshake (1006).
 *
 * @category models
 * @since 0.1.0
 */
export type CloseReason = Data.TaggedEnum<{
  Clean: { readonly code: number; readonly reason: string; readonly initiator: "local" | "peer" }
  Drained: { readonly code: number; readonly reason: string }
  Violation: { readonly error: Violation }
  HeartbeatLost: { readonly silence: number }
  Aborted: { readonly cause: TransportError }
}>

/**
 * Constructors and matchers of close reasons: `CloseReason.$match`, `CloseReason.$is`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const CloseReason = Data.taggedEnum<CloseReason>()

/**
 * The code by which the ending is known: that of the peer's Close frame, that of our own for a violation, otherwise
 * 1006 (RFC 6455 §7.1.5).
 *
 * @category getters
 * @since 0.1.0
 */
export const codeOf: (reason: CloseReason) => number = CloseReason.$match({
  Clean: ({ code }) => code,
  Drained: ({ code }) => code,
  Violation: ({ error }) => error.closeCode,
  HeartbeatLost: () => CloseCode.AbnormalClosure,
  Aborted: () => CloseCode.AbnormalClosure
})

/**
 * Whether the closing handshake was completed (RFC 6455 §7.1.4: "closed _cleanly_").
 *
 * @category predicates
 * @since 0.1.0
 */
export const isClean = (reason: CloseReason): boolean => reason._tag === "Clean" || reason._tag === "Drained"

interface Connection {
  /** Which side this is. */
  readonly role: Role
  /** @internal */
  readonly reading: FramePart.Reading
  /** @internal */
  readonly limits: Assembly.Assembling
  /** @internal */
  readonly input: FramePart.Input
  /** @internal */
  readonly unfinished: Assembly.Unfinished | undefined
  /** Whether messages are handed out in pieces. */
  readonly pieces: boolean
}

/**
 * Messages can be received and sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Open extends Connection {
  /** The state. */
  readonly _tag: "Open"
}

/**
 * A Close frame was sent (RFC 6455 §7.1.3). When one was `received` too, the closing handshake is complete.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closing extends Connection {
  /** The state. */
  readonly _tag: "Closing"
  /** Who sent the first Close frame. */
  readonly initiator: "local" | "peer"
  /** Why we closed, if it was not the application. */
  readonly cause: "Drain" | Violation | undefined
  /** What the Close frame of the peer said, once it has come. */
  readonly received: { readonly code: number; readonly reason: string } | undefined
}

/**
 * The transport has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed {
  /** The state. */
  readonly _tag: "Closed"
  /** Who closed, and why. */
  readonly reason: CloseReason
}

/**
 * The state of a connection after its opening handshake.
 *
 * @category models
 * @since 0.1.0
 */
export type State = Open | Closing | Closed

/**
 * What a connection accepts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Which side this is. */
  readonly role: Role
  /** The limits for frames and messages. */
  readonly limits: Limits.Limits
}

/**
 * A connection whose opening handshake has ended well.
 *
 * The bytes given to `receive` belong to the machine from then on: payloads are unmasked in place.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = ({ limits, role }: Options): Open => ({
  _tag: "Open",
  role,
  reading: { masked: role === "server", rsv: 0, maxFramePayload: limits.maxFramePayload, inPlace: true },
  limits: { maxMessageSize: limits.maxMessageSize, maxFragments: limits.maxFragments },
  input: FramePart.nothing,
  unfinished: undefined,
  pieces: false
})

/**
 * Has messages handed out in pieces from now on, so that one of any size takes little memory.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inPieces = <S extends Open | Closing>(self: S): S => ({ ...self, pieces: true })

/**
 * What came out of some bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  /** The next state. */
  readonly state: Open | Closing
  /** Messages for the application, in order; pieces if the state was made so by `inPieces`. */
  readonly messages: ReadonlyArray<Message.Message | Message.Piece>
  /** Frames that must be sent, in order: a Pong for each Ping, the Close. A client masks them. */
  readonly replies: ReadonlyArray<Frame.Frame>
  /** Payloads of the Pongs that came. */
  readonly pongs: ReadonlyArray<Uint8Array>
  /** Control frames that came. */
  readonly controls: number
  /** @internal */
  readonly parts: ReadonlyArray<FramePart.FramePart>
  /**
   * Whether `max` stopped the step: the rest is read by calling `receive` again, with no bytes. Such a state is
   * continued once only, because the rest is then unmasked in place.
   */
  readonly more: boolean
}

/**
 * Takes bytes of the peer and reads at most `max` frames, or parts of frames.
 *
 * A Ping is answered by a Pong, a Close by a Close. A violation fails the connection (RFC 6455 §7.1.7). After a Close
 * nothing is read any more, and after our own Close no message is handed out.
 *
 * @example
 * ```ts
 * import { Frame, Limits, Protocol } from "sluice"
 *
 * const connection = Protocol.open({ role: "client", limits: Limits.defaults })
 * const ping = Frame.toBytes(Frame.make(Frame.Opcode.Ping, new Uint8Array([1])))
 * const { replies } = Protocol.receive(connection, ping) // one Pong with the same payload
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const receive = (self: Open | Closing, chunk: Uint8Array, max: number = Number.POSITIVE_INFINITY): Step => {
  if (isDeaf(self)) {
    return { state: self, messages: none, replies: none, pongs: none, controls: 0, parts: none, more: false }
  }
  const { error, input, parts } = FramePart.readParts(FramePart.feed(self.input, chunk), self.reading, max)
  // Most steps have one message and none of the others.
  let messages: Array<Message.Message | Message.Piece> = none
  let replies: Array<Frame.Frame> = none
  let pongs: Array<Uint8Array> = none
  let controls = 0
  let { unfinished } = self
  const failed = (violation: Violation): Step => {
    const failing = fail({ ...self, unfinished }, violation)
    if (failing.frame !== undefined) replies = add(replies, failing.frame)
    return { state: failing.state, messages, replies, pongs, controls, parts, more: false }
  }
  for (const part of parts) {
    if (part.opcode < 8) {
      // After our own Close nothing is handed out, so nothing is kept either.
      const next =
        self.pieces || self._tag === "Closing"
          ? Assembly.divide(unfinished, part, self.limits)
          : Assembly.assemble(unfinished, part, self.limits)
      if (next._tag === "MessageError") return failed(next)
      unfinished = next._tag === "Unfinished" ? next : next._tag === "Divided" ? next.next : undefined
      // Having sent a Close, we are no longer interested in what the peer says before its own.
      if (self._tag === "Open" && next._tag !== "Unfinished") {
        messages = add(messages, next._tag === "Divided" ? next.piece : next)
      }
      continue
    }
    controls++
    if (part.opcode === Frame.Opcode.Ping) {
      // §5.5.2: "MUST send a Pong frame in response, unless it already received a Close frame"
      replies = add(replies, Frame.make(Frame.Opcode.Pong, part.payload))
    } else if (part.opcode === Frame.Opcode.Pong) {
      pongs = add(pongs, part.payload)
    } else {
      const received = ClosePayload.decode(part.payload)
      if (received instanceof ProtocolError) return failed(received)
      // §5.5.1: "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST
      // send a Close frame in response", typically with the code that it received
      if (self._tag === "Open") replies = add(replies, closeFrame({ code: received.code, reason: "" }))
      const state: Closing =
        self._tag === "Open"
          ? { ...deaf(self), _tag: "Closing", initiator: "peer", cause: undefined, received }
          : { ...deaf(self), received }
      return { state, messages, replies, pongs, controls, parts, more: false }
    }
  }
  if (error !== undefined) return failed(error)
  return {
    state: advanced(self, input, unfinished),
    messages,
    replies,
    pongs,
    controls,
    parts,
    more: parts.length === max
  }
}

/**
 * Where `receive` would copy the next bytes, since they are the rest of a frame whose message is gathered. When they are
 * there already it takes them as they are.
 *
 * @internal
 */
export const room = (self: State): Uint8Array | undefined => {
  if (self._tag === "Closed" || self.pieces || self.input.part === undefined || self.unfinished === undefined) return
  const { length, offset, payload } = self.input.part
  return Accumulator.room(self.unfinished.kept, length - offset - payload.length)
}

const advanced = (self: Open | Closing, input: FramePart.Input, unfinished: Assembly.Unfinished | undefined) => {
  // Whole messages leave nothing behind.
  if (input === self.input && unfinished === self.unfinished) return self
  const common = {
    role: self.role,
    reading: self.reading,
    limits: self.limits,
    input,
    unfinished,
    pieces: self.pieces
  }
  return self._tag === "Open"
    ? ({ _tag: "Open", ...common } as const)
    : ({ ...common, _tag: "Closing", initiator: self.initiator, cause: self.cause, received: self.received } as const)
}

// §5.5.1, §7.1.7: nothing that comes after a Close frame, or after a violation, is looked at.
const isDeaf = (self: Open | Closing): boolean =>
  self._tag === "Closing" && (self.received !== undefined || isViolation(self.cause))

const isViolation = (cause: Closing["cause"]): cause is Violation => cause !== undefined && cause !== "Drain"

const deaf = <S extends Open | Closing>(self: S): S => ({ ...self, input: FramePart.nothing, unfinished: undefined })

const closeFrame = (payload: ClosePayload.ClosePayload): Frame.Frame =>
  Frame.make(Frame.Opcode.Close, ClosePayload.encode(payload))

/**
 * Starts the closing handshake (RFC 6455 §7.1.2): the state, and the Close frame to be sent.
 *
 * The code is 1000 and the reason empty unless said otherwise. `Left` if the code may not be sent (§7.4) or the reason
 * has more than 123 bytes in UTF-8.
 *
 * @category combinators
 * @since 0.1.0
 */
export const close = (
  self: Open,
  options: {
    readonly code?: number | undefined
    readonly reason?: string | undefined
    readonly cause?: "Drain" | undefined
  } = {}
): Either.Either<{ readonly state: Closing; readonly frame: Frame.Frame }, SendError> => {
  const payload = { code: options.code ?? CloseCode.NormalClosure, reason: options.reason ?? "" }
  if (!CloseCode.isSendable(payload.code)) {
    const detail = `${payload.code} (${CloseCode.name(payload.code)}); use 1000 or a code from 3000 to 4999`
    return Either.left(new SendError({ reason: "InvalidCloseCode", detail }))
  }
  const size = encodeUtf8(payload.reason).length
  if (size > ClosePayload.maxReason) {
    const detail = `the reason has ${size} bytes, at most ${ClosePayload.maxReason} fit`
    return Either.left(new SendError({ reason: "CloseReasonTooLong", detail }))
  }
  return Either.right({
    state: { ...self, _tag: "Closing", initiator: "local", cause: options.cause, received: undefined },
    frame: closeFrame(payload)
  })
}

/**
 * Fails the connection (RFC 6455 §7.1.7): the state, and the Close frame to be sent if none was sent before.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fail = (
  self: Open | Closing,
  violation: Violation
): { readonly state: Closing; readonly frame: Frame.Frame | undefined } => ({
  state: {
    ...deaf(self),
    _tag: "Closing",
    initiator: self._tag === "Closing" ? self.initiator : "local",
    cause: violation,
    received: self._tag === "Closing" ? self.received : undefined
  },
  frame: self._tag === "Closing" ? undefined : closeFrame({ code: violation.closeCode, reason: violation.reason })
})

/**
 * Whether nothing more has to come or go: both Close frames were exchanged, or the connection failed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isComplete = (self: Open | Closing): boolean => isDeaf(self)

/**
 * The transport has ended: the state that says how. `cause` is why, and counts unless the closing handshake was
 * complete or a violation came first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const end = (self: State, cause: TransportError): Closed => {
  if (self._tag === "Closed") return self
  if (self._tag === "Closing") {
    if (isViolation(self.cause)) return { _tag: "Closed", reason: CloseReason.Violation({ error: self.cause }) }
    if (self.received !== undefined) {
      const reason =
        self.cause === "Drain"
          ? CloseReason.Drained(self.received)
          : CloseReason.Clean({ ...self.received, initiator: self.initiator })
      return { _tag: "Closed", reason }
    }
  }
  return { _tag: "Closed", reason: CloseReason.Aborted({ cause }) }
}

/**
 * Whether a message has begun of which the end has not come.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUnfinished = (self: Open | Closing): boolean => self.unfinished !== undefined

/**
 * Bytes of memory kept for a message of which the end has not come.
 *
 * @category getters
 * @since 0.1.0
 */
export const pinned = (self: Open | Closing): number =>
  self.unfinished === undefined ? 0 : Assembly.pinned(self.unfinished)
