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

/** @internal What a proxy has said: the bytes behind its head, a reader that wants more, or why there is no tunnel. */
export type Read = Either.Either<Http1.AwaitingResponse | Uint8Array, Network.TransportError>

/** @internal Reads one more chunk of the answer of a proxy. */
export const receive = (state: Http1.AwaitingResponse, chunk: Uint8Array): Read =>
  Either.flatMap(
    Either.mapLeft(Http1.receive(state, chunk), ({ message }) =>
      failure("Unknown", `the answer of the proxy is no HTTP: ${message}`)
    ),
    (read): Read => {
      if (read._tag !== "Complete") return Either.right(read)
      const { reason, status } = read.head
      // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response"
      if (status < 200) return receive(Http1.response(), read.rest)
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
      let state = Http1.response()
      const settle = (result: Effect.Effect<void, Network.TransportError>) => {
        socket.off("data", onData).off("error", onError).off("end", onEnd).pause()
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
      const onError = (error: Error) => settle(Effect.fail(Network.fromSystemError(error, "connect")))
      const onEnd = () => settle(Effect.fail(failure("UnexpectedEnd", "the proxy has left without an answer")))
      socket.on("data", onData).on("error", onError).on("end", onEnd)
      socket.write(bytes)
    })
  )
