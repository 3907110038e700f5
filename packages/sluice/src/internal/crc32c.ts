/**
 * CRC32c, as SCTP has it (RFC 4960, Appendix B).
 */

/** The polynomial 0x1edc6f41, its bits in the order in which they come. */
const polynomial = 0x82f63b78

/** @internal Bit by bit: what it is for is short, and comes once for a connection. */
export const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
  }
  return ~crc >>> 0
}
