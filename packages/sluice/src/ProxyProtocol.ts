/**
 * The PROXY protocol, versions 1 and 2: what a proxy that forwards bytes says of its client, before the bytes.
 *
 * `layer` makes of any network one whose listeners read the header of each connection from a trusted peer, so that a
 * service sees the address of the client where it would see that of the proxy. It is off unless it is provided. Section
 * numbers are those of the specification, `proxy-protocol.txt` of HAProxy.
 *
 * Nothing is guessed (§2: the receiver "MUST not try to guess whether the protocol header is present or not"): a trusted
 * peer has to send a header, and one that is wrong, cut or late ends its connection. From any other peer none is taken:
 * all that it sends is for the service, whose HTTP reader refuses a header with 400.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { type AwaitingHeader, awaitingHeader, type Received, receive } from "./internal/awaitingProxyHeader.js"
import * as Grammar from "./internal/grammar.js"
import * as IpAddress from "./internal/ipAddress.js"
import * as IpNetwork from "./internal/ipNetwork.js"
import {
  type Header,
  type Local,
  type Proxied,
  ProxyEncodeError,
  ProxyHeaderError,
  type Tlv,
  TlvType,
  type Unknown
} from "./internal/proxyHeader.js"
import * as Writer from "./internal/proxyHeaderWriter.js"
import { listen, type Options } from "./internal/proxyListener.js"
import * as Network from "./Network.js"

export {
  type AwaitingHeader,
  awaitingHeader,
  type Header,
  type Local,
  type Options,
  type Proxied,
  ProxyEncodeError,
  ProxyHeaderError,
  type Received,
  receive,
  type Tlv,
  TlvType,
  type Unknown
}

/**
 * The header of a connection that is relayed for a client; version 2 unless said otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const proxied = (
  source: Network.Address,
  destination: Network.Address,
  options: { readonly version?: 1 | 2 | undefined; readonly tlvs?: ReadonlyArray<Tlv> | undefined } = {}
): Proxied => ({ _tag: "Proxied", version: options.version ?? 2, source, destination, tlvs: options.tlvs ?? [] })

/**
 * The header of a connection of the proxy itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const local: Local = { _tag: "Local", version: 2 }

/**
 * The bytes of a header; with `checksum`, which version 2 can have, its CRC32c is among them (§2.2.3).
 *
 * IPv6 addresses are written as RFC 5952 has them. A host that is a name, or a zone, cannot be said.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  header: Header,
  options: { readonly checksum?: boolean | undefined } = {}
): Either.Either<Uint8Array, ProxyEncodeError> => Writer.write(header, options.checksum ?? false)

/**
 * Sends a header, in one write (§2.2: "The sender must ensure that all the protocol header is sent at once"). To be done
 * before anything else is sent on the connection.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Network, ProxyProtocol } from "sluice"
 *
 * // connects to a service for somebody else
 * const relay = (client: Network.Transport, service: Network.Address) =>
 *   Effect.gen(function* () {
 *     const network = yield* Network.Network
 *     const transport = yield* network.connect(service)
 *     yield* ProxyProtocol.write(transport, ProxyProtocol.proxied(client.remote, client.local))
 *     return transport
 *   })
 * ```
 *
 * @category encoding
 * @since 0.1.0
 */
export const write = (
  transport: Network.Transport,
  header: Header,
  options: { readonly checksum?: boolean | undefined } = {}
): Effect.Effect<void, ProxyEncodeError | Network.TransportError> =>
  Effect.flatMap(encode(header, options), (bytes) => transport.write(bytes))

/**
 * Whether an address is one of these, for `trusted`: IP addresses, and networks such as `10.0.0.0/8` and `fd00::/8`.
 *
 * An IPv4 address counts as itself where a listener of both families has it as `::ffff:10.0.0.1`; a network of IPv6 has
 * no IPv4 address. A unix socket is none of them. Throws a `TypeError` that names an entry that is wrong, also where bits
 * behind the prefix are set.
 *
 * @example
 * ```ts
 * import { ProxyProtocol } from "sluice"
 *
 * const trusted = ProxyProtocol.isAmong(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAmong = (entries: ReadonlyArray<string>): ((address: Network.Address) => boolean) => {
  const networks = entries.map((entry) => {
    const network = IpNetwork.parse(entry)
    if (typeof network === "string") throw new TypeError(`${Grammar.printable(entry)} ${network}`)
    return network
  })
  return ({ host }) => {
    const bytes = IpAddress.parse(host)
    return bytes !== undefined && networks.some((network) => IpNetwork.has(network, IpAddress.unmapped(bytes)))
  }
}

/**
 * The same network, except that its listeners read the header of each connection from a trusted peer, and hand the
 * connection out when it has come: `remote` is then the client and `local` what it has connected to, and the first bytes
 * are those behind the header. Where the header names nobody (`Unknown`, `Local`) both stay as they are.
 *
 * A connection that breaks a rule or a limit is reset, counted in `WebSocketMetrics.proxyHeadersRefused`, and logged at
 * `Debug`. One that has been handed out costs nothing for each message: it has the lane of the network, or one that passes
 * on to it where bytes came with the header. To connect is as before; see `write`.
 *
 * The bytes are those that the network gives: a network that does TLS by itself has the header within it, where proxies put
 * it before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (network: Network.Network["Type"], options: Options): Network.Network["Type"] => ({
  ...network,
  listen: (listenOptions) => listen(network, listenOptions, options)
})

/**
 * Provides the network that `make` makes of the one that it needs.
 *
 * @example
 * ```ts
 * import { NodeNetwork } from "@sluice/node"
 * import { Layer } from "effect"
 * import { ProxyProtocol, WebSocket, WebSocketServer } from "sluice"
 *
 * const behindProxies = ProxyProtocol.layer({ trusted: ProxyProtocol.isAmong(["10.0.0.0/8"]) })
 *
 * const main = WebSocketServer.layer({ host: "0.0.0.0", port: 8080 }, (socket, { remote }) =>
 *   WebSocket.runForEach(socket, () => socket.send(`You are ${remote.host}`))
 * ).pipe(Layer.provide(behindProxies), Layer.provide(NodeNetwork.layer()), Layer.launch)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Network.Network, never, Network.Network> =>
  Layer.effect(
    Network.Network,
    Effect.map(Network.Network, (network) => make(network, options))
  )
