/** What a service says of itself: metrics, log lines, spans, and what it has in hand. */
import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Metric, Option, Stream, TestClock, Tracer } from "effect"
import * as Ledger from "../src/Ledger.js"
import type * as Limits from "../src/Limits.js"
import type * as Message from "../src/Message.js"
import * as Network from "../src/Network.js"
import * as Rejection from "../src/Rejection.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketMetrics from "../src/WebSocketMetrics.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { against, memory, opened, roles, scenario, urlOf } from "./suites/host.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"
import { turns } from "./support/turns.js"

const test = scenario(memory)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

let runs = 0

/** The registry is one for the process: what a test counts has a label of its own. */
class Run {
  readonly run = String(++runs)

  value<Type, In, Out>(metric: Metric.Metric<Type, In, Out>, labels: { readonly [label: string]: string }) {
    const { role = "", ...others } = labels
    // Labels are compared in their order: the role, those of the service, those of the event.
    const entries = Object.entries({ role, run: this.run, ...others })
    return Metric.value(entries.reduce((tagged, [key, value]) => Metric.tagged(tagged, key, value), metric))
  }
}

const measured = <A, E, R>(effect: (value: Run["value"]) => Effect.Effect<A, E, R>) => {
  const run = new Run()
  return Effect.tagMetrics(
    effect((metric, labels) => run.value(metric, labels)),
    "run",
    run.run
  )
}

const count = (effect: Effect.Effect<{ readonly count: number | bigint }>) =>
  Effect.map(effect, ({ count }) => Number(count))

describe("metrics", () => {
  test(
    "count connections, traffic and ends, of both roles",
    measured((value) =>
      Effect.gen(function* () {
        const { client, server } = yield* opened(memory)
        yield* client.sendAll(["one", "two", "three"])
        yield* Stream.runDrain(Stream.take(server.messages, 3))
        yield* client.ping
        for (const role of roles) {
          assert.strictEqual((yield* value(WebSocketMetrics.connectionsOpen, { role })).value, 1)
          assert.strictEqual(yield* count(value(WebSocketMetrics.connectionsAccepted, { role })), 1)
          assert.strictEqual((yield* value(WebSocketMetrics.handshakeTime, { role })).count, 1)
        }
        yield* client.close({ code: 4321 })
        yield* server.closed
        const [up, down] = [{ role: "client" }, { role: "server" }]
        assert.strictEqual(yield* count(value(WebSocketMetrics.messagesSent, up)), 3)
        assert.strictEqual(yield* count(value(WebSocketMetrics.messagesReceived, down)), 3)
        assert.strictEqual(yield* count(value(WebSocketMetrics.messagesSent, down)), 0)
        // Three messages, a Ping and a Close, each with a header and a mask; a Pong and a Close.
        assert.strictEqual(yield* count(value(WebSocketMetrics.framesSent, up)), 5)
        assert.strictEqual(yield* count(value(WebSocketMetrics.framesReceived, down)), 5)
        const sent = 5 * 6 + "onetwothree".length + 4 + 2
        assert.strictEqual(yield* count(value(WebSocketMetrics.bytesSent, up)), sent)
        assert.strictEqual(yield* count(value(WebSocketMetrics.bytesReceived, down)), sent)
        assert.strictEqual(yield* count(value(WebSocketMetrics.framesSent, down)), 2)
        assert.strictEqual(yield* count(value(WebSocketMetrics.bytesReceived, up)), 2 * 2 + 4 + 2)
        assert.isAtLeast((yield* value(WebSocketMetrics.receiveQueueDepth, down)).count, 1)
        assert.strictEqual((yield* value(WebSocketMetrics.receiveQueueDepth, down)).max, 3)
        assert.strictEqual((yield* value(WebSocketMetrics.roundTrip, up)).count, 1)
        for (const role of roles) {
          assert.strictEqual((yield* value(WebSocketMetrics.connectionsOpen, { role })).value, 0)
          assert.strictEqual(
            yield* count(value(WebSocketMetrics.connectionsClosed, { role, reason: "Clean", code: "4xxx" })),
            1
          )
        }
      })
    )
  )

  test(
    "a message in fragments is one message, on both sides",
    measured((value) =>
      Effect.gen(function* () {
        const { client, server } = yield* opened(memory)
        yield* Effect.fork(Stream.runDrain(WebSocket.streamed(server)))
        yield* turns()
        yield* WebSocket.sendStream(client, "Text", Stream.make("a", "b", "c"))
        yield* client.send("whole")
        yield* client.ping
        assert.strictEqual(yield* count(value(WebSocketMetrics.messagesSent, { role: "client" })), 2)
        assert.strictEqual(yield* count(value(WebSocketMetrics.messagesReceived, { role: "server" })), 2)
        assert.strictEqual(yield* count(value(WebSocketMetrics.framesReceived, { role: "server" })), 6)
      })
    )
  )

  test(
    "count refusals by reason, on both sides, and the limit that was broken",
    measured((value) =>
      Effect.gen(function* () {
        const server = yield* WebSocketServer.serve(
          { limits: { maxTarget: 50 }, authenticate: () => new Rejection.Forbidden() },
          echo
        )
        const url = urlOf(server.address)
        const forbidden = { reason: "Forbidden", status: "403" }
        yield* Effect.ignore(Effect.scoped(WebSocketClient.connect(url)))
        for (const role of roles) {
          assert.strictEqual(yield* count(value(WebSocketMetrics.connectionsRejected, { role, ...forbidden })), 1)
          assert.strictEqual((yield* value(WebSocketMetrics.handshakeTime, { role })).count, 1)
          assert.strictEqual((yield* value(WebSocketMetrics.connectionsOpen, { role })).value, 0)
        }
        const broken = (limit: string) => count(value(WebSocketMetrics.limitsBroken, { role: "server", limit }))
        yield* Effect.ignore(Effect.scoped(WebSocketClient.connect(`${url}${"x".repeat(60)}`)))
        assert.strictEqual(yield* broken("maxTarget"), 1)
        assert.strictEqual(
          yield* count(value(WebSocketMetrics.limitsBroken, { role: "client", limit: "maxTarget" })),
          0
        )
      })
    )
  )

  const head = (size: number) => Peer.request("/", `Filler: ${"x".repeat(size)}`)
  /** A limit of a server, what else it is made of, and the requests that come one after the other and stay. */
  const refusals: ReadonlyArray<
    readonly [
      limit: keyof Limits.Limits,
      limits: Limits.Options,
      options: { readonly authenticate?: () => Effect.Effect<void> },
      requests: ReadonlyArray<Uint8Array>
    ]
  > = [
    ["maxHeadSize", { maxHeadSize: 300 }, {}, [head(400)]],
    ["maxFields", { maxFields: 3 }, {}, [head(1)]],
    ["handshakeTimeout", { handshakeTimeout: "1 second" }, { authenticate: () => Effect.never }, [head(1)]],
    ["maxConnections", { maxConnections: 1 }, {}, [head(1), head(1)]],
    ["maxConnectionsPerAddress", { maxConnectionsPerAddress: 1 }, {}, [head(1), head(1)]],
    ["maxHandshakes", { maxHandshakes: 1 }, { authenticate: () => Effect.sleep("1 second") }, [head(1), head(1)]],
    ["maxPinnedBytes", { maxPinnedBytes: 100 }, {}, [head(400).slice(0, 300)]]
  ]
  for (const [limit, limits, options, requests] of refusals) {
    test(
      `a server counts who is refused for ${limit}, once`,
      measured((value) =>
        Effect.gen(function* () {
          const all = { limits: { handshakeTimeout: "1 hour", ...limits }, ...options } as const
          const server = yield* WebSocketServer.serve(all, (socket) => socket.closed)
          const network = yield* Network.Network
          const transports: Array<Network.Transport> = []
          for (const request of requests) {
            const transport = yield* network.connect(server.address)
            yield* transport.write(request)
            yield* turns()
            transports.push(transport)
          }
          yield* TestClock.adjust("1 second")
          yield* turns()
          assert.strictEqual(yield* count(value(WebSocketMetrics.limitsBroken, { role: "server", limit })), 1)
          for (const transport of transports) yield* transport.abort
        })
      )
    )
  }

  for (const role of roles) {
    for (const [limit, limits, frames] of [
      ["messageTimeout", { messageTimeout: "5 seconds" }, [{ ...Peer.text("half"), fin: false }]],
      ["pingTimeout", { pingInterval: "5 seconds", pingTimeout: "5 seconds" }, []]
    ] as const) {
      test(
        `the ${role} counts a peer that breaks ${limit}`,
        measured((value) =>
          Effect.gen(function* () {
            const { peer, socket } = yield* against(memory, role, limits)
            yield* peer.send(...frames)
            yield* turns()
            yield* TestClock.adjust("5 seconds")
            yield* turns()
            yield* TestClock.adjust("5 seconds")
            yield* peer.hearAll
            yield* peer.transport.endOfOutput
            yield* socket.closed
            assert.strictEqual(yield* count(value(WebSocketMetrics.limitsBroken, { role, limit })), 1)
          })
        )
      )
    }
  }

  const part = { opcode: 2, fin: false, payload: new Uint8Array(600) }

  for (const role of roles) {
    test(
      `the ${role} counts each limit that its peer breaks`,
      measured((value) =>
        Effect.gen(function* () {
          const breaches = [
            ["maxFramePayload", { maxFramePayload: 10 }, [part]],
            ["maxMessageSize", { maxMessageSize: 10 }, [part]],
            ["maxFragments", { maxFragments: 1 }, [part, { opcode: 0, fin: false }]],
            ["maxPinnedBytes", { maxPinnedBytes: 10 }, [part]],
            ["maxControlFramesPerSecond", { maxControlFramesPerSecond: 1 }, [Peer.ping(), Peer.ping()]],
            ["maxMessagesPerSecond", { maxMessagesPerSecond: 2 }, [Peer.text("1"), Peer.text("2"), Peer.text("3")]]
          ] as const
          for (const [limit, limits, frames] of breaches) {
            const { peer } = yield* against(memory, role, limits)
            yield* peer.send(...frames)
            yield* peer.hearAll
            yield* peer.transport.endOfOutput
            yield* turns()
            assert.strictEqual(yield* count(value(WebSocketMetrics.limitsBroken, { role, limit })), 1, limit)
          }
          assert.strictEqual((yield* value(WebSocketMetrics.connectionsOpen, { role })).value, 0)
        })
      )
    )

    test(
      `the ${role} counts full windows, peers that do not read, and the Pongs of its heartbeat`,
      measured((value) =>
        Effect.gen(function* () {
          const { peer, socket } = yield* against(memory, role, { receiveWindowMessages: 1 })
          yield* TestClock.adjust("20 seconds")
          assert.strictEqual(yield* peer.hear, "Ping")
          yield* TestClock.adjust("30 millis")
          yield* peer.send(Peer.pong(new Uint8Array(0)))
          yield* turns()
          const roundTrips = yield* value(WebSocketMetrics.roundTrip, { role })
          assert.deepStrictEqual([roundTrips.count, roundTrips.sum], [1, 30])
          yield* peer.send(Peer.text("1"))
          yield* turns()
          assert.strictEqual(yield* count(value(WebSocketMetrics.receiveWindowsFull, { role })), 1)
          yield* Effect.fork(Effect.forever(socket.send(new Uint8Array(60_000))))
          yield* turns()
          assert.strictEqual(yield* count(value(WebSocketMetrics.sendsBlocked, { role })), 1)
          yield* peer.transport.abort
          yield* socket.closed
          const aborted = { role, reason: "Aborted", code: "1006" }
          assert.strictEqual(yield* count(value(WebSocketMetrics.connectionsClosed, aborted)), 1)
        })
      )
    )
  }
})

describe("what a server has in hand", () => {
  test(
    "is told, and is nothing in the end",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({}, (socket) =>
        Effect.zipRight(socket.send(new Uint8Array(200_000)), socket.closed)
      )
      const nothing = { connections: 0, handshakes: 0, pinnedBytes: 0, pendingBytes: 0 }
      assert.deepStrictEqual(yield* server.usage, nothing)
      const network = yield* Network.Network
      const halfway = yield* network.connect(server.address)
      yield* halfway.write(Peer.request("/").slice(0, 60))
      yield* turns()
      const head = yield* server.usage
      assert.deepStrictEqual([head.connections, head.handshakes, head.pendingBytes], [1, 1, 0])
      // At most four times what came, and what came.
      assert.isTrue(head.pinnedBytes >= 60 && head.pinnedBytes <= 240)
      yield* halfway.write(Peer.request("/").slice(60))
      yield* halfway.write(Peer.make(halfway, "client").bytes({ opcode: 2, fin: false, payload: new Uint8Array(1000) }))
      yield* turns()
      const message = yield* server.usage
      assert.deepStrictEqual([message.connections, message.handshakes], [1, 0])
      assert.isTrue(message.pinnedBytes >= 1000 && message.pinnedBytes <= 4000)
      assert.isTrue(message.pendingBytes >= 200_000 && message.pendingBytes <= 201_000, `${message.pendingBytes}`)
      yield* halfway.abort
      yield* turns()
      assert.deepStrictEqual(yield* server.usage, nothing)
    })
  )

  test(
    "maxPinnedBytes counts the heads of requests, too: 503",
    Effect.gen(function* () {
      const server = yield* WebSocketServer.serve({ limits: { maxPinnedBytes: 500 } }, echo)
      const network = yield* Network.Network
      const slow = yield* network.connect(server.address)
      yield* slow.write(Peer.request("/").slice(0, 100))
      yield* turns()
      const another = yield* network.connect(server.address)
      yield* another.write(Peer.request("/", `Filler: ${"x".repeat(1000)}`).slice(0, 900))
      assert.match(
        yield* Peer.readText(another),
        /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n[\s\S]*500 bytes together, the limit/
      )
      yield* another.endOfOutput
      yield* slow.write(Peer.request("/").slice(100))
      assert.match((yield* Peer.readHead(slow)).head, /^HTTP\/1\.1 101 /)
    })
  )

  test(
    "two servers with one ledger have one account",
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all([WebSocketServer.serve({}, echo), WebSocketServer.serve({}, echo)])
      const part = { opcode: 2, fin: false, payload: new Uint8Array(600) }
      const first = yield* Peer.connect(one.address)
      yield* first.send(part)
      yield* turns()
      const second = yield* Peer.connect(two.address)
      yield* second.send(part)
      assert.deepStrictEqual(yield* second.hearAll, ['Close 1013 "TooManyPinnedBytes"', "End"])
      yield* second.transport.endOfOutput
      yield* turns()
      const { pinnedBytes } = yield* Ledger.account
      assert.isTrue(pinnedBytes >= 600 && pinnedBytes <= 2000)
      assert.strictEqual((yield* two.usage).pinnedBytes, pinnedBytes)
      yield* first.transport.abort
      yield* turns()
      assert.strictEqual((yield* Ledger.account).pinnedBytes, 0)
    }).pipe(Effect.scoped, Effect.provide(Ledger.layer({ maxPinnedBytes: 2000 })))
  )

  test(
    "maxPendingBytes: who does not read, when all together have too much, is closed with 1013",
    Effect.gen(function* () {
      const limits = { maxPendingBytes: 300_000, closeTimeout: "unbounded" } as const
      const server = yield* WebSocketServer.serve({ limits }, (socket) =>
        WebSocket.runForEach(socket, () => socket.send(new Uint8Array(200_000)))
      )
      const first = yield* Peer.connect(server.address)
      yield* first.send(Peer.text("x"))
      yield* turns()
      const second = yield* Peer.connect(server.address)
      yield* second.send(Peer.text("x"))
      yield* turns()
      assert.deepStrictEqual(yield* second.hearAll, ["Binary 200000 bytes", 'Close 1013 "TooManyPendingBytes"', "End"])
      yield* second.transport.endOfOutput
      yield* turns()
      // The first one reads after all, and is served.
      assert.strictEqual(yield* first.hear, "Binary 200000 bytes")
      yield* first.send(Peer.ping("1"))
      assert.strictEqual(yield* first.hear, "Pong 31")
      assert.strictEqual((yield* server.usage).pendingBytes, 0)
    })
  )

  for (const role of roles) {
    test(
      `maxMessagesPerSecond: the ${role} closes with 1008, having handed out what came`,
      Effect.gen(function* () {
        const { peer, socket } = yield* against(memory, role, {
          maxMessagesPerSecond: 3,
          receiveWindowMessages: "unbounded"
        })
        for (let second = 0; second < 3; second++) {
          for (const text of ["1", "2"]) yield* peer.send(Peer.text(text))
          yield* peer.send({ ...Peer.text("3"), fin: false }, { opcode: 0, fin: false }, { opcode: 0 })
          yield* turns()
          assert.isTrue(yield* socket.isOpen)
          yield* TestClock.adjust("1 seconds")
        }
        yield* peer.send(Peer.text("1"), Peer.text("2"), Peer.text("3"), Peer.text("4"), Peer.ping())
        assert.deepStrictEqual(yield* peer.hearAll, ['Close 1008 "TooManyMessages"', "End"])
        yield* peer.transport.endOfOutput
        const received: Array<Message.Message> = []
        const error = yield* Effect.flip(
          Stream.runForEach(socket.messages, (message) => Effect.sync(() => received.push(message)))
        )
        assert.strictEqual(error._tag, "ProtocolError")
        assert.strictEqual(received.length, 13)
      })
    )
  }
})

describe("log lines", () => {
  test(
    "have the number of the connection, those of the handler too",
    logged((logs) =>
      Effect.gen(function* () {
        const server = yield* WebSocketServer.serve(
          {
            subprotocols: ["a"],
            authenticate: ({ resource }) => (resource === "/secret?ticket=t" ? Effect.void : new Rejection.Forbidden())
          },
          (socket) => Effect.zipRight(Effect.logInfo("of the handler"), echo(socket))
        )
        const url = urlOf(server.address)
        yield* Effect.ignore(Effect.scoped(WebSocketClient.connect(url)))
        const request = { url: `${url}secret?ticket=t`, subprotocols: ["a"] }
        yield* Effect.scoped(Effect.flatMap(WebSocketClient.connect(request), (client) => client.close({ code: 3001 })))
        yield* turns()
        const lines = logs
          // A decision is a fiber of its own, of which Effect says this.
          .filter(({ text }) => !text.includes("Fiber terminated"))
          .map(({ level, text }) => {
            const [, message = "", annotations = ""] = /message="(.*)" (.*)$/.exec(text) ?? []
            return [
              level,
              message,
              ...annotations
                .replace(/127[\d.:]+/, "…")
                .split(" ")
                .sort()
            ].join(" ")
          })
        assert.deepStrictEqual(lines, [
          "DEBUG connection refused with 403: This resource is not for this client. connection=1 reason=Forbidden remote=…",
          "DEBUG connection opened connection=2 remote=… subprotocol=a",
          "INFO of the handler connection=2",
          "DEBUG connection closed code=3001 connection=2 reason=Clean remote=…"
        ])
        assert.isFalse(logs.some(({ text }) => text.includes("ticket")))
      })
    )
  )
})

interface Kept {
  readonly name: string
  readonly attributes: { readonly [key: string]: unknown }
  readonly events: ReadonlyArray<string>
  readonly parent: string | undefined
  readonly kind: string
  readonly exit: Exit.Exit<unknown, unknown> | undefined
}

/** A tracer that keeps its spans. */
const keeping = () => {
  const spans: Array<Tracer.Span & { exit?: Exit.Exit<unknown, unknown>; events: Array<string> }> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      const span: (typeof spans)[number] = {
        _tag: "Span",
        name,
        spanId: String(spans.length),
        traceId: "trace",
        parent,
        context,
        get status() {
          return status
        },
        attributes,
        links,
        sampled: true,
        kind,
        events: [],
        end(endTime, exit) {
          status = { _tag: "Ended", startTime, endTime, exit }
          span.exit = exit
        },
        attribute: (key, value) => attributes.set(key, value),
        event: (event) => span.events.push(event),
        addLinks: () => {}
      }
      spans.push(span)
      return span
    },
    context: (f) => f()
  })
  const kept = (): ReadonlyArray<Kept> =>
    spans.map(({ attributes, events, exit, kind, name, parent }) => ({
      name,
      kind,
      exit,
      events,
      attributes: Object.fromEntries(attributes),
      parent: Option.getOrUndefined(Option.map(parent, (span) => (span._tag === "Span" ? span.name : "external")))
    }))
  return { tracer, kept }
}

const traced = <A, E, R>(effect: (kept: () => ReadonlyArray<Kept>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const { kept, tracer } = keeping()
    return Effect.withTracer(effect(kept), tracer)
  })

describe("spans", () => {
  test(
    "one for each connection and side, with the handshake and the end",
    traced((kept) =>
      Effect.gen(function* () {
        const server = yield* WebSocketServer.serve({ subprotocols: ["a"] }, (socket) =>
          Effect.withSpan(echo(socket), "mine")
        )
        const url = urlOf(server.address, "/room?ticket=secret")
        yield* WebSocketClient.connect({ url, subprotocols: ["a"] }).pipe(
          Effect.flatMap((client) => client.close()),
          Effect.scoped,
          Effect.withSpan("caller")
        )
        yield* turns()
        const [near] = kept().filter(({ kind, name }) => name === "sluice.connection" && kind === "client")
        const [far] = kept().filter(({ kind, name }) => name === "sluice.connection" && kind === "server")
        const common = {
          "url.path": "/room",
          "http.response.status_code": 101,
          "websocket.subprotocol": "a",
          "sluice.close": "Clean",
          "websocket.close.code": 1000,
          "network.peer.address": "127.0.0.1"
        }
        const { "network.peer.port": port, ...attributes } = near?.attributes ?? {}
        assert.strictEqual(port, server.address.port)
        assert.deepStrictEqual(attributes, { ...common, "sluice.close.initiator": "local" })
        const { "network.peer.port": _, ...others } = far?.attributes ?? {}
        assert.deepStrictEqual(others, { ...common, "sluice.connection": 1, "sluice.close.initiator": "peer" })
        assert.deepStrictEqual([near?.parent, far?.parent], ["caller", undefined])
        assert.deepStrictEqual([near?.events, far?.events], [["open"], ["open"]])
        assert.deepStrictEqual([near?.exit, far?.exit], [Exit.void, Exit.void])
        assert.strictEqual(kept().find(({ name }) => name === "mine")?.parent, "sluice.connection")
      })
    )
  )

  test(
    "that of a refusal has its status, and ends well unless we failed",
    traced((kept) =>
      Effect.gen(function* () {
        const server = yield* WebSocketServer.serve(
          {
            authenticate: ({ resource }) => (resource === "/die" ? Effect.dieMessage("oh") : new Rejection.Forbidden())
          },
          echo
        )
        for (const path of ["/", "/die"])
          yield* Effect.ignore(Effect.scoped(WebSocketClient.connect(urlOf(server.address, path))))
        yield* turns()
        const far = kept().filter(({ kind }) => kind === "server")
        assert.deepStrictEqual(
          far.map(({ attributes, exit }) => [
            attributes["http.response.status_code"],
            attributes["sluice.rejection"],
            exit?._tag
          ]),
          [
            [403, "Forbidden", "Success"],
            [500, "Custom", "Failure"]
          ]
        )
      })
    )
  )

  test(
    "that of a connection which broke off, or broke a rule, has failed",
    traced((kept) =>
      Effect.gen(function* () {
        const server = yield* WebSocketServer.serve({}, echo)
        const gone = yield* Peer.connect(server.address)
        yield* gone.transport.abort
        const wrong = yield* Peer.connect(server.address)
        yield* wrong.send({ opcode: 3 })
        yield* wrong.hearAll
        yield* wrong.transport.endOfOutput
        const network = yield* Network.Network
        const nobody = yield* network.connect(server.address)
        yield* nobody.endOfOutput
        yield* turns()
        assert.deepStrictEqual(
          kept().map(({ attributes, exit }) => [
            attributes["sluice.close"],
            attributes["websocket.close.code"],
            exit?._tag
          ]),
          [
            ["Aborted", 1006, "Failure"],
            ["Violation", 1002, "Failure"],
            [undefined, undefined, "Failure"]
          ]
        )
      })
    )
  )

  test(
    "there is none where nobody keeps them, or where tracing is off",
    Effect.gen(function* () {
      const { client } = yield* opened(memory)
      yield* client.close()
      const { kept, tracer } = keeping()
      yield* Effect.gen(function* () {
        const { client } = yield* opened(memory)
        yield* client.close()
      }).pipe(Effect.scoped, Effect.withTracer(tracer), Effect.withTracerEnabled(false))
      assert.deepStrictEqual(kept(), [])
    })
  )
})
