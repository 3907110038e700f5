/**
 * TLS as Bun takes it, and what was agreed on.
 */
import { X509Certificate } from "node:crypto"
import type { Certificate, TlsSession } from "sluice/Network"
import type { Socket, TlsOptions } from "./bunSocket.js"

/** Text in PEM, or bytes. */
type Pem = string | Uint8Array<ArrayBuffer> | ReadonlyArray<string | Uint8Array<ArrayBuffer>>

interface Options {
  /** What is offered by ALPN (RFC 7301), the most wanted first; `["http/1.1"]` by default. */
  readonly ALPNProtocols?: ReadonlyArray<string> | undefined
  /** Who is trusted, instead of those that Bun trusts. */
  readonly ca?: Pem | undefined
  /** The own certificate, with those that lead to its authority. */
  readonly cert?: Pem | undefined
  /** The key of it. */
  readonly key?: Pem | undefined
  /** What the key is locked with. */
  readonly passphrase?: string | undefined
  /** Whether a peer that is not trusted is turned away; `true` by default. */
  readonly rejectUnauthorized?: boolean | undefined
}

/**
 * What a server says in TLS.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsServerOptions extends Options {
  /** Milliseconds that a TLS handshake may take, in whole seconds of Bun; 10,000 by default. */
  readonly handshakeTimeout?: number | undefined
  /** TLS handshakes in flight on one listener, before further connections are turned away; 1,024 by default. */
  readonly maxHandshakes?: number | undefined
  /** Whether clients are asked for a certificate; `false` by default. */
  readonly requestCert?: boolean | undefined
}

/**
 * What a client says in TLS.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsClientOptions extends Options {}

/** @internal */
export const optionsOf = (
  { ALPNProtocols = ["http/1.1"], ...options }: Omit<TlsServerOptions, "handshakeTimeout" | "maxHandshakes">,
  serverName?: string
): TlsOptions => ({
  ...options,
  ALPNProtocols: alpnOf(ALPNProtocols),
  ...(serverName === undefined ? {} : { serverName })
})

/** RFC 7301 §3.1: each name with its length before it. */
const alpnOf = (protocols: ReadonlyArray<string>): Uint8Array<ArrayBuffer> => {
  const encoder = new TextEncoder()
  return Uint8Array.from(
    protocols.flatMap((protocol) => {
      const name = encoder.encode(protocol)
      return [name.length, ...name]
    })
  )
}

/** @internal */
export const sessionOf = (
  socket: Pick<Socket<never>, "alpnProtocol" | "authorized" | "getPeerCertificate" | "getTLSVersion">
): TlsSession => {
  const raw = socket.getPeerCertificate()?.raw
  return {
    version: socket.getTLSVersion(),
    alpnProtocol: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    authorized: socket.authorized,
    peerCertificate: raw === undefined ? undefined : certificateOf(raw)
  }
}

const certificateOf = (raw: Uint8Array): Certificate => {
  const { fingerprint256, issuer, subject, subjectAltName } = new X509Certificate(raw)
  return { subject, issuer, subjectAltName, fingerprint256, raw }
}
