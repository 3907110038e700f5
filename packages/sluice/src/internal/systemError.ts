/**
 * The codes that operating systems, Node and Bun have for what went wrong, and our words.
 */
import { TransportError } from "./transportError.js"

const reasons: ReadonlyMap<string, TransportError["reason"]> = new Map<string, TransportError["reason"]>([
  ["CERT_HAS_EXPIRED", "CertificateRejected"],
  ["CERT_NOT_YET_VALID", "CertificateRejected"],
  ["CERT_REJECTED", "CertificateRejected"],
  ["CERT_REVOKED", "CertificateRejected"],
  ["CERT_SIGNATURE_FAILURE", "CertificateRejected"],
  ["CERT_UNTRUSTED", "CertificateRejected"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "CertificateRejected"],
  ["EACCES", "PermissionDenied"],
  ["EADDRINUSE", "AddressInUse"],
  ["EADDRNOTAVAIL", "AddressNotAvailable"],
  ["EAI_AGAIN", "HostNotFound"],
  ["ECONNABORTED", "ConnectionReset"],
  ["ECONNREFUSED", "ConnectionRefused"],
  ["ECONNRESET", "ConnectionReset"],
  ["EHOSTDOWN", "HostUnreachable"],
  ["EHOSTUNREACH", "HostUnreachable"],
  ["ENAMETOOLONG", "AddressNotAvailable"],
  ["ENETDOWN", "HostUnreachable"],
  ["ENETUNREACH", "HostUnreachable"],
  ["ENOTFOUND", "HostNotFound"],
  ["EPERM", "PermissionDenied"],
  ["EPIPE", "BrokenPipe"],
  ["EPROTO", "TlsFailed"],
  ["ERR_SOCKET_BAD_PORT", "AddressNotAvailable"],
  ["ERR_SOCKET_CLOSED", "Closed"],
  ["ERR_SOCKET_CONNECTION_TIMEOUT", "TimedOut"],
  ["ERR_STREAM_WRITE_AFTER_END", "Closed"],
  ["ERR_STREAM_DESTROYED", "Closed"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "CertificateRejected"],
  ["ETIMEDOUT", "TimedOut"],
  ["HOSTNAME_MISMATCH", "CertificateRejected"],
  ["INVALID_CA", "CertificateRejected"],
  ["INVALID_PURPOSE", "CertificateRejected"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "CertificateRejected"],
  ["UNABLE_TO_GET_ISSUER_CERT", "CertificateRejected"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CertificateRejected"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CertificateRejected"]
])

/** OpenSSL has a code for each thing that can be wrong, such as `ERR_SSL_WRONG_VERSION_NUMBER`. */
const ofTls = /^ERR_(OSSL|SSL|TLS)_/

const reasonOf = (code: string, operation: TransportError["operation"]): TransportError["reason"] => {
  // There is no such file, or no such directory.
  if (code === "ENOENT") return operation === "listen" ? "AddressNotAvailable" : "ConnectionRefused"
  return reasons.get(code) ?? (ofTls.test(code) ? "TlsFailed" : "Unknown")
}

const hints: ReadonlyMap<TransportError["reason"], string> = new Map<TransportError["reason"], string>([
  ["AddressInUse", "port 0 takes a free one"],
  ["AddressNotAvailable", "this machine has no such address, or no such directory"],
  ["CertificateRejected", "the option `ca` of the TLS client says whom to trust"],
  ["ConnectionRefused", "nobody listens there"],
  [
    "PermissionDenied",
    "ports below 1024 need a privilege, and a unix socket the right to write to it or its directory"
  ],
  ["TlsFailed", "the peer may not speak TLS, or none of what is offered"]
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
  const reason = reasonOf(error.code ?? "", operation)
  const hint = operation === "listen" || operation === "connect" ? hints.get(reason) : undefined
  const detail = hint === undefined ? error.message : `${error.message}; ${hint}`
  return new TransportError({ reason, operation, detail, cause: error })
}
