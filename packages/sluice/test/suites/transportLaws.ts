/** The laws of a byte connection, for every network. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Exit, Fiber, type Layer, Option, Scope, Stream } from "effect"
import * as Network from "../../src/Network.js"
import { assertBytes, concat, pattern, utf8 } from "../support/bytes.js"
import { leavesNoFiber } from "../support/fibers.js"
import { eventually, settled, turn, turns } from "../support/turns.js"

const megabyte = pattern(1024 * 1024)
const chunk = megabyte.subarray(0, 64 * 1024)

interface Ends {
  readonly listener: Network.Listener
  readonly client: Network.Transport
  readonly server: Network.Transport
}

/** Two ends of one connection. */
const connected: Effect.Effect<Ends, Network.TransportError, Network.Network | Scope.Scope> = Effect.gen(function* () {
  const network = yield* Network.Network
  const listener = yield* network.listen({})
  const client = yield* network.connect(listener.address)
  const server = yield* listener.accept
  return { listener, client, server }
})

const sides = ["client", "server"] as const

const other = (side: "client" | "server") => (side === "client" ? "server" : "client")

const readAll = (transport: Network.Transport): Effect.Effect<Uint8Array, Network.TransportError> =>
  Effect.map(Stream.runCollect(Network.reads(transport)), concat)

const readExactly = (transport: Network.Transport, size: number): Effect.Effect<Uint8Array, Network.TransportError> =>
  Network.reads(transport).pipe(
    Stream.mapAccum(0, (sum, chunk) => [sum + chunk.length, [sum + chunk.length, chunk] as const]),
    Stream.takeUntil(([sum]) => sum >= size),
    Stream.map(([, chunk]) => chunk),
    Stream.runCollect,
    Effect.map(concat)
  )

/** The error that an end of the stream of bytes is. */
const errorOf = <A>(read: Effect.Effect<A, Option.Option<Network.TransportError>>) =>
  Effect.flatMap(Effect.flip(read), (error) =>
    Option.match(error, { onNone: () => Effect.dieMessage("an end, not an error"), onSome: Effect.succeed })
  )

const assertEnd = (transport: Network.Transport) =>
  Effect.map(Effect.flip(transport.read), (error) => assert.isTrue(Option.isNone(error), String(error)))

/** Writes chunks for ever, and counts those that were taken. */
const flood = (transport: Network.Transport, chunk: Uint8Array) => {
  const flooding = { taken: 0 }
  const writing = transport.write(chunk).pipe(
    Effect.tap(() => Effect.sync(() => flooding.taken++)),
    Effect.forever
  )
  return Effect.map(Effect.forkScoped(writing), (fiber) => ({ flooding, fiber }))
}

/** `held`: the most bytes that one direction takes while nobody reads, the chunk that fills it not counted. */
export const transportLaws = (
  name: string,
  { held, network }: { readonly network: Layer.Layer<Network.Network>; readonly held: number }
): void => {
  const law = <E>(what: string, test: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    it.effect(what, () => leavesNoFiber(Effect.scoped(Effect.provide(test, network))))

  describe(`a transport of ${name}`, () => {
    for (const side of sides) {
      law(
        `bytes of the ${side} arrive whole and in order`,
        Effect.gen(function* () {
          const ends = yield* connected
          const sent = megabyte
          let at = 0
          const sizes = [1, 2, 3, 125, 4096, 65535, 65536, 65537, 200_000]
          const write = Effect.suspend(() => {
            const size = sizes.shift() ?? 100_000
            const chunk = sent.slice(at, at + size)
            at += chunk.length
            return ends[side].write(chunk)
          })
          const writing = Effect.zipRight(
            Effect.whileLoop({ while: () => at < sent.length, body: () => write, step: () => {} }),
            ends[side].endOfOutput
          )
          const [received] = yield* Effect.all([readAll(ends[other(side)]), writing], { concurrency: 2 })
          assertBytes(received, sent)
        })
      )

      law(
        `the ${side} ends its output and reads on`,
        Effect.gen(function* () {
          const { [side]: near, [other(side)]: far } = yield* connected
          yield* near.write(utf8("last words"))
          yield* near.endOfOutput
          assertBytes(yield* readAll(far), utf8("last words"))
          yield* assertEnd(far)
          const answer = megabyte.subarray(0, 300_000)
          const [received] = yield* Effect.all([readAll(near), Effect.zipRight(far.write(answer), far.endOfOutput)], {
            concurrency: 2
          })
          assertBytes(received, answer)
          yield* assertEnd(near)
        })
      )

      law(
        `the ${side} cannot write after the end of its output`,
        Effect.gen(function* () {
          const { [side]: near } = yield* connected
          yield* near.endOfOutput
          yield* near.endOfOutput
          const error = yield* Effect.flip(near.write(utf8("too late")))
          assert.deepStrictEqual([error._tag, error.reason, error.operation], ["TransportError", "Closed", "write"])
        })
      )

      law(
        `an abort of the ${side} is a reset for the peer, and an error for the ${side}`,
        Effect.gen(function* () {
          const { [side]: near, [other(side)]: far } = yield* connected
          const reading = yield* Effect.fork(far.read)
          const own = yield* Effect.fork(near.read)
          yield* turns()
          yield* near.abort
          const error = yield* errorOf(Fiber.join(reading))
          assert.deepStrictEqual(
            [error._tag, error.reason, error.operation],
            ["TransportError", "ConnectionReset", "read"]
          )
          assert.strictEqual((yield* errorOf(far.read)).reason, "ConnectionReset", "and it stays so")
          assert.strictEqual((yield* Effect.flip(far.write(utf8("x"))))._tag, "TransportError")
          assert.strictEqual((yield* errorOf(Fiber.join(own))).reason, "Closed")
        })
      )

      law(
        `after its abort the ${side} can neither read nor write, from that moment on`,
        Effect.gen(function* () {
          const { [side]: near } = yield* connected
          yield* near.abort
          const written = yield* Effect.flip(near.write(utf8("x")))
          assert.deepStrictEqual([written.reason, written.operation], ["Closed", "write"])
          assert.strictEqual((yield* errorOf(near.read)).reason, "Closed")
          yield* near.endOfOutput
          yield* near.abort
        })
      )

      law(
        `a write of the ${side} that waits fails when the peer aborts`,
        Effect.gen(function* () {
          const { [side]: near, [other(side)]: far } = yield* connected
          const { fiber, flooding } = yield* flood(near, chunk)
          yield* settled(() => flooding.taken)
          yield* far.abort
          const exit = yield* Fiber.await(fiber)
          assert.isTrue(Exit.isFailure(exit) && !Exit.isInterrupted(exit))
        })
      )

      law(
        `a write of the ${side} that waits fails when the peer has said all and leaves`,
        Effect.gen(function* () {
          const { [side]: near, [other(side)]: far } = yield* connected
          const { fiber, flooding } = yield* flood(near, chunk)
          yield* settled(() => flooding.taken)
          yield* far.write(utf8("enough"))
          yield* far.endOfOutput
          yield* far.abort
          const exit = yield* Fiber.await(fiber)
          assert.isTrue(Exit.isFailure(exit) && !Exit.isInterrupted(exit))
        })
      )

      law(
        `the ${side} that writes to a peer that never reads is held up, and goes on when it reads`,
        Effect.gen(function* () {
          const { [side]: near, [other(side)]: far } = yield* connected
          const { flooding } = yield* flood(near, chunk)
          const taken = yield* settled(() => flooding.taken)
          assert.isAtMost(taken * chunk.length, held)
          // Not one byte more than was written comes out, and each of them does.
          const received = yield* readExactly(far, (taken + 4) * chunk.length)
          for (let i = 0; i < taken + 4; i++) {
            assertBytes(received.subarray(i * chunk.length, (i + 1) * chunk.length), chunk)
          }
          yield* eventually("more is written", () => flooding.taken >= taken + 4)
        })
      )
    }

    law(
      "several chunks are written as one, the empty ones too",
      Effect.gen(function* () {
        const { client, server } = yield* connected
        const writing = client
          .write([])
          .pipe(
            Effect.zipRight(client.write([utf8("a"), new Uint8Array(0), utf8("bc"), pattern(70_000)])),
            Effect.zipRight(client.write(new Uint8Array(0))),
            Effect.zipRight(client.endOfOutput)
          )
        const [received] = yield* Effect.all([readAll(server), writing], { concurrency: 2 })
        assertBytes(received, concat([utf8("abc"), pattern(70_000)]))
      })
    )

    law(
      "what was read belongs to the reader",
      Effect.gen(function* () {
        const { client, server } = yield* connected
        const sent = pattern(1000)
        yield* client.write(sent)
        const first = yield* readExactly(server, 1000)
        first.fill(0)
        yield* client.write(sent)
        assertBytes(yield* readExactly(server, 1000), pattern(1000))
        assertBytes(sent, pattern(1000))
      })
    )

    law(
      "both ends know each other's address",
      Effect.gen(function* () {
        const { client, listener, server } = yield* connected
        assert.deepStrictEqual(client.remote, listener.address)
        assert.deepStrictEqual(server.local, listener.address)
        assert.deepStrictEqual(server.remote, client.local)
        assert.isAbove(client.local.port, 0)
      })
    )

    law(
      "port 0 is a free port, on the loopback",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listeners = yield* Effect.all(Array.from({ length: 5 }, () => network.listen({ port: 0 })))
        assert.strictEqual(new Set(listeners.map(({ address }) => address.port)).size, 5)
        for (const { address } of listeners) {
          assert.strictEqual(address.host, "127.0.0.1")
          assert.isAbove(address.port, 0)
        }
      })
    )

    law(
      "an address is listened on once, and is free again when the scope ends",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const scope = yield* Scope.make()
        const { address } = yield* Scope.extend(network.listen({}), scope)
        const error = yield* Effect.flip(network.listen(address))
        assert.deepStrictEqual(
          [error._tag, error.reason, error.operation],
          ["TransportError", "AddressInUse", "listen"]
        )
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual((yield* network.listen(address)).address, address)
      })
    )

    law(
      "nobody listens: refused",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const { address } = yield* Effect.scoped(network.listen({}))
        const error = yield* Effect.flip(network.connect(address))
        assert.deepStrictEqual(
          [error._tag, error.reason, error.operation],
          ["TransportError", "ConnectionRefused", "connect"]
        )
      })
    )

    law(
      "a connection that nobody accepted is reset with its listener, an accepted one is not",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const scope = yield* Scope.make()
        const listener = yield* Scope.extend(network.listen({}), scope)
        const accepted = yield* network.connect(listener.address)
        const server = yield* listener.accept
        const waiting = yield* network.connect(listener.address)
        const reading = yield* Effect.fork(waiting.read)
        yield* turns()
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* errorOf(Fiber.join(reading))).reason, "ConnectionReset")
        yield* server.write(utf8("still here"))
        assertBytes(yield* readExactly(accepted, 10), utf8("still here"))
      })
    )

    law(
      "the end of the scope resets a connection that is in use",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const scope = yield* Scope.make()
        yield* Scope.extend(network.connect(listener.address), scope)
        const server = yield* listener.accept
        const reading = yield* Effect.fork(server.read)
        yield* turns()
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* errorOf(Fiber.join(reading))).reason, "ConnectionReset")
      })
    )

    law(
      "the end of the scope takes nothing from a connection that both sides have ended",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const scope = yield* Scope.make()
        const client = yield* Scope.extend(network.connect(listener.address), scope)
        const server = yield* listener.accept
        yield* server.write(utf8("bye"))
        yield* server.endOfOutput
        assertBytes(yield* readAll(client), utf8("bye"))
        yield* client.write(utf8("good bye"))
        yield* client.endOfOutput
        yield* turns()
        yield* Scope.close(scope, Exit.void)
        assertBytes(yield* readAll(server), utf8("good bye"))
      })
    )

    law(
      "an interrupted read takes nothing",
      Effect.gen(function* () {
        const { client, server } = yield* connected
        for (let i = 0; i < 5; i++) {
          const reading = yield* Effect.fork(server.read)
          yield* turn
          yield* Fiber.interrupt(reading)
          yield* client.write(utf8(`word ${i}`))
          assertBytes(yield* readExactly(server, 6), utf8(`word ${i}`))
        }
      })
    )

    law(
      "an interrupted accept takes no connection",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const accepting = yield* Effect.fork(listener.accept)
        yield* turns()
        yield* Fiber.interrupt(accepting)
        const client = yield* network.connect(listener.address)
        yield* client.write(utf8("hello"))
        assertBytes(yield* readExactly(yield* listener.accept, 5), utf8("hello"))
      })
    )

    law(
      "several who accept at once get a connection each",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const accepting = yield* Effect.forEach([0, 1, 2], () => Effect.fork(listener.accept))
        yield* turns()
        yield* Fiber.interrupt(accepting[1]!)
        const clients = yield* Effect.all([network.connect(listener.address), network.connect(listener.address)])
        const servers = [yield* Fiber.join(accepting[0]!), yield* Fiber.join(accepting[2]!)]
        assert.sameDeepMembers(
          servers.map(({ remote }) => remote),
          clients.map(({ local }) => local)
        )
      })
    )

    law(
      "connections are handed over as they arrive, those first that waited",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const { onConnection } = listener
        if (onConnection === undefined) return
        const taken: Array<Network.Transport> = []
        const waited = yield* network.connect(listener.address)
        yield* turns()
        const stop = onConnection((transport) => taken.push(transport))
        const arrived = yield* network.connect(listener.address)
        yield* eventually("both are taken", () => taken.length === 2)
        assert.deepStrictEqual(
          taken.map(({ remote }) => remote),
          [waited.local, arrived.local]
        )
        stop()
        const later = yield* network.connect(listener.address)
        assert.deepStrictEqual((yield* listener.accept).remote, later.local)
        assert.strictEqual(taken.length, 2)
        for (const transport of taken) yield* transport.abort
      })
    )

    law(
      "an interrupted write leaves the connection as it is",
      Effect.gen(function* () {
        const { client, server } = yield* connected
        const { fiber, flooding } = yield* flood(client, chunk)
        const taken = yield* settled(() => flooding.taken)
        yield* Fiber.interrupt(fiber)
        // The chunk that waited was given to the transport: it arrives, like those before it.
        const reading = yield* Effect.fork(readAll(server))
        yield* client.write(utf8("end"))
        yield* client.endOfOutput
        assert.strictEqual((yield* Fiber.join(reading)).length, (taken + 1) * chunk.length + 3)
      })
    )

    law(
      "an interrupted connect leaves nothing behind",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const connecting = yield* Effect.fork(Effect.scoped(network.connect(listener.address)))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(connecting)
        // Whether it came into being or not: the next one works, and the first is gone.
        const client = yield* network.connect(listener.address)
        yield* client.write(utf8("x"))
        const arrived = yield* Effect.iterate(Option.none<Uint8Array>(), {
          while: Option.isNone,
          body: () => Effect.flatMap(listener.accept, (server) => Effect.option(server.read))
        })
        assertBytes(Option.getOrThrow(arrived), utf8("x"))
      })
    )

    law(
      "64 connections at once each have their own bytes",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const echo = Effect.flatMap(listener.accept, (server) =>
          Effect.forkScoped(Effect.zipRight(Stream.runForEach(Network.reads(server), server.write), server.endOfOutput))
        )
        yield* Effect.forkScoped(Effect.forever(echo))
        const call = (i: number) =>
          Effect.gen(function* () {
            const client = yield* network.connect(listener.address)
            const sent = new Uint8Array(10_000 + i).fill(i)
            const [received] = yield* Effect.all(
              [readAll(client), Effect.zipRight(client.write(sent), client.endOfOutput)],
              { concurrency: 2 }
            )
            assertBytes(received, sent)
          })
        yield* Effect.forEach(Chunk.range(1, 64), call, { concurrency: "unbounded" })
      })
    )
  })
}
