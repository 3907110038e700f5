/** Security advisories of other libraries, over TCP, with sockets of `node:net` where the fault was in the socket layer. */
import { execFile } from "node:child_process"
import { createServer, connect as netConnect, type Server, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, FastCheck, Logger, type Scope } from "effect"
import { Frame, type Network, Rejection, WebSocketClient, type WebSocketServer } from "sluice"
import type * as WebSocket from "sluice/WebSocket"
import { advisories } from "../../sluice/test/suites/advisories.js"
import { hasAllRows, named } from "../../sluice/test/suites/advisoriesNamed.js"
import { type Host, urlOf } from "../../sluice/test/suites/host.js"
import { cut } from "../../sluice/test/support/bytes.js"
import { leavesNoFiber } from "../../sluice/test/support/fibers.js"
import { echo, nobodyIsLeft, serves, valid, withCensus, withLines, without } from "../../sluice/test/support/hostile.js"
import { latin1 } from "../../sluice/test/support/http.js"
import * as Peer from "../../sluice/test/support/peer.js"
import { requests } from "../../sluice/test/support/requests.js"
import { settled, turns } from "../../sluice/test/support/turns.js"
import * as Wire from "../../sluice/test/support/wire.js"
import { addressOf, node, upgrade } from "./support/hosts.js"
import { leavesNoResource, throwsNothing } from "./support/resources.js"

for (const host of [node, upgrade]) advisories(host)

const name = named("sockets")

/** Fails if something was thrown that nobody caught, or if a fiber, a socket or a timer is left. */
const row = <E>(
  id: string,
  what: string,
  host: Host,
  run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>
): void =>
  it.live(name(id, `${what}, on ${host.name}`), () =>
    Effect.scoped(run).pipe(
      Effect.provide([host.network, Logger.remove(Logger.defaultLogger)]),
      leavesNoFiber,
      leavesNoResource,
      throwsNothing
    )
  )

/** Waits for an event of a socket, or for its end. */
const until = (socket: Socket, event: "connect" | "data" | "close" | "drain") =>
  Effect.async<void>((resume) => {
    if (socket.closed) return resume(Effect.void)
    const done = () => {
      socket.off(event, done)
      socket.off("close", done)
      resume(Effect.void)
    }
    socket.on(event, done)
    socket.on("close", done)
    return Effect.sync(() => {
      socket.off(event, done)
      socket.off("close", done)
    })
  })

const dial = ({ host, port }: Network.Address) =>
  Effect.gen(function* () {
    const socket = netConnect(port, host)
    // What becomes of it is up to the other side.
    socket.on("error", () => {})
    yield* until(socket, "connect")
    return socket
  })

const write = (socket: Socket, bytes: Uint8Array) =>
  Effect.suspend(() => (socket.destroyed || socket.write(bytes) ? Effect.void : until(socket, "drain")))

/** By RST, whatever is under way. */
const reset = (socket: Socket) =>
  Effect.suspend(() => {
    const closed = until(socket, "close")
    if (!socket.destroyed) socket.resetAndDestroy()
    return closed
  })

const masked = (frame: Wire.Raw): Uint8Array => Wire.raw({ key: Wire.keyTo("server"), ...frame })

const atOnce = { concurrency: 16, discard: true } as const

const sizesOf = (bytes: Uint8Array) => Array.from({ length: bytes.length + 1 }, (_, size) => size)

/** Listens until the scope ends, and does something with each connection. */
const listening = (serve: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => {})
        serve(socket)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const forbidden = (socket: WebSocket.WebSocket, { accepted }: WebSocketServer.Connected) =>
  accepted.resource === "/" ? echo(socket) : Effect.dieMessage("refused requests are not handled")

describe.sequential("advisories over sockets", () => {
  it.live(
    name("CVE-2026-48779", "the memory of the process, with many unfinished messages in tiny parts"),
    () =>
      Effect.gen(function* () {
        const root = fileURLToPath(new URL("../../../", import.meta.url))
        const flags = ["--expose-gc", "--conditions=source", "--import", "tsx"]
        const printed = yield* Effect.async<string, Error>((resume) => {
          const child = execFile(
            process.execPath,
            [...flags, "packages/node/test/support/pinning.ts"],
            { cwd: root },
            (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
          )
          return Effect.sync(() => child.kill("SIGKILL"))
        })
        interface Measured {
          readonly clients: number
          readonly payload: number
          readonly pinned: number
        }
        const measured: { readonly fragments: Measured; readonly chunks: Measured } = JSON.parse(printed)
        for (const [what, { clients, payload, pinned }] of Object.entries(measured)) {
          // Besides the payload a connection has a deadline, and what it knows of the message.
          assert.isAtMost(pinned, 4 * payload + clients * 2048, `${what}: ${printed}`)
        }
        // It is measured at all: what has come is kept. The other payload is too small to be told from the rest.
        assert.isAtLeast(measured.fragments.pinned, measured.fragments.payload / 2)
      }),
    120_000
  )

  for (const host of [node, upgrade]) {
    row(
      "Effect 3, no CVE",
      "a client that resets at any byte of the handshake, and of what follows, ends nothing but its connection",
      host,
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { authenticate: ({ resource }) => (resource === "/slow" ? turns(4) : Effect.void) },
          echo
        )
        for (const path of ["/", "/slow"]) {
          const frames = [masked({ ...Peer.text("he"), fin: false }), masked({ opcode: 0, payload: latin1("llo") })]
          const bytes = Buffer.concat([Peer.request(path), ...frames, masked(Peer.close(1000))])
          for (const pause of [0, 2]) {
            const call = (size: number) =>
              Effect.gen(function* () {
                const socket = yield* dial(address)
                yield* write(socket, bytes.subarray(0, size))
                if (pause > 0) yield* turns(pause)
                yield* reset(socket)
              })
            yield* Effect.forEach(sizesOf(bytes), call, atOnce)
          }
        }
        yield* nobodyIsLeft(connections)
        yield* serves(address)
      })
    )

    row(
      "Effect 3, no CVE",
      "50 handshakes with a bad version leave no fiber, whether the client stays, ends or resets",
      host,
      withCensus((alive) =>
        Effect.gen(function* () {
          const { address, connections } = yield* host.serve({}, () =>
            Effect.dieMessage("refused requests are not handled")
          )
          const bad = latin1(withLines(without(valid, "Sec-WebSocket-Version"), "Sec-WebSocket-Version: 8"))
          const leave = {
            stays: (socket: Socket) => {
              socket.resume()
              return until(socket, "close")
            },
            ends: (socket: Socket) => {
              socket.resume()
              socket.end()
              return until(socket, "close")
            },
            resets: reset
          }
          yield* turns()
          const before = yield* alive
          for (const how of Object.values(leave)) {
            const call = Effect.gen(function* () {
              const socket = yield* dial(address)
              yield* write(socket, bad)
              yield* how(socket)
            })
            yield* Effect.repeatN(call, 49)
          }
          yield* nobodyIsLeft(connections)
          yield* turns()
          // Those in which the deadlines of a server wait for the next.
          assert.isAtMost(yield* alive, before + 3)
        })
      )
    )

    row(
      "CVE-2022-41940",
      "a client that resets when it was refused, before, with or after the reply",
      host,
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          {
            authenticate: ({ resource }) =>
              resource === "/"
                ? Effect.void
                : Effect.zipRight(resource === "/slow" ? turns(4) : Effect.void, new Rejection.Forbidden())
          },
          forbidden
        )
        const refused = [
          valid.replace("GET / ", "GET /no "),
          valid.replace("GET / ", "GET /slow "),
          without(valid, "Sec-WebSocket-Key"),
          valid.replace("GET", "POST"),
          withLines(valid, "Origin: https://evil.example"),
          "\0"
        ]
        const moments: ReadonlyArray<(socket: Socket) => Effect.Effect<void>> = [
          () => Effect.void,
          () => turns(1),
          () => turns(3),
          (socket) => until(socket, "data"),
          (socket) => Effect.zipRight(until(socket, "data"), turns(2)),
          // The reply waits, unread.
          (socket) =>
            Effect.zipRight(
              Effect.sync(() => void socket.pause()),
              turns(8)
            ),
          // More than a server that refuses reads.
          (socket) => Effect.zipRight(write(socket, new Uint8Array(256 * 1024)), turns(1))
        ]
        const calls = refused.flatMap((head) => moments.map((moment) => ({ head, moment })))
        const call = ({ head, moment }: (typeof calls)[number]) =>
          Effect.gen(function* () {
            const socket = yield* dial(address)
            yield* write(socket, latin1(head))
            yield* Effect.raceFirst(moment(socket), until(socket, "close"))
            yield* reset(socket)
          })
        yield* Effect.forEach([...calls, ...calls, ...calls], call, atOnce)
        yield* nobodyIsLeft(connections)
        yield* serves(address)
      })
    )

    row(
      "CVE-2022-21676",
      "whatever follows the request, in any pieces, and however the client leaves",
      host,
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const arbitrary = FastCheck.tuple(
          FastCheck.oneof(Wire.stream("server"), FastCheck.uint8Array({ maxLength: 300 })),
          FastCheck.array(FastCheck.nat(), { maxLength: 4 }),
          FastCheck.boolean()
        )
        const call = ([bytes, at, resets]: readonly [Uint8Array, ReadonlyArray<number>, boolean]) =>
          Effect.gen(function* () {
            const socket = yield* dial(address)
            socket.resume()
            for (const part of cut(Buffer.concat([Peer.request("/"), bytes]), at)) {
              yield* write(socket, part)
              yield* turns(1)
            }
            if (resets) return yield* reset(socket)
            socket.end()
            yield* until(socket, "close")
          })
        yield* Effect.forEach(FastCheck.sample(arbitrary, { numRuns: 300, seed: 21676 }), call, atOnce)
        yield* nobodyIsLeft(connections)
        yield* serves(address)
      })
    )

    row(
      "CVE-2023-31125",
      "every request that is known to be wrong, and every one with a byte changed",
      host,
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({ subprotocols: ["chat.v2", "chat.v1"] }, echo)
        const heads = requests.map(({ request }) => latin1(request))
        const changed = FastCheck.tuple(
          FastCheck.constantFrom(...heads),
          FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat({ max: 255 })), { minLength: 1, maxLength: 3 })
        ).map(([head, changes]) => {
          const bytes = head.slice()
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          return bytes
        })
        const call = (bytes: Uint8Array) =>
          Effect.gen(function* () {
            const socket = yield* dial(address)
            socket.resume()
            yield* write(socket, bytes)
            socket.end()
            // A server of HTTP may keep what is no upgrade.
            yield* Effect.raceFirst(until(socket, "close"), turns(host.isGuest ? 16 : 1000))
            yield* reset(socket)
          })
        yield* Effect.forEach([...heads, ...FastCheck.sample(changed, { numRuns: 300, seed: 31125 })], call, atOnce)
        yield* nobodyIsLeft(connections)
        yield* serves(address)
      })
    )

    row(
      "openai-java#1013",
      "a client that asks for Pongs and does not read gets one, the last, when it reads again",
      host,
      Effect.gen(function* () {
        const read = yield* Deferred.make<void>()
        let sent = 0
        const piece = new Uint8Array(64 * 1024)
        const { address } = yield* host.serve({}, (socket) =>
          Effect.gen(function* () {
            const flood = yield* Effect.fork(
              socket.send(piece).pipe(Effect.zipRight(Effect.sync(() => sent++)), Effect.forever)
            )
            // It comes behind all Pings.
            yield* socket.take
            yield* Deferred.succeed(read, undefined)
            yield* Effect.flip(flood)
          })
        )
        const socket = yield* dial(address)
        socket.pause()
        yield* write(socket, Peer.request("/"))
        yield* settled(() => sent)
        const pings = Array.from({ length: 200 }, (_, i) => masked(Peer.ping(String(i))))
        yield* write(socket, Buffer.concat([...pings, masked(Peer.text("read"))]))
        yield* Deferred.await(read)

        const pongs: Array<string> = []
        let decoder = Frame.decoder({ role: "client", maxFramePayload: "unbounded" })
        let head = ""
        const feed = (bytes: Uint8Array) => {
          const decoded = Frame.decodeChunk(decoder, bytes)
          decoder = decoded.decoder
          for (const { opcode, payload } of decoded.frames) {
            if (opcode === Frame.Opcode.Pong) pongs.push(new TextDecoder().decode(payload))
          }
        }
        socket.on("data", (bytes: Buffer) => {
          if (head.includes("\r\n\r\n")) return feed(bytes)
          head += bytes.toString("latin1")
          const end = head.indexOf("\r\n\r\n")
          if (end >= 0) feed(latin1(head.slice(end + 4)))
        })
        socket.resume()
        const before = sent
        yield* settled(() => pongs.length)
        while (pongs.length === 0 || sent === before) yield* turns(1)
        assert.deepStrictEqual(pongs, ["199"])
        yield* write(socket, masked(Peer.ping("again")))
        while (pongs.length === 1) yield* turns(1)
        assert.deepStrictEqual(pongs, ["199", "again"])
        yield* reset(socket)
      })
    )
  }

  row(
    "Effect 3, no CVE",
    "a server that resets at any byte of its answer, and of what follows, is an error of its client and no more",
    node,
    Effect.gen(function* () {
      const whole = (request: string) =>
        Buffer.concat([Peer.switching(request), Wire.raw(Peer.text("hello")), Wire.raw(Peer.close(1000))])
      // One connection after the other, so that each has its size.
      let size = 0
      const server = yield* listening((socket) => {
        socket.once("data", (head: Buffer) => {
          const bytes = whole(head.toString("latin1")).subarray(0, size)
          if (size % 2 === 0) socket.write(bytes, () => socket.resetAndDestroy())
          else {
            socket.write(bytes)
            socket.resetAndDestroy()
          }
        })
      })
      const call = WebSocketClient.connect(urlOf(addressOf(server))).pipe(
        Effect.flatMap((client) => Effect.zipRight(Effect.either(echo(client)), client.closed)),
        Effect.scoped,
        Effect.match({ onFailure: ({ _tag }) => _tag, onSuccess: ({ _tag }) => _tag })
      )
      const outcomes = new Set<string>()
      for (; size <= whole(valid).length; size++) outcomes.add(yield* call)
      // A reset right behind some bytes may be read as their end.
      assert.includeMembers(["Aborted", "Clean", "InvalidResponse", "TransportError"], [...outcomes])
      assert.include([...outcomes], "TransportError")
    })
  )
})

hasAllRows("network")
hasAllRows("sockets")
