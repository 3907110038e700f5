/**
 * Whether bytes are UTF-8, read off the grammar of RFC 3629 §4:
 *
 * ```text
 * UTF8-1 = %x00-7F
 * UTF8-2 = %xC2-DF UTF8-tail
 * UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) / %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 * UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
 * UTF8-tail = %x80-BF
 * ```
 *
 * @internal
 */
export const isUtf8 = (bytes: Uint8Array): boolean => {
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at++] ?? 0
    if (lead <= 0x7f) continue
    const tails =
      lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0
    if (tails === 0 || at + tails > bytes.length) return false
    const first = bytes[at] ?? 0
    if (first < (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80)) return false
    if (first > (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)) return false
    for (let tail = 1; tail < tails; tail++) {
      const byte = bytes[at + tail] ?? 0
      if (byte < 0x80 || byte > 0xbf) return false
    }
    at += tails
  }
  return true
}
