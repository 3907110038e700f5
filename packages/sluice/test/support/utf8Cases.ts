/** What is and what is not UTF-8 (RFC 3629 §3, §4), as tables and as biased generators. */
import { FastCheck } from "effect"
import { concat, hex, utf8 } from "./bytes.js"

/** The first and the last code point of each length, and those around the surrogates. */
export const boundaries: ReadonlyArray<readonly [codePoint: string, bytes: string]> = [
  ["0000", "00"],
  ["007F", "7f"],
  ["0080", "c2 80"],
  ["07FF", "df bf"],
  ["0800", "e0 a0 80"],
  ["D7FF", "ed 9f bf"],
  ["E000", "ee 80 80"],
  ["FEFF", "ef bb bf"],
  ["FFFF", "ef bf bf"],
  ["10000", "f0 90 80 80"],
  ["10FFFF", "f4 8f bf bf"]
]

/** Bytes that no text holds, with the index of the first byte at which that is certain. */
export const invalid: ReadonlyArray<readonly [name: string, bytes: string, bad: number]> = [
  ["overlong, 2 bytes, first", "c0 80", 0],
  ["overlong, 2 bytes, last", "c1 bf", 0],
  ["overlong, 3 bytes, first", "e0 80 80", 1],
  ["overlong, 3 bytes, last", "e0 9f bf", 1],
  ["overlong, 4 bytes, first", "f0 80 80 80", 1],
  ["overlong, 4 bytes, last", "f0 8f bf bf", 1],
  ...Array.from({ length: 0x20 }, (_, i) => {
    const second = (0xa0 + i).toString(16)
    return [`surrogate ED ${second.toUpperCase()}`, `ed ${second} 80`, 1] as const
  }),
  ["above U+10FFFF", "f4 90 80 80", 1],
  ["above U+10FFFF, last of F4", "f4 bf bf bf", 1],
  ...Array.from({ length: 11 }, (_, i) => {
    const lead = (0xf5 + i).toString(16)
    return [`lead ${lead.toUpperCase()}`, `${lead} 80 80 80`, 0] as const
  }),
  ["lone continuation 80", "80", 0],
  ["lone continuation BF", "bf", 0],
  ["one continuation too many", "c3 a9 a9", 2],
  ["2 bytes cut by ASCII", "c3 41", 1],
  ["2 bytes cut by a lead", "c3 c3 a9", 1],
  ["3 bytes cut after 1", "e2 41", 1],
  ["3 bytes cut after 2", "e2 82 41", 2],
  ["4 bytes cut after 1", "f0 41", 1],
  ["4 bytes cut after 2", "f0 9f 41", 2],
  ["4 bytes cut after 3", "f0 9f 98 41", 3],
  ["4 bytes cut by a lead", "f0 9f 98 c3 a9", 3]
]

/** Characters that are wrong only because the text ends in them. */
export const incomplete: ReadonlyArray<string> = ["c3", "e2", "e2 82", "ed 9f", "f0", "f0 9f", "f0 9f 98", "f4 8f bf"]

const character = FastCheck.oneof(
  FastCheck.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  FastCheck.constantFrom(...boundaries.map(([codePoint]) => String.fromCodePoint(Number.parseInt(codePoint, 16)))),
  FastCheck.constantFrom("é", "€", "😀", "\u{10348}")
)

/** Text with characters of each length. */
export const text: FastCheck.Arbitrary<string> = FastCheck.array(character, { maxLength: 24 }).map((all) =>
  all.join("")
)

/** Bytes that are UTF-8 now and then, and that else are wrong in one of the known ways or in a random one. */
export const bytes: FastCheck.Arbitrary<Uint8Array> = FastCheck.array(
  FastCheck.oneof(
    { weight: 12, arbitrary: character.map(utf8) },
    { weight: 4, arbitrary: FastCheck.integer({ min: 1, max: 40 }).map((length) => new Uint8Array(length).fill(0x61)) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...invalid).map(([, bytes]) => hex(bytes)) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...incomplete).map(hex) },
    { weight: 1, arbitrary: FastCheck.uint8Array({ minLength: 1, maxLength: 3 }) }
  ),
  { maxLength: 12 }
).map(concat)

/** What the platform says of it, in place of our own reading of RFC 3629. */
export const isValid = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
