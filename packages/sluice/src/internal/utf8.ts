/**
 * UTF-8 (RFC 3629 §4) checked piece by piece: a fault is seen at its first byte, wherever the pieces are cut.
 */

/**
 * Where the check stands: 0 between two characters; otherwise the continuation bytes that are missing, and the bounds
 * of the next of them in the second and third byte.
 *
 * @internal
 */
export type State = number

/** @internal */
export const start: State = 0

/** @internal */
export const invalid: State = -1

const after = (missing: number, lower = 0x80, upper = 0xbf): State => missing | (lower << 8) | (upper << 16)

// RFC 3629 §4: the second byte is restricted after E0, ED, F0 and F4 (no overlong form, no surrogate, at most U+10FFFF).
const lead = (byte: number): State => {
  if (byte < 0xc2) return invalid
  if (byte < 0xe0) return after(1)
  if (byte < 0xf0) return after(2, byte === 0xe0 ? 0xa0 : 0x80, byte === 0xed ? 0x9f : 0xbf)
  if (byte < 0xf5) return after(3, byte === 0xf0 ? 0x90 : 0x80, byte === 0xf4 ? 0x8f : 0xbf)
  return invalid
}

/**
 * Checks the next bytes. The text is complete where the result is `start`; after `invalid` it never is.
 *
 * @internal
 */
export const check = (state: State, bytes: Uint8Array): State => {
  if (state === invalid) return invalid
  const end = bytes.length
  let at = 0
  let now = state
  while (at < end) {
    if (now === start) {
      while (at + 3 < end && (bytes[at] | bytes[at + 1] | bytes[at + 2] | bytes[at + 3]) < 0x80) at += 4
      if (at === end) break
      const byte = bytes[at++]
      if (byte < 0x80) continue
      now = lead(byte)
      if (now === invalid) return invalid
    } else {
      const byte = bytes[at++]
      if (byte < ((now >>> 8) & 0xff) || byte > now >>> 16) return invalid
      const missing = (now & 0xff) - 1
      now = missing === 0 ? start : after(missing)
    }
  }
  return now
}

/**
 * Where the last character begins, in bytes that were checked and end inside it.
 *
 * @internal
 */
export const lastBoundary = (bytes: Uint8Array): number => {
  let at = bytes.length - 1
  while (at > 0 && (bytes[at] & 0xc0) === 0x80) at--
  return at
}
