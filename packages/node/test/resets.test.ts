/** A peer that leaves at each stage, by a reset or by a FIN, 1,000 times: the process lives, and nothing is left. */
import { createServer, connect as netConnect, type Server, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Chunk, Effect, Exit, Logger, Queue } from "effect"
import { type Network, WebSocket, WebSocketClient, type WebSocketServer } from "sluice"
import type { Host } from "../../sluice/test/suites/host.js"
import { urlOf } from "../../sluice/test/suites/host.js"
import { leavesNoFiber } from "../../sluice/test/support/fibers.js"
import * as Peer from "../../sluice/test/support/peer.js"
import { eventuallyEffect, turns } from "../../sluice/test/support/turns.js"
import * as Wire from "../../sluice/test/support/wire.js"
import { addressOf, node, upgrade } from "./support/hosts.js"
import { leavesNoResource, throwsNothing } from "./support/resources.js"

/** How a peer leaves, and how often. */
const ways = [
  ["reset", 1000],
  ["FIN", 200]
] as const

type Way = (typeof ways)[number][0]

const atOnce = 20

/** Waits for an event of a socket. */
const once = (socket: Socket, event: "connect" | "data" | "close") =>
  Effect.async<void>((resume) => {
    const listener = () => resume(Effect.void)
    socket.once(event, listener)
    return Effect.sync(() => socket.off(event, listener))
  })

const write = (socket: Socket, bytes: Uint8Array) => Effect.sync(() => void socket.write(bytes))

/** Leaves, and waits until the connection is gone. */
const leave = (socket: Socket, way: Way) =>
  Effect.suspend(() => {
    if (socket.destroyed) return Effect.void
    const closed = once(socket, "close")
    if (way === "reset") socket.resetAndDestroy()
    else {
      socket.end()
      socket.resume()
    }
    return closed
  })

const masked = (frame: Wire.Raw): Uint8Array => Wire.raw({ key: Wire.keyTo("server"), ...frame })
const unmasked = (frame: Wire.Raw): Uint8Array => Wire.raw(frame)

interface Stage {
  readonly name: string
  /** What the peer does before it leaves. */
  readonly come: (socket: Socket, asked: Queue.Dequeue<void>) => Effect.Effect<void>
}

const request = Peer.request("/")

const opened = (socket: Socket) => Effect.zipRight(write(socket, request), once(socket, "data"))

/** How far a client comes with a server. */
const clientStages: ReadonlyArray<Stage> = [
  { name: "before a byte", come: () => Effect.void },
  { name: "inside the head", come: (socket) => Effect.zipRight(write(socket, request.slice(0, 40)), turns(2)) },
  { name: "after the head", come: (socket) => write(socket, request) },
  {
    name: "while `authenticate` decides",
    come: (socket, asked) => Effect.zipRight(write(socket, Peer.request("/slow")), Queue.take(asked))
  },
  { name: "right after the 101", come: opened },
  {
    name: "inside a frame header",
    come: (socket) =>
      Effect.all([opened(socket), write(socket, masked(Peer.text("hello")).slice(0, 1)), turns(2)], { discard: true })
  },
  {
    name: "inside a payload",
    come: (socket) =>
      Effect.all([opened(socket), write(socket, masked(Peer.text("hello")).slice(0, 8)), turns(2)], { discard: true })
  },
  {
    name: "inside a message",
    come: (socket) =>
      Effect.all([opened(socket), write(socket, masked({ ...Peer.text("hello"), fin: false })), turns(2)], {
        discard: true
      })
  },
  {
    name: "after its Close",
    come: (socket) => Effect.zipRight(opened(socket), write(socket, masked(Peer.close(1000))))
  },
  {
    name: "while the server writes to it and it does not read",
    come: (socket) =>
      Effect.zipRight(
        write(socket, Peer.request("/flood")),
        Effect.zipRight(
          once(socket, "data"),
          Effect.zipRight(
            Effect.sync(() => socket.pause()),
            turns(8)
          )
        )
      )
  }
]

const piece = new Uint8Array(64 * 1024)

const handler = (socket: WebSocket.WebSocket, { accepted }: WebSocketServer.Connected) =>
  accepted.resource === "/flood"
    ? Effect.forever(socket.send(piece))
    : WebSocket.runForEach(socket, (message) => socket.send(message))

/** Fails if a fiber, a socket or a timer is left, or if something was thrown. */
const careful = <A, E>(what: string, run: Effect.Effect<A, E, Network.Network>, host: Host) =>
  it.live(what, () =>
    run.pipe(
      Effect.provide([host.network, Logger.remove(Logger.defaultLogger)]),
      leavesNoFiber,
      leavesNoResource,
      throwsNothing
    )
  )

describe.sequential("clients that leave", () => {
  for (const host of [node, upgrade]) {
    for (const [way, total] of ways) {
      careful(
        `${host.name}: by a ${way} at each stage, ${total} times`,
        Effect.gen(function* () {
          const asked = yield* Queue.unbounded<void>()
          const { address, connections } = yield* host.serve(
            {
              authenticate: ({ resource }) =>
                resource === "/slow" ? Effect.zipRight(Queue.offer(asked, undefined), turns(4)) : Effect.void
            },
            handler
          )
          let left = 0
          const call = (i: number) =>
            Effect.gen(function* () {
              const { come } = clientStages[i % clientStages.length]!
              const socket = netConnect(address.port, address.host)
              // What the server does to it at the end is up to the server.
              socket.on("error", () => {})
              yield* once(socket, "connect")
              yield* Effect.raceFirst(come(socket, asked), once(socket, "close"))
              yield* leave(socket, way)
              left++
            })
          yield* Effect.forEach(Chunk.range(1, total), call, { concurrency: atOnce, discard: true })
          assert.strictEqual(left, total)
          yield* eventuallyEffect(
            "nobody is connected",
            Effect.map(connections, (count) => count === 0)
          )
          // And it serves as before.
          const client = yield* WebSocketClient.connect(urlOf(address))
          yield* client.send("hello")
          assert.strictEqual((yield* client.take).length, 1)
        }).pipe(Effect.scoped),
        host
      )
    }
  }
})

/** How far a server comes with a client. */
const serverStages: ReadonlyArray<{
  readonly name: string
  readonly isFlooded?: boolean
  readonly come: (socket: Socket) => Effect.Effect<void>
}> = [
  { name: "before it has read a byte", come: () => Effect.void },
  { name: "when it has read the request", come: (socket) => once(socket, "data") },
  { name: "inside the 101", come: (socket) => answered(socket, (bytes) => bytes.slice(0, 50)) },
  { name: "right after the 101", come: (socket) => answered(socket, (bytes) => bytes) },
  {
    name: "inside the head of a refusal",
    come: (socket) =>
      Effect.zipRight(once(socket, "data"), write(socket, new TextEncoder().encode("HTTP/1.1 403 No\r\n")))
  },
  {
    name: "inside the body of a refusal",
    come: (socket) =>
      Effect.zipRight(
        once(socket, "data"),
        write(socket, new TextEncoder().encode("HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\nno"))
      )
  },
  {
    name: "inside a frame header",
    come: (socket) =>
      Effect.all(
        [answered(socket, (bytes) => bytes), write(socket, unmasked(Peer.text("hello")).slice(0, 1)), turns(2)],
        {
          discard: true
        }
      )
  },
  {
    name: "inside a payload",
    come: (socket) =>
      Effect.all(
        [answered(socket, (bytes) => bytes), write(socket, unmasked(Peer.text("hello")).slice(0, 4)), turns(2)],
        {
          discard: true
        }
      )
  },
  {
    name: "after its Close",
    come: (socket) =>
      Effect.zipRight(
        answered(socket, (bytes) => bytes),
        write(socket, unmasked(Peer.close(1000)))
      )
  },
  {
    name: "while the client writes to it and it does not read",
    isFlooded: true,
    come: (socket) =>
      answered(socket, (bytes) => bytes).pipe(
        Effect.zipRight(Effect.sync(() => socket.pause())),
        Effect.zipRight(turns(8))
      )
  }
]

/** Reads the request and sends some of the answer to it. */
const answered = (socket: Socket, part: (bytes: Uint8Array) => Uint8Array) =>
  Effect.async<void>((resume) => {
    socket.once("data", (head: Buffer) => {
      socket.write(part(Peer.switching(head.toString("latin1"))))
      resume(Effect.void)
    })
  })

const listening = Effect.acquireRelease(
  Effect.async<Server>((resume) => {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
)

describe.sequential("servers that leave", () => {
  for (const [way, total] of ways) {
    careful(
      `by a ${way} at each stage, ${total} times`,
      Effect.gen(function* () {
        const server = yield* listening
        const sockets = yield* Queue.unbounded<Socket>()
        server.on("connection", (socket) => {
          socket.on("error", () => {})
          sockets.unsafeOffer(socket)
        })
        const url = urlOf(addressOf(server))
        const outcomes = new Map<string, number>()
        const stay = (isFlooded: boolean) => (socket: WebSocket.WebSocket) =>
          isFlooded
            ? Effect.zipRight(Effect.flip(Effect.forever(socket.send(piece))), socket.closed)
            : Effect.zipRight(Effect.either(WebSocket.runForEach(socket, () => Effect.void)), socket.closed)
        const call = (i: number) =>
          Effect.gen(function* () {
            const { come, isFlooded = false } = serverStages[i % serverStages.length]!
            const scene = Effect.gen(function* () {
              const socket = yield* Queue.take(sockets)
              yield* Effect.raceFirst(come(socket), once(socket, "close"))
              yield* leave(socket, way)
            })
            const client = WebSocketClient.connect(url).pipe(
              Effect.flatMap(stay(isFlooded)),
              Effect.scoped,
              Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ _tag }) => _tag }),
              Effect.exit
            )
            const [exit] = yield* Effect.all([client, scene], { concurrency: 2 })
            assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
            if (Exit.isSuccess(exit)) outcomes.set(exit.value, (outcomes.get(exit.value) ?? 0) + 1)
          })
        // One after the other within a lane of its own, so that a scene has its own client.
        yield* Effect.forEach(Chunk.range(1, total), call, { concurrency: 1, discard: true })
        const expected = ["Aborted", "Clean", "Custom", "InvalidResponse", "TransportError"]
        assert.deepStrictEqual(
          [...outcomes.keys()].filter((tag) => !expected.includes(tag)),
          []
        )
        assert.isAtLeast(outcomes.get("Aborted") ?? 0, total / 5)
      }).pipe(Effect.scoped),
      node
    )
  }
})
