/**
 * Tokens among the subprotocols, for browsers, which can set no other field on a WebSocket than `Sec-WebSocket-Protocol`.
 *
 * A page connects with `new WebSocket(url, ["chat.v1", "bearer.dG9rZW4"])`: a subprotocol that it speaks, and its token
 * in base64url behind a prefix. `make` gives the part of a server's options that reads such an entry; `encode` makes
 * one. The server never chooses an entry with the prefix, and so never sends one back.
 *
 * A token is in no URI, and with `wss:` nobody on the way sees it; but a proxy may log the field, and the handler finds
 * it in the head of the request that it gets. `Ticket` is for tokens that should not travel so.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Grammar from "./internal/grammar.js"
import { tokenPrefix } from "./internal/tokenPrefix.js"
import * as Utf8 from "./internal/utf8.js"
import { decodeUtf8 } from "./internal/webPlatform.js"
import * as Rejection from "./Rejection.js"
import type { Incoming } from "./WebSocketServer.js"

/**
 * The part of a server's options that authenticates by a token; the others go beside it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubprotocolToken<out P extends ReadonlyArray<string>, out Principal, out R = never> {
  /** What is spoken here, the most wanted first; nothing with the prefix. */
  readonly subprotocols: P
  /** Who offers nothing that is spoken here is refused before the token is looked at. */
  readonly subprotocolRequired: true
  /**
   * What `verify` makes of the token. Fails with what `verify` fails with, and with `Unauthorized` where there is not
   * one token; the refusal never repeats what was sent.
   */
  readonly authenticate: (incoming: Incoming) => Effect.Effect<Principal, Rejection.Rejection, R>
}

/**
 * How tokens are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<P extends ReadonlyArray<string>, Principal, R> {
  /**
   * What is spoken here, the most wanted first. At least one: a browser that has asked for subprotocols fails the
   * connection if the server chooses none.
   */
  readonly subprotocols: P
  /** Decides who has the token. */
  readonly verify: (
    token: Redacted.Redacted<string>,
    incoming: Incoming
  ) => Effect.Effect<Principal, Rejection.Rejection, R>
  /** What an entry with a token begins with, a token of RFC 9110 §5.6.2; `bearer.` by default. */
  readonly prefix?: string | undefined
}

/**
 * The options cannot be those of a server that browsers connect to.
 *
 * - `NoSubprotocol`: there is none that the server could choose.
 * - `Subprotocol`: one is not a token, or begins with the prefix, and would be chosen in place of one that is spoken.
 * - `Prefix`: it is not a token, so that no client can send it.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubprotocolTokenError extends Data.TaggedError("SubprotocolTokenError")<{
  /** What is wrong. */
  readonly reason: "NoSubprotocol" | "Subprotocol" | "Prefix"
  /** What is wrong, and what would be right. */
  readonly detail: string
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}

/**
 * What an entry with a token begins with where nothing else was said.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPrefix = tokenPrefix

/**
 * An entry of the list of subprotocols with a token, for `new WebSocket` and for `WebSocketClient.connect`.
 *
 * It is a token of RFC 9110 §5.6.2 if the prefix is one: base64url needs no padding. The entry gives the token away to
 * whoever reads it.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import { SubprotocolToken, WebSocketClient } from "sluice"
 *
 * const token = Redacted.make("a secret")
 *
 * const socket = WebSocketClient.connect({
 *   url: "ws://127.0.0.1:8080/chat",
 *   subprotocols: ["chat.v1", SubprotocolToken.encode(token)]
 * })
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  token: Redacted.Redacted<string>,
  options: { readonly prefix?: string | undefined } = {}
): string => `${options.prefix ?? defaultPrefix}${Encoding.encodeBase64Url(Redacted.value(token))}`

/**
 * Reads the token of a client and has it verified, in `authenticate` of a server.
 *
 * Fails with `SubprotocolTokenError`.
 *
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { Credential, Rejection, SubprotocolToken, WebSocket, WebSocketServer } from "sluice"
 *
 * const isSecret = Credential.equalTo(Redacted.make("a secret"))
 *
 * const server = Effect.gen(function* () {
 *   const options = yield* SubprotocolToken.make({
 *     subprotocols: ["chat.v1"],
 *     verify: (token) =>
 *       isSecret(token)
 *         ? Effect.succeed({ user: "ada" })
 *         : new Rejection.Unauthorized({ challenges: [Rejection.bearer] })
 *   })
 *   return yield* WebSocketServer.serve({ port: 8080, ...options }, (socket, { principal }) =>
 *     WebSocket.runForEach(socket, () => socket.send(`${principal.user} speaks ${socket.subprotocol}`))
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const P extends readonly [string, ...ReadonlyArray<string>], Principal, R = never>(
  options: Options<P, Principal, R>
): Either.Either<SubprotocolToken<P, Principal, R>, SubprotocolTokenError> => {
  const { prefix = defaultPrefix, subprotocols, verify } = options
  if (!Grammar.isToken(prefix)) return wrong("Prefix", `the prefix ${Grammar.printable(prefix)} is not a token`)
  // The type asks for one, but a list may come from elsewhere.
  if (subprotocols.length === 0) {
    return wrong("NoSubprotocol", "a browser that offers a token fails if no subprotocol is chosen; name one at least")
  }
  const unfit = subprotocols.find((name) => !Grammar.isToken(name) || name.startsWith(prefix))
  if (unfit !== undefined) {
    const name = Grammar.printable(unfit)
    return wrong("Subprotocol", `${name} is not a token, or begins with ${prefix}, as only an entry with a token does`)
  }
  return Either.right({
    subprotocols,
    subprotocolRequired: true,
    authenticate: (incoming) =>
      Either.match(find(incoming.subprotocols, prefix), {
        onLeft: (detail) => new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail }),
        onRight: (token) => verify(token, incoming)
      })
  })
}

const wrong = (reason: SubprotocolTokenError["reason"], detail: string): Either.Either<never, SubprotocolTokenError> =>
  Either.left(new SubprotocolTokenError({ reason, detail }))

/** The one token among the entries, or what the client is told. */
const find = (entries: ReadonlyArray<string>, prefix: string): Either.Either<Redacted.Redacted<string>, string> => {
  const [entry, ...others] = entries.filter((name) => name.startsWith(prefix))
  if (entry === undefined) {
    return Either.left(`Sec-WebSocket-Protocol has no token: an entry of ${prefix} and the token in base64url.`)
  }
  if (others.length > 0) {
    return Either.left(
      `Sec-WebSocket-Protocol has ${others.length + 1} entries that begin with ${prefix}; one is right.`
    )
  }
  return Either.fromOption(
    decode(entry.slice(prefix.length)),
    () => `What follows ${prefix} in Sec-WebSocket-Protocol is not text in UTF-8 and base64url, without padding.`
  )
}

const decode = (text: string): Option.Option<Redacted.Redacted<string>> =>
  Either.getRight(Encoding.decodeBase64Url(text)).pipe(
    // RFC 4648 §3.5: bits at the end that are of no byte are zero, so that a token has one spelling.
    Option.filter((bytes) => bytes.length > 0 && Encoding.encodeBase64Url(bytes) === text),
    Option.filter((bytes) => Utf8.check(Utf8.start, bytes) === Utf8.start),
    Option.map((bytes) => Redacted.make(decodeUtf8(bytes)))
  )
