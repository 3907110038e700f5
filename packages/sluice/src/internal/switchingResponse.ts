/**
 * What RFC 6455 §4.1 demands of the 101 that answers a client, item by item.
 */
import * as Either from "effect/Either"
import * as Extension from "../Extension.js"
import * as Fields from "../Fields.js"
import type { ResponseHead } from "../Http1.js"
import * as Grammar from "./grammar.js"
import { InvalidResponse } from "./invalidResponse.js"

const invalid = (reason: InvalidResponse["reason"], detail: string): Either.Either<never, InvalidResponse> =>
  Either.left(new InvalidResponse({ reason, detail }))

/**
 * Whether the response, which switches to WebSocket (items 2 and 3, see `switchedTo`), is the answer to the key of that
 * `accept` value.
 *
 * @internal
 */
export const check = ({ fields }: ResponseHead, accept: string): Either.Either<void, InvalidResponse> => {
  // item 4; §11.3.3: "The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response."
  const accepts = Fields.getAll(fields, "Sec-WebSocket-Accept")
  return accepts.length === 1 && accepts[0] === accept
    ? Either.void
    : invalid("Accept", `Sec-WebSocket-Accept is ${Grammar.printable(accepts.join(", "))}, not ${accept}`)
}

/**
 * Item 5. §11.3.2 says that the field may be there once in a response, §4.2.2 and §9.1 that it may be split over several
 * lines; both are taken.
 *
 * @internal
 */
export const extensions = <Config>(
  fields: Fields.Fields,
  offered: ReadonlyArray<Extension.Extension<Config>>
): Either.Either<ReadonlyArray<Extension.Agreement<Config>>, InvalidResponse> =>
  Extension.parse(Fields.getAll(fields, "Sec-WebSocket-Extensions")).pipe(
    Either.flatMap((responses) => Extension.confirm(responses, offered)),
    Either.mapLeft(({ detail }) => new InvalidResponse({ reason: "Extensions", detail }))
  )

/** @internal Item 6; §11.3.4: the field "MUST NOT appear more than once in an HTTP response". */
export const subprotocol = <S extends string>(
  fields: Fields.Fields,
  offered: ReadonlyArray<S>
): Either.Either<S | undefined, InvalidResponse> => {
  const chosen = Fields.getAll(fields, "Sec-WebSocket-Protocol")
  if (chosen.length === 0) return Either.right(undefined)
  const known = chosen.length === 1 ? offered.find((name) => name === chosen[0]) : undefined
  return known === undefined
    ? invalid("Subprotocol", `the subprotocol ${Grammar.printable(chosen.join(", "))} was not asked for`)
    : Either.right(known)
}
