/**
 * Steps, and what an endpoint sends, in words.
 */
import type { Bytes, Frame, Step } from "../Case.js"
import { equals, toBytes, toHex, utf8 } from "./bytes.js"
import type { Heard } from "./frameReader.js"
import { isUtf8 } from "./utf8.js"

const most = 24

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** @internal */
export const showBytes = (bytes: Uint8Array): string =>
  bytes.length > most ? `${toHex(bytes.subarray(0, most))}... (${bytes.length} bytes)` : toHex(bytes)

/** @internal As text if it is one that can be read. */
export const showText = (bytes: Uint8Array): string => {
  if (bytes.length <= most && isUtf8(bytes)) return JSON.stringify(decoder.decode(bytes))
  const start = bytes.subarray(0, most)
  return equals(start, utf8(decoder.decode(start))) && isUtf8(bytes)
    ? `${JSON.stringify(decoder.decode(start))}... (${bytes.length} bytes)`
    : showBytes(bytes)
}

const showMessage = (type: "text" | "binary", payload: Uint8Array): string =>
  type === "text" ? `Text ${showText(payload)}` : `Binary ${showBytes(payload)}`

const showCode = (code: number): string => (code === 1005 ? "Close without a code" : `Close ${code}`)

/** @internal `Text "a"`, `Binary 00ff`, `Close 1000 "bye"`, `Pong 01`. */
export const showHeard = (heard: Heard | "End" | "Reset"): string => {
  if (heard === "End") return "the end of the connection"
  if (heard === "Reset") return "a reset of the connection"
  switch (heard._tag) {
    case "Message":
      return showMessage(heard.type, heard.payload)
    case "Close":
      return `${showCode(heard.code)}${heard.reason.length === 0 ? "" : ` ${showText(heard.reason)}`}`
    case "Illegal":
      return heard.seen
    default:
      return `${heard._tag} ${showBytes(heard.payload)}`.trimEnd()
  }
}

const listed = (words: ReadonlyArray<string>, last: string): string =>
  words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`

const few = 6

const shortened = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.length > few ? [...words.slice(0, few), `${words.length - few} more`] : words

const names: Readonly<Record<number, string>> = {
  0: "Continuation",
  1: "Text",
  2: "Binary",
  8: "Close",
  9: "Ping",
  10: "Pong"
}

/** @internal */
export const showFrame = (frame: Frame): string =>
  [
    names[frame.opcode] ?? `opcode ${frame.opcode}`,
    ...(frame.fin === false ? ["without FIN"] : []),
    ...(frame.rsv === undefined ? [] : [`RSV ${frame.rsv.toString(2).padStart(3, "0")}`]),
    ...(frame.masked === undefined ? [] : [frame.masked ? "masked" : "not masked"]),
    ...(frame.length === undefined ? [] : [`of ${frame.length} bytes`]),
    ...(frame.form === undefined ? [] : [`with a length of ${frame.form} bits`]),
    ...(frame.payload === undefined ? [] : [showText(toBytes(frame.payload))]),
    ...(frame.cut === undefined ? [] : [`cut after ${frame.cut} bytes`])
  ].join(" ")

const showFields = (fields: Readonly<Record<string, string | null>>): ReadonlyArray<string> =>
  Object.entries(fields).map(([name, value]) => (value === null ? name : `${name}: ${value}`))

const showHead = (
  what: string,
  fields: Readonly<Record<string, string | null>> = {},
  absent: ReadonlyArray<string> = []
): string => {
  const present = showFields(fields)
  return [
    what,
    ...(present.length === 0 ? [] : [`with ${listed(present, "and")}`]),
    ...(absent.length === 0 ? [] : [`without ${listed(absent, "and")}`])
  ].join(" ")
}

/** @internal What of a `Receive` has not come yet. */
export const showWanted = (
  messages: ReadonlyArray<{ readonly type: "text" | "binary"; readonly payload: Uint8Array }>,
  pongs: ReadonlyArray<Uint8Array>
): string =>
  listed(
    shortened([
      ...messages.map(({ payload, type }) => showMessage(type, payload)),
      ...pongs.map((payload) => `Pong ${showBytes(payload)}`.trimEnd())
    ]),
    "and"
  )

const bytesOf = (bytes: Bytes): Uint8Array => toBytes(bytes)

/** @internal What a step does, or wants. */
export const showStep = (step: Step): string => {
  switch (step._tag) {
    case "SendFrames":
      return `sends ${listed(shortened(step.frames.map(showFrame)), "and")}`
    case "SendBytes":
      return `sends ${showText(bytesOf(step.bytes))}`
    case "EndOutput":
      return "ends its output"
    case "Reset":
      return "resets the connection"
    case "Request":
      return "sends a request"
    case "Response":
      return "sends a reply"
    case "ReceiveRequest":
      return showHead("a request", step.fields, step.absent)
    case "ReceiveResponse":
      return showHead(
        `a reply of status ${listed(shortened(step.statuses.map(String)), "or")}`,
        step.fields,
        step.absent
      )
    case "Receive":
      return showWanted(
        (step.messages ?? []).map(({ payload, type }) => ({ type, payload: toBytes(payload) })),
        (step.pongs ?? []).map(toBytes)
      )
    case "ReceiveClose": {
      const close = listed(step.codes.map(showCode), "or")
      return step.reason === undefined ? close : `${close} ${showText(toBytes(step.reason))}`
    }
    case "ReceiveEnd":
      return step.withoutFrames === true ? "the end of the connection, and no frame" : "the end of the connection"
  }
}
