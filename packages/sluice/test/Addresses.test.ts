/** What a client does with where a URL points to: TLS, unix sockets, an address that is known. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Ref } from "effect"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Message from "../src/Message.js"
import * as Network from "../src/Network.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const echoes = (request: WebSocketClient.Request) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect(request)
    yield* socket.send("hello")
    assert.deepStrictEqual(yield* socket.take, [Message.text("hello")])
  })

/** What a network is asked to connect to, and nobody is there. */
const askedOf = (request: WebSocketClient.Request) =>
  Effect.gen(function* () {
    const asked = yield* Ref.make<ReadonlyArray<Network.ConnectOptions>>([])
    const network = Network.Network.of({
      connect: (to) =>
        Effect.zipRight(
          Ref.update(asked, (all) => [...all, to]),
          new Network.TransportError({ reason: "ConnectionRefused", operation: "connect", detail: "nobody" })
        ),
      listen: () => Effect.never
    })
    yield* Effect.flip(Effect.scoped(WebSocketClient.connect(request))).pipe(
      Effect.provideService(Network.Network, network)
    )
    return yield* Ref.get(asked)
  })

describe("where a client connects to", () => {
  const path = "/run/a.sock"
  const rows: ReadonlyArray<readonly [WebSocketClient.Request, Network.ConnectOptions]> = [
    [{ url: "ws://h/" }, { host: "h", port: 80, tls: undefined }],
    [{ url: "ws://h:81/" }, { host: "h", port: 81, tls: undefined }],
    [{ url: "wss://h/" }, { host: "h", port: 443, tls: { serverName: "h" } }],
    [{ url: "wss://[::1]:444/" }, { host: "::1", port: 444, tls: { serverName: "::1" } }],
    [
      { url: "wss://h/", address: { host: "192.0.2.1", port: 8443 } },
      { host: "192.0.2.1", port: 8443, tls: { serverName: "h" } }
    ],
    [
      { url: "ws://h/", address: Network.unixSocket(path) },
      { host: "", port: 0, path, tls: undefined }
    ],
    [
      { url: "wss://h/", address: Network.unixSocket(path) },
      { host: "", port: 0, path, tls: { serverName: "h" } }
    ]
  ]
  for (const [request, expected] of rows) {
    it.effect(
      `${request.url}${request.address === undefined ? "" : ` by ${Network.formatAddress(request.address)}`}`,
      () => Effect.map(askedOf(request), (asked) => assert.deepStrictEqual(asked, [expected]))
    )
  }

  it.effect("a network in memory stands for one with TLS", () =>
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      yield* echoes({ url: `wss://${Network.formatAddress(address)}/` })
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )

  it.effect("a network that knows nothing of TLS is not told what was meant to be secret", () =>
    Effect.gen(function* () {
      const { connect, listen } = yield* Network.Network
      const listener = yield* listen({})
      const url = `wss://${Network.formatAddress(listener.address)}/`
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect(url))).pipe(
        Effect.provideService(Network.Network, { connect, listen })
      )
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "Unsupported"])
      const accepted = yield* listener.accept
      assert.isTrue(Either.isLeft(yield* Effect.either(accepted.read)), "no byte was sent")
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )

  it.effect("a unix socket has its path for an address, and its client none; the Host is that of the URL", () =>
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({ path }, (socket, { accepted, remote }) =>
        socket.send(`${Network.formatAddress(remote)} ${accepted.authority}`)
      )
      assert.deepStrictEqual(address, Network.unixSocket(path))
      const socket = yield* WebSocketClient.connect({ url: "ws://chat.example/", address })
      assert.deepStrictEqual(yield* socket.take, [Message.text("unix: chat.example")])
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )

  it.effect("who come by a unix socket are not counted for each address", () =>
    Effect.gen(function* () {
      const limits = { maxConnectionsPerAddress: 1, maxConnections: 3 }
      const { address, connections } = yield* WebSocketServer.serve({ path, limits }, echo)
      const request = { url: "ws://h/", address }
      yield* Effect.all([echoes(request), echoes(request), echoes(request)])
      assert.strictEqual(yield* connections, 3)
      const refused = yield* Effect.flip(WebSocketClient.connect(request))
      assert.strictEqual(refused._tag, "Unavailable")
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
  )
})
