/**
 * The codes that operating systems, Node and Bun have for what went wrong, and our words.
 */
import { TransportError } from "./transportError.js"

const reasons: ReadonlyMap<string, TransportError["reason"]> = new Map<string, TransportError["reason"]>([
  ["EACCES", "PermissionDenied"],
  ["EADDRINUSE", "AddressInUse"],
  ["EADDRNOTAVAIL", "AddressNotAvailable"],
  ["EAI_AGAIN", "HostNotFound"],
  ["ECONNABORTED", "ConnectionReset"],
  ["ECONNREFUSED", "ConnectionRefused"],
  ["ECONNRESET", "ConnectionReset"],
  ["EHOSTDOWN", "HostUnreachable"],
  ["EHOSTUNREACH", "HostUnreachable"],
  ["ENETDOWN", "HostUnreachable"],
  ["ENETUNREACH", "HostUnreachable"],
  ["ENOTFOUND", "HostNotFound"],
  ["EPERM", "PermissionDenied"],
  ["EPIPE", "BrokenPipe"],
  ["ERR_SOCKET_BAD_PORT", "AddressNotAvailable"],
  ["ERR_SOCKET_CLOSED", "Closed"],
  ["ERR_SOCKET_CONNECTION_TIMEOUT", "TimedOut"],
  ["ERR_STREAM_WRITE_AFTER_END", "Closed"],
  ["ERR_STREAM_DESTROYED", "Closed"],
  ["ETIMEDOUT", "TimedOut"]
])

const hints: ReadonlyMap<TransportError["reason"], string> = new Map<TransportError["reason"], string>([
  ["AddressInUse", "port 0 takes a free one"],
  ["AddressNotAvailable", "this machine has no such address"],
  ["ConnectionRefused", "nobody listens there"],
  ["PermissionDenied", "ports below 1024 need a privilege"]
])

/**
 * What a host says of a socket, as it is kept: the code is the name of the system's error.
 *
 * @category models
 * @since 0.1.0
 */
export interface SystemError {
  /** As `ECONNRESET`. */
  readonly code?: string | undefined
  /** What the host says. */
  readonly message: string
}

/**
 * An error of a socket of a host, in the words that are the same on every network.
 *
 * @example
 * ```ts
 * import { Network } from "sluice"
 *
 * const refused = { code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:9" }
 * const { reason } = Network.fromSystemError(refused, "connect") // "ConnectionRefused"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const fromSystemError = (error: SystemError, operation: TransportError["operation"]): TransportError => {
  const reason = reasons.get(error.code ?? "") ?? "Unknown"
  const hint = operation === "listen" || operation === "connect" ? hints.get(reason) : undefined
  const detail = hint === undefined ? error.message : `${error.message}; ${hint}`
  return new TransportError({ reason, operation, detail, cause: error })
}
