/** 10,000 handshakes in a row that come to nothing: afterwards the server is as it was. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect } from "effect"
import { Network, WebSocketClient } from "sluice"
import { urlOf } from "../../../sluice/test/suites/host.js"
import { head, latin1 } from "../../../sluice/test/support/http.js"
import * as Peer from "../../../sluice/test/support/peer.js"
import { turns } from "../../../sluice/test/support/turns.js"
import * as NodeNetwork from "../../src/NodeNetwork.js"
import * as Child from "./support/child.js"
import { note } from "./support/figures.js"

const hosts = [
  ["node", 10_000],
  ["upgrade", 2000]
] as const

const atOnce = 32

/** The status of the answer, or how the client leaves without one. */
type Outcome = number | "FIN" | "reset"

const text = new TextDecoder().decode(Peer.request("/"))

/** The request with another line in place of one that it has. */
const instead = (line: string, other: string): Uint8Array => {
  assert.include(text, `${line}\r\n`)
  return latin1(text.replace(`${line}\r\n`, other === "" ? "" : `${other}\r\n`))
}

const kinds: ReadonlyArray<readonly [what: string, bytes: Uint8Array, outcome: Outcome]> = [
  ["a bad version", instead("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"), 426],
  ["no key", instead(`Sec-WebSocket-Key: ${Peer.key}`, ""), 400],
  ["no Host", instead("Host: localhost", ""), 400],
  ["bytes that are no HTTP", Uint8Array.from({ length: 64 }, (_, i) => 255 - i), 400],
  ["a head that is too large", latin1(head("GET / HTTP/1.1", "Host: localhost", `X: ${"x".repeat(17 * 1024)}`)), 431],
  ["a foreign Origin", Peer.request("/", "Origin: https://example.com"), 403],
  ["a wrong method", instead("GET / HTTP/1.1", "POST / HTTP/1.1"), 405],
  ["no common subprotocol", Peer.request("/", "Sec-WebSocket-Protocol: echo.v2"), 400],
  ["one whom `authenticate` refuses", Peer.request("/private"), 401],
  ["one whom `authenticate` refuses later", Peer.request("/slow"), 401],
  ["a FIN before a byte", new Uint8Array(0), "FIN"],
  ["a FIN inside the head", Peer.request("/").slice(0, 60), "FIN"],
  ["a reset before a byte", new Uint8Array(0), "reset"],
  ["a reset inside the head", Peer.request("/").slice(0, 60), "reset"],
  ["a reset behind a bad head", instead("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12"), "reset"],
  ["a reset while `authenticate` decides", Peer.request("/slow"), "reset"]
]

const call = (transport: Network.Transport, bytes: Uint8Array, outcome: Outcome) =>
  Effect.gen(function* () {
    if (bytes.length > 0) yield* transport.write(bytes)
    if (outcome === "reset") {
      yield* turns(1)
      return yield* transport.abort
    }
    if (outcome === "FIN") yield* transport.endOfOutput
    const reply = yield* Peer.readText(transport)
    if (outcome === "FIN") assert.notMatch(reply, /^HTTP\/1\.1 101/)
    else assert.strictEqual(reply.slice(0, 13), `HTTP/1.1 ${outcome} `)
    return yield* transport.endOfOutput
  })

/** So many come to nothing, each kind as often as the others. */
const callAll = (address: Network.Address, times: number) =>
  Effect.gen(function* () {
    const { connect } = yield* Network.Network
    yield* Effect.forEach(
      Chunk.range(1, times),
      (i) => {
        const [, bytes, outcome] = kinds[i % kinds.length]
        return Effect.scoped(Effect.flatMap(connect(address), (transport) => call(transport, bytes, outcome)))
      },
      { concurrency: atOnce, discard: true }
    )
  })

/** Nobody is connected any more, and what waited for time to pass is over. */
const atRest = (server: Child.Server) =>
  Effect.zipRight(
    server.eventually("nobody is connected", ({ connections }) => connections === 0),
    Effect.zipRight(server.pass("1 minute"), server.report)
  )

describe.sequential("handshakes that come to nothing", () => {
  for (const [host, total] of hosts) {
    it.scoped(
      `${host}: ${total} leave no fiber, no scope, no descriptor, and less than 5 MiB`,
      (context) =>
        Effect.gen(function* () {
          const server = yield* Child.start({ host })
          // What is run for the first time is compiled, and kept.
          yield* callAll(server.address, 50 * kinds.length)
          const before = yield* atRest(server)
          yield* callAll(server.address, total)
          yield* server.eventually("nobody is connected", ({ connections }) => connections === 0)
          yield* server.pass("1 minute")
          const after = yield* server.eventually(
            "fibers, scopes and descriptors are as before",
            ({ descriptors, fibers, scopes }) =>
              fibers === before.fibers && scopes === before.scopes && descriptors === before.descriptors
          )
          const growth = Child.held(after) - Child.held(before)
          yield* note(context, `${JSON.stringify({ before, after })}: ${Child.inMebibytes(growth)} more`)
          assert.isAtMost(growth, 5 * Child.mebibyte)
          // And it serves as before.
          const client = yield* WebSocketClient.connect(urlOf(server.address))
          yield* client.send("hello")
          assert.strictEqual((yield* client.take).length, 1)
        }).pipe(Effect.provide(NodeNetwork.layer())),
      300_000
    )
  }
})
