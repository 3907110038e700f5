/**
 * A tunnel through an HTTP proxy, by `CONNECT` (RFC 9110 §9.3.6).
 */
import type * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Fields from "sluice/Fields"
import * as Http1 from "sluice/Http1"
import * as Network from "sluice/Network"
import { whyClosed } from "./whyClosed.js"

/** @internal */
export interface Proxy {
  readonly address: Network.Address
  /** Of the field `Proxy-Authorization`. */
  readonly authorization: string | undefined
}

const failure = (reason: Network.TransportError["reason"], detail: string) =>
  new Network.TransportError({ reason, operation: "connect", detail })

/** @internal A proxy as it is written in a URL; one that is reached by TLS there is none. */
export const parse = (text: string | URL): Either.Either<Proxy, Network.TransportError> => {
  if (!URL.canParse(String(text)))
    return Either.left(failure("Unsupported", `${text} is no URL; http://host:port is one`))
  const { hostname, password, port, protocol, username } = new URL(text)
  if (protocol !== "http:") {
    return Either.left(failure("Unsupported", `the proxy has the scheme ${protocol}; http: is what there is`))
  }
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return Either.right({
    address: { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 80 : Number(port) },
    // RFC 7617
    authorization: credentials === ":" ? undefined : `Basic ${Encoding.encodeBase64(credentials)}`
  })
}

/** @internal What the proxy is asked. */
export const request = (
  { authorization }: Proxy,
  destination: Network.Address
): Either.Either<Uint8Array, Network.TransportError> => {
  const target = Network.formatAddress(destination)
  return Fields.make([
    // RFC 9112 §3.2.3: "the target URI's authority component"; §3.2: a client MUST send a Host field in all requests
    ["Host", target],
    ...(authorization === undefined ? [] : [["Proxy-Authorization", authorization] as const])
  ]).pipe(
    Either.flatMap((fields) => Http1.encodeRequest({ method: "CONNECT", target, version: "1.1", fields })),
    Either.mapLeft(({ message }) => failure("AddressNotAvailable", `no proxy can be asked for ${target}: ${message}`))
  )
}

/** @internal How far the answer of a proxy was read. */
export interface Awaiting {
  readonly head: Http1.AwaitingResponse
  /** How many 1xx replies came. */
  readonly interim: number
}

/** @internal */
export const awaiting: Awaiting = { head: Http1.response(), interim: 0 }

/** @internal What a proxy has said: the bytes behind its head, a reader that wants more, or why there is no tunnel. */
export type Read = Either.Either<Awaiting | Uint8Array, Network.TransportError>

/** @internal Reads one more chunk of the answer of a proxy. */
export const receive = ({ head, interim }: Awaiting, chunk: Uint8Array): Read =>
  Either.flatMap(
    Either.mapLeft(Http1.receive(head, chunk), ({ message }) =>
      failure("Unknown", `the answer of the proxy is no HTTP: ${message}`)
    ),
    (read): Read => {
      if (read._tag !== "Complete") return Either.right({ head: read, interim })
      const { reason, status } = read.head
      if (status < 200) {
        return interim < Http1.maxInterim
          ? receive({ head: awaiting.head, interim: interim + 1 }, read.rest)
          : Either.left(failure("Unknown", `the proxy has given more than ${Http1.maxInterim} interim answers`))
      }
      // RFC 9110 §9.3.6: "Any 2xx (Successful) response indicates that the sender (and all inbound proxies) will switch
      // to tunnel mode immediately after the response header section"
      if (status < 300) return Either.right(read.rest)
      const detail = `the proxy has answered CONNECT with ${status} ${reason}`
      return Either.left(failure(status === 407 ? "PermissionDenied" : "ConnectionRefused", detail))
    }
  )

/** @internal Leads a socket that is connected to the proxy through to the destination. */
export const tunnel = (
  socket: Net.Socket,
  proxy: Proxy,
  destination: Network.Address
): Effect.Effect<void, Network.TransportError> =>
  Effect.flatMap(request(proxy, destination), (bytes) =>
    Effect.async((resume) => {
      let state = awaiting
      const settle = (result: Effect.Effect<void, Network.TransportError>) => {
        socket.off("data", onData).off("end", onEnd).off("close", onClose).pause()
        resume(result)
      }
      const onData = (chunk: Uint8Array) => {
        const read = receive(state, chunk)
        if (Either.isLeft(read)) return settle(Effect.fail(read.left))
        if (!(read.right instanceof Uint8Array)) {
          state = read.right
          return
        }
        const rest = read.right
        settle(Effect.void)
        if (rest.length > 0) socket.unshift(rest)
      }
      const onEnd = () => settle(Effect.fail(failure("UnexpectedEnd", "the proxy has left without an answer")))
      const onClose = () => settle(Effect.fail(whyClosed(socket, "connect")))
      if (socket.destroyed) return onClose()
      socket.on("data", onData).on("end", onEnd).on("close", onClose)
      socket.write(bytes)
    })
  )
