/**
 * Secrets that clients authenticate with (RFC 9110 §11.4), compared so that the time it takes tells nothing of them.
 *
 * The module reads no request: `Ticket` and `SubprotocolToken` find a credential where a browser can put one, and
 * `Authorization` is a field as any other.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2"
import * as Redacted from "effect/Redacted"
import { equals } from "./internal/constantTime.js"

/**
 * Whether a secret is the expected one, in a time that depends on the given one alone.
 *
 * Compared are their SHA-256, that of the expected one being taken beforehand: neither its content nor its length makes
 * a difference to the time. Both are taken as UTF-8.
 *
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { Credential, Rejection } from "sluice"
 *
 * const isSecret = Credential.equalTo(Redacted.make("correct horse battery staple"))
 *
 * const verify = (token: Redacted.Redacted<string>) =>
 *   isSecret(token)
 *     ? Effect.succeed({ user: "ada" })
 *     : new Rejection.Unauthorized({ challenges: [Rejection.bearer] })
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const equalTo = (expected: Redacted.Redacted<string>): ((given: Redacted.Redacted<string>) => boolean) => {
  const digest = sha256(Redacted.value(expected))
  return (given) => equals(sha256(Redacted.value(given)), digest)
}
