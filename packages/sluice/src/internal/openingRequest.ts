/**
 * The request that opens a WebSocket (RFC 6455 §4.1), from parts that nobody has checked.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Extension from "../Extension.js"
import type * as Fields from "../Fields.js"
import * as Grammar from "./grammar.js"
import type { Initiated, InitiateOptions } from "./handshakeState.js"
import { besides } from "./ownFields.js"
import { RequestError } from "./requestError.js"
import * as UpgradeRequest from "./upgradeRequest.js"

/** @internal */
export const make = <S extends string, Config>(
  options: Omit<InitiateOptions<ReadonlyArray<S>, Config>, "subprotocols">,
  subprotocols: ReadonlyArray<S>,
  nonce: Uint8Array
): Either.Either<Initiated<S, Config>, Fields.FieldError | RequestError> => {
  const { authority, origin, target = "/" } = options
  const extensions = options.extensions ?? []
  // §4.1, item 7: "a nonce consisting of a randomly selected 16-byte value that has been base64-encoded"
  if (nonce.length !== 16) return wrong("Nonce", `the nonce has ${nonce.length} bytes, not 16`)
  const refused = UpgradeRequest.refuseDestination(authority, target)
  if (refused !== undefined) return Either.left(refused)
  if (origin !== undefined && (origin === "" || Grammar.firstOutside(origin, Grammar.isVisibleCode) !== -1)) {
    return wrong("Origin", `${Grammar.printable(origin)} is not an origin`)
  }
  // §4.1, item 10: "and MUST all be unique strings"
  if (!subprotocols.every(Grammar.isToken) || new Set(subprotocols).size !== subprotocols.length) {
    return wrong("Subprotocol", "the subprotocols are not distinct tokens")
  }
  return Either.gen(function* () {
    const offers = yield* Either.mapLeft(
      Extension.offers(extensions),
      ({ detail }) => new RequestError({ reason: "Extensions", detail })
    )
    const extra = yield* besides(options.fields ?? [], reserved)
    const key = Encoding.encodeBase64(nonce)
    const fields: Array<Fields.Field> = [
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Version", "13"]
    ]
    if (origin !== undefined) fields.push(["Origin", origin])
    if (subprotocols.length > 0) fields.push(["Sec-WebSocket-Protocol", subprotocols.join(", ")])
    if (offers.length > 0) fields.push(["Sec-WebSocket-Extensions", Extension.format(offers)])
    const made = UpgradeRequest.make({ authority, target, protocols: ["websocket"], fields: [...fields, ...extra] })
    return { _tag: "Initiated" as const, ...made, key, subprotocols, extensions }
  })
}

/** `Origin` has an option of its own. */
const reserved = [...UpgradeRequest.reserved, "Origin"]

const wrong = (reason: RequestError["reason"], detail: string): Either.Either<never, RequestError> =>
  Either.left(new RequestError({ reason, detail }))
