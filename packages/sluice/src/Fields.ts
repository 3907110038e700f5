/**
 * Header fields: names with values, in order, duplicates visible (RFC 9110 §5).
 *
 * A `Fields` value holds only what may stand in an HTTP head, so that nothing that is written can split a message.
 * Names keep their case and compare without it. The module knows the rules that all fields share (tokens, comma
 * lists); what a certain field means is said by the module that reads it. It does not merge lines: a field that came
 * twice is seen twice.
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import { dual } from "effect/Function"
import { FieldError } from "./internal/fieldError.js"
import { trusted } from "./internal/fields.js"
import * as Grammar from "./internal/grammar.js"

export { FieldError }

/**
 * One field line: a name, and a value without the white space around it.
 *
 * @category models
 * @since 0.1.0
 */
export type Field = readonly [name: string, value: string]

/**
 * Field lines in order. Names are tokens (RFC 9110 §5.1); values hold no control characters but HTAB, nothing above
 * U+00FF (a code unit is an octet), and no white space at their ends (RFC 9110 §5.5). An array at run time.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = ReadonlyArray<Field> & Brand.Brand<"sluice/Fields">

/**
 * No fields.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Fields = trusted([])

/**
 * Checks names and values, and takes the white space off the ends of the values.
 *
 * Fails with the first `FieldError`: `InvalidName` where a name is not a token, `InvalidValue` where a value holds a CR,
 * LF, NUL or another control character, or one above U+00FF (RFC 9110 §5.5).
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Fields } from "sluice"
 *
 * const cookies = Fields.make([
 *   ["Set-Cookie", "a=1"],
 *   ["Set-Cookie", "b=2"]
 * ])
 * Either.isLeft(Fields.make([["Location", "/\r\nSet-Cookie: c=3"]])) // true
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (entries: Iterable<readonly [name: string, value: string]>): Either.Either<Fields, FieldError> => {
  const fields: Array<Field> = []
  for (const [name, value] of entries) {
    const error = check(name, value)
    if (error !== undefined) return Either.left(error)
    fields.push([name, Grammar.trimWhitespace(value)])
  }
  return Either.right(trusted(fields))
}

const check = (name: string, value: string): FieldError | undefined => {
  if (!Grammar.isToken(name)) {
    return new FieldError({
      reason: "InvalidName",
      name: Grammar.printable(name),
      detail: "a name is one or more letters, digits or any of !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2)"
    })
  }
  const at = Grammar.firstOutside(value, Grammar.isTextCode)
  if (at === -1) return undefined
  return new FieldError({
    reason: "InvalidValue",
    name: Grammar.printable(name),
    detail:
      value.charCodeAt(at) > 0xff
        ? `character ${at} of the value is above U+00FF; encode it, for example in percent (RFC 9110 §5.5)`
        : `character ${at} of the value is a control character, which ends or corrupts a message (RFC 9110 §5.5)`
  })
}

/**
 * Adds a field at the end, checked as by `make`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const append: {
  (name: string, value: string): (self: Fields) => Either.Either<Fields, FieldError>
  (self: Fields, name: string, value: string): Either.Either<Fields, FieldError>
} = dual(
  3,
  (self: Fields, name: string, value: string): Either.Either<Fields, FieldError> =>
    Either.map(make([[name, value]]), (added) => concat(self, added))
)

/**
 * The fields of both, in order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const concat: {
  (that: Fields): (self: Fields) => Fields
  (self: Fields, that: Fields): Fields
} = dual(2, (self: Fields, that: Fields): Fields => trusted([...self, ...that]))

/**
 * The fields without those of the given names.
 *
 * @category combinators
 * @since 0.1.0
 */
export const omit: {
  (names: ReadonlyArray<string>): (self: Fields) => Fields
  (self: Fields, names: ReadonlyArray<string>): Fields
} = dual(
  2,
  (self: Fields, names: ReadonlyArray<string>): Fields =>
    trusted(self.filter(([name]) => !names.some((omitted) => Grammar.equalsIgnoreCase(name, omitted))))
)

/**
 * The value of the first field of that name, if there is one. Names compare without case (RFC 9110 §5.1).
 *
 * @category getters
 * @since 0.1.0
 */
export const get: {
  (name: string): (self: Fields) => string | undefined
  (self: Fields, name: string): string | undefined
} = dual(2, (self: Fields, name: string): string | undefined => {
  for (const field of self) if (Grammar.equalsIgnoreCase(field[0], name)) return field[1]
  return undefined
})

/**
 * The values of all fields of that name, in order.
 *
 * @category getters
 * @since 0.1.0
 */
export const getAll: {
  (name: string): (self: Fields) => ReadonlyArray<string>
  (self: Fields, name: string): ReadonlyArray<string>
} = dual(2, (self: Fields, name: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (const field of self) if (Grammar.equalsIgnoreCase(field[0], name)) values.push(field[1])
  return values
})

/**
 * Whether there is a field of that name, empty or not.
 *
 * @category predicates
 * @since 0.1.0
 */
export const has: {
  (name: string): (self: Fields) => boolean
  (self: Fields, name: string): boolean
} = dual(2, (self: Fields, name: string): boolean => get(self, name) !== undefined)

/**
 * The elements of a field whose value is a comma-separated list, over all its lines; empty elements are left out, and
 * commas within quotes do not separate (RFC 9110 §5.6.1).
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Fields } from "sluice"
 *
 * const fields = Fields.make([
 *   ["Connection", "keep-alive, , Upgrade"],
 *   ["connection", "close"]
 * ])
 * Either.map(fields, Fields.list("Connection")) // ["keep-alive", "Upgrade", "close"]
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const list: {
  (name: string): (self: Fields) => ReadonlyArray<string>
  (self: Fields, name: string): ReadonlyArray<string>
} = dual(2, (self: Fields, name: string): ReadonlyArray<string> => {
  const elements: Array<string> = []
  for (const field of self) if (Grammar.equalsIgnoreCase(field[0], name)) Grammar.splitList(field[1], elements)
  return elements
})

/**
 * Whether a text is a token, the grammar of names, methods and subprotocols (RFC 9110 §5.6.2).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isToken = (value: string): boolean => Grammar.isToken(value)
