/**
 * Messages: what applications exchange, each one frame or several (RFC 6455 §5.4, §5.6).
 *
 * `assemble` turns frames into messages, checking the order of fragments, the limits and UTF-8 as the bytes come;
 * `fragment` goes the other way. Control frames pass through. The module knows nothing of connections.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Stream from "effect/Stream"
import * as Frame from "./Frame.js"
import * as Assembly from "./internal/assembly.js"
import type { FramePart } from "./internal/framePart.js"
import { type Binary, type Message, MessageError, type Piece, type Text } from "./internal/message.js"
import { encodeUtf8 } from "./internal/webPlatform.js"
import * as Limits from "./Limits.js"

export { type Binary, type Message, MessageError, type Piece, type Text }

/**
 * Makes a text message.
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = (text: string): Text => ({ _tag: "Text", text })

/**
 * Makes a binary message. The bytes are not copied.
 *
 * @category constructors
 * @since 0.1.0
 */
export const binary = (bytes: Uint8Array): Binary => ({ _tag: "Binary", bytes })

/**
 * Whether the message is a text; narrows its type.
 *
 * @category guards
 * @since 0.1.0
 */
export const isText = (self: Message): self is Text => self._tag === "Text"

/**
 * Whether the message is binary; narrows its type.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBinary = (self: Message): self is Binary => self._tag === "Binary"

/**
 * The payload of a message: its bytes, or its text in UTF-8, where a lone surrogate becomes U+FFFD.
 *
 * @category getters
 * @since 0.1.0
 */
export const payload = (self: Message): Uint8Array => (self._tag === "Text" ? encodeUtf8(self.text) : self.bytes)

/**
 * A message that was encoded once, to be sent to many; made by `encode`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encoded {
  /** Tells an encoded message from others. */
  readonly _tag: "Encoded"
  /** `Text` or `Binary`. */
  readonly type: Message["_tag"]
  /** The payload, for clients, which mask it anew for each connection (RFC 6455 §5.3). */
  readonly payload: Uint8Array
  /** The one frame as a server sends it. */
  readonly frame: Uint8Array
}

/**
 * Encodes a message once. Each connection to which it is sent shares the bytes.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Message, type WebSocket } from "sluice"
 *
 * const broadcast = (sockets: Iterable<WebSocket.WebSocket>, text: string) => {
 *   const encoded = Message.encode(Message.text(text))
 *   return Effect.forEach(sockets, (socket) => Effect.ignore(socket.send(encoded)), { discard: true })
 * }
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (self: Message): Encoded => {
  const bytes = payload(self)
  return { _tag: "Encoded", type: self._tag, payload: bytes, frame: Frame.toBytes(Frame.make(opcodeOf(self), bytes)) }
}

const opcodeOf = (self: Message): Frame.Opcode => Frame.Opcode[self._tag]

/**
 * How much of a message `assemble` accepts.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssembleOptions {
  /** Payload bytes of one message, checked as its frames announce them; 1 MiB by default. */
  readonly maxMessageSize?: Limits.Limit | undefined
  /** Fragments of one message; 1,024 by default. */
  readonly maxFragments?: Limits.Limit | undefined
}

/**
 * Where the assembly is between two frames. A value: it may be continued twice with different frames.
 *
 * @category models
 * @since 0.1.0
 */
export interface Assembler {
  /** Tells an assembler from other states. */
  readonly _tag: "Assembler"
  /** @internal */
  readonly limits: Assembly.Assembling
  /** @internal */
  readonly unfinished: Assembly.Unfinished | undefined
}

/**
 * An assembler that has seen nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const assembler = (options: AssembleOptions = {}): Assembler => ({
  _tag: "Assembler",
  limits: {
    maxMessageSize: options.maxMessageSize ?? Limits.defaults.maxMessageSize,
    maxFragments: options.maxFragments ?? Limits.defaults.maxFragments
  },
  unfinished: undefined
})

/**
 * What came out of some frames: messages and control frames in their order, then perhaps an error.
 *
 * @category models
 * @since 0.1.0
 */
export interface Assembled {
  /** The assembler for the next frames. */
  readonly assembler: Assembler
  /** The messages that were completed, and the control frames between them. */
  readonly messages: ReadonlyArray<Message | Frame.Frame>
  /** What was wrong after the last of the messages. */
  readonly error: MessageError | undefined
}

/**
 * Assembles the messages that some frames complete; the pure step below `assemble`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const assembleFrames = (self: Assembler, frames: Iterable<Frame.Frame>): Assembled => {
  const messages: Array<Message | Frame.Frame> = []
  let { unfinished } = self
  for (const frame of frames) {
    if (Frame.isControl(frame)) {
      messages.push(frame)
      continue
    }
    const next = Assembly.assemble(unfinished, wholePart(frame), self.limits)
    if (next._tag === "MessageError") return { assembler: { ...self, unfinished }, messages, error: next }
    unfinished = next._tag === "Unfinished" ? next : undefined
    if (next._tag !== "Unfinished") messages.push(next)
  }
  return { assembler: { ...self, unfinished }, messages, error: undefined }
}

const wholePart = (frame: Frame.Frame): FramePart => ({
  fin: frame.fin,
  rsv: 0,
  opcode: frame.opcode,
  maskingKey: frame.maskingKey,
  length: frame.payload.length,
  offset: 0,
  first: true,
  payload: frame.payload,
  end: 0
})

/**
 * Assembles messages, as a channel; see `assemble`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const assembleChannel = <IE = never, Done = unknown>(
  options?: AssembleOptions
): Channel.Channel<Chunk.Chunk<Message | Frame.Frame>, Chunk.Chunk<Frame.Frame>, IE | MessageError, IE, Done, Done> => {
  const loop = (
    state: Assembler
  ): Channel.Channel<Chunk.Chunk<Message | Frame.Frame>, Chunk.Chunk<Frame.Frame>, IE | MessageError, IE, Done, Done> =>
    Channel.readWithCause({
      onInput: (frames: Chunk.Chunk<Frame.Frame>) => {
        const { assembler, error, messages } = assembleFrames(state, frames)
        return Channel.zipRight(
          Channel.write(Chunk.fromIterable(messages)),
          error === undefined ? loop(assembler) : Channel.fail(error)
        )
      },
      onFailure: Channel.failCause,
      onDone: (done) =>
        state.unfinished === undefined
          ? Channel.succeed(done)
          : Channel.fail(new MessageError({ reason: "UnexpectedEnd", detail: "the frames end inside a message" }))
    })
  return Channel.suspend(() => loop(assembler(options)))
}

/**
 * Assembles frames into messages (RFC 6455 §5.4). Control frames between fragments pass through in order.
 *
 * Fails with `MessageError` after the messages before the fault; a text that is not UTF-8 fails at its first bad byte.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Frame, Message } from "sluice"
 *
 * const messages = (bytes: Stream.Stream<Uint8Array>) =>
 *   bytes.pipe(Frame.decode({ role: "server" }), Message.assemble({ maxMessageSize: 4096 }))
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const assemble =
  (options?: AssembleOptions) =>
  <E, R>(self: Stream.Stream<Frame.Frame, E, R>): Stream.Stream<Message | Frame.Frame, E | MessageError, R> =>
    Stream.pipeThroughChannel(self, assembleChannel<E>(options))

/**
 * How `fragment` cuts.
 *
 * @category models
 * @since 0.1.0
 */
export interface FragmentOptions {
  /** Largest payload of one frame in bytes, at least 1; one frame a message by default. */
  readonly maxFramePayload?: number | undefined
}

/**
 * The frames of one message: the first with its opcode, the others continuations, FIN on the last (RFC 6455 §5.4).
 *
 * @category encoding
 * @since 0.1.0
 */
export const toFrames = (self: Message, options: FragmentOptions = {}): ReadonlyArray<Frame.Frame> => {
  const bytes = payload(self)
  const size = Math.max(1, options.maxFramePayload ?? bytes.length)
  const frames: Array<Frame.Frame> = []
  let at = 0
  do {
    frames.push(
      Frame.make(at === 0 ? opcodeOf(self) : Frame.Opcode.Continuation, bytes.subarray(at, at + size), {
        fin: at + size >= bytes.length
      })
    )
    at += size
  } while (at < bytes.length)
  return frames
}

/**
 * Fragments messages, as a channel; see `fragment`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const fragmentChannel = <IE = never, Done = unknown>(
  options?: FragmentOptions
): Channel.Channel<Chunk.Chunk<Frame.Frame>, Chunk.Chunk<Message>, IE, IE, Done, Done> =>
  Channel.readWithCause({
    onInput: (messages: Chunk.Chunk<Message>) =>
      Channel.zipRight(
        Channel.write(Chunk.flatMap(messages, (message) => Chunk.fromIterable(toFrames(message, options)))),
        fragmentChannel<IE, Done>(options)
      ),
    onFailure: Channel.failCause,
    onDone: Channel.succeed
  })

/**
 * Turns messages into frames (RFC 6455 §5.4). The frames have no masking key: a client sets one on each.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Frame, Message } from "sluice"
 *
 * const bytes = Stream.make(Message.text("Hello")).pipe(Message.fragment({ maxFramePayload: 2 }), Frame.encode)
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const fragment =
  (options?: FragmentOptions) =>
  <E, R>(self: Stream.Stream<Message, E, R>): Stream.Stream<Frame.Frame, E, R> =>
    Stream.pipeThroughChannel(self, fragmentChannel<E>(options))
