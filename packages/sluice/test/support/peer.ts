/** The other end of a connection, played byte by byte: what it says is up to the test, what it hears is told in words. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Option, type Scope, Stream } from "effect"
import * as Frame from "../../src/Frame.js"
import * as Handshake from "../../src/Handshake.js"
import type * as Limits from "../../src/Limits.js"
import * as Network from "../../src/Network.js"
import type * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { concat, toHex, utf8 } from "./bytes.js"
import { head, latin1, toLatin1 } from "./http.js"
import * as Wire from "./wire.js"

export const { Opcode } = Frame

export interface Peer {
  readonly transport: Network.Transport
  /** The bytes of frames as this side must send them. */
  readonly bytes: (...frames: ReadonlyArray<Wire.Raw>) => Uint8Array
  /** Sends frames, in one write. */
  readonly send: (...frames: ReadonlyArray<Wire.Raw>) => Effect.Effect<void, Network.TransportError>
  /** The next frame, in words; `End` after the last, `Reset` if there cannot be one. */
  readonly hear: Effect.Effect<string>
  /** All frames until the connection ends, and how it ends. */
  readonly hearAll: Effect.Effect<ReadonlyArray<string>>
  /** Takes whole frames off the wire for ever. */
  readonly frames: Stream.Stream<Frame.Frame, Network.TransportError>
}

const most = 32

const showBytes = (bytes: Uint8Array): string => (bytes.length > most ? `${bytes.length} bytes` : toHex(bytes))

/** `Text "a"`, `Close 1000 "bye"`, `Ping 01`; a fragment that is not the last ends in three dots. */
export const show = ({ fin, opcode, payload }: Frame.Frame): string => {
  const name = Object.entries(Opcode).find(([, code]) => code === opcode)?.[0]
  const text = () => new TextDecoder().decode(payload)
  const content =
    opcode === Opcode.Close
      ? payload.length === 0
        ? ""
        : `${(payload[0]! << 8) | payload[1]!} ${JSON.stringify(new TextDecoder().decode(payload.subarray(2)))}`
      : opcode === Opcode.Text && payload.length <= most
        ? JSON.stringify(text())
        : showBytes(payload)
  return `${name}${content === "" ? "" : " "}${content}${fin ? "" : "..."}`
}

/** `role`: what this peer is. `rest`: what came behind the head. */
export const make = (transport: Network.Transport, role: Wire.Role, rest: Uint8Array = new Uint8Array(0)): Peer => {
  let decoder = Frame.decoder({ role, maxFramePayload: "unbounded" })
  const waiting: Array<Frame.Frame> = []
  const feed = (bytes: Uint8Array) => {
    const decoded = Frame.decodeChunk(decoder, bytes)
    if (decoded.error !== undefined) assert.fail(`it sends what is no frame: ${decoded.error.message}`)
    decoder = decoded.decoder
    waiting.push(...decoded.frames)
  }
  feed(rest)
  const next: Effect.Effect<Frame.Frame, Option.Option<Network.TransportError>> = Effect.suspend(() => {
    const frame = waiting.shift()
    if (frame !== undefined) return Effect.succeed(frame)
    return Effect.flatMap(transport.read, (bytes) => {
      feed(bytes)
      return next
    })
  })
  const hear = Effect.match(next, {
    onSuccess: show,
    onFailure: Option.match({ onNone: () => "End", onSome: () => "Reset" })
  })
  const bytes = (...frames: ReadonlyArray<Wire.Raw>) =>
    concat(frames.map((frame) => Wire.raw({ key: Wire.keyTo(role === "client" ? "server" : "client"), ...frame })))
  return {
    transport,
    bytes,
    send: (...frames) => transport.write(bytes(...frames)),
    hear,
    hearAll: Effect.map(
      Stream.runCollect(Stream.takeUntil(Stream.repeatEffect(hear), (heard) => heard === "End" || heard === "Reset")),
      (all) => [...all]
    ),
    frames: Stream.repeatEffectOption(next)
  }
}

export const text = (text: string): Wire.Raw => ({ opcode: Opcode.Text, payload: utf8(text) })
export const binary = (payload: Uint8Array): Wire.Raw => ({ opcode: Opcode.Binary, payload })
export const ping = (payload = ""): Wire.Raw => ({ opcode: Opcode.Ping, payload: utf8(payload) })
export const pong = (payload: Uint8Array): Wire.Raw => ({ opcode: Opcode.Pong, payload })
export const close = (code?: number, reason = ""): Wire.Raw => ({
  opcode: Opcode.Close,
  payload: code === undefined ? new Uint8Array(0) : concat([Uint8Array.of(code >>> 8, code), utf8(reason)])
})

/** The key of RFC 6455 §1.3, with its answer `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`. */
export const key = "dGhlIHNhbXBsZSBub25jZQ=="

/** The head of a request that every server must accept, with more fields. */
export const request = (target: string, ...fields: ReadonlyArray<string>): Uint8Array =>
  latin1(
    head(
      `GET ${target} HTTP/1.1`,
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
      ...fields
    )
  )

/** A request with frames of a client behind it, as one segment. */
export const opening = (...early: ReadonlyArray<Wire.Raw>): Uint8Array =>
  concat([request("/"), ...early.map((frame) => Wire.raw({ key: Wire.keyTo("server"), ...frame }))])

/** Reads until the empty line: the head, and what came behind it. Fails with what was read if the connection ends. */
export const readHead = (
  transport: Network.Transport
): Effect.Effect<{ readonly head: string; readonly rest: Uint8Array }, string> => {
  const more = (before: string): Effect.Effect<{ readonly head: string; readonly rest: Uint8Array }, string> => {
    const end = before.indexOf("\r\n\r\n")
    return end >= 0
      ? Effect.succeed({ head: before.slice(0, end + 4), rest: latin1(before.slice(end + 4)) })
      : transport.read.pipe(
          Effect.mapError(() => before),
          Effect.flatMap((bytes) => more(before + toLatin1(bytes)))
        )
  }
  return more("")
}

/** All text until the end of the output, or what came before the reset. */
export const readText = (transport: Network.Transport): Effect.Effect<string> =>
  Network.reads(transport).pipe(
    Stream.catchAll(() => Stream.empty),
    Stream.runFold("", (text, bytes) => text + toLatin1(bytes))
  )

/** Connects to a server as a client that sends the bytes it is given; they hold the request and may hold more. */
export const connect = (
  address: Network.Address,
  bytes: Uint8Array = request("/")
): Effect.Effect<Peer, Network.TransportError | string, Network.Network | Scope.Scope> =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    yield* transport.write(bytes)
    const { head, rest } = yield* readHead(transport)
    assert.match(head, /^HTTP\/1\.1 101 /)
    return make(transport, "client", rest)
  })

/** The 101 for a request, with more fields. */
export const switching = (request: string, ...fields: ReadonlyArray<string>): Uint8Array => {
  const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request)?.[1] ?? ""
  return latin1(
    head(
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${Handshake.acceptKey(key)}`,
      ...fields
    )
  )
}

/** A client of ours, and the server that it talks to. */
export const accept = (
  limits?: Limits.Options,
  early: ReadonlyArray<Wire.Raw> = []
): Effect.Effect<
  { readonly socket: WebSocket.WebSocket; readonly peer: Peer },
  unknown,
  Network.Network | Scope.Scope
> =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* network.listen({})
    const url = `ws://${Network.formatAddress(listener.address)}`
    const connecting = yield* Effect.fork(WebSocketClient.connect({ url, limits }))
    const transport = yield* listener.accept
    const { head, rest } = yield* readHead(transport)
    const peer = make(transport, "server", rest)
    yield* transport.write([switching(head), peer.bytes(...early)])
    return { socket: yield* Fiber.join(connecting), peer }
  })
