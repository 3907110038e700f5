/**
 * The fields by which a client asks for a WebSocket, read one by one (RFC 6455 §4.2.1, §4.3, §11.3).
 */
import * as Either from "effect/Either"
import * as Extension from "../Extension.js"
import * as Fields from "../Fields.js"
import * as Rejection from "../Rejection.js"
import * as Grammar from "./grammar.js"

/** @internal */
export interface Asked {
  readonly key: string
  readonly subprotocols: ReadonlyArray<string>
  readonly extensions: ReadonlyArray<Extension.Offer>
  readonly origin: string | undefined
}

/**
 * What the client asks for, or the first field that is not right.
 *
 * @internal
 */
export const read = (
  fields: Fields.Fields
): Either.Either<Asked, Rejection.BadRequest | Rejection.UnsupportedVersion> => {
  const checked = version(fields)
  if (Either.isLeft(checked)) return Either.left(checked.left)
  const nonce = key(fields)
  if (Either.isLeft(nonce)) return Either.left(nonce.left)
  const names = subprotocols(fields)
  if (Either.isLeft(names)) return Either.left(names.left)
  const offers = extensions(fields)
  if (Either.isLeft(offers)) return Either.left(offers.left)
  return Either.map(single(fields, "Origin"), (origin) => ({
    key: nonce.right,
    subprotocols: names.right,
    extensions: offers.right,
    origin
  }))
}

const bad = (reason: Rejection.BadRequestReason, detail: string): Either.Either<never, Rejection.BadRequest> =>
  Either.left(new Rejection.BadRequest({ reason, detail }))

/**
 * The value of a field that may be there once, or `undefined`: RFC 6455 §11.3.1 and §11.3.5 say so of the key and the
 * version, RFC 6454 §7.3 of the origin.
 */
const single = (fields: Fields.Fields, name: string): Either.Either<string | undefined, Rejection.BadRequest> => {
  const values = Fields.getAll(fields, name)
  return values.length > 1
    ? bad("RepeatedField", `${name} is there ${values.length} times; it may be there once`)
    : Either.right(values[0])
}

/**
 * RFC 6455 §4.2.1: "A |Sec-WebSocket-Key| header field with a base64-encoded [...] value that, when decoded, is 16 bytes
 * in length." The four bits of the last letter that are of no byte may be set: the RFC's own example sets one (§4.1, item 7).
 */
const key = (fields: Fields.Fields): Either.Either<string, Rejection.BadRequest> =>
  Either.flatMap(single(fields, "Sec-WebSocket-Key"), (value) => {
    if (value === undefined) return bad("Key", "Sec-WebSocket-Key is missing; it is 16 random bytes in base64")
    const isKey =
      value.length === 24 && value.endsWith("==") && Grammar.firstOutside(value.slice(0, 22), isBase64Code) === -1
    return isKey
      ? Either.right(value)
      : bad("Key", `Sec-WebSocket-Key ${Grammar.printable(value)} is not 16 bytes in base64`)
  })

const isBase64Code = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x2b ||
  code === 0x2f

/**
 * RFC 6455 §4.2.2 /version/: another version than 13 is answered with the one that is spoken here; §4.3: a version is a
 * number from 0 to 255 without leading zeros.
 */
const version = (fields: Fields.Fields): Either.Either<"13", Rejection.BadRequest | Rejection.UnsupportedVersion> =>
  Either.flatMap(
    single(fields, "Sec-WebSocket-Version"),
    (value): Either.Either<"13", Rejection.BadRequest | Rejection.UnsupportedVersion> => {
      if (value === "13") return Either.right(value)
      if (value === undefined) return bad("Version", "Sec-WebSocket-Version is missing; it is 13")
      const number = Grammar.parseDigits(value)
      return number !== undefined && number <= 255 && String(number) === value
        ? Either.left(new Rejection.UnsupportedVersion())
        : bad("Version", `Sec-WebSocket-Version ${Grammar.printable(value)} is not a version; it is 13`)
    }
  )

/**
 * RFC 6455 §4.1: "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to
 * U+007E not including separator characters [...] and MUST all be unique strings." None if there is no such field.
 */
const subprotocols = (fields: Fields.Fields): Either.Either<ReadonlyArray<string>, Rejection.BadRequest> => {
  if (!Fields.has(fields, "Sec-WebSocket-Protocol")) return Either.right([])
  const names = Fields.list(fields, "Sec-WebSocket-Protocol")
  // §4.3: 1#token
  if (names.length === 0) return bad("Subprotocol", "Sec-WebSocket-Protocol names no subprotocol; leave it out")
  const wrong = names.findIndex((name) => !Grammar.isToken(name))
  // Not quoted: it may be a credential, see `SubprotocolToken`.
  if (wrong !== -1) {
    return bad("Subprotocol", `element ${wrong + 1} of Sec-WebSocket-Protocol is not the name of a subprotocol`)
  }
  return new Set(names).size === names.length
    ? Either.right(names)
    : bad("Subprotocol", "Sec-WebSocket-Protocol names a subprotocol twice")
}

/** RFC 6455 §9.1; none if there is no such field. */
const extensions = (fields: Fields.Fields): Either.Either<ReadonlyArray<Extension.Offer>, Rejection.BadRequest> =>
  Either.mapLeft(
    Extension.parse(Fields.getAll(fields, "Sec-WebSocket-Extensions")),
    ({ detail }) => new Rejection.BadRequest({ reason: "Extensions", detail })
  )
