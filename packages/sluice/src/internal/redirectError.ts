import * as Data from "effect/Data"
import type * as Rejection from "../Rejection.js"

/**
 * A redirection that a client does not follow (RFC 9110 §15.4).
 *
 * - `TooMany`: there were as many before it as `maxRedirects` allows; so a loop ends, too.
 * - `Downgrade`: it leads from TLS to a connection without.
 * - `Location`: it does not lead to one URL of `ws:`, `wss:`, `http:` or `https:` without credentials.
 *
 * @category errors
 * @since 0.1.0
 */
export class RedirectError extends Data.TaggedError("RedirectError")<{
  /** Why it is not followed. */
  readonly reason: "TooMany" | "Downgrade" | "Location"
  /** What was seen, and what would be right. */
  readonly detail: string
  /** The URLs that were asked, the first one first, without their queries, which may hold a credential. */
  readonly chain: readonly [string, ...ReadonlyArray<string>]
  /** The answer of the last of them. */
  readonly rejection: Rejection.Custom
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}
