/** Heads for the tests: as text in ISO-8859-1, in which every byte is one character. */
import { Either, FastCheck } from "effect"
import * as Fields from "../../src/Fields.js"

export const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

export const toLatin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

/** Lines, each ended by CRLF, and the empty line. */
export const head = (...lines: ReadonlyArray<string>): string => [...lines, "", ""].join("\r\n")

export const fields = (...entries: ReadonlyArray<readonly [name: string, value: string]>): Fields.Fields =>
  Either.getOrThrowWith(Fields.make(entries), (error) => error)

/** Names and values as they may be in a head. */
export const tokens = FastCheck.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/)

export const values = FastCheck.string({
  unit: FastCheck.integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 24
})
