import type { Fields } from "./fields.js"
import * as Latin1 from "./latin1.js"

const nothing = new Uint8Array(0)

/**
 * The bytes of a head whose start line was checked or is a literal, followed by the body.
 *
 * @internal
 */
export const encodeHead = (startLine: string, fields: Fields, body: Uint8Array = nothing): Uint8Array => {
  let text = `${startLine}\r\n`
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`
  const head = Latin1.encode(`${text}\r\n`)
  if (body.length === 0) return head
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}
