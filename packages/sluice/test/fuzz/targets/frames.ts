/** The decoder of frames and the machine of an open connection, both roles. */
import { Either } from "effect"
import * as CloseCode from "../../../src/CloseCode.js"
import * as Frame from "../../../src/Frame.js"
import * as Accumulator from "../../../src/internal/accumulator.js"
import { TransportError } from "../../../src/internal/transportError.js"
import * as Limits from "../../../src/Limits.js"
import * as Message from "../../../src/Message.js"
import * as Protocol from "../../../src/Protocol.js"
import { concat, toHex, utf8 } from "../../support/bytes.js"
import { inputs, type Setting, settingOf } from "../inputs/frames.js"
import * as Oracle from "../oracles/frames.js"
import * as Utf8 from "../oracles/utf8.js"
import { chunksOf, must, mustBeBytes, mustEqual, split, type Target } from "../target.js"

const smallest = 64
const growth = 4
const longestControl = 125 + 14

// --- the decoder

interface Decoded {
  readonly frames: ReadonlyArray<Frame.Frame>
  readonly error: Frame.FrameError | undefined
}

const other = Uint8Array.of(0x81, 1, 0x61, 0x89, 0, 0xff)

const decode = (chunks: ReadonlyArray<Uint8Array>, options: Frame.DecodeOptions): Decoded => {
  const frames: Array<Frame.Frame> = []
  let decoder = Frame.decoder(options)
  for (const chunk of chunks) {
    const before = chunk.slice()
    const decoded = Frame.decodeChunk(decoder, chunk)
    // A decoder is a value: what else it might have read does not matter.
    Frame.decodeChunk(decoder, other)
    mustBeBytes(chunk, before, "the decoder does not change what it reads")
    frames.push(...decoded.frames)
    if (decoded.error !== undefined) return { frames, error: decoded.error }
    decoder = decoded.decoder
    must(decoder.input.bytes.buffer.byteLength <= longestControl, "half a header is not kept with its chunk")
    const kept = decoder.payload.length
    must(!Limits.isAbove(kept, options.maxFramePayload ?? "unbounded"), "at most one frame is kept")
    must(Accumulator.pinned(decoder.payload) <= Math.max(smallest, growth * kept), "what a decoder pins is bounded")
  }
  return { frames, error: Frame.decodeEnd(decoder) }
}

const showDecoded = ({ error, frames }: Decoded): unknown => [frames, error?.message]

const checkDecoder = (bytes: Uint8Array, seed: number, { isLenient, limits, role }: Setting): void => {
  const { maxFramePayload } = limits
  const options: Frame.DecodeOptions = isLenient ? { maxFramePayload, reserved: ["rsv1"] } : { maxFramePayload, role }
  const decoded = decode([bytes.slice()], options)
  mustEqual(showDecoded(decode(chunksOf(bytes, seed), options)), showDecoded(decoded), "chunks do not matter to frames")
  // Every length has one form only, so that what is accepted is written as it came.
  const written = concat(decoded.frames.map(Frame.toBytes))
  mustBeBytes(written, bytes.subarray(0, written.length), "a frame is written as it was read")
  const rules = { masked: isLenient ? undefined : role === "server", reserved: isLenient ? 0x40 : 0, maxFramePayload }
  let at = 0
  let next = Oracle.frameAt(bytes, at, rules)
  for (; typeof next === "object" && next.isWhole; next = Oracle.frameAt(bytes, at, rules)) at = next.end
  const end = at === bytes.length ? undefined : "UnexpectedEnd"
  mustEqual(
    [written.length, decoded.error?.reason],
    [at, typeof next === "string" ? next : end],
    "frames are as §5.2 says"
  )
  if (decoded.error !== undefined) must(CloseCode.isSendable(decoded.error.closeCode), "a violation has a close code")
}

// --- the connection

interface Seen {
  readonly state: Protocol.Open | Protocol.Closing
  readonly steps: ReadonlyArray<Protocol.Step>
}

const receive = (
  start: Protocol.Open | Protocol.Closing,
  chunks: ReadonlyArray<Uint8Array>,
  max: ReadonlyArray<number>,
  { maxMessageSize }: Setting["limits"]
): Seen => {
  const steps: Array<Protocol.Step> = []
  let state = start
  for (const chunk of chunks) {
    for (let bytes = chunk; ; bytes = new Uint8Array(0)) {
      const step = Protocol.receive(state, bytes, max[steps.length % max.length])
      if (bytes === chunk) Protocol.receive(state, other.slice())
      steps.push(step)
      state = step.state
      const most = maxMessageSize === "unbounded" ? Number.POSITIVE_INFINITY : growth * maxMessageSize
      must(Protocol.pinned(state) <= Math.max(smallest, most), "what an unfinished message pins is bounded")
      if (step.more) continue
      must(state.input.bytes.buffer.byteLength <= longestControl, "a connection does not keep what it has read")
      break
    }
  }
  return { state, steps }
}

const showMessage = (type: Message.Message["_tag"], payload: Uint8Array): string => `${type} ${toHex(payload)}`

/** Whole messages; `begun` is what there is of a last one that is not whole. */
const messagesOf = (
  items: ReadonlyArray<Message.Message | Message.Piece>
): { readonly whole: ReadonlyArray<string>; readonly begun: ReadonlyArray<Message.Piece> } => {
  const whole: Array<string> = []
  let begun: Array<Message.Piece> = []
  for (const item of items) {
    if (item._tag !== "Piece") {
      whole.push(showMessage(item._tag, Message.payload(item)))
      continue
    }
    must(item.first === (begun.length === 0), "the first piece of a message says so, and no other")
    if (item.type === "Text") must(Utf8.check(item.bytes) === "Text", "each piece of a text is a text")
    begun.push(item)
    must(item.type === begun[0].type, "the pieces of a message are of one type")
    if (!item.last) continue
    whole.push(showMessage(item.type, concat(begun.map(({ bytes }) => bytes))))
    begun = []
  }
  return { whole, begun }
}

const showReply = ({ fin, maskingKey, opcode, payload, rsv1, rsv2, rsv3 }: Frame.Frame): string => {
  must(
    fin && !rsv1 && !rsv2 && !rsv3 && maskingKey === undefined && payload.length <= 125,
    "a reply is a control frame"
  )
  if (opcode === Frame.Opcode.Pong) return `Pong ${toHex(payload)}`
  must(opcode === Frame.Opcode.Close, "a reply is a Pong or a Close")
  if (payload.length === 0) return "Close"
  const code = (payload[0] << 8) | payload[1]
  must(CloseCode.isSendable(code), "a Close frame of ours has a code that may be sent", () => String(code))
  return `Close ${code} ${Buffer.from(payload.subarray(2)).toString("utf8")}`
}

const heardOf = ({ state, steps }: Seen): Oracle.Heard => {
  const cause = state._tag === "Closing" ? state.cause : undefined
  const received = state._tag === "Closing" ? state.received : undefined
  return {
    messages: [...messagesOf(steps.flatMap(({ messages }) => messages)).whole],
    replies: steps.flatMap(({ replies }) => replies.map(showReply)),
    pongs: steps.flatMap(({ pongs }) => pongs.map(toHex)),
    controls: steps.reduce((sum, { controls }) => sum + controls, 0),
    violation: cause === undefined || cause === "Drain" ? undefined : cause.reason,
    close: received === undefined ? undefined : { code: received.code, reason: toHex(utf8(received.reason)) },
    isUnfinished: Protocol.isUnfinished(state)
  }
}

const left = new TransportError({ reason: "UnexpectedEnd", operation: "read", detail: "the peer has left" })

/** How the connection ends after all this, by the three cases of RFC 6455 §7.1.5 and §7.1.7. */
const checkEnd = ({ state }: Seen, { close, violation }: Oracle.Heard): void => {
  must(Protocol.isComplete(state) === (violation !== undefined || close !== undefined), "an end is known as such")
  if (Protocol.isComplete(state)) must(state.input.bytes.length === 0, "nothing is kept after the end")
  const { reason } = Protocol.end(state, left)
  const code = Protocol.codeOf(reason)
  mustEqual(Protocol.isClean(reason), close !== undefined, "a connection is closed cleanly by both Close frames")
  if (violation !== undefined) must(CloseCode.isSendable(code), "a violation has a close code", () => violation)
  else mustEqual(code, close?.code ?? CloseCode.AbnormalClosure, "the code of the end is that of the peer, or 1006")
}

const strides: ReadonlyArray<ReadonlyArray<number>> = [[Number.POSITIVE_INFINITY], [1], [2, 1, 3], [5]]

/** What the decoder and the assembler say of the same bytes. */
const assembled = (bytes: Uint8Array, { limits, role }: Setting): ReadonlyArray<string> => {
  const { frames } = Frame.decodeChunk(Frame.decoder({ role, maxFramePayload: limits.maxFramePayload }), bytes.slice())
  const end = frames.findIndex(({ opcode }) => opcode === Frame.Opcode.Close)
  const { messages } = Message.assembleFrames(Message.assembler(limits), end === -1 ? frames : frames.slice(0, end))
  return messages.flatMap((message) =>
    message._tag === "Frame" ? [] : [showMessage(message._tag, Message.payload(message))]
  )
}

const checkConnection = (bytes: Uint8Array, seed: number, setting: Setting): Oracle.Heard => {
  const { isClosing, isInPieces, limits, role } = setting
  const open = Protocol.open({ role, limits: Limits.make(limits) })
  const begun = isInPieces ? Protocol.inPieces(open) : open
  const start = isClosing ? Either.getOrThrow(Protocol.close(begun)).state : begun
  const seen = receive(start, [bytes.slice()], [Number.POSITIVE_INFINITY], limits)
  const heard = heardOf(seen)
  mustEqual(
    heard,
    Oracle.hear(bytes, { masked: role === "server", reserved: 0, isClosing, ...limits }),
    "a connection hears what §5 says"
  )
  const cut = receive(start, chunksOf(bytes, seed), strides[seed & 3], limits)
  mustEqual(heardOf(cut), heard, "chunks do not matter to a connection")
  checkEnd(seen, heard)
  checkEnd(cut, heard)
  if (!isClosing)
    mustEqual(
      assembled(bytes, setting).slice(0, heard.messages.length),
      heard.messages,
      "frames make up the same messages"
    )
  const replies = concat(
    seen.steps
      .flatMap(({ replies }) => replies)
      .map((frame) => Frame.toBytes({ ...frame, maskingKey: role === "client" ? seed : undefined }))
  )
  const peer = Protocol.open({ role: role === "client" ? "server" : "client", limits: Limits.defaults })
  const { state } = Protocol.receive(peer, replies)
  must(state._tag === "Open" || state.cause === undefined, "the peer takes each reply")
  return heard
}

const run = (input: Uint8Array): string => {
  const [option = 0, seed = 0] = input
  const bytes = input.slice(2)
  const setting = settingOf(option)
  checkDecoder(bytes, seed, setting)
  const { close, isUnfinished, messages, violation } = checkConnection(bytes, seed, setting)
  return (
    violation ??
    (close !== undefined ? "Close" : isUnfinished ? "Unfinished" : messages.length > 0 ? "Messages" : "Nothing")
  )
}

export const frames: Target = {
  name: "frames",
  ...inputs,
  run,
  outcomes: [
    ...split("Messages|Unfinished|Close|Nothing|ReservedBit|ReservedOpcode|NonMinimalLength|LengthOverflow"),
    ...split("UnmaskedFrame|MaskedFrame|FragmentedControlFrame|ControlFrameTooLong|FrameTooBig|InvalidUtf8"),
    ...split("UnexpectedContinuation|ExpectedContinuation|MessageTooBig|TooManyFragments"),
    ...split("InvalidClosePayload|InvalidCloseCode|InvalidCloseReason")
  ],
  mostWork: (size) => 50_000 + 1500 * size
}
