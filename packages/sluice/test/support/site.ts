/** Servers that answer each request in their own way, and tell what they have heard. */
import { Effect, Queue, type Scope, Stream } from "effect"
import * as Network from "../../src/Network.js"
import { head as headOf, latin1 } from "./http.js"
import * as Peer from "./peer.js"

export interface Site {
  readonly address: Network.Address
  /** The heads of the requests, in order. */
  readonly requests: Queue.Dequeue<string>
  /** How each connection has ended for the server, in order: `End` or `Reset`. */
  readonly ends: Queue.Dequeue<string>
}

/** Answers with what `answer` does with the head of a request; then reads until the client leaves. */
export const site = (
  answer: (request: string, transport: Network.Transport) => Effect.Effect<void, unknown, Scope.Scope>
): Effect.Effect<Site, Network.TransportError, Network.Network | Scope.Scope> =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* network.listen({})
    const requests = yield* Queue.unbounded<string>()
    const ends = yield* Queue.unbounded<string>()
    const one = Effect.gen(function* () {
      const transport = yield* listener.accept
      yield* Effect.gen(function* () {
        const { head } = yield* Peer.readHead(transport)
        yield* Queue.offer(requests, head)
        yield* answer(head, transport)
        yield* Stream.runDrain(Network.reads(transport))
        yield* transport.endOfOutput
        yield* Queue.offer(ends, "End")
      }).pipe(
        Effect.scoped,
        Effect.catchAll(() => Queue.offer(ends, "Reset")),
        Effect.forkScoped
      )
    })
    yield* Effect.forkScoped(Effect.forever(one))
    return { address: listener.address, requests, ends }
  })

/** The 101 for the first protocol that a request names; that of a WebSocket has the answer to its key. */
export const switching = (request: string, ...lines: ReadonlyArray<string>): Uint8Array => {
  const protocol = /^Upgrade: ([^,\r]*)/m.exec(request)?.[1] ?? ""
  return protocol === "websocket"
    ? Peer.switching(request, ...lines)
    : latin1(headOf("HTTP/1.1 101 Switching Protocols", `Upgrade: ${protocol}`, "Connection: Upgrade", ...lines))
}

/** A redirection, with other lines than `Location` if need be. */
export const redirection = (location: string, status = 307, ...lines: ReadonlyArray<string>): Uint8Array =>
  latin1(`${headOf(`HTTP/1.1 ${status} Elsewhere`, `Location: ${location}`, "Content-Length: 5", ...lines)}there`)

export const targetOf = (request: string): string => request.split(" ", 2)[1] ?? ""

/** The value of a field of a request, as it was sent. */
export const fieldOf = (request: string, name: string): string | undefined =>
  request
    .split("\r\n")
    .find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
    ?.slice(name.length + 2)
