/** A service behind a proxy that speaks the PROXY protocol, on any network. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Either, Fiber, Layer, Metric, Option, Queue, Scope, Stream, TestClock } from "effect"
import * as Network from "../../src/Network.js"
import * as ProxyProtocol from "../../src/ProxyProtocol.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketMetrics from "../../src/WebSocketMetrics.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { assertBytes, byteByByte, concat, hex, utf8 } from "../support/bytes.js"
import { latin1, toLatin1 } from "../support/http.js"
import { logged } from "../support/logs.js"
import * as Peer from "../support/peer.js"
import { eventually, eventuallyEffect, turn, turns } from "../support/turns.js"
import { type Host, scenario } from "./host.js"

const client: Network.Address = { host: "203.0.113.7", port: 40000 }
const asked: Network.Address = { host: "198.51.100.1", port: 443 }

const headerOf = (header: ProxyProtocol.Header): Uint8Array => Either.getOrThrow(ProxyProtocol.encode(header))

const header = headerOf(ProxyProtocol.proxied(client, asked))
const line = latin1("PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n")

/** The network, behind the layer. */
export const behind = (
  network: Layer.Layer<Network.Network>,
  options: Partial<ProxyProtocol.Options> = {}
): Layer.Layer<Network.Network> =>
  Layer.provide(ProxyProtocol.layer({ trusted: ProxyProtocol.isAmong(["127.0.0.0/8"]), ...options }), network)

/** Every client is a proxy that sends the header of its own connection: the network as it was, for who does not look. */
export const relaying = (network: Layer.Layer<Network.Network>): Layer.Layer<Network.Network> =>
  Layer.provide(
    Layer.effect(
      Network.Network,
      Effect.map(Network.Network, ({ connect, listen }) => ({
        listen,
        connect: (address: Network.Address) =>
          Effect.tap(connect(address), (transport) => {
            const bytes = headerOf(ProxyProtocol.proxied(transport.local, transport.remote))
            // Nobody reads it where the listener has ended meanwhile, which is for the law to say.
            return Effect.ignore(transport.write(bytes))
          })
      }))
    ),
    behind(network)
  )

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

let runs = 0

/** The registry is one for the process: what a test counts has a label of its own. */
const counting = <A, E, R>(
  run: (refused: (reason: string) => Effect.Effect<number>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const label = `proxying ${++runs}`
    const refused = (reason: string) =>
      WebSocketMetrics.proxyHeadersRefused.pipe(
        Metric.tagged("role", "server"),
        Metric.tagged("run", label),
        Metric.tagged("reason", reason),
        Metric.value,
        Effect.map(({ count }) => Number(count))
      )
    return Effect.tagMetrics(run(refused), "run", label)
  })

const connected = (address: Network.Address, ...bytes: ReadonlyArray<Uint8Array>) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    if (bytes.length > 0) yield* transport.write(bytes)
    return transport
  })

/** So many bytes, in however many pieces they come. */
const readSome = (transport: Network.Transport, size: number) =>
  Effect.iterate("", {
    while: (text) => text.length < size,
    body: (text) => Effect.map(transport.read, (bytes) => text + toLatin1(bytes))
  })

const shown = ({ local, remote }: Network.Transport) => ({ remote: { ...remote }, local: { ...local } })

/** The server has closed it: a reset where something was left, or an end. */
const closed = (transport: Network.Transport) =>
  Effect.matchEffect(transport.read, {
    onSuccess: (bytes) => Effect.sync(() => assert.fail(`${bytes.length} bytes came`)),
    onFailure: (end) => Effect.succeed(Option.match(end, { onNone: () => "End", onSome: ({ reason }) => reason }))
  })

/** A connection that is closed as soon as it comes, which on a real network may be before it is open on this side. */
const turnedAway = (address: Network.Address) =>
  connected(address, line).pipe(
    Effect.flatMap(closed),
    Effect.catchAll(({ reason }) => Effect.succeed(reason)),
    Effect.map((how) => assert.include(["BrokenPipe", "ConnectionReset", "End"], how))
  )

export const proxying = (host: Host): void => {
  const options = (options: Partial<ProxyProtocol.Options>) => ({ ...host, network: behind(host.network, options) })
  const test = scenario(options({}))

  describe(`behind a proxy on ${host.name}`, () => {
    for (const [what, bytes] of [
      ["version 1", line],
      ["version 2", header]
    ] as const) {
      const cuts: ReadonlyArray<readonly [what: string, chunks: ReadonlyArray<Uint8Array>]> = [
        ["with the request", [concat([bytes, Peer.request("/")])]],
        ["before the request", [bytes, Peer.request("/")]],
        ["byte by byte", [...byteByByte(bytes), Peer.request("/")]]
      ]
      for (const [how, chunks] of cuts) {
        test(
          `${what}: a service sees the client, whose header comes ${how}`,
          Effect.gen(function* () {
            const seen = yield* Queue.unbounded<Network.Address>()
            const { address } = yield* WebSocketServer.serve(
              { authenticate: ({ remote }) => Queue.offer(seen, remote) },
              (socket, { remote }) => Effect.zipRight(Queue.offer(seen, remote), echo(socket))
            )
            const transport = yield* connected(address)
            for (const chunk of chunks) {
              yield* transport.write(chunk)
              yield* turn
            }
            const { rest } = yield* Peer.readHead(transport)
            const peer = Peer.make(transport, "client", rest)
            yield* peer.send(Peer.text("hello"))
            assert.strictEqual(yield* peer.hear, 'Text "hello"')
            assert.deepStrictEqual([...(yield* Queue.takeAll(seen))], [client, client])
            yield* peer.send(Peer.close(1000))
            assert.deepStrictEqual(yield* peer.hearAll, ['Close 1000 ""', "End"])
          })
        )
      }
    }

    test(
      "the bytes behind the header may be cut anywhere, and come in order",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const all = concat([line, utf8("behind")])
        for (let at = line.length - 2; at <= all.length; at++) {
          const transport = yield* connected(listener.address, all.slice(0, at))
          yield* turn
          yield* Effect.zipRight(transport.write(all.slice(at)), transport.endOfOutput)
          const server = yield* listener.accept
          assert.deepStrictEqual(shown(server), { remote: client, local: asked })
          assertBytes(concat(yield* Stream.runCollect(Network.reads(server))), utf8("behind"), `cut at ${at}`)
          yield* server.write(utf8("reply"))
          yield* server.endOfOutput
          assert.strictEqual(yield* Peer.readText(transport), "reply")
        }
      })
    )

    test(
      "connections per address are counted by that of the client",
      Effect.gen(function* () {
        const { address } = yield* WebSocketServer.serve({ limits: { maxConnectionsPerAddress: 1 } }, echo)
        const as = (host: string) => {
          const bytes = headerOf(ProxyProtocol.proxied({ host, port: 1 }, asked))
          return Peer.connect(address, concat([bytes, Peer.request("/")]))
        }
        yield* as("203.0.113.1")
        yield* as("203.0.113.2")
        const again = yield* connected(
          address,
          headerOf(ProxyProtocol.proxied({ host: "203.0.113.1", port: 2 }, asked)),
          Peer.request("/")
        )
        const text = yield* Peer.readText(again)
        assert.match(text, /^HTTP\/1\.1 429 /)
        assert.include(text, "2 connections from 203.0.113.1")
      })
    )

    for (const [what, bytes] of [
      ["UNKNOWN", latin1("PROXY UNKNOWN 1.2.3.4\r\n")],
      ["LOCAL", headerOf(ProxyProtocol.local)]
    ] as const) {
      test(
        `${what}: the addresses are those of the connection`,
        Effect.gen(function* () {
          const network = yield* Network.Network
          const listener = yield* network.listen({})
          const transport = yield* connected(listener.address, bytes)
          const alone = yield* listener.accept
          assert.deepStrictEqual(shown(alone), { remote: transport.local, local: transport.remote })
          const second = yield* connected(listener.address, bytes, utf8("more"))
          const server = yield* listener.accept
          assert.deepStrictEqual(shown(server), { remote: second.local, local: second.remote })
          assert.strictEqual(yield* readSome(server, 4), "more")
        })
      )
    }

    test(
      "who accepts gets connections whose header has come, and does not wait for those before them",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const accepting = yield* Effect.fork(Effect.all([listener.accept, listener.accept]))
        const slow = yield* connected(listener.address, header.slice(0, 20))
        yield* connected(listener.address, line)
        yield* turns()
        assert.isTrue(Option.isNone(yield* Fiber.poll(accepting)), "the header of one has not come")
        yield* slow.write(header.slice(20))
        const servers = yield* Fiber.join(accepting)
        assert.deepStrictEqual(servers.map(shown), Array(2).fill({ remote: client, local: asked }))
      })
    )

    const stray: ReadonlyArray<readonly [what: string, bytes: Uint8Array]> = [
      ["version 1", line],
      ["version 2", header]
    ]
    for (const [what, bytes] of stray) {
      scenario(options({ trusted: () => false }))(
        `a peer that is not trusted is served without a header, and with one of ${what} refused as one that speaks no HTTP`,
        Effect.gen(function* () {
          const seen = yield* Deferred.make<Network.Address>()
          const { address } = yield* WebSocketServer.serve({}, (socket, { remote }) =>
            Effect.zipRight(Deferred.succeed(seen, remote), echo(socket))
          )
          const peer = yield* Peer.connect(address)
          assert.deepStrictEqual({ ...(yield* Deferred.await(seen)) }, { ...peer.transport.local })
          const transport = yield* connected(address, bytes, Peer.request("/"))
          assert.match(yield* Peer.readText(transport), /^HTTP\/1\.1 400 /)
        })
      )
    }

    const refusals: ReadonlyArray<readonly [reason: string, bytes: Uint8Array, message: RegExp]> = [
      ["Signature", Peer.request("/"), /0x47 where a header .* is expected \(byte 0 of the PROXY header\)/],
      ["Line", latin1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n"), /an LF without a CR before it/],
      ["TooLong", hex("0d0a0d0a000d0a515549540a 21 00 0ff1"), /a header of 4097 bytes or more; the limit is 4096/]
    ]
    for (const [reason, bytes, message] of refusals) {
      test(
        `${reason}: the connection is closed before the service hears of it, which is counted and logged`,
        counting((refused) =>
          logged((logs) =>
            Effect.gen(function* () {
              const server = yield* WebSocketServer.serve({}, () => Effect.dieMessage("a handler runs"))
              const transport = yield* connected(server.address)
              const remote = Network.formatAddress(transport.local)
              yield* transport.write(bytes)
              assert.strictEqual(yield* Peer.readText(transport), "")
              assert.strictEqual(yield* refused(reason), 1)
              assert.strictEqual(yield* server.connections, 0)
              yield* eventually("it is logged", () => logs.length > 0)
              assert.deepStrictEqual(
                logs.map(({ level }) => level),
                ["DEBUG"]
              )
              assert.match(logs[0]!.text, message)
              assert.include(logs[0]!.text, `remote=${remote}`)
              assert.include(logs[0]!.text, `reason=${reason}`)
            })
          )
        )
      )
    }

    test(
      "a peer that ends within its header, or resets, or says nothing, is nobody",
      counting((refused) =>
        Effect.gen(function* () {
          const server = yield* WebSocketServer.serve({}, () => Effect.dieMessage("a handler runs"))
          const ended = yield* connected(server.address, header.slice(0, 27))
          yield* ended.endOfOutput
          assert.strictEqual(yield* Peer.readText(ended), "")
          const silent = yield* connected(server.address)
          yield* silent.endOfOutput
          assert.strictEqual(yield* Peer.readText(silent), "")
          assert.strictEqual(yield* refused("UnexpectedEnd"), 2)
          const reset = yield* connected(server.address, header.slice(0, 5))
          yield* turns()
          yield* reset.abort
          yield* eventuallyEffect(
            "the reset is counted",
            Effect.map(refused("ConnectionReset"), (count) => count === 1)
          )
          assert.strictEqual(yield* server.connections, 0)
        })
      )
    )

    test(
      "a header has 10 seconds, to the millisecond",
      counting((refused) =>
        Effect.gen(function* () {
          const network = yield* Network.Network
          const listener = yield* network.listen({})
          const first = yield* connected(listener.address, header.slice(0, 5))
          yield* turns()
          yield* TestClock.adjust("9999 millis")
          yield* first.write(header.slice(5))
          assert.deepStrictEqual(shown(yield* listener.accept), { remote: client, local: asked })
          const second = yield* connected(listener.address, header.slice(0, 5))
          yield* turns()
          yield* TestClock.adjust("9999 millis")
          yield* second.write(header.slice(5, 20))
          yield* turns()
          assert.strictEqual(yield* refused("Timeout"), 0)
          yield* TestClock.adjust("1 millis")
          assert.include(["ConnectionReset", "End"], yield* closed(second))
          assert.strictEqual(yield* refused("Timeout"), 1)
          // The first is not under the deadline of its header any more.
          yield* first.write(utf8("more"))
        })
      )
    )

    scenario(options({ timeout: "3 seconds", maxPending: 2 }))(
      "as many as the limit may wait for their header, and no longer than the option says",
      counting((refused) =>
        Effect.gen(function* () {
          const network = yield* Network.Network
          const listener = yield* network.listen({})
          const [first, second] = [yield* connected(listener.address), yield* connected(listener.address)]
          yield* turns()
          yield* turnedAway(listener.address)
          assert.strictEqual(yield* refused("TooManyPending"), 1)
          // Who has sent his header is none of them any more.
          yield* first.write(header)
          yield* listener.accept
          const fourth = yield* connected(listener.address)
          yield* turns()
          assert.strictEqual(yield* refused("TooManyPending"), 1)
          yield* TestClock.adjust("3 seconds")
          yield* Effect.all([closed(second), closed(fourth)])
          assert.strictEqual(yield* refused("Timeout"), 2)
          const fifth = yield* connected(listener.address, line)
          assert.deepStrictEqual(shown(yield* listener.accept), { remote: client, local: asked })
          yield* fifth.write(utf8("more"))
        })
      )
    )

    test(
      "as many as the backlog says wait to be accepted",
      counting((refused) =>
        Effect.gen(function* () {
          const network = yield* Network.Network
          const listener = yield* network.listen({ backlog: 2 })
          for (let at = 0; at < 2; at++) {
            yield* connected(listener.address, line)
            yield* turns()
          }
          yield* turnedAway(listener.address)
          assert.strictEqual(yield* refused("Backlog"), 1)
          yield* listener.accept
          yield* listener.accept
          yield* connected(listener.address, line)
          yield* listener.accept
          assert.strictEqual(yield* refused("Backlog"), 1)
        })
      )
    )

    scenario(
      options({
        trusted: ({ host }) => {
          throw new Error(`cannot tell of ${host}`)
        }
      })
    )(
      "who cannot be judged is reset, which is logged, and others are served on",
      logged((logs) =>
        Effect.gen(function* () {
          const { address } = yield* WebSocketServer.serve({}, echo)
          for (let at = 0; at < 2; at++) yield* turnedAway(address)
          yield* eventually("it is logged", () => logs.filter(({ level }) => level === "ERROR").length === 2)
          assert.include(logs[0]!.text, "cannot tell of 127.0.0.1")
        })
      )
    )

    test(
      "when the listener ends so do those who wait, and those who were accepted stay",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const scope = yield* Scope.make()
        const listener = yield* Scope.extend(network.listen({}), scope)
        const [pending, ready] = [yield* connected(listener.address), yield* connected(listener.address, line)]
        const accepted = yield* listener.accept
        const waiting = yield* connected(listener.address, line)
        yield* turns()
        yield* Scope.close(scope, Effect.runSync(Effect.exit(Effect.void)))
        yield* Effect.all([closed(pending), closed(waiting)])
        yield* ready.write(utf8("still here"))
        assert.strictEqual(yield* readSome(accepted, 10), "still here")
      })
    )
  })
}
