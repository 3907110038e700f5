import * as Data from "effect/Data"

/**
 * The wire failed: a byte connection could not be made, or broke.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends Data.TaggedError("TransportError")<{
  /** What happened, the same words on every network. */
  readonly reason:
    | "AddressInUse"
    | "AddressNotAvailable"
    | "BrokenPipe"
    | "CertificateRejected"
    | "Closed"
    | "ConnectionRefused"
    | "ConnectionReset"
    | "HostNotFound"
    | "HostUnreachable"
    | "PermissionDenied"
    | "TimedOut"
    | "TlsFailed"
    | "UnexpectedEnd"
    | "Unknown"
    | "Unsupported"
  /** What was being done. */
  readonly operation: "accept" | "connect" | "listen" | "read" | "write"
  /** Where, and what would help. */
  readonly detail: string
  /** What the host said, if it said something. */
  readonly cause?: unknown
}> {
  /** One line for a person. */
  override get message(): string {
    return `${this.reason} on ${this.operation}: ${this.detail}`
  }
}
