/** A client behind an HTTP proxy. */
import { createServer } from "node:http"
import { createServer as createTcpServer, connect as netConnect, type Socket } from "node:net"
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { Message, Network, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { scenario } from "../../sluice/test/suites/host.js"
import * as Certificates from "../../sluice/test/support/certificates.js"
import { eventually } from "../../sluice/test/support/turns.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import { addressOf, listening, node } from "./support/hosts.js"
import { freshPath } from "./support/otherHosts.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

interface Asked {
  readonly target: string | undefined
  readonly host: string | undefined
  readonly authorization: string | undefined
}

/** A proxy that connects to whatever it is asked for. */
const proxying = (isAllowed: (asked: Asked) => boolean = () => true) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const server = createServer()
    server.on("connect", (request, socket: Socket, head) => {
      socket.on("error", () => {})
      const { "proxy-authorization": authorization, host } = request.headers
      const one = { target: request.url, host, authorization }
      asked.push(one)
      if (!isAllowed(one)) {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
      }
      const { hostname, port } = new URL(`http://${request.url}`)
      const upstream = netConnect(Number(port), hostname.replace(/^\[(.*)\]$/, "$1"), () => {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n")
        upstream.write(head)
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on("error", () => {}).on("close", () => socket.destroy())
      socket.on("close", () => upstream.destroy())
    })
    yield* listening(server)
    const { host, port } = addressOf(server)
    return { asked, url: (credentials = "") => `http://${credentials}${host}:${port}` }
  })

/** A proxy that says the same to all, and reads on. */
const saying = (answer: string) =>
  Effect.gen(function* () {
    const sockets: Array<Socket> = []
    const server = createTcpServer((socket) => {
      sockets.push(socket)
      socket.on("error", () => {}).once("data", () => (answer === "" ? socket.end() : socket.write(answer)))
    })
    yield* listening(server)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    const { host, port } = addressOf(server)
    return { url: `http://${host}:${port}`, sockets }
  })

const assertEchoes = (request: WebSocketClient.Request) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect(request)
    const text = "hello ".repeat(10_000)
    yield* socket.send(text)
    assert.deepStrictEqual(yield* socket.take, [Message.text(text)])
  }).pipe(Effect.scoped)

const by = (options: NodeNetwork.Options) => Effect.provide(NodeNetwork.layer(options))

describe("a client behind a proxy", () => {
  const test = scenario(node)

  test(
    "reaches the server through a tunnel, and says who it is to the proxy only",
    Effect.gen(function* () {
      const proxy = yield* proxying()
      const { address } = yield* WebSocketServer.serve({}, echo)
      const target = Network.formatAddress(address)
      yield* assertEchoes({ url: `ws://${target}/` }).pipe(by({ proxy: proxy.url("ada:p%40ss@") }))
      yield* assertEchoes({ url: `ws://${target}/` }).pipe(by({ proxy: proxy.url() }))
      assert.deepStrictEqual(proxy.asked, [
        { target, host: target, authorization: `Basic ${btoa("ada:p@ss")}` },
        { target, host: target, authorization: undefined }
      ])
    })
  )

  test(
    "speaks TLS with the server, through the tunnel",
    Effect.gen(function* () {
      const { ca, server } = Certificates
      const proxy = yield* proxying()
      const { address } = yield* WebSocketServer.serve({}, echo).pipe(by({ tls: { server } }))
      yield* assertEchoes({ url: `wss://localhost:${address.port}/` }).pipe(
        by({ proxy: new URL(proxy.url()), tls: { client: { ca } } })
      )
      assert.strictEqual(proxy.asked[0]?.target, `localhost:${address.port}`)
    })
  )

  test(
    "may have one for some addresses, and none for a unix socket",
    Effect.gen(function* () {
      const proxy = yield* proxying()
      const local = yield* WebSocketServer.serve({ path: freshPath() }, echo)
      const { address } = yield* WebSocketServer.serve({}, echo)
      const network = by({ proxy: ({ host }) => (host === "localhost" ? proxy.url() : undefined) })
      yield* assertEchoes({ url: `ws://127.0.0.1:${address.port}/` }).pipe(network)
      yield* assertEchoes({ url: "ws://localhost/", address: local.address }).pipe(network)
      assert.deepStrictEqual(proxy.asked, [])
      yield* assertEchoes({ url: `ws://localhost:${address.port}/` }).pipe(network)
      assert.strictEqual(proxy.asked.length, 1)
    })
  )

  const answers: ReadonlyArray<readonly [what: string, answer: string, reason: string, message: RegExp]> = [
    ["407", "HTTP/1.1 407 Who are you\r\n\r\n", "PermissionDenied", /407 Who are you/],
    ["502", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "ConnectionRefused", /502 Bad Gateway/],
    ["a redirect", "HTTP/1.1 302 Found\r\nLocation: http://h/\r\n\r\n", "ConnectionRefused", /302/],
    ["something else", "220 smtp.example.com ESMTP\r\n\r\n", "Unknown", /no HTTP/],
    ["a head without end", `HTTP/1.1 200 ${"x".repeat(20_000)}`, "Unknown", /no HTTP/],
    ["nothing", "", "UnexpectedEnd", /without an answer/],
    ["more 1xx than anybody needs", "HTTP/1.1 102 Processing\r\n\r\n".repeat(17), "Unknown", /more than 16/]
  ]
  for (const [what, answer, reason, message] of answers) {
    test(
      `that is answered with ${what} fails with ${reason}, and leaves`,
      Effect.gen(function* () {
        const { sockets, url } = yield* saying(answer)
        const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect("ws://192.0.2.1/"))).pipe(
          by({ proxy: url })
        )
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", reason])
        assert.match(error.message, message)
        yield* eventually("the proxy is left", () => sockets.every((socket) => socket.closed || socket.readableEnded))
      })
    )
  }

  test(
    "that is reset by it fails with ConnectionReset",
    Effect.gen(function* () {
      const server = yield* listening(
        createTcpServer((socket) => socket.on("error", () => {}).once("data", () => socket.resetAndDestroy()))
      )
      const proxy = `http://${Network.formatAddress(addressOf(server))}`
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect("ws://192.0.2.1/"))).pipe(by({ proxy }))
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "ConnectionReset"])
    })
  )

  test(
    "goes on after an interim answer, and keeps what comes behind the head",
    Effect.gen(function* () {
      const { url } = yield* saying(`${"HTTP/1.1 100 Continue\r\n\r\n".repeat(16)}HTTP/1.1 200 OK\r\n\r\nearly`)
      const { connect } = NodeNetwork.make({ proxy: url })
      const transport = yield* connect({ host: "192.0.2.1", port: 80 })
      assert.strictEqual(new TextDecoder().decode(yield* transport.read), "early")
      assert.deepStrictEqual(transport.remote, { host: "192.0.2.1", port: 80 })
    })
  )

  test(
    "that is interrupted leaves the proxy",
    Effect.gen(function* () {
      const heard = yield* Deferred.make<Socket>()
      const server = createTcpServer((socket) => {
        socket.on("error", () => {}).once("data", () => Effect.runSync(Deferred.succeed(heard, socket)))
      })
      yield* listening(server)
      const { host, port } = addressOf(server)
      const connecting = yield* Effect.fork(
        Effect.scoped(WebSocketClient.connect("ws://192.0.2.1/")).pipe(by({ proxy: `http://${host}:${port}` }))
      )
      const socket = yield* Deferred.await(heard)
      yield* Fiber.interrupt(connecting)
      yield* eventually("the socket is closed or at its end", () => socket.closed || socket.readableEnded)
      socket.destroy()
    })
  )

  for (const [proxy, message] of [
    ["nonsense", /http:\/\/host:port/],
    ["https://127.0.0.1:1", /https:/],
    ["socks5://127.0.0.1:1", /socks5:/]
  ] as const) {
    test(
      `that is ${proxy} is an error`,
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect("ws://192.0.2.1/"))).pipe(by({ proxy }))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "Unsupported"])
        assert.match(error.message, message)
      })
    )
  }

  test(
    "says that the proxy itself cannot be reached",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const { address } = yield* Effect.scoped(network.listen({}))
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect("ws://192.0.2.1/"))).pipe(
        by({ proxy: `http://${Network.formatAddress(address)}` })
      )
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "ConnectionRefused"])
    })
  )
})
