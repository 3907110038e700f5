/** UTF-8, said once more as the ABNF of RFC 3629 §4. */
import { toLatin1 } from "../../support/http.js"

const character = [
  "[\\x00-\\x7f]",
  "[\\xc2-\\xdf][\\x80-\\xbf]",
  "\\xe0[\\xa0-\\xbf][\\x80-\\xbf]",
  "[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}",
  "\\xed[\\x80-\\x9f][\\x80-\\xbf]",
  "\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}",
  "[\\xf1-\\xf3][\\x80-\\xbf]{3}",
  "\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}"
].join("|")
const characters = new RegExp(`(?:${character})*`, "y")
const whole = new RegExp(`^(?:${character})$`)

/** What completes the beginning of a character, whichever it is. */
const completions = ["\x80", "\x80\x80", "\x80\x80\x80", "\xa0\x80", "\x90\x80\x80"]

/** Whether the bytes are a text, only the beginning of one, or neither. */
export const check = (bytes: Uint8Array): "Text" | "Beginning" | "Invalid" => {
  const text = toLatin1(bytes)
  characters.lastIndex = 0
  characters.exec(text)
  const rest = text.slice(characters.lastIndex)
  if (rest === "") return "Text"
  return completions.some((completion) => whole.test(rest + completion)) ? "Beginning" : "Invalid"
}
