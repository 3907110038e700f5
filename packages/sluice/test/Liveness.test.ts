/** All that happens because time passes, on virtual time: Pings, deadlines, and what does not happen without them. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Duration, Effect, Equal, Exit, Fiber, Option, Queue, Scope, Stream, TestClock } from "effect"
import type * as Limits from "../src/Limits.js"
import * as Message from "../src/Message.js"
import * as Network from "../src/Network.js"
import * as Protocol from "../src/Protocol.js"
import * as Rejection from "../src/Rejection.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { against, type Host, laneless, memory, roles, scenario, urlOf } from "./suites/host.js"
import { utf8 } from "./support/bytes.js"
import { toLatin1 } from "./support/http.js"
import { logged } from "./support/logs.js"
import * as Peer from "./support/peer.js"
import { turns } from "./support/turns.js"

/** Lets time pass, and all that follows from it happen. */
const pass = (time: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(time), turns(8))

/** What the peer hears, one after the other, as it comes. */
const listening = (peer: Peer.Peer) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    yield* Stream.repeatEffect(peer.hear).pipe(
      Stream.takeUntil((frame) => frame === "End" || frame === "Reset"),
      Stream.runForEach((frame) => Effect.sync(() => heard.push(frame))),
      Effect.fork
    )
    return {
      /** What was heard since the last time. */
      since: Effect.map(turns(8), () => heard.splice(0))
    }
  })

const hosts: ReadonlyArray<Host> = [memory, laneless]

for (const host of hosts) {
  const test = scenario(host)

  describe(`liveness on ${host.name}`, () => {
    for (const role of roles) {
      /** A connection, and a peer that is listened to. */
      const heard = (limits?: Limits.Options) =>
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, limits)
          const { since } = yield* listening(peer)
          return { peer, socket, since }
        })

      test(
        `the ${role} sends a Ping after pingInterval of silence, and gives up after pingTimeout`,
        Effect.gen(function* () {
          const { since, socket } = yield* heard()
          const messages = yield* Effect.fork(Effect.flip(Stream.runDrain(socket.messages)))
          yield* pass("19999 millis")
          assert.deepStrictEqual(yield* since, [])
          yield* pass("1 millis")
          assert.deepStrictEqual(yield* since, ["Ping"])
          yield* pass("19999 millis")
          assert.isTrue(yield* socket.isOpen)
          assert.deepStrictEqual(yield* since, [])
          yield* pass("1 millis")
          assert.deepStrictEqual(yield* since, ["Reset"])
          const closed = yield* socket.closed
          assert.deepStrictEqual(closed, Protocol.CloseReason.HeartbeatLost({ silence: 40_000 }))
          assert.deepStrictEqual([Protocol.codeOf(closed), Protocol.isClean(closed)], [1006, false])
          const error = yield* Fiber.join(messages)
          assert.deepStrictEqual([error._tag, error.reason], ["TransportError", "TimedOut"])
          assert.strictEqual((yield* Effect.flip(socket.send("late"))).reason, "ConnectionClosed")
        })
      )

      test(
        `a Pong, or anything else, keeps the connection of the ${role}`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard()
          for (const sign of [Peer.pong(new Uint8Array(0)), Peer.text("x"), { ...Peer.text("half"), fin: false }]) {
            yield* pass("22500 millis")
            assert.deepStrictEqual(yield* since, ["Ping"])
            yield* pass("15 seconds")
            yield* peer.send(sign)
            yield* turns(8)
            assert.isTrue(yield* socket.isOpen)
          }
        })
      )

      test(
        `the ${role} sends no Ping while the peer is heard`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard()
          yield* Effect.fork(Stream.runDrain(socket.messages))
          for (let i = 0; i < 20; i++) {
            yield* pass("15 seconds")
            yield* peer.send(Peer.text("x"))
          }
          assert.deepStrictEqual(yield* since, [])
          // The next one comes when it should: silence is counted from the last sign.
          yield* pass("19999 millis")
          assert.deepStrictEqual(yield* since, [])
          yield* pass("2501 millis")
          assert.deepStrictEqual(yield* since, ["Ping"])
        })
      )

      test(
        `with a full window the ${role} shows that it lives, and does not judge the peer`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ receiveWindowMessages: 2 })
          yield* peer.send(Peer.text("1"), Peer.text("2"), Peer.text("3"))
          yield* turns(8)
          for (let i = 0; i < 10; i++) {
            yield* pass("20 seconds")
            assert.deepStrictEqual(yield* since, ["Pong"])
          }
          assert.isTrue(yield* socket.isOpen)
          const all = yield* Stream.runCollect(Stream.take(socket.messages, 3))
          assert.deepStrictEqual([...all], ["1", "2", "3"].map(Message.text))
          // From now on its silence counts again.
          yield* pass("22500 millis")
          assert.deepStrictEqual(yield* since, ["Ping"])
          yield* pass("20 seconds")
          assert.strictEqual((yield* socket.closed)._tag, "HeartbeatLost")
        })
      )

      test(
        `a window that fills after a Ping of the ${role} makes its deadline stand still`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ receiveWindowMessages: 1 })
          yield* pass("20 seconds")
          assert.deepStrictEqual(yield* since, ["Ping"])
          // It answers, behind a message that nobody takes.
          yield* peer.send(Peer.text("1"), Peer.pong(new Uint8Array(0)))
          for (let i = 0; i < 5; i++) yield* pass("20 seconds")
          assert.isTrue(yield* socket.isOpen)
          assert.notInclude(yield* since, "Ping")
        })
      )

      test(
        `with a full window the ${role} finds by its Pong that the peer is gone`,
        Effect.gen(function* () {
          const { peer, socket } = yield* heard({ receiveWindowMessages: 1 })
          yield* peer.send(Peer.text("1"), Peer.text("2"))
          yield* turns(8)
          yield* peer.transport.abort
          yield* pass("20 seconds")
          yield* pass("20 seconds")
          assert.strictEqual((yield* socket.closed)._tag, "Aborted")
        })
      )

      test(
        `the ${role} sends no Ping if the interval is unbounded`,
        Effect.gen(function* () {
          const { since, socket } = yield* heard({ pingInterval: "unbounded" })
          yield* pass("30 days")
          assert.deepStrictEqual(yield* since, [])
          assert.isTrue(yield* socket.isOpen)
        })
      )

      test(
        `the ${role} waits for ever if the timeout is unbounded`,
        Effect.gen(function* () {
          const { since, socket } = yield* heard({ pingTimeout: "unbounded", pingInterval: "10 seconds" })
          for (let i = 0; i < 10; i++) {
            yield* pass("10 seconds")
            assert.deepStrictEqual(yield* since, ["Ping"])
          }
          assert.isTrue(yield* socket.isOpen)
        })
      )

      test(
        `Pings of the peer are answered while the handler of the ${role} sleeps`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard()
          yield* Effect.fork(WebSocket.runForEach(socket, () => Effect.sleep("1 hour")))
          yield* peer.send(Peer.text("work"))
          for (let i = 0; i < 60; i++) {
            yield* pass("10 seconds")
            yield* peer.send(Peer.ping(String(i % 10)))
            assert.deepStrictEqual(yield* since, [`Pong 3${i % 10}`])
          }
        })
      )

      test(
        `a Ping of the ${role} tells the time of the round trip`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const pinging = yield* Effect.fork(socket.ping)
          const ping = yield* Effect.flatten(Stream.runHead(peer.frames))
          yield* pass("250 millis")
          yield* peer.send(Peer.pong(ping.payload))
          assert.strictEqual(Duration.toMillis(yield* Fiber.join(pinging)), 250)
        })
      )

      test(
        `a message to the ${role} that is not finished within messageTimeout is a violation`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard()
          yield* peer.send({ ...Peer.text("a"), fin: false })
          // That it goes on does not count, and neither do Pings.
          for (let i = 0; i < 11; i++) {
            yield* pass("5 seconds")
            yield* peer.send({ opcode: 0, fin: false, payload: utf8("a") }, Peer.ping())
          }
          yield* pass("4999 millis")
          assert.isTrue(yield* socket.isOpen)
          yield* since
          yield* pass("1 millis")
          assert.deepStrictEqual(yield* since, ['Close 1008 "MessageTimeout"', "End"])
          yield* peer.transport.endOfOutput
          const closed = yield* socket.closed
          assert.strictEqual(Protocol.codeOf(closed), 1008)
          assert.isTrue(closed._tag === "Violation" && closed.error.reason === "MessageTimeout")
        })
      )

      test(
        `while the window of the ${role} is full nobody is late with a message`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ receiveWindowMessages: 1 })
          yield* peer.send(Peer.text("1"), { ...Peer.text("2 "), fin: false })
          yield* peer.send(Peer.text("never seen"))
          yield* turns(8)
          for (let i = 0; i < 10; i++) yield* pass("30 seconds")
          assert.isTrue(yield* socket.isOpen)
          assert.notInclude((yield* since).join(), "Close")
        })
      )

      test(
        `Pings that the ${role} could not read are not counted as if they came in one second`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ receiveWindowMessages: 1, maxControlFramesPerSecond: 10 })
          yield* peer.send(Peer.text("1"), Peer.text("2"))
          for (let i = 0; i < 10; i++) {
            yield* pass("1 seconds")
            yield* peer.send(...Array.from({ length: 9 }, () => Peer.ping()))
          }
          yield* since
          yield* Effect.fork(WebSocket.runForEach(socket, () => Effect.void))
          yield* turns(8)
          assert.isTrue(yield* socket.isOpen)
          assert.include(yield* since, "Pong")
          // What comes now counts.
          yield* pass("1 seconds")
          yield* peer.send(...Array.from({ length: 11 }, () => Peer.ping()))
          assert.include(yield* since, 'Close 1008 "TooManyControlFrames"')
          yield* peer.transport.endOfOutput
        })
      )

      test(
        `each message to the ${role} has a time of its own, which may be unbounded`,
        Effect.gen(function* () {
          for (const [limits, times] of [
            [{}, 20],
            [{ messageTimeout: "unbounded" }, 1]
          ] as const) {
            const { peer, socket } = yield* heard({ pingInterval: "unbounded", ...limits })
            for (let i = 0; i < times; i++) {
              yield* peer.send({ ...Peer.text("a"), fin: false })
              yield* pass(limits === undefined || times === 1 ? "30 days" : "59 seconds")
              yield* peer.send({ opcode: 0, payload: utf8("b") })
              assert.deepStrictEqual(yield* socket.take, [Message.text("ab")])
            }
          }
        })
      )

      test(
        `a peer that does not answer the Close of the ${role} is cut after closeTimeout`,
        Effect.gen(function* () {
          const { since, socket } = yield* heard()
          const closing = yield* Effect.fork(socket.close({ code: 4000 }))
          yield* pass("9999 millis")
          assert.deepStrictEqual(yield* since, ['Close 4000 ""'])
          assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
          yield* pass("1 millis")
          const closed = yield* Fiber.join(closing)
          assert.isTrue(closed._tag === "Aborted" && closed.cause.reason === "TimedOut")
          assert.deepStrictEqual(yield* since, ["Reset"])
        })
      )

      test(
        `a peer of the ${role} that has closed but does not leave is cut after closeTimeout, and has closed cleanly`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard()
          yield* peer.send(Peer.close(4000, "bye"))
          yield* pass("9999 millis")
          const waiting = yield* Effect.fork(socket.closed)
          yield* turns(8)
          assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
          yield* pass("1 millis")
          assert.deepStrictEqual(
            yield* Fiber.join(waiting),
            Protocol.CloseReason.Clean({ code: 4000, reason: "bye", initiator: "peer" })
          )
          assert.strictEqual((yield* since)[0], 'Close 4000 ""')
        })
      )

      test(
        `a peer that broke a rule and does not leave is cut after closeTimeout`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ closeTimeout: "3 seconds" })
          yield* peer.send({ opcode: 3 })
          yield* pass("2999 millis")
          assert.strictEqual((yield* since)[0], 'Close 1002 "ReservedOpcode"')
          const waiting = yield* Effect.fork(socket.closed)
          yield* turns(8)
          assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
          yield* pass("1 millis")
          assert.strictEqual((yield* Fiber.join(waiting))._tag, "Violation")
        })
      )

      test(
        `the ${role} waits for ever if closeTimeout is unbounded`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ closeTimeout: "unbounded" })
          const closing = yield* Effect.fork(socket.close())
          yield* pass("30 days")
          assert.deepStrictEqual(yield* since, ['Close 1000 ""'])
          yield* peer.send(Peer.close(1000))
          yield* peer.transport.endOfOutput
          assert.strictEqual((yield* Fiber.join(closing))._tag, "Clean")
        })
      )

      test(
        `the ${role} takes maxControlFramesPerSecond, in each second anew`,
        Effect.gen(function* () {
          const { peer, since, socket } = yield* heard({ maxControlFramesPerSecond: 10 })
          const pings = Array.from({ length: 10 }, () => Peer.ping())
          for (let i = 0; i < 5; i++) {
            yield* peer.send(...pings)
            assert.strictEqual((yield* since).length, 10)
            yield* pass("1 seconds")
          }
          yield* peer.send(...pings)
          yield* pass("999 millis")
          yield* since
          yield* peer.send(Peer.ping())
          assert.deepStrictEqual(yield* since, ['Close 1008 "TooManyControlFrames"', "End"])
          yield* peer.transport.endOfOutput
          assert.strictEqual(Protocol.codeOf(yield* socket.closed), 1008)
        })
      )
    }
  })

  describe(`the deadlines of a server on ${host.name}`, () => {
    const raw = (address: Network.Address) => Effect.flatMap(Network.Network, (network) => network.connect(address))

    const timedOut = (timeout: number, date: number) =>
      Rejection.toBytes(new Rejection.HandshakeTimeout({ timeout }), { date })

    test(
      "a client that sends its request byte by byte gets a 408 after handshakeTimeout",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, () => Effect.void)
        const transport = yield* raw(address)
        const reply = yield* Effect.fork(Peer.readText(transport))
        for (const byte of Peer.request("/").slice(0, 9)) {
          yield* transport.write(Uint8Array.of(byte))
          yield* pass("1 seconds")
        }
        yield* pass("999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(reply)))
        yield* pass("1 millis")
        assert.strictEqual(yield* Fiber.join(reply), toLatin1(timedOut(10_000, 10_000)))
        yield* transport.endOfOutput
        yield* turns()
        assert.strictEqual(yield* connections, 0)
      })
    )

    test(
      "a client that sends nothing does, too, and is cut when it stays",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { limits: { handshakeTimeout: "5 seconds", closeTimeout: "3 seconds" } },
          () => Effect.void
        )
        const transport = yield* raw(address)
        yield* pass("5 seconds")
        assert.strictEqual(yield* Peer.readText(transport), toLatin1(timedOut(5000, 5000)))
        assert.strictEqual(yield* connections, 1)
        yield* pass("3 seconds")
        assert.strictEqual(yield* connections, 0)
        assert.strictEqual((yield* Effect.flip(transport.write(utf8("x"))))._tag, "TransportError")
      })
    )

    test(
      "a server without a handshakeTimeout waits",
      Effect.gen(function* () {
        const { address } = yield* host.serve({ limits: { handshakeTimeout: "unbounded" } }, (socket) => socket.closed)
        const transport = yield* raw(address)
        yield* pass("30 days")
        yield* transport.write(Peer.request("/"))
        assert.match((yield* Peer.readHead(transport)).head, /^HTTP\/1\.1 101 /)
      })
    )

    test(
      "what the application decides is part of the handshake: all of it together has handshakeTimeout",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { authenticate: () => Effect.sleep("4 seconds"), fields: () => Effect.as(Effect.sleep("4 seconds"), []) },
          (socket) => socket.closed
        )
        const inTime = yield* Effect.fork(WebSocketClient.connect(urlOf(address)))
        yield* pass("8 seconds")
        yield* Fiber.join(inTime)
        const transport = yield* raw(address)
        yield* turns()
        yield* pass("3 seconds")
        yield* transport.write(Peer.request("/"))
        const reply = yield* Effect.fork(Peer.readText(transport))
        yield* pass("6999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(reply)))
        yield* pass("1 millis")
        assert.strictEqual(yield* Fiber.join(reply), toLatin1(timedOut(10_000, 18_000)))
        yield* transport.endOfOutput
        yield* turns()
        assert.strictEqual(yield* connections, 1)
      })
    )

    test(
      "an `authenticate` that hangs is interrupted, and the client gets a 408",
      Effect.gen(function* () {
        const interrupted = yield* Deferred.make<void>()
        const { address } = yield* host.serve(
          {
            limits: { handshakeTimeout: "2 seconds" },
            authenticate: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
          },
          () => Effect.void
        )
        const connecting = yield* Effect.fork(Effect.flip(WebSocketClient.connect(urlOf(address))))
        yield* turns()
        yield* pass("2 seconds")
        yield* Deferred.await(interrupted)
        const error = yield* Fiber.join(connecting)
        assert.isTrue(Equal.equals(error, new Rejection.HandshakeTimeout({ timeout: 2000 })), String(error))
      })
    )

    test(
      "an `authenticate` that cannot be interrupted is not waited for",
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const { address } = yield* host.serve(
          {
            limits: { handshakeTimeout: "2 seconds" },
            authenticate: () => Effect.uninterruptible(Deferred.await(gate))
          },
          () => Effect.void
        )
        const connecting = yield* Effect.fork(Effect.flip(WebSocketClient.connect(urlOf(address))))
        yield* turns()
        yield* pass("2 seconds")
        const error = yield* Fiber.join(connecting)
        assert.isTrue(Equal.equals(error, new Rejection.HandshakeTimeout({ timeout: 2000 })), String(error))
        yield* Deferred.succeed(gate, undefined)
      })
    )

    test(
      "a handler that goes on when its connection has ended is interrupted after closeTimeout",
      Effect.gen(function* () {
        const interrupted = yield* Deferred.make<void>()
        const { address, connections } = yield* host.serve({}, () =>
          Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        )
        const client = yield* WebSocketClient.connect(urlOf(address))
        yield* client.close()
        yield* pass("9999 millis")
        assert.isFalse(yield* Deferred.isDone(interrupted))
        yield* pass("1 millis")
        yield* Deferred.await(interrupted)
        yield* turns()
        assert.strictEqual(yield* connections, 0)
      })
    )

    test(
      "a peer of another protocol that does not leave when its handler has ended is cut after closeTimeout",
      Effect.gen(function* () {
        const once = WebSocketServer.upgrade("once", ({ transport }) => transport.write(utf8("done")))
        const { address, connections } = yield* host.serve({ upgrades: [once] }, () => Effect.void)
        const transport = yield* raw(address)
        yield* transport.write(utf8("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: once\r\n\r\n"))
        assert.match(yield* Peer.readText(transport), /^HTTP\/1\.1 101 [\s\S]*\r\n\r\ndone$/)
        yield* pass("9999 millis")
        assert.strictEqual(yield* connections, 1)
        yield* pass("1 millis")
        assert.strictEqual(yield* connections, 0)
      })
    )

    test(
      "maxPinnedBytes: who would pin more than all may together is closed with 1013",
      Effect.gen(function* () {
        const { address } = yield* host.serve({ limits: { maxPinnedBytes: 2000 } }, (socket) =>
          WebSocket.runForEach(socket, () => Effect.void)
        )
        // An unfinished message of 600 bytes holds at most four times as many, here twice.
        const part = { opcode: 2, fin: false, payload: new Uint8Array(600) }
        const first = yield* Peer.connect(address)
        yield* first.send(part)
        const second = yield* Peer.connect(address)
        yield* second.send(part)
        assert.deepStrictEqual(yield* second.hearAll, ['Close 1013 "TooManyPinnedBytes"', "End"])
        yield* second.transport.endOfOutput
        // The first is served, and what it has finished or taken with it counts no more.
        yield* first.send({ opcode: 0 }, part)
        yield* turns()
        yield* first.send(Peer.ping("1"))
        assert.strictEqual(yield* first.hear, "Pong 31")
        yield* first.transport.abort
        const third = yield* Peer.connect(address)
        yield* turns()
        yield* third.send(part)
        yield* turns()
        yield* third.send(Peer.ping("3"))
        assert.strictEqual(yield* third.hear, "Pong 33")
        yield* third.send({ opcode: 0, fin: false, payload: new Uint8Array(1500) })
        assert.strictEqual((yield* third.hearAll)[0], 'Close 1013 "TooManyPinnedBytes"')
      })
    )

    test(
      "a client that does not answer when the server drains is cut at closeTimeout, the others are not kept waiting",
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const reasons = yield* Queue.unbounded<Protocol.CloseReason>()
        const { address, connections } = yield* Scope.extend(
          host.serve({}, (socket) => Effect.flatMap(socket.closed, (reason) => Queue.offer(reasons, reason))),
          scope
        )
        const polite = yield* WebSocketClient.connect(urlOf(address))
        const hanging = yield* Peer.connect(address)
        const { since } = yield* listening(hanging)
        const halfway = yield* raw(address)
        yield* halfway.write(Peer.request("/").slice(0, 20))
        yield* turns()
        assert.strictEqual(yield* connections, 3)
        const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
        assert.strictEqual(Protocol.codeOf(yield* polite.closed), 1001)
        assert.strictEqual((yield* Queue.take(reasons))._tag, "Drained")
        assert.match(yield* Peer.readText(halfway), /^HTTP\/1\.1 503 /)
        yield* pass("9999 millis")
        assert.deepStrictEqual(yield* since, ['Close 1001 ""'])
        assert.isTrue(Option.isNone(yield* Fiber.poll(draining)))
        yield* pass("1 millis")
        yield* Fiber.join(draining)
        assert.deepStrictEqual(yield* since, ["Reset"])
        assert.strictEqual(yield* connections, 0)
      })
    )

    test(
      "a handler that does not end when the server drains is interrupted at closeTimeout",
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const interrupted = yield* Deferred.make<void>()
        const { address } = yield* Scope.extend(
          host.serve({}, () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))),
          scope
        )
        const client = yield* WebSocketClient.connect(urlOf(address))
        const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
        assert.strictEqual(Protocol.codeOf(yield* client.closed), 1001)
        yield* pass("9999 millis")
        assert.isFalse(yield* Deferred.isDone(interrupted))
        yield* pass("1 millis")
        yield* Fiber.join(draining)
        assert.isTrue(yield* Deferred.isDone(interrupted))
      })
    )

    test(
      "an `authenticate` that hangs when the server drains is interrupted at closeTimeout",
      logged((logs) =>
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const interrupted = yield* Deferred.make<void>()
          const { address } = yield* Scope.extend(
            host.serve(
              {
                limits: { closeTimeout: "3 seconds" },
                authenticate: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
              },
              () => Effect.void
            ),
            scope
          )
          yield* Effect.fork(Effect.ignore(WebSocketClient.connect(urlOf(address))))
          yield* turns()
          const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
          yield* pass("3 seconds")
          yield* Fiber.join(draining)
          assert.isTrue(yield* Deferred.isDone(interrupted))
          assert.deepStrictEqual(
            logs.filter(({ level }) => level === "ERROR"),
            []
          )
        })
      )
    )
  })

  describe(`the deadline of a client on ${host.name}`, () => {
    const silent = Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const accepting = yield* Effect.fork(listener.accept)
      return { url: urlOf(listener.address), accepting }
    })

    test(
      "a server that does not answer is left after handshakeTimeout",
      Effect.gen(function* () {
        const { accepting, url } = yield* silent
        const connecting = yield* Effect.fork(Effect.flip(WebSocketClient.connect(url)))
        const server = yield* Fiber.join(accepting)
        const { head } = yield* Peer.readHead(server)
        yield* server.write(Peer.switching(head).slice(0, 50))
        yield* pass("9999 millis")
        assert.isTrue(Option.isNone(yield* Fiber.poll(connecting)))
        yield* pass("1 millis")
        const error = yield* Fiber.join(connecting)
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TimedOut"])
        assert.isTrue(Option.isSome(yield* Effect.flip(server.read)), "a reset, at once")
      })
    )

    test(
      "one without a handshakeTimeout waits",
      Effect.gen(function* () {
        const { accepting, url } = yield* silent
        const limits = { handshakeTimeout: "unbounded" } as const
        const connecting = yield* Effect.fork(WebSocketClient.connect({ url, limits }))
        const server = yield* Fiber.join(accepting)
        const { head } = yield* Peer.readHead(server)
        yield* pass("30 days")
        yield* server.write(Peer.switching(head))
        assert.isTrue(yield* (yield* Fiber.join(connecting)).isOpen)
      })
    )
  })
}
