/** Messages, whole and in pieces, and Pings: on every network, in both roles. */
import { assert, describe } from "@effect/vitest"
import { Cause, Chunk, Deferred, Duration, Effect, Exit, Fiber, Ref, Stream } from "effect"
import * as Message from "../../src/Message.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { assertBytes, byteByByte, concat, pattern, utf8 } from "../support/bytes.js"
import * as Peer from "../support/peer.js"
import { turn, turns } from "../support/turns.js"
import { against, type Host, opened, roles, scenario, urlOf } from "./host.js"

const megabyte = pattern(1024 * 1024)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const collect = (socket: WebSocket.WebSocket, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(socket.messages, count)), Chunk.toReadonlyArray)

const assertMessage = (actual: Message.Message, expected: Message.Message) => {
  assert.strictEqual(actual._tag, expected._tag)
  if (actual._tag === "Text" && expected._tag === "Text") assert.strictEqual(actual.text, expected.text)
  if (actual._tag === "Binary" && expected._tag === "Binary") assertBytes(actual.bytes, expected.bytes)
}

const assertMessages = (actual: Iterable<Message.Message>, expected: ReadonlyArray<Message.Message>) => {
  const all = [...actual]
  assert.strictEqual(all.length, expected.length)
  for (const [i, message] of expected.entries()) assertMessage(all[i]!, message)
}

const various: ReadonlyArray<readonly [name: string, message: Message.Message]> = [
  ["a text", Message.text("Hello")],
  ["an empty text", Message.text("")],
  ["a text beyond ASCII", Message.text("h\u00e9llo \u20ac \u{1f600} \u0000 \ufeff")],
  ["no bytes", Message.binary(new Uint8Array(0))],
  ...[1, 124, 125, 126, 127, 65534, 65535, 65536, 65537].flatMap((size) => [
    [`${size} bytes`, Message.binary(megabyte.subarray(0, size))] as const,
    [`a text of ${size}`, Message.text("x".repeat(size))] as const
  ]),
  ["a binary of 1 MiB", Message.binary(megabyte)],
  ["a text of 1 MiB", Message.text("\u20ac".repeat(1024 * 341))]
]

/** A message that was taken as a stream. */
const gather = (message: WebSocket.Streamed): Effect.Effect<Message.Message, WebSocket.ReceiveError> =>
  message._tag === "TextStream"
    ? Effect.map(Stream.mkString(message.text), Message.text)
    : Effect.map(Stream.runCollect(message.bytes), (pieces) => Message.binary(concat(pieces)))

export const messages = (host: Host): void => {
  const test = scenario(host)

  describe(`messages on ${host.name}`, () => {
    test(
      "a server sends back what it gets",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(echo(server))
        for (const [name, message] of various) {
          yield* client.send(message)
          const [answer, ...more] = yield* client.take
          assert.strictEqual(more.length, 0, name)
          assertMessage(answer!, message)
        }
      })
    )

    test(
      "a client sends back what it gets",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(echo(client))
        yield* Effect.fork(server.sendAll(various.map(([, message]) => message)))
        const answers = yield* collect(server, various.length)
        assertMessages(
          answers,
          various.map(([, message]) => message)
        )
      })
    )

    test(
      "strings and bytes are messages, and a lone surrogate is U+FFFD",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* client.sendAll(["text", Uint8Array.of(1, 2), "a\ud800b"])
        const [text, binary, lone] = yield* collect(server, 3)
        assertMessage(text!, Message.text("text"))
        assertMessage(binary!, Message.binary(Uint8Array.of(1, 2)))
        assertMessage(lone!, Message.text("a\ufffdb"))
      })
    )

    for (const role of roles) {
      test(
        `5,000 messages to the ${role} come in order`,
        Effect.gen(function* () {
          const { client, server } = yield* opened(host)
          const [near, far] = role === "client" ? [client, server] : [server, client]
          const sent = Array.from({ length: 5000 }, (_, i) => `${i} ${"x".repeat((i * 37) % 300)}`)
          yield* Effect.fork(far.sendAll(sent))
          const got = yield* collect(near, sent.length)
          assert.deepStrictEqual(
            got.map((message) => Message.isText(message) && message.text),
            sent
          )
        })
      )
    }

    test(
      "a handler is done with a message before it sees the next",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        const seen: Array<string> = []
        const handling = yield* Effect.fork(
          WebSocket.runForEach(server, (message) =>
            Effect.gen(function* () {
              const name = Message.isText(message) ? message.text : ""
              seen.push(`${name} begins`)
              // Later messages take less time.
              yield* turns(10 - Number(name))
              seen.push(`${name} ends`)
            })
          )
        )
        yield* client.sendAll(["0", "1", "2", "3", "4", "5"])
        yield* client.close()
        yield* Fiber.join(handling)
        assert.deepStrictEqual(
          seen,
          ["0", "1", "2", "3", "4", "5"].flatMap((name) => [`${name} begins`, `${name} ends`])
        )
      })
    )

    test(
      "the failure of a handler is that of the run, and the messages after it are still there",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* client.sendAll(["a", "b", "c"])
        yield* client.ping
        const error = yield* Effect.flip(WebSocket.runForEach(server, () => Effect.fail("no")))
        assert.strictEqual(error, "no")
        assert.isTrue(yield* server.isOpen)
        const interrupted = yield* Effect.fork(WebSocket.runForEach(server, () => Effect.never))
        yield* turns()
        yield* Fiber.interrupt(interrupted)
        assert.deepStrictEqual(yield* server.take, [Message.text("c")])
      })
    )

    test(
      "`take` gives all that is here, at least one, in order",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        const taking = yield* Effect.fork(server.take)
        yield* turns()
        yield* client.send("0")
        assert.deepStrictEqual(yield* Fiber.join(taking), [Message.text("0")])
        yield* client.sendAll(["1", "2", "3"])
        yield* client.ping
        assert.deepStrictEqual(yield* server.take, ["1", "2", "3"].map(Message.text))
        const interrupted = yield* Effect.fork(server.take)
        yield* turns()
        yield* Fiber.interrupt(interrupted)
        yield* client.send("4")
        assert.deepStrictEqual(yield* server.take, [Message.text("4")])
      })
    )

    test(
      "a stream is sent through a sink",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(Stream.range(1, 100).pipe(Stream.map(String), Stream.run(WebSocket.sink(client))))
        const got = yield* collect(server, 100)
        assert.deepStrictEqual(
          got,
          Array.from({ length: 100 }, (_, i) => Message.text(String(i + 1)))
        )
      })
    )

    test(
      "a message is encoded once and sent to many",
      Effect.gen(function* () {
        const sockets: Array<WebSocket.WebSocket> = []
        const { address } = yield* host.serve({}, (socket) => {
          sockets.push(socket)
          return socket.closed
        })
        const clients = yield* Effect.forEach(Chunk.range(1, 20), () => WebSocketClient.connect(urlOf(address)), {
          concurrency: 5
        })
        // Their handlers run before they are answered.
        yield* Effect.forEach(clients, (client) => client.ping, { discard: true })
        assert.strictEqual(sockets.length, 20)
        const sent = [Message.text("to all \u20ac"), Message.binary(megabyte.subarray(0, 20_000)), Message.text("")]
        for (const message of sent.map(Message.encode)) {
          yield* Effect.forEach(sockets, (socket) => socket.send(message), { concurrency: "unbounded" })
        }
        for (const client of clients) {
          const got = yield* collect(client, sent.length)
          assertMessages(got, sent)
        }
      })
    )

    test(
      "masking leaves what was sent as it was",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "client")
        for (const size of [5, 1000, 20_000]) {
          const bytes = megabyte.slice(0, size)
          const encoded = Message.encode(Message.binary(bytes))
          for (const message of [bytes, encoded, Message.binary(bytes), encoded]) {
            yield* Effect.fork(socket.send(message))
            const frame = yield* Stream.runHead(peer.frames)
            assert.isTrue(frame._tag === "Some" && frame.value.maskingKey !== undefined)
            if (frame._tag === "Some") assertBytes(frame.value.payload, megabyte.subarray(0, size))
          }
          assertBytes(bytes, megabyte.subarray(0, size))
        }
      })
    )

    for (const role of roles) {
      test(
        `the ${role} gets messages that come with the opening handshake`,
        Effect.gen(function* () {
          const early = [Peer.text("first"), Peer.ping("p"), Peer.text("second")]
          const { peer, socket } = yield* against(host, role, {}, early)
          assert.deepStrictEqual(yield* collect(socket, 2), [Message.text("first"), Message.text("second")])
          assert.strictEqual(yield* peer.hear, "Pong 70")
        })
      )

      test(
        `the ${role} puts fragments together, with Pings between them`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          yield* peer.send(
            { ...Peer.text("He"), fin: false },
            Peer.ping("1"),
            { opcode: 0, fin: false },
            { opcode: 0, fin: false, payload: utf8("ll") },
            Peer.ping("2"),
            { opcode: 0, payload: utf8("o") },
            Peer.binary(Uint8Array.of(1))
          )
          assert.deepStrictEqual(yield* collect(socket, 2), [Message.text("Hello"), Message.binary(Uint8Array.of(1))])
          assert.deepStrictEqual([yield* peer.hear, yield* peer.hear], ["Pong 31", "Pong 32"])
        })
      )
    }
  })

  describe(`messages taken in pieces on ${host.name}`, () => {
    test(
      "what is sent is what the pieces make up",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(client.sendAll(various.map(([, message]) => message)))
        const got = yield* WebSocket.streamed(server).pipe(
          Stream.mapEffect(gather),
          Stream.take(various.length),
          Stream.runCollect
        )
        assertMessages(
          got,
          various.map(([, message]) => message)
        )
      })
    )

    test(
      "a large message comes in several pieces, before its end does",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const frame = peer.bytes(Peer.binary(megabyte))
        const size = yield* Deferred.make<number>()
        const taking = yield* Effect.fork(
          WebSocket.streamed(socket).pipe(
            Stream.take(1),
            Stream.flatMap((message) => (message._tag === "BinaryStream" ? message.bytes : Stream.empty)),
            Stream.tap((piece) => Deferred.succeed(size, piece.length)),
            Stream.runCollect
          )
        )
        yield* turns()
        yield* peer.transport.write(frame.slice(0, 50_000))
        assert.isAtMost(yield* Deferred.await(size), 50_000)
        yield* peer.transport.write(frame.slice(50_000))
        assertBytes(concat(yield* Fiber.join(taking)), megabyte)
      })
    )

    test(
      "what is not read of a message is skipped",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(client.sendAll([megabyte, "one", megabyte, megabyte, "two"]))
        const got = yield* WebSocket.streamed(server).pipe(
          Stream.mapEffect((message) =>
            message._tag === "TextStream"
              ? Stream.mkString(message.text)
              : // the first piece only
                Effect.as(Stream.runHead(message.bytes), "...")
          ),
          Stream.take(5),
          Stream.runCollect
        )
        assert.deepStrictEqual([...got], ["...", "one", "...", "...", "two"])
      })
    )

    test(
      "a message whose stream nobody runs is skipped, too",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        yield* Effect.fork(client.sendAll([megabyte, "x".repeat(500_000), "end"]))
        const all = yield* WebSocket.streamed(server).pipe(Stream.take(3), Stream.runCollect)
        const last = Chunk.unsafeLast(all)
        assertMessage(yield* gather(last), Message.text("end"))
      })
    )

    test(
      "a text is cut between characters only, wherever its bytes are cut",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const text = "a\u00e9\u20ac\u{1f600}\u{10ffff}\ufeffz"
        const taking = yield* Effect.fork(
          WebSocket.streamed(socket).pipe(
            Stream.take(2),
            Stream.mapEffect((message) =>
              message._tag === "TextStream" ? Stream.runCollect(message.text) : Effect.succeed(Chunk.empty<string>())
            ),
            Stream.runCollect
          )
        )
        // One frame, then a fragment for each byte.
        for (const byte of byteByByte(peer.bytes(Peer.text(text)))) {
          yield* peer.transport.write(byte)
          yield* turn
        }
        const bytes = byteByByte(utf8(text))
        for (const [i, payload] of bytes.entries()) {
          yield* peer.send({ opcode: i === 0 ? 1 : 0, fin: i === bytes.length - 1, payload })
        }
        const taken = [...(yield* Fiber.join(taking))]
        for (const pieces of taken) assert.strictEqual([...pieces].join(""), text)
        // A real network may have put the bytes of the one frame together, but each fragment is a piece.
        assert.isAbove(taken[1]?.length ?? 0, 3)
      })
    )

    test(
      "what came before, whole or begun, is not lost",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        yield* peer.send(Peer.text("whole"), Peer.binary(pattern(100)), { ...Peer.text("be"), fin: false }, Peer.ping())
        assert.strictEqual(yield* peer.hear, "Pong")
        const taking = yield* Effect.fork(
          WebSocket.streamed(socket).pipe(Stream.mapEffect(gather), Stream.take(4), Stream.runCollect)
        )
        yield* turns()
        yield* peer.send({ opcode: 0, payload: utf8("gun") }, Peer.text("after"))
        const got = [...(yield* Fiber.join(taking))]
        const expected = [
          Message.text("whole"),
          Message.binary(pattern(100)),
          Message.text("begun"),
          Message.text("after")
        ]
        assertMessages(got, expected)
      })
    )

    test(
      "a stream that is broken off fails with the reason",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const taking = yield* Effect.fork(
          WebSocket.streamed(socket).pipe(Stream.mapEffect(gather), Stream.runCollect, Effect.flip)
        )
        yield* peer.send({ ...Peer.text("ok"), fin: false })
        yield* turns()
        yield* peer.send({ opcode: 0, payload: Uint8Array.of(0xc3, 0x28) })
        const error = yield* Fiber.join(taking)
        assert.deepStrictEqual([error._tag, error.reason], ["MessageError", "InvalidUtf8"])
        assert.deepStrictEqual(yield* peer.hearAll, ['Close 1007 "InvalidUtf8"', "End"])
      })
    )

    test(
      "messages cannot be taken whole once they are taken in pieces",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const first = yield* Effect.fork(Stream.runHead(WebSocket.streamed(socket)))
        yield* turns()
        yield* peer.send({ ...Peer.text("a"), fin: false })
        yield* Fiber.join(first)
        yield* peer.send({ opcode: 0, payload: utf8("b") })
        const exit = yield* Effect.exit(socket.take)
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      })
    )
  })

  describe(`messages sent in pieces on ${host.name}`, () => {
    for (const role of roles) {
      test(
        `each chunk of the ${role} is a fragment, answers to Pings go between them`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const gate = yield* Deferred.make<void>()
          const content = Stream.concat(
            Stream.make("a", ""),
            Stream.fromEffect(Effect.as(Deferred.await(gate), "long story"))
          )
          const sending = yield* Effect.fork(WebSocket.sendStream(socket, "Text", content))
          assert.deepStrictEqual([yield* peer.hear, yield* peer.hear], ['Text "a"...', "Continuation..."])
          yield* peer.send(Peer.ping("x"))
          assert.strictEqual(yield* peer.hear, "Pong 78")
          yield* Deferred.succeed(gate, undefined)
          yield* Fiber.join(sending)
          assert.deepStrictEqual(
            [yield* peer.hear, yield* peer.hear],
            ["Continuation 6c6f6e672073746f7279...", "Continuation"]
          )
        })
      )
    }

    test(
      "no chunks are an empty message",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        yield* WebSocket.sendStream(socket, "Binary", Stream.empty)
        yield* WebSocket.sendStream(socket, "Text", Stream.empty)
        assert.deepStrictEqual([yield* peer.hear, yield* peer.hear], ["Binary", 'Text ""'])
      })
    )

    test(
      "a pair of surrogates may be cut, one alone is U+FFFD",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        const texts = ["\u{1f600}\ud83d", "\ude00", "", "x\ud83d", "", "\ude00", "\ud800", "a", "\ud800"]
        yield* Effect.fork(WebSocket.sendStream(client, "Text", Stream.fromIterable(texts)))
        const [message] = yield* server.take
        assertMessage(message!, Message.text("\u{1f600}\u{1f600}x\u{1f600}\ufffda\ufffd"))
      })
    )

    test(
      "16 MiB go through in pieces, both ways",
      Effect.gen(function* () {
        const limits = { maxMessageSize: "unbounded", maxFragments: "unbounded" } as const
        const { client, server } = yield* opened(host, { client: limits, server: limits })
        const content = Stream.repeatEffect(Effect.succeed(megabyte)).pipe(Stream.take(16))
        const back = WebSocket.streamed(server).pipe(
          Stream.runForEach((message) =>
            message._tag === "BinaryStream" ? WebSocket.sendStream(server, "Binary", message.bytes) : Effect.void
          )
        )
        yield* Effect.fork(back)
        yield* Effect.fork(WebSocket.sendStream(client, "Binary", content))
        const size = yield* WebSocket.streamed(client).pipe(
          Stream.take(1),
          Stream.flatMap((message) => (message._tag === "BinaryStream" ? message.bytes : Stream.empty)),
          Stream.runFold(0, (at, piece) => {
            if (piece.length > 0) assert.strictEqual(piece[0], megabyte[at % megabyte.length])
            return at + piece.length
          })
        )
        assert.strictEqual(size, 16 * megabyte.length)
      })
    )

    test(
      "other messages wait for the end, each sender in its turn",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const gate = yield* Deferred.make<void>()
        const content = Stream.concat(Stream.make("1"), Stream.fromEffect(Effect.as(Deferred.await(gate), "2")))
        yield* Effect.fork(WebSocket.sendStream(socket, "Text", content))
        assert.strictEqual(yield* peer.hear, 'Text "1"...')
        yield* Effect.fork(socket.send("whole"))
        yield* Effect.fork(WebSocket.sendStream(socket, "Text", Stream.make("second")))
        yield* turns()
        yield* Deferred.succeed(gate, undefined)
        const heard = [yield* peer.hear, yield* peer.hear, yield* peer.hear, yield* peer.hear, yield* peer.hear]
        assert.deepStrictEqual(heard, [
          "Continuation 32...",
          "Continuation",
          'Text "whole"',
          'Text "second"...',
          "Continuation"
        ])
      })
    )

    test(
      "content that fails closes the connection with 1011, and those who wait fail",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const gate = yield* Deferred.make<void>()
        const content = Stream.concat(
          Stream.make("begun"),
          Stream.fromEffect(Effect.zipRight(Deferred.await(gate), Effect.fail("no more")))
        )
        const sending = yield* Effect.fork(WebSocket.sendStream(socket, "Text", content))
        assert.strictEqual(yield* peer.hear, 'Text "begun"...')
        const waiting = yield* Effect.fork(Effect.flip(socket.send("next")))
        yield* turns()
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* Effect.flip(Fiber.join(sending)), "no more")
        assert.strictEqual((yield* Fiber.join(waiting)).reason, "ConnectionClosing")
        assert.strictEqual(yield* peer.hear, 'Close 1011 "a streamed message was abandoned"')
      })
    )

    test(
      "a message that is interrupted closes the connection with 1011, one that waits does not",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const sending = yield* Effect.fork(
          WebSocket.sendStream(socket, "Text", Stream.concat(Stream.make("begun"), Stream.never))
        )
        assert.strictEqual(yield* peer.hear, 'Text "begun"...')
        const waiting = yield* Effect.fork(WebSocket.sendStream(socket, "Text", Stream.make("next")))
        yield* turns()
        yield* Fiber.interrupt(waiting)
        assert.isTrue(yield* socket.isOpen)
        yield* Fiber.interrupt(sending)
        assert.isFalse(yield* socket.isOpen)
        assert.strictEqual(yield* peer.hear, 'Close 1011 "a streamed message was abandoned"')
      })
    )
  })

  describe(`Pings on ${host.name}`, () => {
    test(
      "give the round trip, several at once too",
      Effect.gen(function* () {
        const { client, server } = yield* opened(host)
        const times = yield* Effect.all([client.ping, client.ping, server.ping, client.ping], {
          concurrency: "unbounded"
        })
        for (const time of times) assert.isTrue(Duration.greaterThanOrEqualTo(time, 0))
      })
    )

    for (const role of roles) {
      test(
        `a Pong answers the Pings of the ${role} before it, and no others`,
        Effect.gen(function* () {
          const { peer, socket } = yield* against(host, role)
          const done = yield* Ref.make<ReadonlyArray<number>>([])
          const pinged = yield* Effect.forEach([0, 1, 2, 3], (i) =>
            Effect.gen(function* () {
              const ping = yield* Effect.fork(
                Effect.zipRight(
                  socket.ping,
                  Ref.update(done, (all) => [...all, i])
                )
              )
              const frame = yield* Effect.flatten(Stream.runHead(peer.frames))
              return [ping, frame.payload] as const
            })
          )
          const pings = pinged.map(([ping]) => ping)
          const payloads = pinged.map(([, payload]) => payload)
          assert.strictEqual(new Set(payloads.map((payload) => payload.join())).size, 4)
          yield* Fiber.interrupt(pings[1]!)
          // Unknown, empty, and somebody else's Pongs answer nothing.
          yield* peer.send(
            Peer.pong(utf8("?")),
            Peer.pong(new Uint8Array(0)),
            Peer.pong(Uint8Array.of(255, 255, 255, 255))
          )
          yield* peer.send(Peer.pong(payloads[2]!))
          yield* Fiber.join(pings[2]!)
          yield* turns()
          assert.sameMembers([...(yield* Ref.get(done))], [0, 2])
          yield* peer.send(Peer.pong(payloads[3]!))
          yield* Fiber.join(pings[3]!)
        })
      )
    }

    test(
      "a Ping that can no longer be answered fails",
      Effect.gen(function* () {
        const { peer, socket } = yield* against(host, "server")
        const pinging = yield* Effect.fork(Effect.flip(socket.ping))
        assert.match(yield* peer.hear, /^Ping/)
        yield* peer.transport.abort
        assert.strictEqual((yield* Fiber.join(pinging)).reason, "ConnectionClosed")
        assert.strictEqual((yield* Effect.flip(socket.ping)).reason, "ConnectionClosed")
      })
    )
  })
}
