/**
 * The header of a frame, as it is written (RFC 6455 §5.2).
 */

/** @internal Bytes of the header of a frame. */
export const size = (length: number, masked: boolean): number =>
  (length < 126 ? 2 : length < 65536 ? 4 : 10) + (masked ? 4 : 0)

/**
 * Writes a header and returns the index after it. `b0` is the first byte: FIN, the RSV bits and the opcode.
 *
 * @internal
 */
export const write = (
  into: Uint8Array,
  start: number,
  b0: number,
  length: number,
  maskingKey: number | undefined
): number => {
  const masked = maskingKey === undefined ? 0 : 128
  let at = start
  into[at++] = b0
  if (length < 126) {
    into[at++] = masked | length
  } else if (length < 65536) {
    into[at++] = masked | 126
    into[at++] = length >>> 8
    into[at++] = length
  } else {
    into[at++] = masked | 127
    at = uint32(into, at, Math.floor(length / 0x1_0000_0000))
    at = uint32(into, at, length)
  }
  return maskingKey === undefined ? at : uint32(into, at, maskingKey)
}

const uint32 = (into: Uint8Array, at: number, value: number): number => {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
  return at + 4
}
