/**
 * What is used of the sockets of Bun, typed here so that this package does not bring the globals of Bun into a program.
 * See the reference of `Bun.listen` and `Bun.connect`.
 */

/** @internal */
export interface Socket<Own> {
  /** What its maker keeps with it, once it does. */
  data: Own | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** Writes what the kernel takes, and says how many bytes that were; -1 when the socket is closed. */
  write(bytes: Uint8Array): number
  /** Ends the output. */
  shutdown(): void
  /** Closes it once what was written has gone. */
  end(): void
  /** Closes it at once: the peer sees a reset. */
  terminate(): void
  pause(): void
  resume(): void
  setNoDelay(noDelay: boolean): boolean
  /** Has the handler `timeout` called after so many seconds without traffic; 0 for never. */
  timeout(seconds: number): void
  // Of TLS only.
  readonly alpnProtocol: string | false | null
  readonly authorized: boolean
  getPeerCertificate(): { readonly raw?: Uint8Array } | null | undefined
  getTLSVersion(): string
}

/** @internal */
export interface TlsOptions {
  readonly ALPNProtocols: Uint8Array
  readonly serverName?: string
}

/** @internal */
export interface SystemError extends Error {
  readonly code?: string
}

/** @internal */
export interface Handlers<Own> {
  readonly binaryType: "uint8array"
  open(socket: Socket<Own>): void
  data(socket: Socket<Own>, bytes: Uint8Array): void
  /** The kernel may take more. */
  drain(socket: Socket<Own>): void
  /** The peer has ended its output. */
  end(socket: Socket<Own>): void
  close(socket: Socket<Own>, error?: SystemError): void
  error(socket: Socket<Own>, error: SystemError): void
  /** The handshake of TLS is over; an error where the peer is not trusted, whether or not that matters. */
  handshake?(socket: Socket<Own>, success: boolean, error: SystemError | null): void
  timeout?(socket: Socket<Own>): void
  connectError?(socket: Socket<Own>, error: SystemError): void
}

/** @internal */
export interface Listener {
  readonly hostname: string
  readonly port: number
  /** Accepts nothing more; those who were accepted stay. */
  stop(closeActiveConnections: boolean): void
}

interface Options<Own> {
  readonly hostname: string
  readonly port: number
  readonly allowHalfOpen: boolean
  readonly socket: Handlers<Own>
  readonly tls?: TlsOptions
}

interface Host {
  listen<Own>(options: Options<Own> & { readonly exclusive: boolean }): Listener
  connect<Own>(options: Options<Own>): Promise<Socket<Own>>
}

declare const Bun: Host | undefined

/** @internal Where a program runs on another host, there is none. */
export const host = (): Host | undefined => (typeof Bun === "undefined" ? undefined : Bun)
