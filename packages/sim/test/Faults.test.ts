import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, FastCheck, Fiber, Schema } from "effect"
import * as Frame from "sluice/Frame"
import * as Network from "sluice/Network"
import * as Fault from "../src/Fault.js"
import { WireReader } from "../src/internal/wireReader.js"
import * as SimNetwork from "../src/SimNetwork.js"
import * as Simulation from "../src/Simulation.js"
import {
  bytes,
  type Connected,
  connect,
  connected,
  now,
  readAll,
  readOnce,
  readTimed,
  serving
} from "./support/twoHosts.js"

type Program<A> = Effect.Effect<A, unknown, Simulation.Services>

/** Runs a program with some seeds, in each of which it must come to a good end, and gives what it gave. */
const inAll = <A>(program: Program<A>, options: Simulation.Options = {}, seeds = 12, from = 0): ReadonlyArray<A> =>
  Array.from({ length: seeds }, (_, i) => {
    const { exit, failure } = Simulation.run(Effect.scoped(program), { seed: from + i, ...options })
    if (failure !== undefined) throw failure
    assert(exit !== undefined && Exit.isSuccess(exit))
    return exit.value
  })

/** A test of a program that has its two ends connected. */
const between = (
  name: string,
  faults: ReadonlyArray<Fault.Fault>,
  program: (ends: Connected) => Program<void>,
  network: SimNetwork.Options = {}
) => it(name, () => void inAll(Effect.flatMap(connected, program), { faults, network }))

/** A test of a program that connects by itself. */
const alone = (
  name: string,
  faults: ReadonlyArray<Fault.Fault>,
  program: Program<void>,
  network: SimNetwork.Options = {}
) => it(name, () => void inAll(program, { faults, network }))

/** When bytes that are sent now arrive. */
const delay = (from: Network.Transport, to: Network.Transport, chunk: Uint8Array = Uint8Array.of(1)) =>
  Effect.gen(function* () {
    const start = yield* now
    yield* Effect.fork(from.write(chunk))
    yield* readTimed(to, chunk.length)
    return (yield* now) - start
  })

const timesOf = (chunks: ReadonlyArray<readonly [at: number, chunk: Uint8Array]>) => chunks.map(([at]) => at)

const sizesOf = (chunks: ReadonlyArray<readonly [at: number, chunk: Uint8Array]>) =>
  chunks.map(([, { length }]) => length)

const joined = (chunks: ReadonlyArray<readonly [at: number, chunk: Uint8Array]>) =>
  new Uint8Array(Buffer.concat(chunks.map(([, chunk]) => chunk)))

describe("no fault", () => {
  between("no time passes", [], ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server, bytes(1000)), 0)
      assert.strictEqual(yield* delay(server, client, bytes(1000)), 0)
      assert.strictEqual(yield* now, 0)
    })
  )

  between("who sends and who receives share no memory", [], ({ client, server }) =>
    Effect.gen(function* () {
      const sent = Uint8Array.of(1, 2, 3)
      yield* client.write(sent)
      sent.fill(9)
      assert.deepStrictEqual(yield* readOnce(server), Uint8Array.of(1, 2, 3))
    })
  )

  between("both sides know both addresses", [], ({ client, host, server }) =>
    Effect.sync(() => {
      assert.deepStrictEqual(client.remote, { host: host.ip, port: 80 })
      assert.deepStrictEqual(server.local, client.remote)
      assert.deepStrictEqual(server.remote, client.local)
    })
  )

  alone(
    "names, addresses, and ports that nobody listens on",
    [],
    Effect.gen(function* () {
      const { host } = yield* serving
      const network = SimNetwork.on("client", Network.Network)
      const { connect } = yield* network
      yield* connect({ host: host.ip, port: 80 })
      const reason = (address: Network.Address) => Effect.map(Effect.flip(connect(address)), ({ reason }) => reason)
      assert.strictEqual(yield* reason({ host: "server", port: 81 }), "ConnectionRefused")
      assert.strictEqual(yield* reason({ host: "nowhere", port: 80 }), "HostNotFound")
      assert.strictEqual(yield* reason({ host: "127.0.0.1", port: 80 }), "ConnectionRefused")
    })
  )
})

describe("latency", () => {
  alone(
    "to connect takes there and back",
    [Fault.latency({ latency: 20 })],
    Effect.gen(function* () {
      yield* connected
      assert.strictEqual(yield* now, 40)
    })
  )

  between("bytes take it each way", [Fault.latency({ latency: "20 millis" })], ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server), 20)
      assert.strictEqual(yield* delay(server, client), 20)
      // What is sent at one time arrives at one time.
      yield* client.write(bytes(3))
      yield* client.write(bytes(3))
      assert.strictEqual(yield* delay(client, server, bytes(3)), 20)
    })
  )

  between("one way only", [Fault.latency({ latency: 20, from: "client", to: "server" })], ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server), 20)
      assert.strictEqual(yield* delay(server, client), 0)
    })
  )

  between("both ways", [Fault.latency({ latency: 20, from: "client", both: true })], ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server), 20)
      assert.strictEqual(yield* delay(server, client), 20)
    })
  )

  between("of another host is none of ours", [Fault.latency({ latency: 20, to: "other" })], ({ client, server }) =>
    Effect.map(delay(client, server), (delay) => assert.strictEqual(delay, 0))
  )

  const several = [Fault.latency({ latency: 20 }), Fault.latency({ latency: 5, to: "server" })]
  between("several add up", several, ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server), 25)
      assert.strictEqual(yield* delay(server, client), 20)
    })
  )

  it("jitter: up to so much more, and the order stays", () => {
    const program = Effect.gen(function* () {
      const { client, server } = yield* connected
      const start = yield* now
      for (let n = 0; n < 20; n++) yield* client.write(Uint8Array.of(n))
      const chunks = yield* readTimed(server, 20)
      assert.deepStrictEqual(joined(chunks), bytes(20))
      return timesOf(chunks).map((at) => at - start)
    })
    const times = inAll(program, { faults: [Fault.latency({ latency: 20, jitter: 10 })] }).flat()
    for (const time of times) assert(time >= 20 && time < 30, `${time}`)
    assert.isAbove(new Set(times).size, 20)
    assert.isBelow(Math.min(...times), 23)
    assert.isAbove(Math.max(...times), 27)
  })

  between("the end of the output takes it too, and a reset", [Fault.latency({ latency: 7 })], ({ client, server }) =>
    Effect.gen(function* () {
      const start = yield* now
      yield* client.endOfOutput
      assert.strictEqual(yield* readOnce(server), "End")
      assert.strictEqual((yield* now) - start, 7)
      yield* server.abort
      assert.strictEqual(yield* readOnce(client), "ConnectionReset")
      assert.strictEqual((yield* now) - start, 14)
    })
  )
})

describe("bandwidth", () => {
  between("so many bytes a second", [Fault.bandwidth({ bytesPerSecond: 1000 })], ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server, bytes(500)), 500)
      assert.strictEqual(yield* delay(server, client, bytes(100)), 100)
      // Each chunk has to wait for the one before it.
      const start = yield* now
      yield* client.write(bytes(100))
      yield* client.write(bytes(200))
      yield* client.write(bytes(300))
      assert.deepStrictEqual(timesOf(yield* readTimed(server, 600)), [start + 100, start + 300, start + 600])
    })
  )

  const several = [1000, 100, 2000].map((bytesPerSecond) => Fault.bandwidth({ bytesPerSecond, to: "server" }))
  between("of several the least counts", several, ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server, bytes(50)), 500)
      assert.strictEqual(yield* delay(server, client, bytes(50)), 0)
    })
  )

  const slow = [Fault.bandwidth({ bytesPerSecond: 1000 }), Fault.latency({ latency: 10 })]
  between("with latency: both", slow, ({ client, server }) =>
    Effect.map(delay(client, server, bytes(50)), (delay) => assert.strictEqual(delay, 60))
  )
})

describe("chunking", () => {
  const threeWrites = ({ client, server }: Connected) =>
    Effect.gen(function* () {
      for (const part of [bytes(15).slice(0, 4), bytes(15).slice(4, 9), bytes(15).slice(9)]) yield* client.write(part)
      yield* Effect.sleep(1)
      const chunks = yield* readTimed(server, 15)
      assert.deepStrictEqual(joined(chunks), bytes(15))
      return sizesOf(chunks)
    })
  const sizes = (faults: ReadonlyArray<Fault.Fault>) => inAll(Effect.flatMap(connected, threeWrites), { faults })
  const same = (faults: ReadonlyArray<Fault.Fault>, expected: ReadonlyArray<number>) => {
    for (const each of sizes(faults)) assert.deepStrictEqual(each, expected)
  }
  const ones = Array.from({ length: 15 }, () => 1)

  it("as they were sent", () => {
    same([], [4, 5, 6])
    same([Fault.chunking({ chunking: "AsSent" })], [4, 5, 6])
  })

  it("into single bytes", () => same([Fault.chunking({ chunking: "Bytes" })], ones))

  it("as many as are here", () => same([Fault.chunking({ chunking: "Coalesced" })], [15]))

  it("at random places", () => {
    const all = sizes([Fault.chunking({ chunking: "Random" })])
    assert.isAbove(new Set(all.map(String)).size, 6)
    for (const each of all) assert.isAtLeast(each.length, 3)
  })

  it("one way only, and of several the last counts", () => {
    same([Fault.chunking({ chunking: "Bytes", from: "server" })], [4, 5, 6])
    same([Fault.chunking({ chunking: "Coalesced" }), Fault.chunking({ chunking: "Bytes" })], ones)
    same([Fault.chunking({ chunking: "Bytes" }), Fault.chunking({ chunking: "Coalesced" })], [15])
  })
})

describe("stall", () => {
  const oneWay = [Fault.stall({ from: "client", to: "server", after: 100, lasts: 1000 })]
  between("one way: what was sent arrives afterwards, in order", oneWay, ({ client, server }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* delay(client, server), 0)
      yield* Effect.sleep(300)
      yield* client.write(Uint8Array.of(1))
      yield* client.write(Uint8Array.of(2))
      assert.strictEqual(yield* delay(server, client), 0)
      const chunks = yield* readTimed(server, 2)
      assert.deepStrictEqual(timesOf(chunks), [1100, 1100])
      assert.deepStrictEqual(joined(chunks), Uint8Array.of(1, 2))
      assert.strictEqual(yield* delay(client, server), 0)
    })
  )

  const both = [Fault.stall({ from: "client", to: "server", both: true, after: 100, lasts: 1000 })]
  between("both ways", both, ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(101)
      assert.strictEqual(yield* delay(server, client), 999)
    })
  )

  between("what is on its way when it begins waits too", [Fault.latency({ latency: 20 })], ({ client, server }) =>
    Effect.gen(function* () {
      const start = yield* now
      yield* client.write(Uint8Array.of(1))
      yield* Effect.sleep(10)
      yield* SimNetwork.install(Fault.stall({ lasts: 100 }))
      yield* readTimed(server, 1)
      assert.strictEqual((yield* now) - start, 110)
    })
  )

  between("for ever, and it holds no more than the window", [Fault.stall({ after: 1 })], ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(2)
      yield* client.write(bytes(10))
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(0), end: "Silence" })
      assert.strictEqual((yield* SimNetwork.stats).bytesHeld, 10)
    })
  )
})

describe("partition", () => {
  const faults = [Fault.partition({ from: "client", to: "server", after: 100, lasts: 1000 })]

  between("nobody reaches the other, and then all arrives", faults, ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(101)
      yield* client.write(Uint8Array.of(1))
      yield* server.write(Uint8Array.of(2))
      const [one, other] = yield* Effect.all([readTimed(server, 1), readTimed(client, 1)], { concurrency: 2 })
      assert.deepStrictEqual([...timesOf(one), ...timesOf(other)], [1100, 1100])
    })
  )

  alone(
    "who connects waits until it has healed",
    faults,
    Effect.gen(function* () {
      yield* serving
      yield* Effect.sleep(400)
      yield* connect
      assert.strictEqual(yield* now, 1100)
    })
  )

  alone(
    "or until that has taken too long",
    [Fault.partition({ after: 100 })],
    Effect.gen(function* () {
      yield* serving
      yield* Effect.sleep(400)
      const { operation, reason } = yield* Effect.flip(connect)
      assert.deepStrictEqual([operation, reason], ["connect", "TimedOut"])
      assert.strictEqual(yield* now, 5400)
    }),
    { connectTimeout: "5 seconds" }
  )

  alone(
    "a third host is on neither side",
    faults,
    Effect.gen(function* () {
      yield* serving
      yield* Effect.sleep(400)
      const network = yield* SimNetwork.on("third", Network.Network)
      yield* network.connect({ host: "server", port: 80 })
      assert.strictEqual(yield* now, 400)
    })
  )
})

describe("attempts to connect", () => {
  alone(
    "are refused",
    [Fault.refuse({ to: "server" })],
    Effect.gen(function* () {
      yield* serving
      assert.strictEqual((yield* Effect.flip(connect)).reason, "ConnectionRefused")
      assert.strictEqual(yield* now, 0)
    })
  )

  alone(
    "get no answer, until 60 seconds are over",
    [Fault.unanswered({ from: "client" })],
    Effect.gen(function* () {
      const { accepted } = yield* serving
      assert.strictEqual((yield* Effect.flip(connect)).reason, "TimedOut")
      assert.strictEqual(yield* now, 60_000)
      assert.lengthOf(accepted, 0)
      assert.deepStrictEqual((yield* SimNetwork.stats).open, [`server listens on 10.0.0.2:80`])
    })
  )

  alone(
    "are reset before they are accepted",
    [Fault.resetInBacklog()],
    Effect.gen(function* () {
      const { accepted } = yield* serving
      const exit = yield* Effect.exit(
        Effect.flatMap(connect, (client) => Effect.map(readAll(client), ({ end }) => end))
      )
      // The reset may be there as soon as the connection is.
      assert.deepStrictEqual(exit, Exit.succeed("ConnectionReset"))
      yield* Effect.sleep(1)
      assert.lengthOf(accepted, 0)
    })
  )

  alone(
    "that are given up leave nothing behind",
    [Fault.unanswered()],
    Effect.gen(function* () {
      yield* serving
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.timeout(Effect.scoped(connect), 10))))
      assert.lengthOf((yield* SimNetwork.stats).open, 1)
    })
  )

  const some = (fault: Fault.Fault) => {
    const program = Effect.gen(function* () {
      yield* serving
      const attempt = Effect.scoped(Effect.flatMap(connect, (client) => Effect.timeoutOption(client.read, 1)))
      const exits = yield* Effect.replicateEffect(Effect.exit(attempt), 20)
      return exits.filter(Exit.isFailure).length
    })
    const struck = inAll(program, { faults: [fault], network: { connectTimeout: 10 } })
    const all = struck.reduce((sum, n) => sum + n)
    assert(all > 60 && all < 180, `${all} of 240`)
    assert.isAbove(new Set(struck).size, 2)
  }

  it("some are refused", () => some(Fault.refuse({ probability: 0.5 })))
  it("some get no answer", () => some(Fault.unanswered({ probability: 0.5 })))
  it("some are reset", () => some(Fault.resetInBacklog({ probability: 0.5 })))
  it("none are, with probability 0", () => {
    const none = [Fault.refuse, Fault.unanswered, Fault.resetInBacklog].map((fault) => fault({ probability: 0 }))
    inAll(connected, { faults: none })
  })
})

const request = new TextEncoder().encode("GET /chat HTTP/1.1\r\nHost: server\r\n\r\n")

const frames = ["no bytes above 0x7f", "Zürich, 東京", "and one more"].map((text) =>
  Frame.toBytes(Frame.make(Frame.Opcode.Text, new TextEncoder().encode(text), { maskingKey: 0x01020304 }))
)

const wire = new Uint8Array(Buffer.concat([request, ...frames]))

/** Where the parts of `wire` begin and end. */
const parts = new WireReader().push(wire)

describe("cut", () => {
  /** Sends `wire` in several pieces to the server, and gives what arrives, and what both see of the end. */
  const sending = Effect.gen(function* () {
    const { client, server } = yield* connected
    const there = yield* Effect.fork(readAll(server))
    const here = yield* Effect.fork(readAll(client))
    for (let at = 0; at < wire.length; at += 50) {
      yield* Effect.ignore(client.write(wire.slice(at, at + 50)))
      yield* Effect.sleep(1)
    }
    const { end, received } = yield* Fiber.join(there)
    return { received, server: end, client: (yield* Fiber.join(here)).end }
  })

  const cutWith = (fault: Fault.Fault, faults: ReadonlyArray<Fault.Fault> = []) =>
    inAll(sending, { faults: [fault, ...faults], maxDuration: "1 day" })

  const toServer = { from: "client", to: "server" } as const

  for (const n of [0, 1, 49, 50, 51, 77, wire.length]) {
    it(`after ${n} bytes, with the end of the output`, () => {
      for (const end of cutWith(Fault.cut({ ...toServer, bytes: n, ending: "End" }))) {
        assert.deepStrictEqual(end.received, wire.slice(0, n))
        assert.deepStrictEqual([end.server, end.client], ["End", "ConnectionReset"])
      }
    })

    it(`after ${n} bytes, with a reset`, () => {
      for (const end of cutWith(Fault.cut({ ...toServer, bytes: n, ending: "Reset" }))) {
        // A reset takes with it what was not read.
        assert.deepStrictEqual(end.received, wire.slice(0, end.received.length))
        assert.isAtMost(end.received.length, n)
        assert.deepStrictEqual([end.server, end.client], ["ConnectionReset", "ConnectionReset"])
      }
    })

    it(`after ${n} bytes, in silence`, () => {
      for (const end of cutWith(Fault.cut({ ...toServer, bytes: n, ending: "Silence" }))) {
        assert.isAtMost(end.received.length, n)
        assert.deepStrictEqual(end.received, wire.slice(0, end.received.length))
        assert.deepStrictEqual([end.server, end.client], ["Silence", "Silence"])
      }
    })
  }

  it("not before that many bytes", () => {
    for (const end of cutWith(Fault.cut({ ...toServer, bytes: wire.length + 1 }))) {
      assert.deepStrictEqual(end, { received: wire, server: "Silence", client: "Silence" })
    }
  })

  it("also where bytes come in pieces, late and slowly", () => {
    const others = [
      Fault.chunking({ chunking: "Random" }),
      Fault.latency({ latency: 20, jitter: 10 }),
      Fault.bandwidth({ bytesPerSecond: 1000 })
    ]
    for (const end of cutWith(Fault.cut({ ...toServer, bytes: 66, ending: "End" }), others)) {
      assert.deepStrictEqual(end.received, wire.slice(0, 66))
    }
  })

  const inside = (where: Fault.Inside, part: number, chunkings: ReadonlyArray<Fault.Fault> = []) => {
    const { end: last, start } = parts[part]
    const all = cutWith(Fault.cut({ ...toServer, inside: where, ending: "End", bytes: 0 }), chunkings)
    for (const { received } of all) {
      assert(received.length > start && received.length < last, `${received.length} is not in ${start} to ${last}`)
      assert.deepStrictEqual(received, wire.slice(0, received.length))
    }
    return all
  }

  it("inside a head", () => void inside("Head", 0))

  it("inside a frame", () => void inside("Frame", 1))

  it("inside a sequence of UTF-8, in the first frame that has one", () => {
    for (const { received } of inside("Utf8", 2)) {
      const key = [1, 2, 3, 4]
      const { start } = parts[2]
      const payload = received.slice(start + 6).map((byte, i) => byte ^ key[i % 4])
      assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(payload))
    }
  })

  it("inside of the first one behind so many bytes", () => {
    const { end: last, start } = parts[3]
    for (const { received } of cutWith(Fault.cut({ ...toServer, inside: "Frame", ending: "End", bytes: start }))) {
      assert(received.length > start && received.length < last, `${received.length}`)
    }
  })

  it("not at all, where there is none", () => {
    for (const end of cutWith(Fault.cut({ from: "server", inside: "Frame" })))
      assert.deepStrictEqual(end.received, wire)
  })

  it("of one connection: the first, or the one after so many", () => {
    const visit = Effect.scoped(
      Effect.gen(function* () {
        const client = yield* connect
        yield* Effect.ignore(client.write(bytes(10)))
        return yield* Effect.timeoutTo(readOnce(client), {
          duration: 10,
          onSuccess: (got) => got,
          onTimeout: () => "fine" as const
        })
      })
    )
    const visits = Effect.zipRight(serving, Effect.replicateEffect(visit, 4))
    const with3 = (skip: number | undefined) =>
      inAll(visits, { faults: [Fault.cut({ skip, bytes: 5, from: "client" })] })
    for (const all of with3(undefined)) assert.deepStrictEqual(all, ["ConnectionReset", "fine", "fine", "fine"])
    for (const all of with3(2)) assert.deepStrictEqual(all, ["fine", "fine", "ConnectionReset", "fine"])
    for (const all of with3(9)) assert.deepStrictEqual(all, ["fine", "fine", "fine", "fine"])
  })

  it("either way, if it says nothing of one", () => {
    const ways = cutWith(Fault.cut({ bytes: 20, ending: "End" }))
    // The server sends nothing, so that only one way is ever cut.
    assert.deepStrictEqual(new Set(ways.map(({ server }) => server)), new Set(["End", "Silence"] as const))
  })
})

describe("window and send buffer", () => {
  const network = { window: 1000, sendBuffer: 500 }

  between(
    "a sender waits when both are full, and goes on when there is room",
    [],
    ({ client, server }) =>
      Effect.gen(function* () {
        let written = 0
        const sender = yield* Effect.fork(
          Effect.repeatN(
            Effect.zipRight(
              client.write(bytes(100)),
              Effect.sync(() => void written++)
            ),
            39
          )
        )
        yield* Effect.sleep(1)
        const held = written
        assert.isAtLeast(held, 14)
        assert.isAtMost(held, 15)
        assert.strictEqual((yield* SimNetwork.stats).bytesHeld, 1500)
        const rest = yield* Effect.fork(readTimed(server, 4000))
        yield* Fiber.join(sender)
        yield* Fiber.join(rest)
        assert.strictEqual(written, 40)
        assert.strictEqual((yield* SimNetwork.stats).bytesHeld, 0)
      }),
    network
  )

  between(
    "one write is taken whole, and succeeds when less than the send buffer waits",
    [],
    ({ client, server }) =>
      Effect.gen(function* () {
        const sent = Uint8Array.from({ length: 5000 }, (_, i) => i * 7)
        const writing = yield* Effect.fork(client.write(sent))
        yield* Effect.sleep(1)
        assert.isNull(yield* Effect.map(Fiber.poll(writing), (exit) => (exit._tag === "None" ? null : exit.value)))
        assert.strictEqual((yield* SimNetwork.stats).bytesHeld, 5000)
        const first = yield* readTimed(server, 3000)
        const { bytesHeld } = yield* SimNetwork.stats
        assert.strictEqual(bytesHeld, 5000 - joined(first).length)
        const rest = yield* readTimed(server, 5000 - joined(first).length)
        yield* Fiber.join(writing)
        assert.deepStrictEqual(joined([...first, ...rest]), sent)
      }),
    network
  )

  between(
    "no more than the window is on its way or unread, whatever the latency",
    [Fault.latency({ latency: 50 }), Fault.chunking({ chunking: "Random" })],
    ({ client, server }) =>
      Effect.gen(function* () {
        const start = yield* now
        yield* Effect.fork(client.write(bytes(4000)))
        const times = timesOf(yield* readTimed(server, 4000))
        // A window for each latency, since news of room takes no time.
        assert.isAtLeast((times.at(-1) ?? 0) - start, 4 * 50)
      }),
    network
  )

  between(
    "a writer that waits learns of a reset",
    [],
    ({ client, server }) =>
      Effect.gen(function* () {
        const writing = yield* Effect.fork(client.write(bytes(5000)))
        yield* Effect.sleep(1)
        yield* server.abort
        assert.strictEqual((yield* Effect.flip(Fiber.join(writing))).reason, "ConnectionReset")
        assert.strictEqual((yield* SimNetwork.stats).bytesHeld, 0)
      }),
    network
  )

  it.prop(
    "all bytes arrive in order, through any window",
    [
      FastCheck.integer({ min: 0, max: 800 }),
      FastCheck.integer({ min: 0, max: 800 }),
      FastCheck.array(FastCheck.nat({ max: 300 }), { maxLength: 6 }),
      FastCheck.nat()
    ],
    ([window, sendBuffer, sizes, seed]) => {
      const total = sizes.reduce((sum, n) => sum + n, 0)
      const all = Uint8Array.from({ length: total }, (_, i) => i * 13)
      const program = Effect.gen(function* () {
        const { client, server } = yield* connected
        const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, n) => sum + n, 0))
        const pieces = ends.map((end, i) => all.slice(end - sizes[i], end))
        yield* Effect.fork(Effect.zipRight(Effect.forEach(pieces, client.write), client.endOfOutput))
        const { end, received } = yield* readAll(server)
        assert.strictEqual(end, "End")
        assert.deepStrictEqual(received, all)
      })
      const faults = [Fault.chaos({ cuts: 0, refuse: 0, unanswered: 0, resetInBacklog: 0 })]
      inAll(program, { network: { window, sendBuffer }, faults }, 1, seed)
    },
    { fastCheck: { numRuns: 25 } }
  )
})

describe("ends", () => {
  between("half of a connection ends, and the other goes on", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* client.write(bytes(3))
      yield* client.endOfOutput
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(3), end: "End" })
      yield* Effect.sleep(1000)
      yield* server.write(bytes(5))
      assert.deepStrictEqual(yield* readOnce(client), bytes(5))
      assert.strictEqual((yield* Effect.flip(client.write(bytes(1)))).reason, "Closed")
      yield* server.endOfOutput
      assert.strictEqual(yield* readOnce(client), "End")
    })
  )

  between("the end comes behind what waits for the window", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.fork(client.write(bytes(200_000)))
      yield* Effect.sleep(1)
      yield* client.endOfOutput
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(200_000), end: "End" })
    })
  )

  between("who aborts after both ends resets nothing", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* client.endOfOutput
      yield* server.endOfOutput
      yield* client.abort
      yield* Effect.sleep(1)
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(0), end: "End" })
    })
  )

  between("who aborts with something to say resets, and what was not read is lost", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* client.write(bytes(3))
      yield* Effect.sleep(1)
      yield* client.abort
      yield* Effect.sleep(1)
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(0), end: "ConnectionReset" })
      assert.strictEqual((yield* Effect.flip(server.write(bytes(1)))).reason, "ConnectionReset")
      assert.strictEqual(yield* readOnce(client), "Closed")
      assert.strictEqual((yield* Effect.flip(client.write(bytes(1)))).reason, "Closed")
    })
  )

  between("who leaves after the end of its output is read to the end, but not written to", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* client.write(bytes(3))
      yield* client.endOfOutput
      yield* client.abort
      yield* Effect.sleep(1)
      assert.strictEqual((yield* Effect.flip(server.write(bytes(1)))).reason, "BrokenPipe")
      assert.deepStrictEqual(yield* readAll(server), { received: bytes(3), end: "End" })
    })
  )

  alone(
    "the end of its scope aborts a connection",
    [],
    Effect.gen(function* () {
      const { accepted } = yield* serving
      yield* Effect.scoped(connect)
      yield* Effect.sleep(1)
      const [server] = accepted
      assert.strictEqual(yield* readOnce(server), "ConnectionReset")
    })
  )
})

/** A server that says when it has started, was asked to stop and has stopped. */
const life = (said: Array<string>) =>
  Effect.gen(function* () {
    said.push(`up at ${yield* now}`)
    yield* Effect.addFinalizer(() => Effect.sync(() => said.push("finalizer")))
    const network = yield* Network.Network
    const listener = yield* network.listen({ port: 80 })
    yield* Effect.forever(
      Effect.flatMap(listener.accept, (transport) =>
        Effect.forkScoped(Effect.ignore(Effect.forever(Effect.flatMap(transport.read, transport.write))))
      )
    )
  }).pipe(Effect.scoped)

describe("crash", () => {
  for (const how of ["Process", "Power"] as const) {
    alone(
      `${how}: no finalizer runs, and no timer fires`,
      [],
      Effect.gen(function* () {
        const said: Array<string> = []
        const late = Effect.zipRight(
          Effect.sleep(100),
          Effect.sync(() => said.push("timer"))
        )
        const host = yield* SimNetwork.spawn("server", Effect.zipRight(Effect.fork(late), life(said)))
        yield* Effect.sleep(10)
        yield* host.crash(how)
        yield* Effect.sleep(1000)
        assert.deepStrictEqual(said, ["up at 0"])
        assert.deepStrictEqual((yield* SimNetwork.stats).open, [])
      })
    )

    alone(
      `${how}: it starts again after a time`,
      [Fault.crash({ host: "server", after: 100, downFor: 50, how })],
      Effect.gen(function* () {
        const said: Array<string> = []
        yield* SimNetwork.spawn("server", life(said))
        yield* Effect.sleep(200)
        assert.deepStrictEqual(said, ["up at 0", "up at 150"])
        const client = yield* connect
        yield* client.write(bytes(3))
        assert.deepStrictEqual(yield* readOnce(client), bytes(3))
      })
    )

    alone(
      `${how}: it starts again when it is told to, and that ends a crash only`,
      [],
      Effect.gen(function* () {
        const said: Array<string> = []
        const host = yield* SimNetwork.spawn("server", life(said))
        yield* Effect.sleep(5)
        yield* host.restart
        yield* host.crash(how)
        yield* host.crash(how)
        yield* Effect.sleep(5)
        yield* host.restart
        yield* host.restart
        yield* Effect.sleep(5)
        assert.deepStrictEqual(said, ["up at 0", "up at 10"])
      })
    )
  }

  between("Process: peers see a reset at once", [], ({ client, host }) =>
    Effect.gen(function* () {
      yield* host.crash()
      assert.strictEqual(yield* readOnce(client), "ConnectionReset")
      assert.strictEqual(yield* now, 0)
      assert.strictEqual((yield* Effect.flip(connect)).reason, "ConnectionRefused")
    })
  )

  between(
    "Power: peers see nothing, and attempts to connect time out",
    [],
    ({ client, host }) =>
      Effect.gen(function* () {
        yield* host.crash("Power")
        yield* client.write(bytes(3))
        assert.deepStrictEqual(yield* readAll(client), { received: bytes(0), end: "Silence" })
        const before = yield* now
        assert.strictEqual((yield* Effect.flip(connect)).reason, "TimedOut")
        assert.strictEqual((yield* now) - before, 7000)
      }),
    { connectTimeout: "7 seconds" }
  )

  between("Power: who writes to a former life gets a reset", [], ({ client, host }) =>
    Effect.gen(function* () {
      yield* host.crash("Power")
      yield* Effect.sleep(10)
      yield* host.restart
      const read = yield* Effect.fork(readOnce(client))
      yield* Effect.sleep(1000)
      // Nobody has told the client.
      assert.strictEqual((yield* Fiber.poll(read))._tag, "None")
      // Its answer may come before the write has ended.
      yield* Effect.ignore(client.write(bytes(3)))
      assert.strictEqual(yield* Fiber.join(read), "ConnectionReset")
    })
  )

  between("Power: who wrote meanwhile gets its reset after the restart", [], ({ client, host }) =>
    Effect.gen(function* () {
      yield* host.crash("Power")
      yield* client.write(bytes(3))
      yield* Effect.sleep(10)
      yield* host.restart
      assert.strictEqual(yield* readOnce(client), "ConnectionReset")
      assert.strictEqual(yield* now, 10)
    })
  )

  alone(
    "what a program gave can be waited for, in each life",
    [],
    Effect.gen(function* () {
      let lives = 0
      const program = Effect.suspend(() => Effect.as(Effect.sleep(100), ++lives))
      const host = yield* SimNetwork.spawn("server", program)
      const first = yield* Effect.fork(host.exit)
      yield* Effect.sleep(50)
      yield* host.crash()
      yield* Effect.sleep(100)
      assert.strictEqual((yield* Fiber.poll(first))._tag, "None")
      yield* host.restart
      assert.deepStrictEqual(yield* Fiber.join(first), Exit.succeed(2))
      assert.deepStrictEqual(yield* host.exit, Exit.succeed(2))
      assert.strictEqual(yield* now, 250)
    })
  )

  alone(
    "a program on a host stops with its scope, and finalizers run",
    [],
    Effect.gen(function* () {
      const said: Array<string> = []
      yield* Effect.scoped(Effect.zipRight(SimNetwork.spawn("server", life(said)), Effect.sleep(5)))
      assert.deepStrictEqual(said, ["up at 0", "finalizer"])
      assert.deepStrictEqual((yield* SimNetwork.stats).open, [])
    })
  )

  alone(
    "a host that crashes while it stops does not stop who waits for it",
    [Fault.crash({ host: "server", after: 10 })],
    Effect.gen(function* () {
      const slow = Effect.onInterrupt(Effect.never, () => Effect.sleep(100))
      yield* Effect.scoped(Effect.zipRight(SimNetwork.spawn("server", slow), Effect.sleep(5)))
      assert.strictEqual(yield* now, 10)
    })
  )

  alone(
    "a fiber that was on a host that crashed does not go on",
    [],
    Effect.gen(function* () {
      const host = yield* SimNetwork.spawn("server", Effect.never)
      const done = yield* Deferred.make<string>()
      yield* Effect.forkDaemon(
        SimNetwork.on("server", Effect.zipRight(Effect.sleep(10), Deferred.succeed(done, "done")))
      )
      yield* host.crash()
      assert.strictEqual((yield* Effect.timeoutOption(Deferred.await(done), 100))._tag, "None")
    })
  )
})

describe("install", () => {
  between("a fault ends with its scope", [], ({ client, server }) =>
    Effect.gen(function* () {
      const slow = Effect.zipRight(SimNetwork.install(Fault.latency({ latency: 30 })), delay(client, server))
      assert.strictEqual(yield* Effect.scoped(slow), 30)
      assert.strictEqual(yield* delay(client, server), 0)
    })
  )

  between("its times count from then on", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(500)
      yield* SimNetwork.install(Fault.stall({ after: 100, lasts: 200 }))
      yield* Effect.sleep(99)
      assert.strictEqual(yield* delay(client, server), 0)
      yield* Effect.sleep(2)
      yield* delay(client, server)
      assert.strictEqual(yield* now, 800)
    })
  )

  between("one whose scope ends before it begins never does", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.zipRight(SimNetwork.install(Fault.stall({ after: 10 })), Effect.sleep(5)))
      yield* Effect.sleep(100)
      assert.strictEqual(yield* delay(client, server), 0)
    })
  )

  between("what a stall held goes on at the end of its scope", [], ({ client, server }) =>
    Effect.gen(function* () {
      const held = Effect.gen(function* () {
        yield* SimNetwork.install(Fault.stall())
        yield* client.write(bytes(3))
        yield* Effect.sleep(70)
      })
      yield* Effect.scoped(held)
      assert.deepStrictEqual(timesOf(yield* readTimed(server, 3)), [70])
    })
  )

  between("a crash whose scope ends before it does not happen", [], ({ client, server }) =>
    Effect.gen(function* () {
      yield* Effect.scoped(SimNetwork.install(Fault.crash({ host: "server", after: 10 })))
      yield* Effect.sleep(100)
      assert.strictEqual(yield* delay(client, server), 0)
    })
  )

  it("each of two that are the same ends by itself", () => {
    const program = Effect.gen(function* () {
      const { client, server } = yield* connected
      const slow = Fault.latency({ latency: 10 })
      yield* SimNetwork.install(slow)
      yield* Effect.scoped(SimNetwork.install(slow))
      return yield* delay(client, server)
    })
    assert.deepStrictEqual(new Set(inAll(program)), new Set([10]))
  })
})

const drawn = (seed: number, options?: Fault.ChaosOptions) =>
  Simulation.run(Effect.void, { seed, faults: [Fault.chaos(options)], verify: false }).faults

describe("chaos", () => {
  it.prop(
    "is a function of the seed, and survives JSON",
    [FastCheck.nat()],
    ([seed]) => {
      const faults = drawn(seed, { hosts: ["a", "b"], crashes: 2, cuts: 2, stalls: 2 })
      assert.deepStrictEqual(drawn(seed, { hosts: ["a", "b"], crashes: 2, cuts: 2, stalls: 2 }), faults)
      const read = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Fault.Fault)))
      assert.deepStrictEqual(read(JSON.stringify(faults)), faults)
    },
    { fastCheck: { numRuns: 100 } }
  )

  it("draws each kind of fault, within its bounds", () => {
    const options = {
      hosts: ["a", "b"],
      horizon: "1 second",
      maxStall: 500,
      maxLatency: 9,
      minBandwidth: 1000
    } as const
    const all = Array.from({ length: 300 }, (_, seed) => drawn(seed, options)).flat()
    const kinds = new Set(all.map(({ _tag }) => _tag))
    const every = [
      "Bandwidth",
      "Chunking",
      "Crash",
      "Cut",
      "Latency",
      "Partition",
      "Refuse",
      "ResetInBacklog",
      "Stall",
      "Unanswered"
    ]
    assert.deepStrictEqual([...kinds].sort(), every)
    for (const fault of all) {
      assert.isBelow(fault.after ?? 0, 1000)
      if ("lasts" in fault) assert.isAtMost(fault.lasts ?? 0, 500)
      if (fault._tag === "Latency") assert.isAtMost(Math.max(fault.latency, fault.jitter), 9)
      if (fault._tag === "Bandwidth") assert.isAtLeast(fault.bytesPerSecond, 1000)
      if (fault._tag === "Crash") assert.include(["a", "b"], fault.host)
    }
  })

  it("draws as many as its rates say", () => {
    const count = (tag: Fault.Fault["_tag"], options: Fault.ChaosOptions) => {
      const all = Array.from({ length: 200 }, (_, seed) => drawn(seed, options))
      return all.map((faults) => faults.filter(({ _tag }) => _tag === tag).length)
    }
    assert.deepStrictEqual(new Set(count("Stall", { stalls: 3 })), new Set([3]))
    assert.deepStrictEqual([...new Set(count("Cut", { cuts: 1.5 }))].sort(), [1, 2])
    assert.deepStrictEqual(new Set(count("Partition", { partitions: 0 })), new Set([0]))
    assert.deepStrictEqual(new Set(count("Crash", { crashes: 5 })), new Set([0]), "no host may crash")
    assert.deepStrictEqual(new Set(count("Refuse", { refuse: 0 })), new Set([0]))
    assert.deepStrictEqual(new Set(count("Chunking", { chunking: false })), new Set([0]))
  })

  it("what one part draws does not shift the program", () => {
    const program = Effect.sync(() => Math.random())
    const [one, other] = [Simulation.run(program), Simulation.run(program, { faults: [Fault.chaos()] })]
    assert.deepStrictEqual(one.exit, other.exit)
  })
})

describe("values", () => {
  it("constructors give plain data, with times in milliseconds", () => {
    assert.deepStrictEqual(Fault.latency({ latency: "2 seconds", to: "b", after: Duration.minutes(1) }), {
      _tag: "Latency",
      latency: 2000,
      jitter: 0,
      to: "b",
      after: 60_000
    })
    assert.deepStrictEqual(Fault.stall(), { _tag: "Stall" })
    assert.deepStrictEqual(Fault.partition({ lasts: "1 second" }), { _tag: "Partition", lasts: 1000, both: true })
    assert.deepStrictEqual(Fault.cut(), { _tag: "Cut", skip: 0, bytes: 0, inside: "Bytes", ending: "Reset" })
    assert.deepStrictEqual(Fault.crash({ host: "a", downFor: "1 second" }), {
      _tag: "Crash",
      host: "a",
      downFor: 1000,
      how: "Process"
    })
    assert.deepStrictEqual(Fault.refuse({ after: undefined }), { _tag: "Refuse", probability: 1 })
  })

  it("for ever is no number, so that JSON can say it", () => {
    assert.deepStrictEqual(Fault.stall({ lasts: Duration.infinity }), { _tag: "Stall" })
    assert.deepStrictEqual(Fault.crash({ host: "a", downFor: Duration.infinity }), Fault.crash({ host: "a" }))
  })

  it("as one line", () => {
    assert.strictEqual(
      Fault.format(Fault.stall({ after: 200, lasts: "1 second", to: "server" })),
      "Stall after 200, lasts 1000, to server"
    )
    assert.strictEqual(Fault.format(Fault.stall()), "Stall")
    assert.strictEqual(Fault.format(Fault.cut({ inside: "Utf8" })), "Cut inside Utf8, skip 0, bytes 0, ending Reset")
  })
})
