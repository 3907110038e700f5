/**
 * TLS over a socket that exists already, of either side, and what was agreed on.
 */
import { X509Certificate } from "node:crypto"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as Effect from "effect/Effect"
import * as Network from "sluice/Network"
import { attempt } from "./attempt.js"
import { whyClosed } from "./whyClosed.js"

/** What both sides may say. */
type Shared =
  | "ALPNProtocols"
  | "ca"
  | "cert"
  | "ciphers"
  | "crl"
  | "ecdhCurve"
  | "key"
  | "maxVersion"
  | "minVersion"
  | "passphrase"
  | "pfx"
  | "rejectUnauthorized"
  | "secureContext"
  | "sigalgs"

/**
 * What a server says in TLS, in the words of `node:tls`.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsServerOptions
  extends Pick<Tls.TlsOptions, Shared | "dhparam" | "honorCipherOrder" | "requestCert" | "SNICallback"> {
  /** Milliseconds that a TLS handshake may take; 10,000 by default. */
  readonly handshakeTimeout?: number | undefined
  /** TLS handshakes in flight on one listener, before further connections are turned away; 1,024 by default. */
  readonly maxHandshakes?: number | undefined
}

/**
 * What a client says in TLS, in the words of `node:tls`.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsClientOptions extends Pick<Tls.ConnectionOptions, Shared | "checkServerIdentity"> {}

// RFC 7301: a peer that speaks HTTP/2 only hears at once that this does not.
const alpn = ["http/1.1"]

const ignore = () => {}

/** @internal */
export interface TlsServer {
  /** Leads a connection through the TLS handshake. */
  readonly accept: (raw: Net.Socket) => void
  /** Cuts those that are in it. */
  readonly close: () => void
}

/** @internal Throws what `node:tls` throws, such as for a key that is none. */
export const server = (
  { handshakeTimeout = 10_000, maxHandshakes = 1024, ...options }: TlsServerOptions,
  secured: (socket: Tls.TLSSocket) => void
): TlsServer => {
  const pending = new Set<Net.Socket>()
  // It listens nowhere: connections are handed to it.
  const tls = Tls.createServer({ ALPNProtocols: alpn, ...options, handshakeTimeout })
  tls.on("secureConnection", (socket) => {
    const raw = rawOf(socket)
    if (raw !== undefined) pending.delete(raw)
    secured(socket)
  })
  // Of a handshake that failed nobody is told but the peer.
  tls.on("tlsClientError", (_, socket) => socket.destroy())
  return {
    accept: (raw) => {
      raw.on("error", ignore)
      if (pending.size >= maxHandshakes) {
        raw.destroy()
        return
      }
      pending.add(raw)
      raw.on("close", () => pending.delete(raw))
      tls.emit("connection", raw)
    },
    close: () => {
      for (const raw of pending) raw.destroy()
    }
  }
}

/** @internal The connection behind a TLS handshake with a server of this name; somebody hears the errors of `raw`. */
export const connect = (
  raw: Net.Socket,
  serverName: string,
  options: TlsClientOptions
): Effect.Effect<Tls.TLSSocket, Network.TransportError> =>
  Effect.async((resume) => {
    const failed = (error: Error) => resume(Effect.fail(Network.fromSystemError(error, "connect")))
    if (raw.destroyed) return resume(Effect.fail(whyClosed(raw, "connect")))
    attempt(failed, () => {
      const socket = Tls.connect({
        ALPNProtocols: alpn,
        ...options,
        socket: raw,
        host: serverName,
        // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted"
        servername: Net.isIP(serverName) === 0 ? serverName : ""
      })
      // Stays: until somebody takes the socket over, an error of it must not end the process.
      socket.on("error", failed)
      socket.once("secureConnect", () => resume(Effect.succeed(socket)))
    })
  })

/** @internal The socket that TLS runs over, which Node keeps in a field that is not public. */
export const rawOf = (socket: Net.Socket): Net.Socket | undefined => {
  const raw: unknown = "_parent" in socket ? socket._parent : undefined
  return raw instanceof Net.Socket ? raw : undefined
}

/** @internal */
export const sessionOf = (socket: Net.Socket): Network.TlsSession | undefined => {
  if (!(socket instanceof Tls.TLSSocket)) return undefined
  const { alpnProtocol, authorized } = socket
  // Not `getPeerX509Certificate`: on a client, each call of it takes a certificate off the chain of the connection.
  const { raw } = socket.getPeerCertificate()
  return {
    version: socket.getProtocol() ?? "",
    alpnProtocol: typeof alpnProtocol === "string" ? alpnProtocol : undefined,
    authorized,
    peerCertificate: raw === undefined ? undefined : certificateOf(raw)
  }
}

const certificateOf = (raw: Uint8Array): Network.Certificate => {
  const { fingerprint256, issuer, subject, subjectAltName } = new X509Certificate(raw)
  return { subject, issuer, subjectAltName, fingerprint256, raw }
}
