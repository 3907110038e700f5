import { Data, Effect, Option, Ref, Stream } from "effect"
import { CloseCode, Fields, Http1, Network, WebSocket, WebSocketServer } from "sluice"

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

/** The server did not switch to our protocol. */
export class NotSwitched extends Data.TaggedError("NotSwitched")<{ readonly detail: string }> {
  override get message(): string {
    return this.detail
  }
}

/** Reads until the head of the reply is whole: the parser takes the chunks as they come. */
const readHead = (
  transport: Network.Transport,
  state: Http1.AwaitingResponse
): Effect.Effect<Http1.Complete<Http1.ResponseHead>, NotSwitched | Network.TransportError | Http1.HeadError> =>
  transport.read.pipe(
    // `read` fails with `None` when the peer has ended its output.
    Effect.mapError(Option.getOrElse(() => new NotSwitched({ detail: "the connection ended before the reply" }))),
    Effect.flatMap((chunk) => Http1.receive(state, chunk)),
    Effect.flatMap((next) => (next._tag === "Complete" ? Effect.succeed(next) : readHead(transport, next)))
  )

/**
 * A client of `counter/1`: asks for the protocol, sends the lines, and gives the answers.
 *
 * The first line leaves together with the request: the server finds it in `rest`. The same may happen the other way
 * round, so what came behind the 101 belongs to the first answer.
 */
export const ask = (address: Network.Address, lines: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    const fields = yield* Fields.make([
      ["Host", Network.formatAddress(address)],
      ["Connection", "Upgrade"],
      ["Upgrade", "counter/1"]
    ])
    const request = yield* Http1.encodeRequest({ method: "GET", target: "/", version: "1.1", fields })

    const [first, ...others] = lines
    yield* transport.write([request, fromLine(first)])
    const { head, rest } = yield* readHead(transport, Http1.response())
    if (head.status !== 101) return yield* new NotSwitched({ detail: `the server answered ${head.status}` })

    yield* Effect.forEach(others, (line) => transport.write(fromLine(line)), { discard: true })
    // We have nothing more to say. The server answers what it has read, and then ends its output as well.
    yield* transport.endOfOutput
    const answers = Stream.concat(Stream.make(rest), Network.reads(transport))
    return Array.from(yield* Stream.runCollect(toLines(answers)))
  }).pipe(Effect.scoped)
