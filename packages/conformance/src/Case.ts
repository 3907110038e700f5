/**
 * One case of the list: what is sent to an endpoint, what must come back, and the section of the RFC that says so.
 *
 * A case is plain data, so that it can be printed as JSON and played by programs that are not this one. The endpoint
 * under test echoes every message, as text or as binary, and does nothing else of its own. A case whose endpoint needs
 * more than that says so in `setup`; an endpoint that cannot be set up so, such as one known by its URL only, is not
 * asked.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Bytes as data: text stands for its UTF-8, and `repeat` for as many times the same.
 *
 * @category models
 * @since 0.1.0
 */
export type Bytes =
  | string
  | { readonly hex: string }
  | { readonly repeat: Bytes; readonly times: number }
  | ReadonlyArray<Bytes>

/**
 * The schema of bytes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Bytes: Schema.Schema<Bytes> = Schema.Union(
  Schema.String,
  Schema.Struct({ hex: Schema.String }),
  Schema.Struct({ repeat: Schema.suspend(() => Bytes), times: Schema.Number }),
  Schema.Array(Schema.suspend(() => Bytes))
).annotations({ identifier: "Bytes" })

/**
 * A frame that is sent, legal or not (RFC 6455 §5.2).
 *
 * What is left out is as it should be: `fin` is set, `rsv` is zero, the payload is empty, the frame is masked if the
 * endpoint is a server, the length is that of the payload, in the fewest bits.
 *
 * @category models
 * @since 0.1.0
 */
export const Frame = Schema.Struct({
  opcode: Schema.Number,
  fin: Schema.optional(Schema.Boolean),
  /** RSV1, RSV2 and RSV3 as the bits 4, 2 and 1. */
  rsv: Schema.optional(Schema.Number),
  payload: Schema.optional(Bytes),
  /** Whether it is masked; the key is `key`, or one that the runner draws. */
  masked: Schema.optional(Schema.Boolean),
  /** The masking key, eight hexadecimal digits. */
  key: Schema.optional(Schema.String),
  /** The length that the header announces, in decimal digits, where it is not that of the payload. */
  length: Schema.optional(Schema.String),
  /** In how many bits the length is written: 7, 16 or 64. */
  form: Schema.optional(Schema.Literal(7, 16, 64)),
  /** How many bytes of the frame are sent, where it breaks off. */
  cut: Schema.optional(Schema.Number)
}).annotations({ identifier: "Frame" })

/**
 * The type of such a frame.
 *
 * @category models
 * @since 0.1.0
 */
export type Frame = typeof Frame.Type

/**
 * A message of the endpoint, however it is fragmented.
 *
 * @category models
 * @since 0.1.0
 */
export const Message = Schema.Struct({
  type: Schema.Literal("text", "binary"),
  payload: Bytes
}).annotations({ identifier: "Message" })

/**
 * The type of such a message.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = typeof Message.Type

/**
 * One thing that the runner does, or demands of the endpoint.
 *
 * - `SendFrames`, `SendBytes`: sent in one write.
 * - `EndOutput`: the runner has nothing more to say, and reads on. `Reset`: it resets the connection.
 * - `Request`: the head of a request, for a server. `{host}`, `{path}` and `{key}` stand for what the runner knows.
 * - `Response`: the head of a reply, for a client. `{accept}` stands for the right `Sec-WebSocket-Accept`, and
 *   `{subprotocol}` for the first that the client offered.
 * - `ReceiveRequest`, `ReceiveResponse`: the head that the endpoint must send: fields it must have, with the value that
 *   is given where one is (a text means equal to it, without regard to case where the RFC has none; `{accept}` as
 *   above), and fields that it must not have.
 * - `Receive`: messages in their order and Pongs in theirs. §5.5.3 lets a Pong answer the Pings before it too: the last
 *   one must come.
 * - `ReceiveClose`: the Close frame with one of these codes; 1005 stands for none. Messages before it are not minded
 *   when `orMessages` is set. With `orEnd` the endpoint may end the connection without a Close, as §7.1.7 allows to who
 *   fails it; since it SHOULD send one, that is remarked.
 * - `ReceiveEnd`: the endpoint ends the connection, or resets it, without a further frame. `withoutFrames` says so even
 *   of a Close.
 *
 * After the last step the runner closes with 1000 and demands the same of an endpoint whose connection is still open.
 *
 * @category models
 * @since 0.1.0
 */
export const Step = Schema.Union(
  Schema.TaggedStruct("SendFrames", { frames: Schema.Array(Frame) }),
  Schema.TaggedStruct("SendBytes", { bytes: Bytes }),
  Schema.TaggedStruct("EndOutput", {}),
  Schema.TaggedStruct("Reset", {}),
  Schema.TaggedStruct("Request", { head: Bytes }),
  Schema.TaggedStruct("Response", { head: Bytes }),
  Schema.TaggedStruct("ReceiveRequest", {
    fields: Schema.Record({ key: Schema.String, value: Schema.NullOr(Schema.String) }),
    absent: Schema.optional(Schema.Array(Schema.String))
  }),
  Schema.TaggedStruct("ReceiveResponse", {
    statuses: Schema.Array(Schema.Number),
    fields: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.NullOr(Schema.String) })),
    absent: Schema.optional(Schema.Array(Schema.String))
  }),
  Schema.TaggedStruct("Receive", {
    messages: Schema.optional(Schema.Array(Message)),
    pongs: Schema.optional(Schema.Array(Bytes))
  }),
  Schema.TaggedStruct("ReceiveClose", {
    codes: Schema.Array(Schema.Number),
    reason: Schema.optional(Bytes),
    orMessages: Schema.optional(Schema.Boolean),
    orEnd: Schema.optional(Schema.Boolean)
  }),
  Schema.TaggedStruct("ReceiveEnd", { withoutFrames: Schema.optional(Schema.Boolean) })
)

/**
 * The type of such a step.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = typeof Step.Type

/**
 * What an endpoint needs beside the echo; sizes in bytes, times in milliseconds. What is left out is its default, which
 * takes messages of at least 64 KiB in at least 64 fragments, and at least 50 control frames in a second.
 *
 * @category models
 * @since 0.1.0
 */
export const Setup = Schema.Struct({
  subprotocols: Schema.optional(Schema.Array(Schema.String)),
  subprotocolRequired: Schema.optional(Schema.Boolean),
  maxHeadSize: Schema.optional(Schema.Number),
  maxFields: Schema.optional(Schema.Number),
  maxTarget: Schema.optional(Schema.Number),
  maxFramePayload: Schema.optional(Schema.Number),
  maxMessageSize: Schema.optional(Schema.Number),
  maxFragments: Schema.optional(Schema.Number),
  maxControlFramesPerSecond: Schema.optional(Schema.Number),
  /** Origins other than its own that a server accepts. */
  origins: Schema.optional(Schema.Array(Schema.String))
}).annotations({ identifier: "Setup" })

/**
 * The type of a setup.
 *
 * @category models
 * @since 0.1.0
 */
export type Setup = typeof Setup.Type

/**
 * The groups of cases, each with its part of the RFC.
 *
 * @category models
 * @since 0.1.0
 */
export const Group = Schema.Literal(
  "framing",
  "fragmentation",
  "utf8",
  "control",
  "close",
  "limits",
  "opening",
  "subprotocols",
  "extensions"
)

/**
 * The type of a group.
 *
 * @category models
 * @since 0.1.0
 */
export type Group = typeof Group.Type

/**
 * One case. A case that does not begin with `Request` or `ReceiveRequest` begins with an open connection.
 *
 * @category models
 * @since 0.1.0
 */
export const Case = Schema.Struct({
  /** Unique and lasting, such as `framing/reserved-bit/rsv1-text`, with the role last where there is one of each. */
  id: Schema.String,
  /** One sentence: what the endpoint must do. */
  title: Schema.String,
  /** What demands it, such as `RFC 6455 §5.2`. */
  section: Schema.String,
  group: Group,
  /** The role of the endpoint under test. */
  role: Schema.Literal("server", "client"),
  steps: Schema.Array(Step),
  setup: Schema.optional(Setup),
  /**
   * Whether the RFC leaves it open, so that something else is no failure: such a case reports what was seen. A case
   * without it is decided by the RFC, or by the limit that its setup states.
   */
  informational: Schema.optional(Schema.Boolean)
}).annotations({ identifier: "Case" })

/**
 * The type of a case.
 *
 * @category models
 * @since 0.1.0
 */
export type Case = typeof Case.Type
