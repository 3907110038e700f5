/**
 * Lets somebody watch the frames of one connection, as they pass.
 *
 * A `Transport` is an interface of a few effects. `tap` gives another one around it, which shows every chunk of bytes to
 * the frame decoder of sluice on its way. The decoder is pure, so it does not matter that it runs beside the connection:
 * the connection does not know that it is watched.
 */
import { Chunk, Clock, Effect, Either, PubSub, Ref, Schema, Stream, Take } from "effect"
import {
  CloseCode,
  Fields,
  Frame,
  type Handshake,
  Http1,
  type Network,
  Rejection,
  WebSocket,
  type WebSocketServer
} from "sluice"

/** One frame that has passed: `wire.v1` is a JSON message for each. */
const Passed = Schema.Struct({
  at: Schema.Number,
  from: Schema.Literal("client", "server"),
  opcode: Schema.String,
  fin: Schema.Boolean,
  masked: Schema.Boolean,
  /** The header as it was on the wire, in hex. */
  header: Schema.String,
  /** Bytes of the payload. */
  length: Schema.Number,
  /** The beginning of the payload, unmasked. */
  preview: Schema.String
})
type Passed = typeof Passed.Type

const encode = Schema.encodeSync(Schema.parseJson(Passed))

/** Where the reading of one direction is: in a head of HTTP, among frames, or after something that is neither. */
type Reading = Http1.AwaitingResponse | Frame.Decoder | undefined

/** Bytes in, frames out, and where to go on. */
const read = (reading: Reading, bytes: Uint8Array): readonly [ReadonlyArray<Frame.Frame>, Reading] => {
  if (reading === undefined) return [[], undefined]
  if (reading._tag === "Decoder") {
    const { decoder, error, frames } = Frame.decodeChunk(reading, bytes)
    return [frames, error === undefined ? decoder : undefined]
  }
  const next = Http1.receive(reading, bytes)
  if (Either.isLeft(next)) return [[], undefined]
  if (next.right._tag === "AwaitingResponse") return [[], next.right]
  // After the 101 there are frames; after any other reply there are none.
  return next.right.head.status === 101 ? read(Frame.decoder({ role: "client" }), next.right.rest) : [[], undefined]
}

const maxPreview = 160

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")

const toText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const opcodes = new Map<number, string>(Object.entries(Frame.Opcode).map(([name, opcode]) => [opcode, name]))

const preview = ({ opcode, payload }: Frame.Frame): string => {
  switch (opcode) {
    case Frame.Opcode.Text:
    case Frame.Opcode.Continuation:
      return toText(payload).slice(0, maxPreview)
    case Frame.Opcode.Close: {
      // RFC 6455 §5.5.1: two bytes of code, then the reason; or nothing at all
      if (payload.length < 2) return "no code"
      const code = new DataView(payload.buffer, payload.byteOffset).getUint16(0)
      return `${code} ${CloseCode.name(code)} ${toText(payload.subarray(2))}`.trimEnd()
    }
    default:
      return toHex(payload.subarray(0, maxPreview / 3))
  }
}

const describe = (at: number, from: Passed["from"], frame: Frame.Frame): Passed => {
  const bytes = Frame.toBytes(frame)
  return {
    at,
    from,
    opcode: opcodes.get(frame.opcode) ?? "",
    fin: frame.fin,
    masked: frame.maskingKey !== undefined,
    header: toHex(bytes.subarray(0, bytes.length - frame.payload.length)),
    length: frame.payload.length,
    preview: preview(frame)
  }
}

/** Where the frames of one connection can be watched. Who watches too slowly misses some; the connection never waits. */
type Watched = PubSub.PubSub<Take.Take<Passed>>

/** Frames that are kept for those who come later. */
const replay = 256

/** Makes a place where connections can be tapped, and watched. */
export const make = Effect.sync(() => {
  const connections = new Map<string, Watched>()

  /**
   * The same connection, with its frames shown.
   *
   * Its name is the key of its handshake: a random number that only its two ends know, so nobody else can watch it.
   */
  const tap = (transport: Network.Transport, { request, rest }: Handshake.Received) =>
    Effect.gen(function* () {
      const name = Fields.get(request.fields, "Sec-WebSocket-Key") ?? ""
      const watched: Watched = yield* PubSub.sliding<Take.Take<Passed>>({ capacity: replay, replay })
      connections.set(name, watched)

      const follow = (from: Passed["from"], start: Reading) =>
        Effect.map(
          Ref.make(start),
          (reading) => (bytes: Uint8Array) =>
            Effect.gen(function* () {
              const frames = yield* Ref.modify(reading, (reading) => read(reading, bytes))
              if (frames.length === 0) return
              const at = yield* Clock.currentTimeMillis
              const passed = frames.map((frame) => describe(at, from, frame))
              yield* PubSub.publish(watched, Take.chunk(Chunk.fromIterable(passed)))
            })
        )
      const fromClient = yield* follow("client", Frame.decoder({ role: "server" }))
      const fromServer = yield* follow("server", Http1.response())
      // What the client has sent right behind its request.
      yield* fromClient(rest)

      const forget = Effect.suspend(() => {
        if (connections.get(name) === watched) connections.delete(name)
        return PubSub.publish(watched, Take.end)
      })

      const tapped: Network.Transport = {
        remote: transport.remote,
        local: transport.local,
        read: Effect.tap(transport.read, fromClient),
        write: (bytes) =>
          Effect.forEach(bytes instanceof Uint8Array ? [bytes] : bytes, fromServer, { discard: true }).pipe(
            Effect.zipRight(transport.write(bytes))
          ),
        endOfOutput: transport.endOfOutput,
        // The last that happens to every connection.
        abort: Effect.zipRight(forget, transport.abort)
      }
      return tapped
    })

  /** `/wire?of=KEY` shows the frames of the connection of this key. */
  const options = {
    subprotocols: ["wire.v1"],
    // What this finds is the principal: the handler gets it, with its type.
    authenticate: ({ authority, resource }: WebSocketServer.Incoming) => {
      const key = new URL(resource, `http://${authority}`).searchParams.get("of") ?? ""
      const watched = connections.get(key)
      return watched === undefined
        ? new Rejection.NotFound({ detail: "There is no connection of this key." })
        : Effect.succeed(watched)
    }
  } as const

  const watch = (socket: WebSocket.WebSocket, { principal }: WebSocketServer.Connected<string | undefined, Watched>) =>
    Stream.fromPubSub(principal).pipe(
      Stream.flattenTake,
      Stream.map(encode),
      Stream.run(WebSocket.sink(socket)),
      // A handler that only sends does not notice that the other side has left.
      Effect.raceFirst(socket.closed)
    )

  return { tap, options, watch }
})
