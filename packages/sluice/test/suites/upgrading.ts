/** Custom protocols: both sides of a switch, what may go wrong on the way, and what it leaves; on every network. */
import { assert, describe } from "@effect/vitest"
import { Chunk, Deferred, Effect, Either, Equal, Fiber, Option, Queue, Ref, Stream, TestClock } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as UpgradeClient from "../../src/UpgradeClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { concat, utf8 } from "../support/bytes.js"
import { head, latin1, toLatin1 } from "../support/http.js"
import * as Site from "../support/site.js"
import { eventually, eventuallyEffect, turns } from "../support/turns.js"
import { type Host, scenario } from "./host.js"

const urlOf = (address: Network.Address, path = "/"): string => `http://${Network.formatAddress(address)}${path}`

/** A network that nobody may use. */
const untouched = Effect.provideService(Network.Network, {
  connect: () => Effect.dieMessage("connected"),
  listen: () => Effect.dieMessage("listened")
})

/** Sends back what it gets, and ends when the client does. */
const mirror = WebSocketServer.upgrade("mirror/1", ({ rest, transport }) =>
  Stream.runForEach(Stream.concat(Stream.make(rest), Network.reads(transport)), (bytes) => transport.write(bytes))
)

/** Says what it was asked for, at once and for ever the same; so it comes with the 101 where a network lets it. */
const greeter = WebSocketServer.upgrade(
  "greet/2",
  ({ negotiated, transport }) => transport.write(utf8(`${negotiated.protocol} ${negotiated.resource}`)),
  { authorize: () => Effect.succeed([["Set-Cookie", "greeted=1"]]) }
)

const readAll = (transport: Network.Transport) =>
  Effect.map(Stream.runCollect(Network.reads(transport)), (chunks) => toLatin1(concat(Chunk.toReadonlyArray(chunks))))

const wrongRequests: ReadonlyArray<
  readonly [what: string, request: Partial<UpgradeClient.Request>, tag: string, reason: string]
> = [
  ...[
    "",
    "nothing",
    "/path",
    "ws://localhost/",
    "wss://localhost/",
    "ftp://localhost/",
    "http:",
    "http://local host/",
    "http://localhost:65536/",
    "http://localhost/#fragment",
    "http://localhost/#",
    "http://ada:secret@localhost/"
  ].map((url) => [`the URL ${JSON.stringify(url)}`, { url }, "RequestError", "Url"] as const),
  // The type forbids it.
  ["no protocol", { protocols: [] as unknown as [string] }, "RequestError", "Protocols"],
  ["a protocol with a space", { protocols: ["a b"] }, "RequestError", "Protocols"],
  ["a protocol with a line break", { protocols: ["a\r\nX: 1"] }, "RequestError", "Protocols"],
  ["a protocol twice", { protocols: ["a/1", "A/1"] }, "RequestError", "Protocols"],
  ["a field with CR LF", { fields: [["X", "1\r\nY: 2"]] }, "FieldError", "InvalidValue"],
  ["a field without a name", { fields: [["", "1"]] }, "FieldError", "InvalidName"],
  ...["Host", "upgrade", "Connection", "Content-Length", "Sec-WebSocket-Key"].map(
    (name) => [`the field ${name}`, { fields: [[name, "1"]] }, "FieldError", "Reserved"] as const
  )
]

const wrongAnswers: ReadonlyArray<readonly [what: string, answer: string, reason: string]> = [
  ["something else", "220 smtp.example.com ESMTP\r\n\r\n", "Syntax"],
  ["a 200, for Upgrade was ignored", head("HTTP/1.1 200 OK", "Content-Length: 0"), "Status"],
  ["a 101 of HTTP/1.0", head("HTTP/1.0 101 x", "Upgrade: a/1", "Connection: Upgrade"), "Version"],
  ["a 101 for what was not asked for", head("HTTP/1.1 101 x", "Upgrade: c", "Connection: Upgrade"), "Upgrade"],
  ["a 101 for both", head("HTTP/1.1 101 x", "Upgrade: a/1, b", "Connection: Upgrade"), "Upgrade"],
  ["a 101 without Upgrade", head("HTTP/1.1 101 x", "Connection: Upgrade"), "Upgrade"],
  ["a 101 without Connection", head("HTTP/1.1 101 x", "Upgrade: b"), "Connection"],
  ["a head without end", `HTTP/1.1 101 ${"x".repeat(17 * 1024)}`, "HeadTooLarge"],
  ["more 1xx than anybody needs", head("HTTP/1.1 102 Processing").repeat(20), "Interim"],
  ["a body of a length that cannot be", head("HTTP/1.1 403 No", "Content-Length: x"), "Framing"]
]

export const upgrading = (host: Host): void => {
  const test = scenario(host)

  // Without resets an abort looks like an end.
  const cutOff = host.hasResets === false ? ["InvalidResponse", "UnexpectedEnd"] : ["TransportError", "ConnectionReset"]
  const brokenOff = host.hasResets === false ? "End" : "Reset"

  describe(`custom protocols on ${host.name}`, () => {
    test(
      "the client has what it wants most of what the server speaks, typed, and both talk",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({ upgrades: [mirror, greeter] }, (socket) => socket.closed)
        const url = urlOf(address, "/room?a=b")
        const mirrored = yield* UpgradeClient.connect({ url, protocols: ["mirror/2", "mirror/1", "greet/2"] })
        const protocol: "mirror/2" | "mirror/1" | "greet/2" = mirrored.protocol
        assert.deepStrictEqual([protocol, mirrored.url, mirrored.response.status], ["mirror/1", url, 101])
        yield* mirrored.transport.write([utf8("to "), utf8("you")])
        yield* mirrored.transport.endOfOutput
        assert.strictEqual(yield* readAll(mirrored.transport), "to you")

        const greeted = yield* UpgradeClient.connect({ url, protocols: ["GREET/2", "mirror/1"] })
        assert.strictEqual(greeted.protocol, "GREET/2")
        assert.strictEqual(Fields.get(greeted.response.fields, "Set-Cookie"), "greeted=1")
        assert.strictEqual(yield* readAll(greeted.transport), "greet/2 /room?a=b")
        yield* greeted.transport.endOfOutput
        yield* eventuallyEffect(
          "nobody is connected any more",
          Effect.map(connections, (count) => count === 0)
        )
      })
    )

    test(
      "what comes with the 101 is read first, wherever it is cut",
      Effect.gen(function* () {
        const bytes = (request: string) =>
          concat([latin1(head("HTTP/1.1 103 Early Hints")), Site.switching(request), utf8("one two three")])
        const { address } = yield* Site.site((request, transport) => {
          const at = Number(Site.targetOf(request).slice(1))
          const whole = bytes(request)
          return Effect.forEach(
            [whole.slice(0, at), whole.slice(at)],
            (part) => Effect.zipRight(transport.write(part), turns(2)),
            { discard: true }
          ).pipe(Effect.zipRight(transport.endOfOutput))
        })
        const { length } = bytes("Upgrade: a/1\r\n")
        const places = Array.from({ length: length + 1 }, (_, at) => at)
        yield* Effect.forEach(
          places,
          (at) =>
            Effect.gen(function* () {
              const { transport } = yield* UpgradeClient.connect({ url: urlOf(address, `/${at}`), protocols: ["a/1"] })
              assert.strictEqual(yield* readAll(transport), "one two three", `${at}`)
              yield* transport.endOfOutput
            }).pipe(Effect.scoped),
          { concurrency: 32, discard: true }
        )
      })
    )

    test(
      "the synchronous side begins with it, too, and goes on",
      Effect.gen(function* () {
        const more = yield* Deferred.make<void>()
        const { address } = yield* Site.site((request, transport) =>
          transport
            .write([Site.switching(request), utf8("first")])
            .pipe(
              Effect.zipRight(Deferred.await(more)),
              Effect.zipRight(transport.write(utf8("then"))),
              Effect.zipRight(transport.endOfOutput)
            )
        )
        const { transport } = yield* UpgradeClient.connect({ url: urlOf(address), protocols: ["a"] })
        const { lane } = transport
        // A network may have none.
        if (lane === undefined) return
        let heard = ""
        let end = false
        const read = () => {
          for (let polled = lane.poll(); polled !== "Pending" && !end; polled = lane.poll()) {
            if (polled instanceof Uint8Array) heard += toLatin1(polled)
            else end = true
          }
        }
        lane.onReadable(read)
        read()
        yield* eventually("the first bytes are here", () => heard === "first")
        yield* Deferred.succeed(more, undefined)
        yield* eventually("and those after", () => end)
        assert.strictEqual(heard, "firstthen")
        assert.isTrue(lane.offer([utf8("x")]) || !lane.isWritable())
        lane.end()
      })
    )

    test(
      "either side may end first, and the other goes on",
      Effect.gen(function* () {
        const late = WebSocketServer.upgrade("late/1", ({ transport }) =>
          Effect.flatMap(readAll(transport), (text) => transport.write(utf8(text.toUpperCase())))
        )
        const { address } = yield* host.serve({ upgrades: [late] }, (socket) => socket.closed)
        const { transport } = yield* UpgradeClient.connect({ url: urlOf(address), protocols: ["late/1"] })
        yield* transport.write(utf8("all that there is"))
        yield* transport.endOfOutput
        assert.strictEqual(yield* readAll(transport), "ALL THAT THERE IS")
      })
    )

    test(
      "the refusal of the server comes back equal, and what it speaks is in it",
      Effect.gen(function* () {
        const refusals = [
          new Rejection.Forbidden({ detail: "not you" }),
          new Rejection.Unauthorized({ challenges: [Rejection.bearer] }),
          Either.getOrThrow(Rejection.custom({ status: 418, body: "short and stout" }))
        ] as const
        const guarded = WebSocketServer.upgrade("guarded/1", () => Effect.void, {
          authorize: ({ resource }) => Effect.fail(refusals[Number(resource.slice(1))] ?? new Rejection.NotFound())
        })
        const { address } = yield* host.serve({ upgrades: [guarded] }, (socket) => socket.closed)
        for (const [at, refusal] of [...refusals, new Rejection.NotFound()].entries()) {
          const error = yield* Effect.flip(
            UpgradeClient.connect({ url: urlOf(address, `/${at}`), protocols: ["guarded/1"] })
          )
          assert.isTrue(Equal.equals(error, refusal), `${error} is not ${refusal}`)
        }
        const error = yield* Effect.flip(UpgradeClient.connect({ url: urlOf(address), protocols: ["guarded/2"] }))
        assert.isTrue(Equal.equals(error, new Rejection.NotAnUpgrade({ supported: ["websocket", "guarded/1"] })))
      })
    )

    for (const [what, request, tag, reason] of wrongRequests) {
      test(
        `${what} is an error before anything is done`,
        Effect.gen(function* () {
          const error = yield* untouched(
            Effect.scoped(Effect.flip(UpgradeClient.connect({ url: "http://h/", protocols: ["a"], ...request })))
          )
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], [tag, reason])
          assert.isAbove(error.message.length, 10)
        })
      )
    }

    for (const [what, answer, reason] of wrongAnswers) {
      test(
        `${what} is no answer, and the client leaves at once`,
        Effect.gen(function* () {
          const { address, ends } = yield* Site.site((_, transport) => transport.write(latin1(answer)))
          const error = yield* Effect.flip(UpgradeClient.connect({ url: urlOf(address), protocols: ["a/1", "b"] }))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["InvalidResponse", reason])
          // While the scope of the client is open.
          yield* Queue.take(ends)
        })
      )
    }

    test(
      "limits on the head are those that were given, at their edge",
      Effect.gen(function* () {
        const { address } = yield* Site.site((request, transport) => transport.write(Site.switching(request, "X: y")))
        const url = urlOf(address)
        const reply = Site.switching("Upgrade: a\r", "X: y").length
        const dial = (limits: UpgradeClient.Request["limits"]) =>
          Effect.map(Effect.either(UpgradeClient.connect({ url, protocols: ["a"], limits })), (result) =>
            Either.match(result, {
              onLeft: (error) => ("reason" in error ? error.reason : error._tag),
              onRight: ({ protocol }) => protocol
            })
          )
        assert.strictEqual(yield* dial({ maxHeadSize: reply, maxFields: 3 }), "a")
        assert.strictEqual(yield* dial({ maxHeadSize: reply - 1 }), "HeadTooLarge")
        assert.strictEqual(yield* dial({ maxFields: 2 }), "HeadTooLarge")
      })
    )

    test(
      "an end or a reset is no answer, wherever it comes",
      Effect.gen(function* () {
        const whole = Site.switching("Upgrade: a\r")
        for (const size of [0, 1, 12, whole.length - 1]) {
          const part = whole.slice(0, size)
          const ended = yield* Site.site((_, transport) =>
            Effect.zipRight(transport.write(part), transport.endOfOutput)
          )
          const end = yield* Effect.flip(UpgradeClient.connect({ url: urlOf(ended.address), protocols: ["a"] }))
          assert.deepStrictEqual([end._tag, "reason" in end && end.reason], ["InvalidResponse", "UnexpectedEnd"])
          const aborted = yield* Site.site((_, transport) =>
            transport.write(part).pipe(Effect.zipRight(turns()), Effect.zipRight(transport.abort))
          )
          const reset = yield* Effect.flip(UpgradeClient.connect({ url: urlOf(aborted.address), protocols: ["a"] }))
          assert.deepStrictEqual([reset._tag, "reason" in reset && reset.reason], cutOff)
        }
      })
    )

    test(
      "nobody listens",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const { address } = yield* Effect.scoped(network.listen({}))
        const error = yield* Effect.flip(UpgradeClient.connect({ url: urlOf(address), protocols: ["a"] }))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "ConnectionRefused"])
      })
    )

    test(
      "an answer that comes before the request was read is heard, however long the request is",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const fields = Array.from({ length: 40 }, (_, at) => [`X-${at}`, "y".repeat(16 * 1024)] as const)
        const asking = yield* Effect.fork(
          Effect.flip(UpgradeClient.connect({ url: urlOf(listener.address), protocols: ["a"], fields }))
        )
        const transport = yield* listener.accept
        const refusal = new Rejection.HeadTooLarge({ what: "bytes", limit: 1, seen: 2 })
        yield* transport.write(Rejection.toBytes(refusal))
        const error = yield* Fiber.join(asking)
        assert.isTrue(Equal.equals(error, refusal), `${error}`)
      })
    )

    test(
      "the request is an effect that is evaluated for each attempt",
      Effect.gen(function* () {
        const issued = yield* Ref.make(0)
        const guarded = WebSocketServer.upgrade("guarded/1", () => Effect.void, {
          authorize: ({ request }) =>
            Fields.get(request.fields, "Authorization") === "Bearer 3"
              ? Effect.succeed([])
              : new Rejection.Unauthorized({ challenges: [Rejection.bearer] })
        })
        const { address } = yield* host.serve({ upgrades: [guarded] }, (socket) => socket.closed)
        const request = Effect.map(
          Ref.updateAndGet(issued, (count) => count + 1),
          (count) => ({
            url: urlOf(address),
            protocols: ["guarded/1"] as const,
            fields: [["Authorization", `Bearer ${count}`]] as const
          })
        )
        const { protocol } = yield* Effect.retry(UpgradeClient.connect(request), {
          times: 5,
          while: (error) => error._tag === "Unauthorized"
        })
        assert.deepStrictEqual([protocol, yield* Ref.get(issued)], ["guarded/1", 3])
      })
    )
  })

  describe(`what a client of a custom protocol leaves on ${host.name}`, () => {
    const stages: ReadonlyArray<readonly [when: string, size: number]> = [
      ["before the answer", 0],
      ["within the answer", 40]
    ]
    for (const [when, size] of stages) {
      /** A server that says so much of its answer and no more, and a client that waits for the rest of it. */
      const waiting = (limits: UpgradeClient.Request["limits"] = {}) =>
        Effect.gen(function* () {
          const written = yield* Deferred.make<void>()
          const { address, ends } = yield* Site.site((request, transport) =>
            Effect.zipRight(
              transport.write(Site.switching(request).slice(0, size)),
              Deferred.succeed(written, undefined)
            )
          )
          const url = urlOf(address, "/secret?token=x")
          const connecting = yield* Effect.fork(UpgradeClient.connect({ url, protocols: ["a"], limits }))
          yield* Deferred.await(written)
          yield* turns()
          return { connecting, ends }
        })

      test(
        `a client that is interrupted ${when} leaves`,
        Effect.gen(function* () {
          const { connecting, ends } = yield* waiting()
          yield* Fiber.interrupt(connecting)
          assert.strictEqual(yield* Queue.take(ends), brokenOff)
        })
      )

      test(
        `a client that has waited for handshakeTimeout leaves, ${when}`,
        Effect.gen(function* () {
          const { connecting, ends } = yield* waiting({ handshakeTimeout: "3 seconds" })
          yield* TestClock.adjust("2999 millis")
          yield* turns()
          assert.isTrue(Option.isNone(yield* Fiber.poll(connecting)))
          yield* TestClock.adjust("1 millis")
          const error = yield* Effect.flip(Fiber.join(connecting))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TimedOut"])
          assert.include(error.message, "/secret was not complete after 3000 ms")
          assert.strictEqual(yield* Queue.take(ends), brokenOff)
        })
      )
    }

    test(
      "without a timeout it waits for ever",
      Effect.gen(function* () {
        const { address } = yield* Site.site(() => Effect.never)
        const connecting = yield* Effect.fork(
          UpgradeClient.connect({ url: urlOf(address), protocols: ["a"], limits: { handshakeTimeout: "unbounded" } })
        )
        yield* turns()
        yield* TestClock.adjust("1000 days")
        yield* turns()
        assert.isTrue(Option.isNone(yield* Fiber.poll(connecting)))
        yield* Fiber.interrupt(connecting)
      })
    )

    test(
      "an attempt that failed is over at once, not with the scope",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, (socket) => socket.closed)
        for (let i = 0; i < 10; i++) {
          yield* Effect.flip(UpgradeClient.connect({ url: urlOf(address), protocols: ["a"] }))
        }
        yield* eventuallyEffect(
          "nobody is connected any more",
          Effect.map(connections, (count) => count === 0)
        )
      })
    )

    test(
      "the end of the scope is the end of the connection",
      Effect.gen(function* () {
        const { address, ends } = yield* Site.site((request, transport) => transport.write(Site.switching(request)))
        const connect = UpgradeClient.connect({ url: urlOf(address), protocols: ["a"] })
        yield* Effect.scoped(connect)
        assert.strictEqual(yield* Queue.take(ends), brokenOff)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { transport } = yield* connect
            yield* transport.endOfOutput
            assert.strictEqual(yield* readAll(transport), "")
          })
        )
        assert.strictEqual(yield* Queue.take(ends), "End")
      })
    )
  })
}
