/**
 * Frames as a case wants them, legal or not, written bit by bit after RFC 6455 §5.2.
 */
import type { Frame } from "../Case.js"
import { concat, fromHex, none, toBytes } from "./bytes.js"

/**
 * `byDefault` says whether a frame is masked of which nothing is said, and `draw` makes a key for one that has none.
 *
 * @internal
 */
export const writeFrame = (frame: Frame, byDefault: boolean, draw: () => Uint8Array): Uint8Array => {
  const payload = frame.payload === undefined ? none : toBytes(frame.payload)
  const length = frame.length === undefined ? BigInt(payload.length) : BigInt(frame.length)
  const form = frame.form ?? (length < 126n ? 7 : length < 65536n ? 16 : 64)
  const masked = frame.masked ?? byDefault
  const header = new DataView(new ArrayBuffer(10))
  header.setUint8(0, (frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode)
  header.setUint8(1, (masked ? 0x80 : 0) | (form === 7 ? Number(length) & 0x7f : form === 16 ? 126 : 127))
  if (form === 16) header.setUint16(2, Number(length))
  if (form === 64) header.setBigUint64(2, length)
  const start = new Uint8Array(header.buffer, 0, form === 7 ? 2 : form === 16 ? 4 : 10)
  const key = !masked ? none : frame.key === undefined ? draw() : fromHex(frame.key)
  const bytes = concat([start, key, masked ? mask(payload, key) : payload])
  return frame.cut === undefined ? bytes : bytes.subarray(0, frame.cut)
}

/** @internal RFC 6455 §5.3: "transformed-octet-i = original-octet-i XOR masking-key-octet-j", with j = i MOD 4 */
export const mask = (payload: Uint8Array, key: Uint8Array): Uint8Array => {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = key
  const octets = [k0, k1, k2, k3]
  const masked = new Uint8Array(payload.length)
  for (let i = 0; i < payload.length; i++) masked[i] = (payload[i] ?? 0) ^ (octets[i & 3] ?? 0)
  return masked
}
