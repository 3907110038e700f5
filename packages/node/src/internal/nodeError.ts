/**
 * The words of Node for what went wrong, and ours.
 */
import { TransportError } from "sluice/Network"

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

/** @internal */
export const fromNodeError = (error: NodeJS.ErrnoException, operation: TransportError["operation"]): TransportError => {
  const reason = reasons.get(error.code ?? "") ?? "Unknown"
  const hint = operation === "listen" || operation === "connect" ? hints.get(reason) : undefined
  const detail = hint === undefined ? error.message : `${error.message}; ${hint}`
  return new TransportError({ reason, operation, detail, cause: error })
}
