/** Makes an input smaller and plainer while something holds for it. */
import { replaced } from "./mutation.js"

const none = new Uint8Array(0)
const plain = [0, 0x61]

/** Tries at most `tries` inputs. */
export const shrink = (input: Uint8Array, holds: (smaller: Uint8Array) => boolean, tries = 1500): Uint8Array => {
  let best = input
  let left = tries
  const isKept = (candidate: Uint8Array): boolean => {
    if (left-- <= 0 || !holds(candidate)) return false
    best = candidate
    return true
  }
  for (let before = -1; before !== best.length && left > 0; ) {
    before = best.length
    for (let size = best.length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < best.length && left > 0; ) {
        if (!isKept(replaced(best, at, Math.min(best.length, at + size), none))) at += size
      }
    }
  }
  for (let at = 0; at < best.length; at++) {
    for (const byte of plain) {
      if (best[at] === byte || isKept(replaced(best, at, at + 1, Uint8Array.of(byte)))) break
    }
  }
  return best
}
