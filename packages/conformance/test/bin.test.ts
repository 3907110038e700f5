/** The command line as a process of its own: against the library ws, and against sluice. */
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { NodeNetwork } from "@sluice/node"
import { Effect } from "effect"
import { Network, WebSocket, WebSocketServer } from "sluice"
import Ws, { WebSocketServer as WsServer } from "ws"
import * as Cases from "../src/Cases.js"
import { isExemplary, isFailure } from "../src/Outcome.js"
import { format } from "../src/Report.js"
import { reportOf, run, start } from "./support/program.js"

/** Starting the program takes a while on a machine with more to do. */
const patience = 120_000

/** The echo of ws: its URL. */
const wsEcho = Effect.acquireRelease(
  Effect.async<WsServer>((resume) => {
    const server: WsServer = new WsServer({ host: "127.0.0.1", port: 0 }, () => resume(Effect.succeed(server)))
    server.on("connection", (socket) => {
      socket.on("error", () => {})
      socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }))
    })
  }),
  (server) =>
    Effect.sync(() => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    })
).pipe(Effect.map((server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`))

/** The echo of sluice: its URL. */
const sluiceEcho = WebSocketServer.serve({}, (socket) => Effect.ignore(WebSocket.runForEach(socket, socket.send))).pipe(
  Effect.map(({ address }) => `ws://${Network.formatAddress(address)}/`),
  Effect.provide(NodeNetwork.layer())
)

describe("conformance, the program", () => {
  it.scopedLive(
    "passes ws where ws does as it should",
    () =>
      Effect.gen(function* () {
        const url = yield* wsEcho
        const ended = yield* run("--group", "utf8", "--json", "--timeout", "60", url)
        const report = reportOf(ended)
        const cases = Cases.select({ role: "server", group: "utf8" })
        assert.deepStrictEqual(
          report.outcomes.map(({ id }) => id),
          cases.map(({ id }) => id)
        )
        assert.isFalse(report.outcomes.some(isFailure), format(report))
        assert.strictEqual(ended.status, 0)
      }),
    patience
  )

  it.scopedLive(
    "fails ws where ws takes a request without Host, and says so",
    () =>
      Effect.gen(function* () {
        const url = yield* wsEcho
        const { out, status } = yield* run("--case", "opening/host/missing", "--timeout", "60", url)
        assert.match(out, /^group {4}passed {2}failed/)
        assert.include(out, "FAILED opening/host/missing")
        assert.include(out, "got       HTTP/1.1 101 Switching Protocols")
        assert.strictEqual(status, 1)
      }),
    patience
  )

  it.scopedLive(
    "passes sluice, many cases at a time, byte by byte",
    () =>
      Effect.gen(function* () {
        const url = yield* sluiceEcho
        const ended = yield* run(
          ...["--group", "close", "--json", "--concurrency", "8", "--chunking", "bytes", "--timeout", "60", url]
        )
        const report = reportOf(ended)
        const wrong = report.outcomes.filter((outcome) => !isExemplary(outcome))
        assert.isTrue(wrong.length === 0, format({ ...report, outcomes: wrong }))
        assert.strictEqual(report.outcomes.length, Cases.select({ role: "server", group: "close" }).length)
        assert.strictEqual(ended.status, 0)
      }),
    patience
  )

  it.scopedLive(
    "skips what a server would have to be set up for, and takes options behind the URL",
    () =>
      Effect.gen(function* () {
        const url = yield* sluiceEcho
        const ended = yield* run(url, "--case", "limits/fragments/at", "--json", "--chunking", "random", "--seed", "5")
        const { outcomes } = reportOf(ended)
        assert.deepStrictEqual(
          outcomes.map(({ id, result }) => [id, result._tag]),
          [["limits/fragments/at/server", "Skipped"]]
        )
        assert.strictEqual(ended.status, 0)
      }),
    patience
  )

  it.scopedLive(
    "asks a client that comes for each case",
    () =>
      Effect.gen(function* () {
        const { ended, said } = yield* start(
          ...["--client", "--port", "0", "--case", "framing/length/text-12", "--json", "--timeout", "60"]
        )
        const waiting = yield* said
        const url = /ws:\/\/127\.0\.0\.1:\d+\//.exec(waiting)?.[0]
        if (url === undefined) return assert.fail(waiting)
        const cases = Cases.select({ role: "client", id: "framing/length/text-12" })
        assert.include(waiting, `connects ${cases.length} times`)
        for (const _ of cases) yield* wsClient(url)
        const { err, out, status } = yield* ended
        const report = reportOf({ err, out, status })
        assert.deepStrictEqual(
          report.outcomes.map(({ id, result }) => [id, result._tag]),
          cases.map(({ id }) => [id, "Passed"])
        )
        assert.strictEqual(status, 0)
      }),
    patience
  )

  it.scopedLive(
    "says that nobody is there, in one line",
    () =>
      Effect.gen(function* () {
        const { err, out, status } = yield* run(`ws://127.0.0.1:${yield* unusedPort}/`)
        assert.match(err, /^Nobody answers at ws:\/\/127[.]0[.]0[.]1:\d+\/: ConnectionRefused[^\n]*\n$/)
        assert.deepStrictEqual([out, status], ["", 1])
      }),
    patience
  )
})

/** A client of ws that connects once, and echoes until the end. */
const wsClient = (url: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    const socket = new Ws(url, { perMessageDeflate: false })
    socket.on("error", () => {})
    socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }))
    socket.on("close", () => resume(Effect.void))
    return Effect.sync(() => socket.terminate())
  })

/** One on which somebody listened a moment ago. */
const unusedPort = Effect.scoped(
  Effect.gen(function* () {
    const network = yield* Network.Network
    const { address } = yield* network.listen({})
    return address.port
  })
).pipe(Effect.provide(NodeNetwork.layer()))
