import * as Either from "effect/Either"
import * as Fields from "../Fields.js"
import * as Grammar from "./grammar.js"

const prefix = "sec-websocket-"

/**
 * Fields of the application beside those that sluice writes itself: the reserved names and all of `Sec-WebSocket-*`.
 *
 * @internal
 */
export const besides = (
  entries: Iterable<readonly [name: string, value: string]>,
  reserved: ReadonlyArray<string>
): Either.Either<Fields.Fields, Fields.FieldError> =>
  Either.flatMap(Fields.make(entries), (fields) => {
    const own = fields.find(
      ([name]) =>
        Grammar.equalsIgnoreCase(name.slice(0, prefix.length), prefix) ||
        reserved.some((other) => Grammar.equalsIgnoreCase(name, other))
    )
    if (own === undefined) return Either.right(fields)
    const detail = "this field is written with the handshake and cannot be added to it"
    return Either.left(new Fields.FieldError({ reason: "Reserved", name: Grammar.printable(own[0]), detail }))
  })
