/**
 * Frames: the unit of RFC 6455 §5, between bytes and messages.
 *
 * `decode` and `encode` turn a stream of byte chunks into one of frames and back; `decodeChunk` is the pure step below
 * both faces of `decode`. The module checks each frame by itself; what the rules say of several frames (fragments,
 * UTF-8, nothing after Close) is in `Message` and `Protocol`.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Stream from "effect/Stream"
import * as Accumulator from "./internal/accumulator.js"
import { FrameError } from "./internal/frameError.js"
import * as FrameHeader from "./internal/frameHeader.js"
import * as FramePart from "./internal/framePart.js"
import { mask } from "./internal/masking.js"
import * as Limits from "./Limits.js"

export { FrameError }

/**
 * The opcodes of RFC 6455 §11.8.
 *
 * @category constants
 * @since 0.1.0
 */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const

/**
 * An opcode that RFC 6455 §11.8 assigns.
 *
 * @category models
 * @since 0.1.0
 */
export type Opcode = (typeof Opcode)[keyof typeof Opcode]

/**
 * One frame (RFC 6455 §5.2). The payload is unmasked; the masking key says how it is, or was, on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Frame {
  /** Tells a frame from a message. */
  readonly _tag: "Frame"
  /** Whether this is the last fragment of its message. */
  readonly fin: boolean
  /** Of `permessage-deflate`, if negotiated: the message is compressed. */
  readonly rsv1: boolean
  /** Not assigned. */
  readonly rsv2: boolean
  /** Not assigned. */
  readonly rsv3: boolean
  /** How the payload is to be understood. */
  readonly opcode: Opcode
  /** An unsigned 32-bit number, its most significant byte first on the wire; `undefined` if not masked. */
  readonly maskingKey: number | undefined
  /** The bytes of the payload, not masked. */
  readonly payload: Uint8Array
}

/**
 * Makes a frame: FIN set, no reserved bit and no masking key unless said otherwise.
 *
 * @example
 * ```ts
 * import { Frame } from "sluice"
 *
 * const ping = Frame.make(Frame.Opcode.Ping, new Uint8Array([1, 2, 3]))
 * const masked = Frame.make(Frame.Opcode.Binary, new Uint8Array(8), { maskingKey: 0x37fa213d })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  opcode: Opcode,
  payload: Uint8Array,
  options: Partial<Omit<Frame, "_tag" | "opcode" | "payload">> = {}
): Frame => ({
  _tag: "Frame",
  fin: options.fin ?? true,
  rsv1: options.rsv1 ?? false,
  rsv2: options.rsv2 ?? false,
  rsv3: options.rsv3 ?? false,
  opcode,
  maskingKey: options.maskingKey,
  payload
})

/**
 * Whether the frame is a Close, Ping or Pong (RFC 6455 §5.5).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isControl = (self: Frame): boolean => self.opcode >= 8

/**
 * Whether the frame carries a part of a message (RFC 6455 §5.6).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isData = (self: Frame): boolean => self.opcode < 8

/**
 * What a decoder accepts.
 *
 * @category models
 * @since 0.1.0
 */
export interface DecodeOptions {
  /**
   * Who decodes: a `"server"` takes masked frames only, a `"client"` unmasked ones only (RFC 6455 §5.1). By default
   * both are taken, as a program that watches a connection needs it.
   */
  readonly role?: "client" | "server" | undefined
  /** Payload bytes of one frame, checked on its header; 1 MiB by default. */
  readonly maxFramePayload?: Limits.Limit | undefined
  /** Reserved bits for which an extension was negotiated; none by default. */
  readonly reserved?: ReadonlyArray<"rsv1" | "rsv2" | "rsv3"> | undefined
}

/**
 * Where a decoder is between two chunks. A value: a decoder may be continued twice with different bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoder {
  /** Tells a decoder from other states. */
  readonly _tag: "Decoder"
  /** @internal */
  readonly reading: FramePart.Reading
  /** @internal */
  readonly input: FramePart.Input
  /** @internal Payload of a frame of which the end has not come. */
  readonly payload: Accumulator.Accumulator
}

const reservedBits = { rsv1: 4, rsv2: 2, rsv3: 1 } as const

/**
 * A decoder that has seen nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decoder = (options: DecodeOptions = {}): Decoder => ({
  _tag: "Decoder",
  reading: {
    masked: options.role === undefined ? undefined : options.role === "server",
    rsv: (options.reserved ?? []).reduce((bits, bit) => bits | reservedBits[bit], 0),
    maxFramePayload: options.maxFramePayload ?? Limits.defaults.maxFramePayload,
    // The chunks of a stream belong to whoever made it.
    inPlace: false
  },
  input: FramePart.nothing,
  payload: Accumulator.empty
})

/**
 * What came out of one chunk: the whole frames, then perhaps an error, after which nothing can be decoded any more.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoded {
  /** The decoder for the next chunk. */
  readonly decoder: Decoder
  /** The frames that the chunk completed, in order. */
  readonly frames: ReadonlyArray<Frame>
  /** What was wrong after the last of the frames. */
  readonly error: FrameError | undefined
}

/**
 * Decodes one chunk; the pure step below `decode`. The chunk is not changed; payloads that were not masked are views
 * of it. Any cutting of the same bytes into chunks gives the same frames and the same error.
 *
 * @example
 * ```ts
 * import { Frame } from "sluice"
 *
 * // RFC 6455 §5.7: a single-frame unmasked text message, "Hello"
 * const { frames } = Frame.decodeChunk(
 *   Frame.decoder({ role: "client" }),
 *   new Uint8Array([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
 * )
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeChunk = (self: Decoder, chunk: Uint8Array): Decoded => {
  const { error, input, parts } = FramePart.readParts(
    FramePart.feed(self.input, chunk),
    self.reading,
    Number.POSITIVE_INFINITY
  )
  const frames: Array<Frame> = []
  let payload = self.payload
  for (const part of parts) {
    const whole = part.first && FramePart.isLast(part)
    if (!whole) payload = Accumulator.append(payload, part.payload)
    if (FramePart.isLast(part)) {
      frames.push(fromPart(part, whole ? part.payload : Accumulator.toBytes(payload)))
      payload = Accumulator.empty
    }
  }
  return { decoder: { _tag: "Decoder", reading: self.reading, input, payload }, frames, error }
}

const fromPart = (part: FramePart.FramePart, payload: Uint8Array): Frame => ({
  _tag: "Frame",
  fin: part.fin,
  rsv1: (part.rsv & 4) !== 0,
  rsv2: (part.rsv & 2) !== 0,
  rsv3: (part.rsv & 1) !== 0,
  // `readParts` refuses every opcode that is not assigned
  opcode: part.opcode as Opcode,
  maskingKey: part.maskingKey === undefined ? undefined : part.maskingKey >>> 0,
  payload
})

/**
 * The error of a connection that ends here: `UnexpectedEnd` inside a frame, otherwise nothing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeEnd = (self: Decoder): FrameError | undefined => {
  const header = self.input.bytes.length - self.input.at
  if (header === 0 && self.input.part === undefined) return undefined
  const detail =
    self.input.part === undefined
      ? `the bytes end ${header} bytes into a frame`
      : `the bytes end after ${self.payload.length} of the ${self.input.part.length} payload bytes of a frame`
  return new FrameError({ reason: "UnexpectedEnd", detail })
}

/**
 * Decodes frames, as a channel; see `decode`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeChannel = <IE = never, Done = unknown>(
  options?: DecodeOptions
): Channel.Channel<Chunk.Chunk<Frame>, Chunk.Chunk<Uint8Array>, IE | FrameError, IE, Done, Done> => {
  const loop = (
    state: Decoder
  ): Channel.Channel<Chunk.Chunk<Frame>, Chunk.Chunk<Uint8Array>, IE | FrameError, IE, Done, Done> =>
    Channel.readWithCause({
      onInput: (chunks: Chunk.Chunk<Uint8Array>) => {
        const frames: Array<Frame> = []
        let next = state
        let error: FrameError | undefined
        for (const chunk of chunks) {
          const decoded = decodeChunk(next, chunk)
          for (const frame of decoded.frames) frames.push(frame)
          next = decoded.decoder
          error = decoded.error
          if (error !== undefined) break
        }
        return Channel.zipRight(
          Channel.write(Chunk.unsafeFromArray(frames)),
          error === undefined ? loop(next) : Channel.fail(error)
        )
      },
      onFailure: Channel.failCause,
      onDone: (done) => {
        const error = decodeEnd(state)
        return error === undefined ? Channel.succeed(done) : Channel.fail(error)
      }
    })
  return Channel.suspend(() => loop(decoder(options)))
}

/**
 * Decodes a stream of byte chunks into frames (RFC 6455 §5.2).
 *
 * Fails with `FrameError` after the frames before the fault, and with reason `UnexpectedEnd` when the bytes end inside
 * a frame. At most one frame is kept.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Frame } from "sluice"
 *
 * const frames = Stream.make(new Uint8Array([0x89]), new Uint8Array([0x00])).pipe(Frame.decode({ role: "client" }))
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  (options?: DecodeOptions) =>
  <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Frame, E | FrameError, R> =>
    Stream.pipeThroughChannel(self, decodeChannel<E>(options))

/**
 * The bytes of one frame (RFC 6455 §5.2); the payload is copied and, with a masking key, masked.
 *
 * A frame is written as it is, also one that a peer must refuse: that is how refusals are tested.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toBytes = (self: Frame): Uint8Array => {
  const length = self.payload.length
  const bytes = new Uint8Array(FrameHeader.size(length, self.maskingKey !== undefined) + length)
  const start = FrameHeader.write(bytes, 0, firstByte(self), length, self.maskingKey)
  bytes.set(self.payload, start)
  if (self.maskingKey !== undefined) mask(bytes, start, bytes.length, self.maskingKey, 0)
  return bytes
}

const firstByte = (self: Frame): number =>
  (self.fin ? 0x80 : 0) | (self.rsv1 ? 0x40 : 0) | (self.rsv2 ? 0x20 : 0) | (self.rsv3 ? 0x10 : 0) | self.opcode

/**
 * Encodes frames, as a channel; see `encode`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeChannel = <IE = never, Done = unknown>(): Channel.Channel<
  Chunk.Chunk<Uint8Array>,
  Chunk.Chunk<Frame>,
  IE,
  IE,
  Done,
  Done
> =>
  Channel.readWithCause({
    onInput: (frames: Chunk.Chunk<Frame>) =>
      Channel.zipRight(Channel.write(Chunk.map(frames, toBytes)), encodeChannel<IE, Done>()),
    onFailure: Channel.failCause,
    onDone: Channel.succeed
  })

/**
 * Encodes a stream of frames into byte chunks, one chunk a frame.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Frame } from "sluice"
 *
 * const bytes = Stream.make(Frame.make(Frame.Opcode.Pong, new Uint8Array(0))).pipe(Frame.encode)
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = <E, R>(self: Stream.Stream<Frame, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.pipeThroughChannel(self, encodeChannel<E>())
