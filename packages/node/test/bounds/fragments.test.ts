/** Messages in fragments of one byte that never end: what they pin is in proportion to what came, and it ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Network } from "sluice"
import { concat, utf8 } from "../../../sluice/test/support/bytes.js"
import * as Peer from "../../../sluice/test/support/peer.js"
import * as NodeNetwork from "../../src/NodeNetwork.js"
import * as Child from "./support/child.js"
import { note } from "./support/figures.js"

const total = 200

/** How many fragments have come of each message when what is pinned is looked at. */
const stages = [1000, 10_000, 60_000]

/** What a message that has begun costs beside its payload: the state of its assembly, its deadline. */
const perConnection = 2 * 1024

/** A fragment of one byte, so many times; the bytes are made once for all. */
const more = (peer: Peer.Peer, count: number): Uint8Array =>
  concat(Array.from({ length: count }, () => peer.bytes({ opcode: 0, fin: false, payload: utf8("a") })))

/** Clients that have begun a message, every second one a text; `each` has all of them do something. */
const crowd = (address: Network.Address) =>
  Effect.gen(function* () {
    const peers = yield* Effect.replicateEffect(Peer.connect(address), total)
    const each = <E>(act: (peer: Peer.Peer) => Effect.Effect<unknown, E>) =>
      Effect.forEach(peers, act, { concurrency: "unbounded", discard: true })
    const begin = Effect.forEach(peers, (peer, i) =>
      peer.send({ opcode: i % 2 === 0 ? Peer.Opcode.Binary : Peer.Opcode.Text, fin: false, payload: utf8("a") })
    )
    return { peers, each, begin }
  })

/** Whether the server has read all that was sent. */
const isRead = (peer: Peer.Peer) =>
  Effect.gen(function* () {
    yield* peer.send(Peer.ping("here"))
    assert.strictEqual(yield* peer.hear, "Pong 68657265")
  })

describe.sequential("messages in fragments of one byte that never end", () => {
  it.scoped(
    `${total} of them pin at most 4 times what came, and end with 1008 after messageTimeout`,
    (context) =>
      Effect.gen(function* () {
        const server = yield* Child.start({ limits: { maxFragments: "unbounded", pingInterval: "unbounded" } })
        // What is run for the first time is compiled, and kept.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { begin, each, peers } = yield* crowd(server.address)
            const bytes = more(peers[0]!, 1000)
            yield* begin
            yield* each((peer) => peer.transport.write(bytes))
            yield* each(isRead)
          })
        )
        const empty = yield* server.eventually("nobody is connected", ({ connections }) => connections === 0)
        const { begin, each, peers } = yield* crowd(server.address)
        yield* each(isRead)
        const idle = yield* server.report
        yield* begin
        let sent = 1
        for (const stage of stages) {
          const bytes = more(peers[0]!, 1000)
          for (; sent + 1000 <= stage; sent += 1000) yield* each((peer) => peer.transport.write(bytes))
          yield* each((peer) => peer.transport.write(more(peer, stage - sent)))
          sent = stage
          yield* each(isRead)
          const growth = Child.held(yield* server.report) - Child.held(idle)
          yield* note(
            context,
            `${stage} fragments: ${Child.inMebibytes(growth)} for ${Child.inMebibytes(total * sent)}, ` +
              `that is ${(growth / total / sent).toFixed(2)} times as much`
          )
          assert.isAtMost(growth, total * (4 * sent + perConnection))
        }
        yield* note(context, `idle: ${Math.round((Child.held(idle) - Child.held(empty)) / total)} bytes each`)
        yield* server.pass("59999 millis")
        yield* each(isRead)
        yield* server.pass("1 millis")
        yield* each((peer) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* peer.hearAll, ['Close 1008 "MessageTimeout"', "End"])
            yield* peer.transport.endOfOutput
          })
        )
        const after = yield* server.eventually("nobody is connected", ({ connections }) => connections === 0)
        yield* note(context, `afterwards: ${Child.inMebibytes(Child.held(after) - Child.held(empty))} more`)
        // What the messages held was more than ten times as much.
        assert.isAtMost(Child.held(after) - Child.held(empty), 2 * Child.mebibyte)
      }).pipe(Effect.provide(NodeNetwork.layer())),
    120_000
  )
})
