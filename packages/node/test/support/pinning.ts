/**
 * Measures what unfinished messages in tiny parts take of the memory of a process, and prints it; run with `--expose-gc`.
 *
 * Many clients, on sockets of `node:net` that keep nothing, each send a message of which the end does not come: in
 * fragments of one byte, or as one frame in writes of one byte.
 */
import { connect, type Socket } from "node:net"
import { Effect, Logger, Stream } from "effect"
import { WebSocketServer } from "sluice"
import * as NodeNetwork from "../../src/NodeNetwork.js"

const event = (socket: Socket, name: "data" | "drain" | "connect") =>
  Effect.async<void>((resume) => void socket.once(name, () => resume(Effect.void)))

const request = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "\r\n"
].join("\r\n")

/** The frames of RFC 6455 §5.2, with the key 37 fa 21 3d: a fragment, a continuation, and a Ping; each with one byte. */
const first = Buffer.from("02 81 37fa213d 36".replaceAll(" ", ""), "hex")
const next = Buffer.from("00 81 37fa213d 36".replaceAll(" ", ""), "hex")
const ping = Buffer.from("89 81 37fa213d 36".replaceAll(" ", ""), "hex")

/** The header of a fragment with a length of 16 bits, and a key of zero. */
const header = (length: number) => Buffer.of(0x02, 0xfe, length >>> 8, length & 0xff, 0, 0, 0, 0)

const collect = Effect.gen(function* () {
  // What is under way comes to its end, and what was let go of by one collection is found by the next.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
  }
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
})

/** The server answers a Ping when it has read all that was before it. */
const readAll = (socket: Socket) =>
  Effect.async<void>((resume) => {
    socket.once("data", () => resume(Effect.void))
    socket.write(ping)
  })

const open = (port: number) =>
  Effect.gen(function* () {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true })
    yield* event(socket, "connect")
    socket.write(request)
    yield* event(socket, "data")
    return socket
  })

/** Fragments of one byte, many in a write. */
const inFragments = (size: number) => {
  const bytes = Buffer.concat([first, ...Array.from({ length: size - 1 }, () => next)])
  return (socket: Socket) =>
    Effect.suspend(() => {
      socket.write(bytes)
      return readAll(socket)
    })
}

/** One fragment, one byte in a write. */
const inChunks = (size: number) => (socket: Socket) =>
  Effect.gen(function* () {
    socket.write(header(size))
    for (let i = 0; i < size; i++) if (!socket.write(Buffer.of(1))) yield* event(socket, "drain")
    yield* readAll(socket)
  })

const run = (clients: number, size: number, send: (socket: Socket) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const unbounded = { maxFragments: "unbounded", maxMessageSize: "unbounded", messageTimeout: "unbounded" } as const
    const { address } = yield* WebSocketServer.serve({ limits: unbounded }, ({ messages }) => Stream.runDrain(messages))
    const sockets = yield* Effect.forEach(Array.from({ length: clients }), () => open(address.port))
    const before = yield* collect
    yield* Effect.forEach(sockets, send, { concurrency: "unbounded", discard: true })
    const after = yield* collect
    for (const socket of sockets) socket.destroy()
    return { clients, payload: clients * size, pinned: after - before }
  }).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  // So that all code was compiled before.
  yield* run(4, 1000, inFragments(1000))
  yield* run(4, 1000, inChunks(1000))
  const fragments = yield* run(50, 20_000, inFragments(20_000))
  const chunks = yield* run(25, 2000, inChunks(2000))
  process.stdout.write(`${JSON.stringify({ fragments, chunks })}\n`)
})

Effect.runFork(Effect.provide(program, [NodeNetwork.layer(), Logger.remove(Logger.defaultLogger)]))
