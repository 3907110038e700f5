import { connect } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { NodeNetwork } from "@sluice/node"
import { Effect, Either, Queue } from "effect"
import { Frame, MemoryNetwork, Network, Rejection, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { encodeIncoming } from "../chat/messages.js"
import { serve } from "../chat/server.js"
import * as Chat from "../chat/service.js"
import { networks } from "./support/networks.js"
import { visitor } from "./support/visitor.js"

const alone = Effect.gen(function* () {
  const { address } = yield* WebSocketServer.serve({ ...Chat.options, port: 0 }, yield* Chat.make)
  return `ws://${Network.formatAddress(address)}/chat`
})

describe("chat, the service", () => {
  for (const [where, network] of networks) {
    it.scopedLive(`knows who is there, and what they say, ${where}`, () =>
      Effect.gen(function* () {
        const url = yield* alone
        const ada = yield* visitor(url)
        const hello = yield* ada.next
        assert(hello._tag === "Hello")
        assert.match(hello.request, /^GET \/chat HTTP\/1\.1\r\nHost: /)
        assert.match(hello.response, /^HTTP\/1\.1 101 .*Sec-WebSocket-Protocol: chat\.v1\r\n\r\n$/s)

        yield* ada.say({ _tag: "Say", text: "too early" })
        assert.deepStrictEqual(yield* ada.next, { _tag: "Problem", detail: "Join a room first." })

        const one = { id: hello.id, name: "Ada" }
        yield* ada.socket.send('{"_tag":"Join","name":" Ada ","room":"lobby"}')
        assert.deepStrictEqual(yield* ada.next, { _tag: "Room", room: "lobby", members: [one] })

        const grace = yield* visitor(url)
        const { id } = { id: 0, ...(yield* grace.next) }
        const two = { id, name: "Grace" }
        yield* grace.say({ _tag: "Join", name: "Grace", room: "lobby" })
        assert.deepStrictEqual(yield* grace.next, { _tag: "Room", room: "lobby", members: [one, two] })
        assert.deepStrictEqual(yield* ada.next, { _tag: "Joined", member: two })

        yield* grace.say({ _tag: "Say", text: "Hello" })
        for (const { next } of [ada, grace]) {
          assert.deepStrictEqual(yield* next, { _tag: "Said", from: two, text: "Hello" })
        }

        // another room, another name
        const three = { id, name: "Grace H." }
        yield* grace.say({ _tag: "Join", name: "Grace H.", room: "attic" })
        assert.deepStrictEqual(yield* ada.next, { _tag: "Left", member: two })
        assert.deepStrictEqual(yield* grace.next, { _tag: "Room", room: "attic", members: [three] })
        yield* ada.say({ _tag: "Say", text: "Gone?" })
        assert.deepStrictEqual(yield* ada.next, { _tag: "Said", from: one, text: "Gone?" })

        yield* ada.say({ _tag: "Join", name: "Ada", room: "attic" })
        assert.deepStrictEqual(yield* ada.next, { _tag: "Room", room: "attic", members: [three, one] })
        // in the attic nobody has heard what was said in the lobby
        assert.deepStrictEqual(yield* grace.next, { _tag: "Joined", member: one })
        yield* grace.socket.close()
        assert.deepStrictEqual(yield* ada.next, { _tag: "Left", member: three })
      }).pipe(Effect.provide(network))
    )

    it.scopedLive(`explains what it cannot read, and goes on, ${where}`, () =>
      Effect.gen(function* () {
        const ada = yield* visitor(yield* alone)
        yield* ada.next
        const nonsense = [
          "not JSON",
          "{}",
          '{"_tag":"Join","name":"","room":"lobby"}',
          '{"_tag":"Join","name":"Ada"}',
          `{"_tag":"Say","text":"${"x".repeat(2001)}"}`,
          new Uint8Array(3)
        ]
        for (const message of nonsense) {
          yield* ada.socket.send(message)
          assert.strictEqual((yield* ada.next)._tag, "Problem")
        }
        yield* ada.say({ _tag: "Join", name: "Ada", room: "lobby" })
        assert.strictEqual((yield* ada.next)._tag, "Room")
      }).pipe(Effect.provide(network))
    )

    it.scopedLive(`refuses who is wrong here, ${where}`, () =>
      Effect.gen(function* () {
        const url = yield* alone
        const refusal = (request: Partial<WebSocketClient.Request>) =>
          WebSocketClient.connect({ url, subprotocols: ["chat.v1"], ...request }).pipe(Effect.flip)
        const supported = ["chat.v1"]
        assert.deepStrictEqual(
          yield* refusal({ url: `${url}s` }),
          new Rejection.NotFound({ detail: "The chat is at /chat." })
        )
        assert.deepStrictEqual(yield* refusal({ subprotocols: [] }), new Rejection.NoCommonSubprotocol({ supported }))
        assert.deepStrictEqual(
          yield* refusal({ subprotocols: ["x"] }),
          new Rejection.NoCommonSubprotocol({ supported })
        )
        const origin = "http://elsewhere.example"
        assert.deepStrictEqual(yield* refusal({ origin }), new Rejection.ForbiddenOrigin({ origin }))
      }).pipe(Effect.provide(network))
    )
  }

  it.scopedLive("does without who does not read", () =>
    Effect.gen(function* () {
      const url = yield* alone
      const silent = yield* WebSocketClient.connect({ url, subprotocols: ["chat.v1"] })
      yield* silent.send('{"_tag":"Join","name":"Silent","room":"lobby"}')
      const ada = yield* visitor(url)
      yield* ada.say({ _tag: "Join", name: "Ada", room: "lobby" })

      // Ada talks until she sees Silent go; she would talk for ever if the chat waited, or kept everything.
      let isAlone = false
      for (let said = 0; !isAlone; said++) {
        yield* ada.say({ _tag: "Say", text: `${said} ${"x".repeat(1500)}` })
        for (;;) {
          const message = yield* ada.next
          if (message._tag === "Left") isAlone = true
          if (message._tag === "Said") break
        }
        assert.isBelow(said, 1000)
      }
      const reason = yield* Effect.zipRight(
        Effect.ignore(WebSocket.runForEach(silent, () => Effect.void)),
        silent.closed
      )
      assert.deepInclude(reason, { _tag: "Clean", code: 1008, reason: "you read too slowly" })
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )
})

const handshake = (address: Network.Address): Uint8Array => {
  const lines = [
    "GET /chat HTTP/1.1",
    `Host: ${Network.formatAddress(address)}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: chat.v1"
  ]
  return new TextEncoder().encode([...lines, "", ""].join("\r\n"))
}

const payload = new TextEncoder().encode(encodeIncoming({ _tag: "Join", name: "Nobody", room: "lobby" }))

/** Connects, sends the bytes, waits for a message of the server if there is to be one, and resets the connection. */
const vanish = ({ host, port }: Network.Address, bytes: Uint8Array, after?: string) =>
  Effect.async<void>((resume) => {
    let received = ""
    const socket = connect(port, host, () =>
      socket.write(bytes, () => {
        if (after === undefined) socket.resetAndDestroy()
      })
    )
    socket.on("data", (chunk) => {
      received += chunk
      if (after !== undefined && received.includes(`"_tag":"${after}"`)) socket.resetAndDestroy()
    })
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.void))
  })

describe("chat, the server", () => {
  const get = (url: string) => Effect.promise(() => fetch(url))

  it.scopedLive("serves the page, and nothing else", () =>
    Effect.gen(function* () {
      const address = yield* serve(0)
      const base = `http://${Network.formatAddress(address)}`
      for (const [path, type, content] of [
        ["/", "text/html", "<title>"],
        ["/?x", "text/html", "<title>"],
        ["/app.js", "text/javascript", "new WebSocket"],
        ["/style.css", "text/css", ":root"]
      ] as const) {
        const response = yield* get(base + path)
        assert.strictEqual(response.status, 200)
        assert.include(response.headers.get("Content-Type"), type)
        assert.include(yield* Effect.promise(() => response.text()), content)
      }
      for (const path of ["/index.html", "/../main.ts", "/page/app.js", "/chat"]) {
        assert.strictEqual((yield* get(base + path)).status, 404)
      }
    })
  )

  it.scopedLive("outlives those who vanish, at any stage", () =>
    Effect.gen(function* () {
      const address = yield* serve(0)
      const ada = yield* visitor(`ws://${Network.formatAddress(address)}/chat`)
      yield* ada.say({ _tag: "Join", name: "Ada", room: "lobby" })
      assert.strictEqual((yield* ada.next)._tag, "Hello")
      assert.strictEqual((yield* ada.next)._tag, "Room")

      const head = handshake(address)
      const join = Frame.toBytes(Frame.make(Frame.Opcode.Text, payload, { maskingKey: 0x01020304 }))
      for (let i = 0; i < 20; i++) {
        yield* vanish(address, new Uint8Array(0))
        yield* vanish(address, head.subarray(0, 20))
        yield* vanish(address, head)
        yield* vanish(address, head, "Hello")
        yield* vanish(address, Buffer.concat([head, join]), "Room")
        const joined = yield* ada.next
        assert(joined._tag === "Joined")
        assert.deepStrictEqual(yield* ada.next, { _tag: "Left", member: joined.member })
      }
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )

  it.scopedLive("shows the frames of a connection to who knows its key, and to nobody else", () =>
    Effect.gen(function* () {
      const base = `ws://${Network.formatAddress(yield* serve(0))}`
      const ada = yield* visitor(`${base}/chat`)
      const hello = yield* ada.next
      assert(hello._tag === "Hello")
      const key = /^Sec-WebSocket-Key: (.*)$/im.exec(hello.request)?.[1] ?? ""

      const unknown = yield* Effect.either(
        WebSocketClient.connect({ url: `${base}/wire?of=AAAA`, subprotocols: ["wire.v1"] })
      )
      assert.strictEqual(Either.isLeft(unknown) && unknown.left._tag, "NotFound")

      const wire = yield* WebSocketClient.connect({
        url: `${base}/wire?of=${encodeURIComponent(key)}`,
        subprotocols: ["wire.v1"]
      })
      const frames = yield* Queue.unbounded<Record<string, unknown>>()
      yield* WebSocket.runForEach(wire, (message) =>
        Queue.offer(frames, JSON.parse(message._tag === "Text" ? message.text : ""))
      ).pipe(Effect.forkScoped)
      const passed = Effect.map(Queue.take(frames), ({ fin, from, length, masked, opcode, preview }) => [
        from,
        opcode,
        fin,
        masked,
        length,
        String(preview).slice(0, 14)
      ])

      // it has passed before anybody watched
      assert.deepStrictEqual((yield* passed).slice(0, 4), ["server", "Text", true, false])

      yield* ada.say({ _tag: "Say", text: "?" })
      assert.deepStrictEqual(yield* passed, ["client", "Text", true, true, 25, '{"_tag":"Say",'])
      assert.deepStrictEqual(yield* passed, ["server", "Text", true, false, 48, '{"_tag":"Probl'])
      yield* ada.socket.ping
      assert.deepStrictEqual((yield* passed).slice(0, 4), ["client", "Ping", true, true])
      assert.deepStrictEqual((yield* passed).slice(0, 4), ["server", "Pong", true, false])
      yield* ada.socket.close({ code: 1000, reason: "bye" })
      assert.deepStrictEqual(yield* passed, ["client", "Close", true, true, 5, "1000 Normal Cl"])
      assert.deepStrictEqual((yield* passed).slice(0, 4), ["server", "Close", true, false])
      // there is nothing more to watch
      assert.deepInclude(yield* wire.closed, { _tag: "Clean", code: 1000 })
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )
})
