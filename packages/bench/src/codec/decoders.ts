/** What is measured: each takes chunks, and says how many messages and bytes they held. */
import { createRequire } from "node:module"
import * as Frame from "sluice/Frame"
import * as Limits from "sluice/Limits"
import * as Protocol from "sluice/Protocol"

/** What was decoded so far. */
export interface Tally {
  messages: number
  bytes: number
  /** The sum of the last bytes of the payloads. */
  last: number
}

export type Decoder = (tally: Tally) => (chunk: Uint8Array) => void

const limits = Limits.make({
  maxFramePayload: "unbounded",
  maxMessageSize: "unbounded",
  maxFragments: "unbounded"
})

const count = (tally: Tally, payload: Uint8Array) => {
  tally.messages++
  tally.bytes += payload.length
  tally.last += payload[payload.length - 1] ?? 0
}

const nothing = new Uint8Array(0)

/** As many messages at a time as a connection takes whose handler keeps up. */
const atOnce = Number(Limits.defaults.receiveWindowMessages)

const protocol: Decoder = (tally) => {
  let state: Protocol.Open | Protocol.Closing = Protocol.open({ role: "server", limits })
  return (chunk) => {
    for (let bytes = chunk, more = true; more; bytes = nothing) {
      const step = Protocol.receive(state, bytes, atOnce)
      for (const message of step.messages) if (message._tag === "Binary") count(tally, message.bytes)
      state = step.state
      more = step.more
    }
  }
}

const frames: Decoder = (tally) => {
  let decoder = Frame.decoder({ role: "server", maxFramePayload: "unbounded" })
  return (chunk) => {
    const decoded = Frame.decodeChunk(decoder, chunk)
    decoder = decoded.decoder
    for (const { payload } of decoded.frames) count(tally, payload)
  }
}

interface Receiver {
  readonly on: (event: "message", handler: (payload: Buffer) => void) => void
  readonly write: (chunk: Uint8Array) => void
}

/** `ws` exports it; its types do not say so. */
interface Ws {
  readonly Receiver: new (options: { readonly isServer: boolean; readonly maxPayload: number }) => Receiver
}

const ws: Decoder = (tally) => {
  const { Receiver } = createRequire(import.meta.url)("ws") as Ws
  const receiver = new Receiver({ isServer: true, maxPayload: 64 * 1024 * 1024 })
  receiver.on("message", (payload) => count(tally, payload))
  return (chunk) => receiver.write(chunk)
}

/** What every pass costs, since the chunks are filled anew before they are decoded. */
const memcpy: Decoder = () => () => {}

export const decoders = { "Protocol.receive": protocol, "Frame.decodeChunk": frames, ws, memcpy } as const
export type DecoderName = keyof typeof decoders
