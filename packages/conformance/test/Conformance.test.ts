/** What the runner makes of endpoints, of cases and of time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Fiber, TestClock } from "effect"
import { Entropy, MemoryNetwork, Network } from "sluice"
import { toHex } from "../../sluice/test/support/bytes.js"
import { turns } from "../../sluice/test/support/turns.js"
import type { Case } from "../src/Case.js"
import * as Cases from "../src/Cases.js"
import * as Conformance from "../src/Conformance.js"
import type { Result } from "../src/Outcome.js"
import * as Subject from "../src/Subject.js"
import * as Planted from "./support/plantedEndpoint.js"

const only = (id: string): Case => Cases.all.find((each) => each.id === id) ?? assert.fail(`there is no case ${id}`)

const echoed = only("framing/length/text-1/server")
const echoedByClient = only("framing/length/text-1/client")
const setUp = only("limits/fragments/at/server")

const resultOf = <R>(played: Case, options: Conformance.Options<R>) =>
  Effect.map(Conformance.runCase(played, options), ({ result }) => result)

/** A test on a network of its own. */
const test = <E>(what: string, body: Effect.Effect<unknown, E, Network.Network>) =>
  it.effect(what, () => Effect.provide(body, MemoryNetwork.layer()))

const failure = (result: Result) => (result._tag === "Failed" ? result : assert.fail(JSON.stringify(result)))

describe("Conformance", () => {
  test(
    "tells how each case went, in the order of the list, also when many are played at a time",
    Effect.gen(function* () {
      const cases = Cases.select({ role: "server", id: "framing/length/" })
      for (const concurrency of [undefined, 3, "unbounded"] as const) {
        const outcomes = yield* Conformance.run(cases, { subject: Subject.sluice, concurrency })
        assert.deepStrictEqual(
          outcomes,
          cases.map(({ group, id, role, section, title }) => ({
            ...{ id, title, section, group, role },
            result: { _tag: "Passed", remarks: [] }
          }))
        )
      }
    })
  )

  test(
    "skips what an endpoint has no role for, and what it cannot be set up for",
    Effect.gen(function* () {
      const reasons = [
        yield* resultOf(echoedByClient, { subject: Planted.server() }),
        yield* resultOf(echoed, { subject: Planted.client() }),
        yield* resultOf(setUp, { subject: Planted.server() }),
        yield* resultOf(only("limits/fragments/at/client"), { subject: Planted.client() }),
        yield* resultOf(setUp, { subject: Either.getOrThrow(Subject.fromUrl("ws://127.0.0.1:1/")) })
      ]
      assert.deepStrictEqual(
        reasons.map((result) => (result._tag === "Skipped" ? result.reason : result)),
        [
          "the endpoint is no client",
          "the endpoint is no server",
          "it has no options",
          "it has no options",
          "it would have to be set up for that"
        ]
      )
    })
  )

  test(
    "fails a case whose endpoint is not there",
    Effect.gen(function* () {
      const nobody = Either.getOrThrow(Subject.fromUrl("ws://127.0.0.1:1/"))
      const unreachable = failure(yield* resultOf(echoed, { subject: nobody }))
      assert.deepStrictEqual([unreachable.step, unreachable.expected], [0, "a connection"])
      assert.match(unreachable.got, /^no connection: .*nobody listens on 127[.]0[.]0[.]1:1/)
      const broken = Subject.server(() => Effect.fail(new Error("out of order")))
      assert.strictEqual(failure(yield* resultOf(echoed, { subject: broken })).got, "it does not serve: out of order")
      const absent = Subject.client(() => Effect.void)
      assert.match(failure(yield* resultOf(echoedByClient, { subject: absent })).got, /^the client has not connected/)
      const dying = Subject.client(() => Effect.fail("no network"))
      assert.match(failure(yield* resultOf(echoedByClient, { subject: dying })).got, /no network/)
    })
  )

  test(
    "says at which step it failed, what was wanted, and what came",
    Effect.gen(function* () {
      const wrong = failure(yield* resultOf(echoed, { subject: Planted.server("echoes with the wrong type") }))
      assert.deepStrictEqual(wrong, {
        _tag: "Failed",
        step: 2,
        expected: 'Text "*"',
        got: "Binary 2a",
        bytes: "82012a",
        heard: ["HTTP/1.1 101 Switching Protocols", "Binary 2a"]
      })
      const refused = failure(yield* resultOf(echoed, { subject: Planted.server("sends a wrong accept") }))
      assert.deepStrictEqual([refused.step, refused.got.slice(0, 21)], [0, "Sec-WebSocket-Accept:"])
      const twice = failure(yield* resultOf(echoed, { subject: Planted.server("echoes twice") }))
      assert.deepStrictEqual([twice.step, twice.got], [3, 'Text "*"'])
    })
  )

  test(
    "gives up after the deadline of a step, and not before",
    Effect.gen(function* () {
      const subject = Planted.server("says nothing")
      for (const [timeout, given] of [
        [5000, undefined],
        [100, "100 millis"]
      ] as const) {
        const fiber = yield* Effect.fork(resultOf(echoed, { subject, timeout: given }))
        yield* turns()
        yield* TestClock.adjust(timeout - 1)
        yield* turns()
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust(1)
        const { expected, got } = failure(yield* Fiber.join(fiber))
        assert.deepStrictEqual([expected, got], ['Text "*"', `nothing more within ${timeout === 100 ? "100ms" : "5s"}`])
      }
    })
  )

  test(
    "reports what was seen where the RFC leaves it open",
    Effect.gen(function* () {
      const open = only("framing/non-minimal/text-in-16/server")
      assert.deepStrictEqual(yield* resultOf(open, { subject: Planted.server() }), {
        _tag: "Informational",
        asExpected: true,
        seen: "HTTP/1.1 101 Switching Protocols; Close 1002; the end of the connection"
      })
      const other = yield* resultOf(open, { subject: Planted.server("closes with the wrong code") })
      assert.deepStrictEqual(other, { _tag: "Informational", asExpected: false, seen: "Close 1000, not Close 1002" })
    })
  )

  test(
    "remarks that a Close is missing",
    Effect.gen(function* () {
      const result = yield* resultOf(only("framing/reserved-opcode/3-empty/server"), {
        subject: Planted.server("fails without a Close")
      })
      assert.deepStrictEqual(result, {
        _tag: "Passed",
        remarks: ["§7.1.7: it SHOULD send a Close frame before it ends the connection (Close 1002)"]
      })
    })
  )

  test(
    "draws its nonce and its masking keys from the context",
    Effect.gen(function* () {
      const sizes: Array<number> = []
      const entropy = (size: number) => {
        sizes.push(size)
        return new Uint8Array(size).fill(sizes.length)
      }
      const sent: Array<string> = []
      const network = yield* Network.Network
      const watched: Network.Network["Type"] = {
        listen: network.listen,
        connect: (address) =>
          Effect.map(network.connect(address), (transport) => ({
            ...{ local: transport.local, remote: transport.remote },
            ...{ read: transport.read, endOfOutput: transport.endOfOutput, abort: transport.abort },
            write: (bytes) => {
              if (bytes instanceof Uint8Array) sent.push(toHex(bytes))
              return transport.write(bytes)
            }
          }))
      }
      const result = yield* resultOf(echoed, { subject: Planted.server() }).pipe(
        Effect.provideService(Entropy.Entropy, entropy),
        Effect.provideService(Network.Network, watched)
      )
      assert.strictEqual(result._tag, "Passed")
      assert.deepStrictEqual(sizes, [16, 4, 4])
      assert.include(Buffer.from(sent[0]!, "hex").toString(), "Sec-WebSocket-Key: AQEBAQEBAQEBAQEBAQEBAQ==\r\n")
      assert.deepStrictEqual(sent.slice(1), ["81810202020228", "88820303030300eb"])
    })
  )

  test(
    "sends the same in pieces, as it is told",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const pieces = (chunking: Conformance.Chunking) =>
        Effect.gen(function* () {
          const listener = yield* network.listen({})
          const sent: Array<number> = []
          const subject: Subject.Subject = {
            server: () =>
              Effect.map(Effect.orDie(network.connect(listener.address)), (transport) => ({
                transport: {
                  ...{ local: transport.local, remote: transport.remote },
                  ...{ read: transport.read, endOfOutput: transport.endOfOutput, abort: transport.abort },
                  write: (bytes) => {
                    sent.push(bytes.length)
                    return transport.write(bytes)
                  }
                },
                host: "localhost",
                path: "/"
              }))
          }
          const fiber = yield* Effect.fork(resultOf(echoed, { subject, chunking }))
          yield* turns()
          yield* Fiber.interrupt(fiber)
          return sent
        }).pipe(Effect.scoped)
      const [whole = 0, ...none] = yield* pieces("whole")
      assert.deepStrictEqual(none, [])
      assert.deepStrictEqual(yield* pieces("bytes"), Array(whole).fill(1))
      const random = yield* pieces({ seed: 3 })
      assert.isAbove(random.length, 1)
      assert.strictEqual(
        random.reduce((sum, size) => sum + size),
        whole
      )
      assert.deepStrictEqual(yield* pieces({ seed: 3 }), random)
      assert.notDeepEqual(yield* pieces({ seed: 4 }), random)
    })
  )

  test(
    "leaves no connection open, also when it is interrupted",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const { address } = listener
      const subject = Subject.server(() => Effect.succeed({ address }))
      const fiber = yield* Effect.fork(Conformance.run([echoed], { subject }))
      const transport = yield* listener.accept
      yield* transport.read
      yield* Fiber.interrupt(fiber)
      const end = yield* Effect.exit(transport.read)
      assert.isTrue(Exit.isFailure(end))
    }).pipe(Effect.scoped)
  )
})

describe("Subject", () => {
  test(
    "a visitor that comes no more is not waited for again",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const subject = yield* Subject.visitor(listener)
      const cases = Cases.select({ role: "client", id: "framing/length/text-12" })
      const fiber = yield* Effect.fork(Conformance.run(cases, { subject }))
      const leaving = network.connect(listener.address).pipe(
        Effect.flatMap((transport) => transport.endOfOutput),
        Effect.scoped
      )
      yield* leaving
      yield* turns()
      yield* TestClock.adjust("5 seconds")
      const outcomes = yield* Fiber.join(fiber)
      const [first, second, ...others] = outcomes.map(({ result }) => result)
      assert.match(failure(first!).got, /the end of the connection|a reset of the connection/)
      assert.strictEqual(failure(second!).got, "nothing more within 5s")
      assert.isAbove(others.length, 0)
      for (const other of others) {
        assert.deepStrictEqual(other, { _tag: "Skipped", reason: "the client does not connect any more" })
      }
    }).pipe(Effect.scoped)
  )

  it("reads the URL of a server", () => {
    assert.deepStrictEqual(Either.getOrThrow(Subject.servedAt("ws://[::1]:8080/a/b?c=d")), {
      address: { host: "::1", port: 8080 },
      host: "[::1]:8080",
      path: "/a/b?c=d"
    })
    assert.deepStrictEqual(Either.getOrThrow(Subject.servedAt("ws://example.com")), {
      address: { host: "example.com", port: 80 },
      host: "example.com",
      path: "/"
    })
    assert.deepStrictEqual(Either.getOrThrow(Subject.servedAt("wss://example.com/a")), {
      address: { host: "example.com", port: 443, tls: { serverName: "example.com" } },
      host: "example.com",
      path: "/a"
    })
    for (const [url, reason] of [
      ["example.com", /is not a URL/],
      ["http://example.com", /neither with ws:/],
      ["ws://example.com/#x", /fragment/]
    ] as const) {
      const wrong = Either.flip(Subject.fromUrl(url))
      assert.match(Either.getOrThrow(wrong).message, reason)
    }
  })
})
