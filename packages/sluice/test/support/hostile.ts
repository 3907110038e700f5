/** What a test does as a peer that means no good, and what must hold after it. */
import { assert } from "@effect/vitest"
import { type Duration, Effect, Stream, Supervisor, TestClock } from "effect"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { concat, toHex, utf8 } from "./bytes.js"
import { latin1, toLatin1 } from "./http.js"
import * as Peer from "./peer.js"
import { eventuallyEffect, turns } from "./turns.js"
import * as Wire from "./wire.js"

export const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

/** Sends bytes, then reads all that comes until the connection ends, in whatever way. */
export const exchange = (address: Network.Address, ...parts: ReadonlyArray<Uint8Array | string>) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    // It may be cut off before all was sent.
    yield* Effect.ignore(transport.write(parts.map((part) => (typeof part === "string" ? latin1(part) : part))))
    const text = yield* Peer.readText(transport)
    yield* Effect.ignore(transport.endOfOutput)
    return text
  }).pipe(Effect.scoped)

/** A server that answers each request with bytes, and perhaps ends; what it has heard, and how many came. */
export const answering = (answer: (request: string) => Uint8Array | string, then: "ends" | "listens" = "listens") =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* network.listen({})
    const requests: Array<string> = []
    let connections = 0
    const one = Effect.gen(function* () {
      const transport = yield* listener.accept
      connections++
      yield* Effect.gen(function* () {
        const { head } = yield* Peer.readHead(transport)
        requests.push(head)
        const bytes = answer(head)
        yield* transport.write(typeof bytes === "string" ? latin1(bytes) : bytes)
        if (then === "ends") yield* transport.endOfOutput
        yield* Stream.runDrain(Network.reads(transport))
        yield* transport.endOfOutput
      }).pipe(Effect.ignore, Effect.forkScoped)
    })
    yield* Effect.forkScoped(Effect.forever(one))
    const url = `ws://${Network.formatAddress(listener.address)}/`
    return { address: listener.address, url, requests, connections: Effect.sync(() => connections) }
  })

/** A request with the frame behind it by which a client leaves. */
export const request = (head: string): Uint8Array =>
  concat([latin1(head), Wire.raw({ ...Peer.close(1000), key: Wire.keyTo("server") })])

/** The head of a request that every server must accept, as text. */
export const valid: string = toLatin1(Peer.request("/"))

/** The status of the reply, of which there is one only. */
export const statusOf = (reply: string): number => {
  assert.strictEqual(reply.split("HTTP/1.1 ").length, 2, `one reply: ${reply}`)
  return Number(reply.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length))
}

/** Some at a time, which takes fewer turns than one after the other. */
export const each = <A, E, R>(items: Iterable<A>, run: (item: A) => Effect.Effect<unknown, E, R>) =>
  Effect.forEach(items, run, { concurrency: 16, discard: true })

/** The server is as it was: it serves the next client. */
export const serves = (address: Network.Address) =>
  Effect.gen(function* () {
    const client = yield* WebSocketClient.connect(`ws://${Network.formatAddress(address)}/`)
    yield* client.send("still there?")
    assert.deepStrictEqual(yield* client.take, [Message.text("still there?")])
    yield* client.close()
  }).pipe(Effect.scoped)

export const nobodyIsLeft = (connections: Effect.Effect<number>) =>
  eventuallyEffect(
    "nobody is connected any more",
    Effect.map(connections, (count) => count === 0)
  )

/** Waits until all that was sent before has been read: a Ping behind it is answered. */
export const arrived = (peer: Peer.Peer, payload = "here?") =>
  Effect.gen(function* () {
    yield* peer.send(Peer.ping(payload))
    assert.strictEqual(yield* peer.hear, `Pong ${toHex(utf8(payload))}`)
  })

/** Lets time pass, and all that follows from it happen. */
export const pass = (time: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(time), turns(8))

/** The text of a head without its lines of these names. */
export const without = (head: string, ...names: ReadonlyArray<string>): string =>
  head
    .split("\r\n")
    .filter((line) => !names.some((name) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)))
    .join("\r\n")

/** The text of a head with more lines. */
export const withLines = (head: string, ...lines: ReadonlyArray<string>): string =>
  head.replace("\r\n\r\n", `${lines.map((line) => `\r\n${line}`).join("")}\r\n\r\n`)

/** Gives the effect a look at how many of the fibers live that it has started. */
export const withCensus = <A, E, R>(run: (alive: Effect.Effect<number>) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Supervisor.track, (supervisor) =>
    Effect.supervised(run(Effect.map(supervisor.value, (fibers) => fibers.length)), supervisor)
  )
