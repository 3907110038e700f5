/** What is a head, said once more as regular expressions after the ABNF of RFC 9112, over text in ISO-8859-1. */
import type { Field } from "../../../src/Fields.js"

export type Kind = "request" | "response"

export interface Read {
  /** Bytes of the head. */
  readonly length: number
  /** Of a request: method, target, version; of a response: version, status, reason. */
  readonly line: ReadonlyArray<string>
  readonly fields: ReadonlyArray<Field>
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
// field-content, RFC 9110 §5.5, and the reason phrase, RFC 9112 §4: HTAB, SP, VCHAR and obs-text
const text = "[\\t\\x20-\\x7e\\x80-\\xff]*"
const line = (fold: string): string => `${token}:${text}${fold}\\r\\n`
// RFC 9112 §2.2: one empty line before a request is ignored. §5.2: only a user agent joins folded lines.
const fields = { request: line(""), response: line(`(?:\\r\\n[\\t ]${text})*`) }
const starts = {
  request: `(?:\\r\\n)?(${token}) ([\\x21-\\x7e]+) HTTP/([0-9][.][0-9])\\r\\n`,
  response: `HTTP/([0-9][.][0-9]) ([1-9][0-9][0-9]) (${text})\\r\\n`
}
const heads = {
  request: new RegExp(`^${starts.request}((?:${fields.request})*)\\r\\n`),
  response: new RegExp(`^${starts.response}((?:${fields.response})*)\\r\\n`)
}
const fieldLines = { request: new RegExp(fields.request, "g"), response: new RegExp(fields.response, "g") }

const trimmed = (value: string): string => value.replace(/^[\t ]+/, "").replace(/[\t ]+$/, "")

const fieldOf = (line: string): Field => {
  const colon = line.indexOf(":")
  const pieces = line
    .slice(colon + 1, -2)
    .split("\r\n")
    .map(trimmed)
  return [line.slice(0, colon), pieces.length === 1 ? pieces[0] : pieces.filter((piece) => piece !== "").join(" ")]
}

/** The head that the text begins with, if it does. */
export const read = (kind: Kind, text: string): Read | undefined => {
  const match = heads[kind].exec(text)
  if (match === null) return undefined
  const [all, one, two, three, lines] = match
  return { length: all.length, line: [one, two, three], fields: (lines.match(fieldLines[kind]) ?? []).map(fieldOf) }
}

// Wherever a head is cut, the end of one of these completes it.
const completions = {
  request: "\r\nM /t HTTP/1.1\r\nn:v\r\n\r\n",
  response: "HTTP/1.1 200 r\r\nn:v\r\n\r\n"
}

/** Whether the text is the beginning of a head. */
export const isBeginning = (kind: Kind, text: string): boolean => {
  const completion = completions[kind]
  return Array.from(completion, (_, at) => text + completion.slice(at)).some((whole) => heads[kind].test(whole))
}
