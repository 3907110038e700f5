import { Effect, Ref, Stream } from "effect"
import { CloseCode, Network, UpgradeClient, WebSocket, WebSocketServer } from "sluice"

/**
 * One counter, two protocols on one address:
 *
 * - `counter/1`, a protocol of our own: lines of text, `add 5`, each answered with a line, `total 5`
 * - WebSocket: the same lines, one in each message
 *
 * A client says in `Upgrade` which of them it wants (RFC 9110 §7.8).
 */
export const serve = (port: number) =>
  Effect.gen(function* () {
    const total = yield* Ref.make(0)

    /** What both protocols are about. */
    const answer = (line: string): Effect.Effect<string> => {
      const added = /^add (-?\d{1,9})$/.exec(line)
      return added === null
        ? Effect.succeed("say: add NUMBER")
        : Effect.map(
            Ref.updateAndGet(total, (total) => total + Number(added[1])),
            (total) => `total ${total}`
          )
    }

    /** After the 101 the byte connection is ours. `rest` is what the client sent without waiting for the 101. */
    const counter = WebSocketServer.upgrade("counter/1", ({ rest, transport }) =>
      Stream.concat(Stream.make(rest), Network.reads(transport)).pipe(
        toLines,
        Stream.mapEffect(answer),
        Stream.runForEach((line) => transport.write(fromLine(line)))
      )
    )

    return yield* WebSocketServer.serve({ port, upgrades: [counter] }, (socket) =>
      WebSocket.runForEach(socket, (message) =>
        message._tag === "Text"
          ? Effect.flatMap(answer(message.text), socket.send)
          : socket.close({ code: CloseCode.UnsupportedData, reason: "lines are text" })
      )
    )
  })

/** Chunks may be cut anywhere, in the middle of a character too. A real protocol would also limit a line. */
const toLines = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<string, E> =>
  bytes.pipe(Stream.decodeText(), Stream.splitLines)

const fromLine = (line: string): Uint8Array => new TextEncoder().encode(`${line}\n`)

/**
 * A client of `counter/1`: asks for the protocol, sends the lines, and gives the answers.
 *
 * A server that does not speak it says so with a `Rejection`, as it does to a WebSocket.
 */
export const ask = (address: Network.Address, lines: Iterable<string>) =>
  Effect.gen(function* () {
    const { transport } = yield* UpgradeClient.connect({
      url: `http://${Network.formatAddress(address)}/`,
      protocols: ["counter/1"]
    })
    yield* Effect.forEach(lines, (line) => transport.write(fromLine(line)), { discard: true })
    // We have nothing more to say. The server answers what it has read, and then ends its output as well.
    yield* transport.endOfOutput
    return Array.from(yield* Stream.runCollect(toLines(Network.reads(transport))))
  }).pipe(Effect.scoped)
