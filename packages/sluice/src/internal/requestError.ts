import * as Data from "effect/Data"

/**
 * A client that asks for what cannot be sent.
 *
 * - `Url`: not a `ws:` URL without fragment and credentials (RFC 6455 §3), or an `http:` URL for another protocol.
 * - `Nonce`: not 16 bytes (RFC 6455 §4.1, item 7).
 * - `Authority`: not a host, or a host and a port (RFC 9110 §7.2).
 * - `Target`: not a path, with or without a query, in visible ASCII (RFC 9112 §3.2.1).
 * - `Protocols`: not distinct names, each with a version or without, and at least one (RFC 9110 §7.8).
 * - `Origin`: not one value of visible ASCII (RFC 6454 §7).
 * - `Subprotocol`: not distinct tokens (RFC 6455 §4.1, item 10).
 * - `Extensions`: an offer of something other than tokens (RFC 6455 §9.1).
 *
 * @category errors
 * @since 0.1.0
 */
export class RequestError extends Data.TaggedError("RequestError")<{
  /** Which part of the request is wrong. */
  readonly reason: "Url" | "Nonce" | "Authority" | "Target" | "Protocols" | "Origin" | "Subprotocol" | "Extensions"
  /** What is wrong with it, and what would be right. */
  readonly detail: string
}> {
  /** The detail. */
  override get message(): string {
    return this.detail
  }
}
