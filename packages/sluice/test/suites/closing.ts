/** How connections end: on every network, in both roles, by whoever ends them. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import * as CloseCode from "../../src/CloseCode.js"
import type * as Limits from "../../src/Limits.js"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as Protocol from "../../src/Protocol.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as Peer from "../support/peer.js"
import { eventuallyEffect, turn, turns } from "../support/turns.js"
import * as Wire from "../support/wire.js"
import { against, type Host, opened, roles, scenario, urlOf } from "./host.js"

const { Opcode } = Peer

/** All ways to send. */
const sends: ReadonlyArray<
  readonly [name: string, send: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, Protocol.SendError>]
> = [
  ["send", (socket) => socket.send("late")],
  ["offer", (socket) => socket.offer("late")],
  ["sendAll", (socket) => socket.sendAll(["late", "later"])],
  ["sendAll of nothing but one", (socket) => socket.sendAll([new Uint8Array(1)])],
  ["ping", (socket) => socket.ping],
  ["sendStream", (socket) => WebSocket.sendStream(socket, "Text", Stream.make("late"))],
  ["sink", (socket) => Stream.run(Stream.make("late"), WebSocket.sink(socket))]
]

const assertRefused = (socket: WebSocket.WebSocket, reason: Protocol.SendError["reason"]) =>
  Effect.forEach(sends, ([name, send]) =>
    Effect.map(Effect.flip(send(socket)), (error) =>
      assert.deepStrictEqual([error._tag, error.reason], ["SendError", reason], name)
    )
  )

/** The messages that come until the end, and the error in which they end, if they do. */
const drained = (socket: WebSocket.WebSocket) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const exit = yield* Effect.either(
      WebSocket.runForEach(socket, (message) =>
        Effect.sync(() => texts.push(Message.isText(message) ? message.text : ""))
      )
    )
    return [texts, exit._tag === "Left" ? exit.left : undefined] as const
  })

interface Broken {
  readonly name: string
  readonly frames: (role: Wire.Role) => ReadonlyArray<Wire.Raw>
  readonly tag: Protocol.Violation["_tag"]
  readonly reason: Protocol.Violation["reason"]
  readonly limits?: Limits.Options
}

const text = Peer.text("ok")

/** What a peer can do wrong, each after one message that is right. */
const violations: ReadonlyArray<Broken> = [
  {
    name: "a frame masked wrongly",
    frames: (role) => [{ ...text, key: role === "server" ? undefined : 1 }],
    tag: "FrameError",
    reason: "UnmaskedFrame"
  },
  { name: "a reserved bit", frames: () => [{ ...text, rsv: 4 }], tag: "FrameError", reason: "ReservedBit" },
  { name: "a reserved opcode", frames: () => [{ opcode: 3 }], tag: "FrameError", reason: "ReservedOpcode" },
  {
    name: "a length in too many bytes",
    frames: () => [{ ...text, form: 16 }],
    tag: "FrameError",
    reason: "NonMinimalLength"
  },
  {
    name: "a length of 2^63",
    frames: () => [{ opcode: 2, length: 1n << 63n }],
    tag: "FrameError",
    reason: "LengthOverflow"
  },
  {
    name: "a Ping in fragments",
    frames: () => [{ opcode: 9, fin: false }],
    tag: "FrameError",
    reason: "FragmentedControlFrame"
  },
  {
    name: "a Ping of 126 bytes",
    frames: () => [{ opcode: 9, payload: new Uint8Array(126) }],
    tag: "FrameError",
    reason: "ControlFrameTooLong"
  },
  {
    name: "a frame above the limit",
    frames: () => [{ opcode: 2, length: 1001 }],
    tag: "FrameError",
    reason: "FrameTooBig",
    limits: { maxFramePayload: 1000 }
  },
  {
    name: "the end of a message that has not begun",
    frames: () => [{ opcode: 0 }],
    tag: "MessageError",
    reason: "UnexpectedContinuation"
  },
  {
    name: "a message within a message",
    frames: () => [{ ...text, fin: false }, text],
    tag: "MessageError",
    reason: "ExpectedContinuation"
  },
  {
    name: "a text that is not UTF-8",
    frames: () => [{ opcode: 1, payload: Uint8Array.of(0xc0, 0x80) }],
    tag: "MessageError",
    reason: "InvalidUtf8"
  },
  {
    name: "a text that is not UTF-8, before its end",
    frames: () => [{ opcode: 1, fin: false, payload: Uint8Array.of(0x61, 0xff) }],
    tag: "MessageError",
    reason: "InvalidUtf8"
  },
  {
    name: "a message above the limit",
    frames: () => [
      { opcode: 2, fin: false, payload: new Uint8Array(600) },
      { opcode: 0, payload: new Uint8Array(600) }
    ],
    tag: "MessageError",
    reason: "MessageTooBig",
    limits: { maxMessageSize: 1000 }
  },
  {
    name: "fragments above the limit, all empty",
    frames: () => [{ opcode: 2, fin: false }, ...Array.from({ length: 4 }, () => ({ opcode: 0, fin: false }))],
    tag: "MessageError",
    reason: "TooManyFragments",
    limits: { maxFragments: 4 }
  },
  {
    name: "half a close code",
    frames: () => [{ opcode: Opcode.Close, payload: Uint8Array.of(3) }],
    tag: "ProtocolError",
    reason: "InvalidClosePayload"
  },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(
    (code): Broken => ({
      name: `the close code ${code}`,
      frames: () => [Peer.close(code)],
      tag: "ProtocolError",
      reason: "InvalidCloseCode"
    })
  ),
  {
    name: "a close reason that is not UTF-8",
    frames: () => [{ opcode: Opcode.Close, payload: Uint8Array.of(3, 232, 0xff) }],
    tag: "ProtocolError",
    reason: "InvalidCloseReason"
  },
  {
    name: "too many Pings",
    frames: () => Array.from({ length: 11 }, () => Peer.ping()),
    tag: "ProtocolError",
    reason: "TooManyControlFrames",
    limits: { maxControlFramesPerSecond: 10 }
  },
  {
    name: "too many Pongs",
    frames: () => Array.from({ length: 11 }, () => Peer.pong(new Uint8Array(0))),
    tag: "ProtocolError",
    reason: "TooManyControlFrames",
    limits: { maxControlFramesPerSecond: 10 }
  }
]

/** How a connection is cut off. */
const cuts: ReadonlyArray<{
  readonly name: string
  readonly cut: (peer: Peer.Peer) => Effect.Effect<void, Network.TransportError>
  readonly reason: Network.TransportError["reason"]
}> = [
  { name: "ends its output", cut: ({ transport }) => transport.endOfOutput, reason: "UnexpectedEnd" },
  {
    name: "ends its output within a frame",
    cut: (peer) => Effect.zipRight(peer.transport.write(peer.bytes(text).subarray(0, 3)), peer.transport.endOfOutput),
    reason: "UnexpectedEnd"
  },
  {
    name: "ends its output within a message",
    cut: (peer) => Effect.zipRight(peer.send({ ...text, fin: false }), peer.transport.endOfOutput),
    reason: "UnexpectedEnd"
  },
  { name: "resets the connection", cut: ({ transport }) => transport.abort, reason: "ConnectionReset" }
]

const cutsOn = ({ hasResets = true }: Host) =>
  cuts.map((cut) => (cut.reason === "ConnectionReset" && !hasResets ? { ...cut, reason: "UnexpectedEnd" } : cut))

export const closing = (host: Host): void => {
  const test = scenario(host)

  describe(`the closing handshake on ${host.name}`, () => {
    for (const role of roles) {
      for (const options of [
        {},
        { code: 1000 },
        { code: 1001, reason: "bye" },
        { code: 3000, reason: "" },
        { code: 4999, reason: `${"\u00e9".repeat(61)}!` }
      ]) {
        test(
          `the ${role} closes with ${JSON.stringify(options)}`,
          Effect.gen(function* () {
            const { client, connections, server } = yield* opened(host)
            const [near, far] = role === "client" ? [client, server] : [server, client]
            yield* Effect.fork(near.send("last words"))
            const hearing = yield* Effect.fork(drained(far))
            yield* turns(4)
            const reason = yield* near.close(options)
            const { code = 1000, reason: words = "" } = options
            assert.deepStrictEqual(reason, Protocol.CloseReason.Clean({ code, reason: "", initiator: "local" }))
            assert.deepStrictEqual(
              yield* far.closed,
              Protocol.CloseReason.Clean({ code, reason: words, initiator: "peer" })
            )
            assert.isTrue(Protocol.isClean(reason))
            assert.deepStrictEqual(yield* Fiber.join(hearing), [["last words"], undefined])
            // Whoever asks later hears the same.
            assert.deepStrictEqual(yield* near.closed, reason)
            assert.deepStrictEqual(yield* near.close({ code: 3999 }), reason)
            assert.deepStrictEqual(yield* drained(near), [[], undefined])
            yield* assertRefused(near, "ConnectionClosed")
            yield* assertRefused(far, "ConnectionClosed")
            yield* eventuallyEffect(
              "the server has no connection",
              Effect.map(connections, (count) => count === 0)
            )
          })
        )
      }

      test(
        `the ${role} answers a Close with its code, and without one with none`,
        Effect.gen(function* () {
          for (const [frame, answer, code, reason] of [
            [Peer.close(), "Close", 1005, ""],
            [Peer.close(1000), 'Close 1000 ""', 1000, ""],
            [Peer.close(4321, "why \u20ac"), 'Close 4321 ""', 4321, "why \u20ac"]
          ] as const) {
            const { peer, socket } = yield* against(host, role)
            yield* peer.send(frame)
            assert.strictEqual(yield* peer.hear, answer)
            yield* peer.transport.endOfOutput
            assert.strictEqual(yield* peer.hear, "End")
            assert.deepStrictEqual(
              yield* socket.closed,
              Protocol.CloseReason.Clean({ code, reason, initiator: "peer" })
            )
          }
        })
      )

      test(
        `the ${role} closes twice, with one Close`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const closings = yield* Effect.forEach([4000, 4001], (code) => Effect.fork(socket.close({ code })))
          assert.strictEqual(yield* peer.hear, 'Close 4000 ""')
          yield* peer.send(Peer.close(4000, "yes"))
          yield* peer.transport.endOfOutput
          assert.deepStrictEqual(yield* peer.hearAll, ["End"])
          const reason = Protocol.CloseReason.Clean({ code: 4000, reason: "yes", initiator: "local" })
          for (const closing of closings) assert.deepStrictEqual(yield* Fiber.join(closing), reason)
        })
      )

      test(
        `the ${role} and its peer close at the same time`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const closing = yield* Effect.fork(socket.close({ code: 4000 }))
          // It is on its way by now, and the peer has not heard it when it closes too.
          yield* turn
          yield* peer.send(Peer.close(4001, "me too"))
          assert.strictEqual(yield* peer.hear, 'Close 4000 ""')
          yield* peer.transport.endOfOutput
          assert.deepStrictEqual(yield* peer.hearAll, ["End"])
          assert.deepStrictEqual(
            yield* Fiber.join(closing),
            Protocol.CloseReason.Clean({ code: 4001, reason: "me too", initiator: "local" })
          )
        })
      )

      test(
        `the ${role} does not start a closing handshake that would be illegal`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536, -1, 1000.5, Number.NaN]) {
            const error = yield* Effect.flip(socket.close({ code }))
            assert.deepStrictEqual([error._tag, error.reason], ["SendError", "InvalidCloseCode"], String(code))
          }
          const error = yield* Effect.flip(socket.close({ reason: "\u00e9".repeat(62) }))
          assert.strictEqual(error.reason, "CloseReasonTooLong")
          assert.isTrue(yield* socket.isOpen)
          yield* socket.send("still open")
          assert.strictEqual(yield* peer.hear, 'Text "still open"')
        })
      )

      test(
        `the ${role} cannot send after its Close, and drops what comes before the peer's`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const closing = yield* Effect.fork(socket.close())
          assert.strictEqual(yield* peer.hear, 'Close 1000 ""')
          assert.isFalse(yield* socket.isOpen)
          yield* assertRefused(socket, "ConnectionClosing")
          yield* peer.send(text, Peer.ping("x"), text)
          assert.strictEqual(yield* peer.hear, "Pong 78", "RFC 6455 §5.5.2: unless it already received a Close frame")
          yield* peer.send(Peer.close(1000))
          yield* peer.transport.endOfOutput
          assert.isTrue(Protocol.isClean(yield* Fiber.join(closing)))
          assert.deepStrictEqual(yield* drained(socket), [[], undefined])
          assert.deepStrictEqual(yield* peer.hearAll, ["End"])
        })
      )

      test(
        `the ${role} accepts nothing after the Close of the peer`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          yield* peer.send(text, Peer.close(1000), Peer.text("late"), Peer.ping("x"), { opcode: 15 })
          yield* peer.transport.endOfOutput
          assert.deepStrictEqual(yield* peer.hearAll, ['Close 1000 ""', "End"])
          assert.deepStrictEqual(yield* drained(socket), [["ok"], undefined])
          assert.isTrue(Protocol.isClean(yield* socket.closed))
        })
      )

      test(
        `interrupting the wait for the end does not undo the Close of the ${role}`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const closing = yield* Effect.fork(socket.close({ code: 4000 }))
          assert.strictEqual(yield* peer.hear, 'Close 4000 ""')
          yield* Fiber.interrupt(closing)
          yield* peer.send(Peer.close(4000))
          yield* peer.transport.endOfOutput
          assert.strictEqual((yield* socket.closed)._tag, "Clean")
        })
      )

      test(
        `the ${role} sees the Close behind more messages than it has room for`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, { receiveWindowMessages: 4 })
          yield* peer.send(...Array.from({ length: 10 }, () => text), Peer.close(4000, "done"))
          yield* turns()
          const closing = yield* Effect.fork(socket.close({ code: 4001 }))
          assert.strictEqual(yield* peer.hear, 'Close 4001 ""')
          yield* peer.transport.endOfOutput
          assert.deepStrictEqual(
            yield* Fiber.join(closing),
            Protocol.CloseReason.Clean({ code: 4000, reason: "done", initiator: "local" })
          )
        })
      )

      test(
        `what the ${role} was sent before a Close is handled, in order, and then the messages end`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role, { receiveWindowMessages: 4 })
          const texts = Array.from({ length: 10 }, (_, i) => String(i))
          yield* peer.send(...texts.map(Peer.text), Peer.close(1000))
          yield* turns()
          const [handled, error] = yield* drained(socket)
          assert.deepStrictEqual([handled, error], [texts, undefined])
          yield* peer.transport.endOfOutput
          assert.deepStrictEqual(yield* peer.hearAll, ['Close 1000 ""', "End"])
        })
      )
    }

    test(
      "the server ends the connection first, the client waits for it (RFC 6455 §7.1.1)",
      Effect.gen(function* () {
        const server = yield* against(host, "server")
        yield* server.peer.send(Peer.close(1000))
        // It has not ended its own output.
        assert.deepStrictEqual(yield* server.peer.hearAll, ['Close 1000 ""', "End"])
        yield* server.peer.transport.endOfOutput
        assert.strictEqual((yield* server.socket.closed)._tag, "Clean")

        const client = yield* against(host, "client")
        yield* client.peer.send(Peer.close(1000))
        assert.strictEqual(yield* client.peer.hear, 'Close 1000 ""')
        const ending = yield* Effect.fork(client.peer.hear)
        yield* turns()
        assert.isTrue(Option.isNone(yield* Fiber.poll(ending)))
        yield* client.peer.transport.endOfOutput
        assert.strictEqual(yield* Fiber.join(ending), "End")
        assert.strictEqual((yield* client.socket.closed)._tag, "Clean")
      })
    )

    const exits = [
      ["succeeds", Effect.void, 1000],
      ["fails", Effect.fail("no"), 1011],
      ["dies", Effect.dieMessage("no"), 1011],
      ["is interrupted", Effect.interrupt, 1001]
    ] as const
    for (const [name, exit, code] of exits) {
      test(
        `a client whose scope ${name} closes with ${code}`,
        Effect.gen(function* () {
          const closed = yield* Deferred.make<Protocol.CloseReason>()
          const { address } = yield* host.serve({}, (socket) =>
            Effect.flatMap(socket.closed, (reason) => Deferred.succeed(closed, reason))
          )
          const connected = Effect.zipRight(WebSocketClient.connect(urlOf(address)), exit)
          yield* Effect.exit(Effect.scoped(connected))
          assert.deepStrictEqual(
            yield* Deferred.await(closed),
            Protocol.CloseReason.Clean({ code, reason: "", initiator: "peer" })
          )
        })
      )
    }

    test(
      "a WebSocket made of any transport is closed by its scope",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const transport = yield* network.connect(listener.address)
        const peer = Peer.make(yield* listener.accept, "server")
        const scope = yield* Scope.make()
        const socket = yield* Scope.extend(
          WebSocket.make(transport, { role: "client", subprotocol: "chat.v1", rest: Wire.raw(text) }),
          scope
        )
        const subprotocol: "chat.v1" = socket.subprotocol
        assert.deepStrictEqual([subprotocol, socket.role, WebSocket.isWebSocket(socket)], ["chat.v1", "client", true])
        assert.deepStrictEqual(yield* socket.take, [Message.text("ok")])
        const ending = yield* Effect.fork(Scope.close(scope, Exit.fail("no")))
        assert.strictEqual(yield* peer.hear, 'Close 1011 ""')
        yield* peer.send(Peer.close(1011))
        yield* peer.transport.endOfOutput
        yield* Fiber.join(ending)
        assert.strictEqual(Protocol.codeOf(yield* socket.closed), 1011)
      })
    )
  })

  describe(`abnormal closure on ${host.name}`, () => {
    for (const role of roles) {
      for (const { cut, name, reason } of cutsOn(host)) {
        test(
          `a peer of the ${role} that ${name} has not closed cleanly`,
          Effect.gen(function* () {
            const { peer, socket } = yield* against(host, role)
            const hearing = yield* Effect.fork(drained(socket))
            yield* peer.send(text)
            yield* turns()
            yield* cut(peer)
            const closed = yield* socket.closed
            assert.strictEqual(closed._tag, "Aborted")
            if (closed._tag === "Aborted") assert.strictEqual(closed.cause.reason, reason)
            assert.strictEqual(Protocol.codeOf(closed), CloseCode.AbnormalClosure)
            assert.isFalse(Protocol.isClean(closed))
            const [texts, error] = yield* Fiber.join(hearing)
            assert.deepStrictEqual(texts, ["ok"])
            assert.deepStrictEqual([error?._tag, error?.reason], ["TransportError", reason])
            assert.deepStrictEqual((yield* drained(socket))[1], error, "and it stays so")
            yield* assertRefused(socket, "ConnectionClosed")
            assert.deepStrictEqual(yield* socket.close(), closed)
          })
        )

        test(
          `a peer of the ${role} that ${name} instead of answering a Close has not closed cleanly`,
          Effect.gen(function* () {
            const { peer, socket } = yield* against(host, role)
            const closing = yield* Effect.fork(socket.close())
            assert.strictEqual(yield* peer.hear, 'Close 1000 ""')
            yield* cut(peer)
            const closed = yield* Fiber.join(closing)
            assert.deepStrictEqual([closed._tag, Protocol.isClean(closed)], ["Aborted", false])
          })
        )
      }

      test(
        `a reset after both Close frames of the ${role} were exchanged takes nothing from a clean end`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          yield* peer.send(Peer.close(4000, "bye"))
          assert.strictEqual(yield* peer.hear, 'Close 4000 ""')
          yield* peer.transport.abort
          assert.deepStrictEqual(
            yield* socket.closed,
            Protocol.CloseReason.Clean({ code: 4000, reason: "bye", initiator: "peer" })
          )
        })
      )
    }
  })

  describe(`violations on ${host.name}`, () => {
    for (const role of roles) {
      for (const { frames, limits, name, tag, ...broken } of violations) {
        test(
          `${name} fails the connection of the ${role}`,
          Effect.gen(function* () {
            const reason = broken.reason === "UnmaskedFrame" && role === "client" ? "MaskedFrame" : broken.reason
            const { peer, socket } = yield* against(host, role, limits)
            // The budget of control frames is looked at once for what came together.
            const after = tag === "ProtocolError" && reason === "TooManyControlFrames" ? [] : [Peer.text("never seen")]
            yield* peer.send(text, ...frames(role), ...after)
            const [texts, error] = yield* drained(socket)
            assert.deepStrictEqual(texts, ["ok"])
            assert.deepStrictEqual([error?._tag, error?.reason], [tag, reason])
            const code = CloseCode.forViolation[reason]
            const heard = (yield* peer.hearAll).filter((frame) => !frame.startsWith("Pong"))
            assert.deepStrictEqual(heard, [`Close ${code} "${reason}"`, "End"])
            yield* peer.transport.endOfOutput
            const closed = yield* socket.closed
            assert.deepStrictEqual(closed, Protocol.CloseReason.Violation({ error: error as Protocol.Violation }))
            assert.deepStrictEqual([Protocol.codeOf(closed), Protocol.isClean(closed)], [code, false])
            yield* assertRefused(socket, "ConnectionClosed")
          })
        )
      }
    }

    test(
      "a message may be as large as the limits",
      Effect.gen(function* () {
        const limits = { maxFramePayload: 600, maxMessageSize: 1000, maxFragments: 3, maxControlFramesPerSecond: 10 }
        const { peer, socket } = yield* against(host, "server", limits)
        yield* peer.send(
          { opcode: 2, fin: false, payload: new Uint8Array(400) },
          { opcode: 0, fin: false },
          { opcode: 0, payload: new Uint8Array(600) },
          ...Array.from({ length: 10 }, () => Peer.ping())
        )
        const [message] = yield* socket.take
        assert.isTrue(message?._tag === "Binary" && message.bytes.length === 1000)
        yield* peer.send(Peer.close(1000))
        assert.deepStrictEqual((yield* peer.hearAll).slice(-2), ['Close 1000 ""', "End"])
      })
    )
  })
}
