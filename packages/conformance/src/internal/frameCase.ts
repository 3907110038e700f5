/**
 * What the cases of an open connection are made of: frames, steps, and cases for one role or for both.
 *
 * Where the RFC has a MUST for the receiver, or forbids a frame with which a receiver can do nothing right, the case is
 * decided. Where it binds the sender only, or where it says SHOULD, the case is `informational`.
 */
import type { Bytes, Case, Frame, Group, Message, Setup, Step } from "../Case.js"

/** @internal */
export const continuation = (payload: Bytes, fin = true): Frame => ({ opcode: 0, fin, payload })

/** @internal */
export const text = (payload: Bytes, fin = true): Frame => ({ opcode: 1, fin, payload })

/** @internal */
export const binary = (payload: Bytes, fin = true): Frame => ({ opcode: 2, fin, payload })

/** @internal */
export const ping = (payload: Bytes = ""): Frame => ({ opcode: 9, payload })

/** @internal */
export const pong = (payload: Bytes = ""): Frame => ({ opcode: 10, payload })

/** @internal */
export const digits = (value: number, count: number): string => value.toString(16).padStart(count, "0")

/** @internal Without a code its payload is empty. */
export const close = (code?: number, reason: Bytes = ""): Frame =>
  code === undefined ? { opcode: 8 } : { opcode: 8, payload: [{ hex: digits(code, 4) }, reason] }

const period = "007f80ffc328a5"

/** @internal So many bytes, whose period is not that of a masking key, and which are not UTF-8. */
export const bytes = (length: number): Bytes => {
  const times = Math.floor((2 * length) / period.length)
  const rest = { hex: period.slice(0, 2 * length - times * period.length) }
  return times === 0 ? rest : [{ repeat: { hex: period }, times }, rest]
}

/** @internal */
export const sized = (length: number): string => (length === 1 ? "1 byte" : `${length} bytes`)

/** @internal So many bytes of text. */
export const letters = (length: number): Bytes => (length === 0 ? "" : { repeat: "*", times: length })

/** @internal Sent in one write. */
export const send = (...frames: ReadonlyArray<Frame>): Step => ({ _tag: "SendFrames", frames })

/** @internal Each in a write of its own. */
export const sendEach = (...frames: ReadonlyArray<Frame>): ReadonlyArray<Step> => frames.map((frame) => send(frame))

/** @internal */
export const asText = (payload: Bytes): Message => ({ type: "text", payload })

/** @internal */
export const asBinary = (payload: Bytes): Message => ({ type: "binary", payload })

/** @internal */
export const receive = (...messages: ReadonlyArray<Message>): Step => ({ _tag: "Receive", messages })

/** @internal */
export const receivePongs = (...pongs: ReadonlyArray<Bytes>): Step => ({ _tag: "Receive", pongs })

/** @internal A message, and its echo. */
export const echo = (message: Message): ReadonlyArray<Step> => [
  send(message.type === "text" ? text(message.payload) : binary(message.payload)),
  receive(message)
]

/** @internal */
export const end: Step = { _tag: "ReceiveEnd", withoutFrames: true }

/** @internal The endpoint answers a Close: §5.5.1 says "typically" with its code. */
export const answersClose = (code: number): ReadonlyArray<Step> => [
  { _tag: "ReceiveClose", codes: code === 1005 ? [1005, 1000] : [...new Set([code, 1000, 1005])] },
  end
]

/** @internal */
export const protocolError: ReadonlyArray<number> = [1002]

/** @internal The endpoint fails the connection (§7.1.7). */
export const failed = (codes: ReadonlyArray<number> = protocolError): ReadonlyArray<Step> => [
  { _tag: "ReceiveClose", codes, orEnd: true },
  end
]

/** @internal What an endpoint echoes that has not failed the connection before. */
export const after: Frame = text("after")

/** @internal It fails the connection for frames, and looks at nothing that comes behind them. */
export const fails = (...frames: ReadonlyArray<Frame>): ReadonlyArray<Step> => [send(...frames, after), ...failed()]

/** @internal One frame of each opcode, and what must come before it. */
export const carriers: ReadonlyArray<readonly [name: string, before: ReadonlyArray<Frame>, frame: Frame]> = [
  ["text", [], text("Hello")],
  ["binary", [], binary({ hex: "00ff" })],
  ["continuation", [text("Hel", false)], continuation("lo")],
  ["first-fragment", [], text("Hel", false)],
  ["close", [], close(1000)],
  ["ping", [], ping("Hello")],
  ["pong", [], pong("Hello")]
]

/** @internal */
export interface More {
  readonly setup?: Setup
  readonly informational?: boolean
}

type Make = (
  name: string,
  title: string,
  section: string,
  steps: ReadonlyArray<Step>,
  more?: More
) => ReadonlyArray<Case>

/** @internal The cases of a group: for a server, for a client, and for each of them. */
export const casesOf = (group: Group): { readonly server: Make; readonly client: Make; readonly both: Make } => {
  const only =
    (role: Case["role"], suffix = ""): Make =>
    (name, title, section, steps, more = {}) => [
      { id: `${group}/${name}${suffix}`, title, section: `RFC 6455 ${section}`, group, role, steps, ...more }
    ]
  const both: Make = (...all) => [...only("server", "/server")(...all), ...only("client", "/client")(...all)]
  return { server: only("server"), client: only("client"), both }
}

/** @internal §7.4.1: "it has received a message that is too big for it to process" */
export const tooBig: ReadonlyArray<number> = [1009]
