/**
 * What bytes on a connection mean, in words: heads, frames, and the states of RFC 6455 that they lead to.
 */
import * as Frame from "sluice/Frame"
import { WireReader } from "./wireReader.js"

/** @internal What the bytes that a side sends on a connection complete. */
export type Dissector = (connection: number, side: string, bytes: Uint8Array) => ReadonlyArray<string>

const utf8 = new TextDecoder()

const nameOf = (opcode: Frame.Opcode): string =>
  Object.entries(Frame.Opcode).find(([, value]) => value === opcode)?.[0] ?? `opcode ${opcode}`

const preview = 40

const quoted = (payload: Uint8Array): string => {
  const text = utf8.decode(payload.subarray(0, 4 * preview))
  return JSON.stringify(text.length > preview ? `${text.slice(0, preview)}…` : text)
}

const describe = (frame: Frame.Frame): string => {
  const { fin, opcode, payload } = frame
  const name = `${nameOf(opcode)}${fin ? "" : " (more follows)"}`
  if (opcode === Frame.Opcode.Text) return `${name} ${quoted(payload)} (${payload.length} bytes)`
  if (opcode !== Frame.Opcode.Close) return `${name} (${payload.length} bytes)`
  if (payload.length < 2) return `${name} without a code`
  const code = new DataView(payload.buffer, payload.byteOffset).getUint16(0)
  return `${name} ${code} ${quoted(payload.subarray(2))}`
}

/** @internal */
export const make = (): Dissector => {
  const readers = new Map<string, WireReader>()
  const closed = new Map<number, Set<string>>()
  return (connection, side, bytes) => {
    const key = `${connection} ${side}`
    const reader = readers.get(key) ?? new WireReader()
    readers.set(key, reader)
    return reader.push(bytes).flatMap((part) => {
      if (part._tag === "Head") {
        return / 101 /.test(part.startLine) ? [part.startLine, "state: Open"] : [part.startLine]
      }
      const text = describe(part.frame)
      if (part.frame.opcode !== Frame.Opcode.Close) return [text]
      const sides = closed.get(connection) ?? new Set()
      closed.set(connection, sides.add(side))
      return [text, `state: ${sides.size === 1 ? "Closing" : "Closed"}`]
    })
  }
}
