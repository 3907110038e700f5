/**
 * WebSocket extensions in the handshake: the grammar of `Sec-WebSocket-Extensions` and its negotiation (RFC 6455 §9.1).
 *
 * An `Extension` says what a client offers, which offers a server takes and which replies a client takes; `negotiate`
 * and `confirm` do the rest for both roles. The module holds no extension, and does not touch frames.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Grammar from "./internal/grammar.js"

/**
 * A parameter of an offer or a reply: a token, with a value that is a token or absent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parameter {
  /** A token, as written. */
  readonly name: string
  /** `undefined` where only the name was written. */
  readonly value: string | undefined
}

/**
 * One element of `Sec-WebSocket-Extensions`: what a client asks for, or what a server agrees to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Offer {
  /** The registered name of the extension. */
  readonly name: string
  /** In order, duplicates included: whether those are allowed is up to the extension. */
  readonly parameters: ReadonlyArray<Parameter>
}

/**
 * A reserved bit of the frame header, which an extension may give a meaning (RFC 6455 §5.2).
 *
 * @category models
 * @since 0.1.0
 */
export type ReservedBit = "rsv1" | "rsv2" | "rsv3"

/**
 * How one extension is negotiated; pure, and the same value serves both roles.
 *
 * @category models
 * @since 0.1.0
 */
export interface Extension<out Config> {
  /** The registered name. */
  readonly name: string
  /** The reserved bits it gives a meaning. */
  readonly reserved: ReadonlyArray<ReservedBit>
  /** What a client offers, the most wanted first; each must bear the name. */
  readonly offers: ReadonlyArray<Offer>
  /** What a server answers to an offer of that name: the reply and what was agreed, or `None` to decline. */
  readonly accept: (offer: Offer) => Option.Option<{ readonly response: Offer; readonly config: Config }>
  /** What a client reads from the reply; left says which parameter cannot be an answer to its offers. */
  readonly confirm: (response: Offer) => Either.Either<Config, string>
}

/**
 * An extension in use on a connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Agreement<out Config> {
  /** The extension. */
  readonly extension: Extension<Config>
  /** What the server answered. */
  readonly response: Offer
  /** What both sides agreed to. */
  readonly config: Config
}

/**
 * Why a list of extensions is refused.
 *
 * - `Syntax`: it does not conform to the grammar of RFC 6455 §9.1.
 * - `NotOffered`: the server chose what the client had not asked for (RFC 6455 §4.1, item 5 on the response).
 * - `Repeated`: the server chose one extension twice.
 * - `ReservedBit`: two extensions give one bit a meaning.
 * - `Parameters`: the extension does not take the parameters.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExtensionError extends Data.TaggedError("ExtensionError")<{
  /** Which rule was broken. */
  readonly reason: "Syntax" | "NotOffered" | "Repeated" | "ReservedBit" | "Parameters"
  /** What is wrong, and where. */
  readonly detail: string
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}

/**
 * Reads the values of all `Sec-WebSocket-Extensions` lines of a message, in linear time.
 *
 * Fails with `Syntax` where a value does not conform to RFC 6455 §9.1: a part that is not a token, a quoted string that
 * is not closed or not a token when unquoted, lines without any element.
 *
 * @example
 * ```ts
 * import { Extension } from "sluice"
 *
 * const offers = Extension.parse(["permessage-deflate; client_max_window_bits", "permessage-deflate"])
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (values: ReadonlyArray<string>): Either.Either<ReadonlyArray<Offer>, ExtensionError> => {
  const offers: Array<Offer> = []
  for (const element of values.flatMap((value) => Grammar.splitList(value))) {
    const item = Grammar.parseItem(element)
    if (Either.isLeft(item)) return failure("Syntax", `${item.left} in the extension ${Grammar.printable(element)}`)
    // §9.1: "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the
    // 'token' ABNF."
    const wrong = item.right.parameters.find(({ value }) => value !== undefined && !Grammar.isToken(value))
    if (wrong !== undefined) {
      return failure("Syntax", `the value of ${wrong.name} in the extension ${item.right.name} is not a token`)
    }
    offers.push(item.right)
  }
  // §9.1: extension-list = 1#extension
  return values.length > 0 && offers.length === 0
    ? failure("Syntax", "a list of extensions without an extension; leave the field out")
    : Either.right(offers)
}

const failure = (reason: ExtensionError["reason"], detail: string): Either.Either<never, ExtensionError> =>
  Either.left(new ExtensionError({ reason, detail }))

/**
 * The value of a `Sec-WebSocket-Extensions` field, which `parse` reads back. Empty for an empty list, for which no
 * field may be sent.
 *
 * @category encoding
 * @since 0.1.0
 */
export const format = (offers: ReadonlyArray<Offer>): string => offers.map(Grammar.formatItem).join(", ")

/**
 * What a server agrees to: of the client's offers, in its order, those that a supported extension takes (RFC 6455 §9.1).
 *
 * The first offer of a name that is taken counts. An extension whose reserved bit is in use already is declined, and so
 * is one whose reply is not made of tokens.
 *
 * @category combinators
 * @since 0.1.0
 */
export const negotiate = <Config>(
  offers: ReadonlyArray<Offer>,
  supported: ReadonlyArray<Extension<Config>>
): ReadonlyArray<Agreement<Config>> => {
  const agreements: Array<Agreement<Config>> = []
  for (const offer of offers) {
    const extension = supported.find(({ name }) => name === offer.name)
    if (extension === undefined || conflict(extension, agreements) !== undefined) continue
    const accepted = extension.accept(offer)
    if (Option.isSome(accepted) && isWellFormed(accepted.value.response, extension.name)) {
      agreements.push({ extension, ...accepted.value })
    }
  }
  return agreements
}

/** Whether an extension wrote what may stand in a field: its own name, and tokens only. */
const isWellFormed = (offer: Offer, name: string): boolean =>
  offer.name === name &&
  Grammar.isToken(name) &&
  offer.parameters.every(({ name, value }) => Grammar.isToken(name) && (value === undefined || Grammar.isToken(value)))

/**
 * All that a client offers with these extensions, in order; left is an offer that RFC 6455 §9.1 does not allow.
 *
 * @category combinators
 * @since 0.1.0
 */
export const offers = (
  extensions: ReadonlyArray<Extension<unknown>>
): Either.Either<ReadonlyArray<Offer>, ExtensionError> => {
  const all: Array<Offer> = []
  for (const { name, offers } of extensions) {
    const wrong = offers.find((offer) => !isWellFormed(offer, name))
    if (wrong !== undefined) {
      const detail = `the offer ${Grammar.printable(Grammar.formatItem(wrong))} of ${Grammar.printable(name)} has more than tokens`
      return failure("Syntax", detail)
    }
    all.push(...offers)
  }
  return Either.right(all)
}

/** Why the extension cannot be used besides the others. */
const conflict = <Config>(
  extension: Extension<Config>,
  agreements: ReadonlyArray<Agreement<Config>>
): ExtensionError | undefined => {
  for (const { extension: other } of agreements) {
    if (other.name === extension.name) {
      return new ExtensionError({ reason: "Repeated", detail: `the extension ${other.name} was chosen twice` })
    }
    const bit = extension.reserved.find((bit) => other.reserved.includes(bit))
    if (bit !== undefined) {
      const detail = `the extensions ${other.name} and ${extension.name} both use ${bit}`
      return new ExtensionError({ reason: "ReservedBit", detail })
    }
  }
  return undefined
}

/**
 * What a client has agreed to by the server's reply: every element must be an answer to what it had offered.
 *
 * Fails with `NotOffered`, `Repeated`, `ReservedBit`, or `Parameters` when the extension itself objects. The order of
 * the reply is the order in which the extensions work on the data (RFC 6455 §9.1).
 *
 * @category combinators
 * @since 0.1.0
 */
export const confirm = <Config>(
  responses: ReadonlyArray<Offer>,
  offered: ReadonlyArray<Extension<Config>>
): Either.Either<ReadonlyArray<Agreement<Config>>, ExtensionError> => {
  const agreements: Array<Agreement<Config>> = []
  for (const response of responses) {
    const extension = offered.find(({ name, offers }) => name === response.name && offers.length > 0)
    if (extension === undefined) {
      return failure("NotOffered", `the extension ${response.name} was not offered, but chosen`)
    }
    const error = conflict(extension, agreements)
    if (error !== undefined) return Either.left(error)
    const config = extension.confirm(response)
    if (Either.isLeft(config)) return failure("Parameters", `extension ${response.name}: ${config.left}`)
    agreements.push({ extension, response, config: config.right })
  }
  return Either.right(agreements)
}
