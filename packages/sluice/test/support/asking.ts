/** A client that is not ours asks a server for a WebSocket: all that goes over the wire until it is one, or not. */
import { Effect } from "effect"
import * as Network from "../../src/Network.js"
import { toLatin1 } from "./http.js"
import * as Peer from "./peer.js"

export interface Answer {
  readonly status: number
  /** The 101 to its empty line, or the refusal to its end, as it came, less `Date`. */
  readonly text: string
  /** The first frame behind a 101, in words. */
  readonly frame: string | undefined
}

/** The head of a request, and what is answered to it; then the client leaves. */
export const ask = (
  address: Network.Address,
  request: Uint8Array
): Effect.Effect<Answer, Network.TransportError | string, Network.Network> =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    yield* transport.write(request)
    const { head: received, rest } = yield* Peer.readHead(transport)
    const head = received.replace(/\r\nDate: [^\r]*/, "")
    const status = Number(head.split(" ")[1])
    if (status === 101) return { status, text: head, frame: yield* Peer.make(transport, "client", rest).hear }
    return { status, text: head + toLatin1(rest) + (yield* Peer.readText(transport)), frame: undefined }
  }).pipe(Effect.scoped)

/** A 101 that agrees on nothing, or on a subprotocol, to the last byte. */
export const plain101 = (subprotocol?: string): string =>
  [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    "",
    ""
  ].join("\r\n")
