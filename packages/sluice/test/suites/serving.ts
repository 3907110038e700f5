/** Services: who comes in, what the application decides, and how a server ends; on every host. */
import { assert, describe } from "@effect/vitest"
import { Chunk, Deferred, Effect, Either, Equal, Exit, Fiber, Layer, Queue, Ref, Scope, Stream } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as Protocol from "../../src/Protocol.js"
import * as Rejection from "../../src/Rejection.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { concat, utf8 } from "../support/bytes.js"
import { fields, head, latin1, toLatin1 } from "../support/http.js"
import { logged } from "../support/logs.js"
import * as Peer from "../support/peer.js"
import { eventuallyEffect, turn, turns } from "../support/turns.js"
import { type Host, scenario, urlOf } from "./host.js"

const custom = (options: Parameters<typeof Rejection.custom>[0]): Rejection.Rejection =>
  Either.getOrThrow(Rejection.custom(options))

/** One of each refusal at least. */
const rejections: ReadonlyArray<Rejection.Rejection> = [
  new Rejection.NotAnUpgrade(),
  new Rejection.NotAnUpgrade({ supported: ["websocket", "mirror/1"] }),
  new Rejection.UnsupportedVersion(),
  new Rejection.BadRequest({ reason: "Key", detail: "there is no key" }),
  new Rejection.BadRequest({ reason: "Version", detail: "not 13" }),
  new Rejection.MethodNotAllowed(),
  new Rejection.HttpVersionNotSupported(),
  new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail: "who are you? \u20ac" }),
  new Rejection.Forbidden({ detail: "not you" }),
  new Rejection.Forbidden(),
  new Rejection.ForbiddenOrigin({ origin: "https://example.net" }),
  new Rejection.NotFound({ detail: "no such room" }),
  new Rejection.NoCommonSubprotocol({ supported: ["a", "b"] }),
  new Rejection.TargetTooLong({ limit: 10, seen: 11 }),
  new Rejection.HeadTooLarge({ what: "fields", limit: 128, seen: 129 }),
  new Rejection.HandshakeTimeout({ timeout: 10_000 }),
  new Rejection.TooManyRequests({ retryAfter: 7, detail: "slowly" }),
  new Rejection.Unavailable({ retryAfter: 30 }),
  custom({ status: 302, fields: fields(["Location", "https://example.com/"]), body: "there" }),
  custom({ status: 418, reason: "I'm a teapot", fields: fields(["X", "1"], ["x", "2"]), body: Uint8Array.of(0, 255) }),
  custom({ status: 500 })
]

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const refused = (request: string | WebSocketClient.Request) =>
  Effect.scoped(Effect.flip(WebSocketClient.connect(request)))

const assertRejected = (actual: unknown, expected: Rejection.Rejection) =>
  assert.isTrue(Equal.equals(actual, expected), `${String(actual)} is not ${String(expected)}`)

const noConnections = (connections: Effect.Effect<number>) =>
  eventuallyEffect(
    "nobody is connected any more",
    Effect.map(connections, (count) => count === 0)
  )

/** Sends bytes as a client that is not ours, and reads what comes until the end of the connection. */
const exchange = (address: Network.Address, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const transport = yield* network.connect(address)
    yield* transport.write(bytes)
    const chunks = yield* Stream.runCollect(Network.reads(transport))
    yield* transport.endOfOutput
    return toLatin1(concat(chunks))
  }).pipe(Effect.scoped)

export const serving = (host: Host): void => {
  const test = scenario(host)

  describe(`the opening handshake on ${host.name}`, () => {
    test(
      "a request and frames behind it may be cut anywhere",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const network = yield* Network.Network
        const bytes = Peer.opening(Peer.text("early"), Peer.ping("x"))
        const call = (parts: ReadonlyArray<Uint8Array>) =>
          Effect.gen(function* () {
            const transport = yield* network.connect(address)
            for (const part of parts) {
              yield* transport.write(part)
              yield* turn
            }
            const { head, rest } = yield* Peer.readHead(transport)
            assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
            assert.include(head, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
            const peer = Peer.make(transport, "client", rest)
            assert.sameMembers([yield* peer.hear, yield* peer.hear], ['Text "early"', "Pong 78"])
            yield* peer.send(Peer.close(1000))
            assert.deepStrictEqual(yield* peer.hearAll, ['Close 1000 ""', "End"])
            yield* transport.endOfOutput
          }).pipe(Effect.scoped)
        const halves = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.slice(0, at), bytes.slice(at)])
        const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
        yield* Effect.forEach([single, ...halves], call, { concurrency: 64, discard: true })
        yield* noConnections(connections)
      })
    )

    test(
      "a refusal is the same for the client as for the server",
      Effect.gen(function* () {
        const handled = yield* Ref.make(0)
        const { address, connections } = yield* host.serve(
          { authenticate: ({ resource }) => rejections[Number(resource.slice(1))] ?? new Rejection.NotFound() },
          () => Ref.update(handled, (count) => count + 1)
        )
        for (const [i, rejection] of rejections.entries()) {
          assertRejected(yield* refused(urlOf(address, `/${i}`)), rejection)
        }
        assert.strictEqual(yield* Ref.get(handled), 0)
        yield* noConnections(connections)
      })
    )

    test(
      "what the policy refuses does not come to the application",
      Effect.gen(function* () {
        const asked = yield* Ref.make<ReadonlyArray<string>>([])
        const { address } = yield* host.serve(
          {
            subprotocols: ["b", "a"],
            subprotocolRequired: true,
            authenticate: ({ resource }) => Ref.update(asked, (all) => [...all, resource])
          },
          (socket) => socket.closed
        )
        const url = urlOf(address)
        const origin = "https://evil.example"
        assertRejected(yield* refused({ url, origin, subprotocols: ["a"] }), new Rejection.ForbiddenOrigin({ origin }))
        assertRejected(
          yield* refused({ url, origin: "null", subprotocols: ["a"] }),
          new Rejection.ForbiddenOrigin({ origin: "null" })
        )
        for (const subprotocols of [[], ["c"], ["A"]]) {
          assertRejected(
            yield* refused({ url, subprotocols }),
            new Rejection.NoCommonSubprotocol({ supported: ["b", "a"] })
          )
        }
        const own = `http://${Network.formatAddress(address)}`
        const socket = yield* WebSocketClient.connect({ url, origin: own, subprotocols: ["a", "b"] })
        // The server's order counts, and the choice is in the type.
        const subprotocol: "a" | "b" | undefined = socket.subprotocol
        assert.strictEqual(subprotocol, "b")
        assert.deepStrictEqual(yield* Ref.get(asked), ["/"])
      })
    )

    test(
      "requests that are wrong get one reply, and a connection that ends without a reset",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const valid = toLatin1(Peer.request("/"))
        const bad: ReadonlyArray<readonly [what: string, request: string, status: string]> = [
          ["a POST", valid.replace("GET", "POST"), "405 Method Not Allowed"],
          ["no key", valid.replace(/Sec-WebSocket-Key.*\r\n/, ""), "400 Bad Request"],
          ["a bad key", valid.replace(Peer.key, "c2hvcnQ="), "400 Bad Request"],
          ["version 12", valid.replace("Version: 13", "Version: 12"), "426 Upgrade Required"],
          ["two keys", valid.replace("\r\n\r\n", `\r\nSec-WebSocket-Key: ${Peer.key}\r\n\r\n`), "400 Bad Request"],
          ["another protocol", valid.replace("Upgrade: websocket", "Upgrade: h2c"), "426 Upgrade Required"],
          ["a body behind it", valid.replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello"), "400 Bad Request"],
          ...(host.isGuest
            ? []
            : ([
                ["HTTP/1.0", valid.replace("HTTP/1.1", "HTTP/1.0"), "505 HTTP Version Not Supported"],
                ["no request at all", "hello\r\n\r\n", "400 Bad Request"],
                ["no Host", valid.replace("Host: localhost\r\n", ""), "400 Bad Request"],
                ["no Upgrade", valid.replace("Upgrade: websocket\r\n", ""), "426 Upgrade Required"],
                ["a long target", valid.replace("GET /", `GET /${"x".repeat(9000)}`), "414 URI Too Long"],
                [
                  "a head without end",
                  `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`,
                  "431 Request Header Fields Too Large"
                ]
              ] as const))
        ]
        for (const [what, request, status] of bad) {
          const reply = yield* exchange(address, latin1(request))
          assert.isTrue(reply.startsWith(`HTTP/1.1 ${status}\r\n`), `${what}: ${reply}`)
          assert.strictEqual(reply.split("HTTP/1.1 ").length, 2, `${what}: one reply`)
          assert.match(reply, /\r\nConnection: (?:Upgrade, )?close\r\n/, what)
          const length = Number(/\r\nContent-Length: (\d+)\r\n/.exec(reply)?.[1])
          assert.strictEqual(reply.slice(reply.indexOf("\r\n\r\n") + 4).length, length, what)
        }
        yield* noConnections(connections)
      })
    )

    test(
      "a client that was refused and goes on sending is cut",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({ authenticate: () => new Rejection.Forbidden() }, echo)
        const network = yield* Network.Network
        const transport = yield* network.connect(address)
        yield* transport.write(Peer.request("/"))
        const more = transport.write(new Uint8Array(64 * 1024))
        yield* Effect.flip(Effect.repeatN(more, Math.ceil(host.held / (64 * 1024)) + 8))
        yield* noConnections(connections)
      })
    )

    test(
      "a client that leaves before its request is complete is nobody",
      Effect.gen(function* () {
        const handled = yield* Ref.make(0)
        const { address, connections } = yield* host.serve({}, () => Ref.update(handled, (count) => count + 1))
        const network = yield* Network.Network
        const bytes = Peer.request("/")
        for (const leave of ["endOfOutput", "abort"] as const) {
          for (const size of [0, 1, 20, bytes.length - 1]) {
            const transport = yield* network.connect(address)
            yield* transport.write(bytes.slice(0, size))
            yield* turn
            yield* transport[leave]
          }
        }
        yield* noConnections(connections)
        assert.strictEqual(yield* Ref.get(handled), 0)
      })
    )
  })

  describe(`what the application decides on ${host.name}`, () => {
    test(
      "sees the request, and its principal comes to the handler",
      Effect.gen(function* () {
        const seen =
          yield* Queue.unbounded<WebSocketServer.Connected<"v2" | "v1" | undefined, { readonly user: string }>>()
        const requests = yield* Queue.unbounded<WebSocketServer.Incoming>()
        const { address } = yield* host.serve(
          {
            subprotocols: ["v2", "v1"],
            origin: "any",
            authenticate: (incoming) =>
              Effect.as(Queue.offer(requests, incoming), {
                user: Fields.get(incoming.request.fields, "Authorization") ?? "nobody"
              })
          },
          (socket, connected) => Effect.zipRight(Queue.offer(seen, connected), socket.closed)
        )
        for (const id of [1, 2]) {
          const client = yield* WebSocketClient.connect({
            url: urlOf(address, "/room/7?since=12"),
            subprotocols: ["v1"],
            origin: "https://example.net",
            fields: [["Authorization", `Bearer ${id}`]]
          })
          const incoming = yield* Queue.take(requests)
          assert.strictEqual(incoming.resource, "/room/7?since=12")
          assert.strictEqual(incoming.origin, "https://example.net")
          assert.deepStrictEqual(incoming.subprotocols, ["v1"])
          assert.strictEqual(incoming.authority, Network.formatAddress(address))
          const connected = yield* Queue.take(seen)
          const user: string = connected.principal.user
          assert.deepStrictEqual([connected.id, user], [id, `Bearer ${id}`])
          assert.deepStrictEqual(connected.remote, incoming.remote)
          assert.strictEqual(connected.remote.host, "127.0.0.1")
          assert.strictEqual(connected.accepted.subprotocol, "v1")
          assert.strictEqual(client.subprotocol, "v1")
        }
      })
    )

    test(
      "may take its time, and loses nothing that comes meanwhile",
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const { address } = yield* host.serve({ authenticate: () => Deferred.await(gate) }, echo)
        const network = yield* Network.Network
        const transport = yield* network.connect(address)
        yield* transport.write(Peer.opening(Peer.text("with it")))
        yield* turns()
        const peer = Peer.make(transport, "client")
        yield* peer.send(Peer.text("after it"))
        yield* turns()
        yield* Deferred.succeed(gate, undefined)
        const { rest } = yield* Peer.readHead(transport)
        const late = Peer.make(transport, "client", rest)
        assert.deepStrictEqual([yield* late.hear, yield* late.hear], ['Text "with it"', 'Text "after it"'])
      })
    )

    for (const [what, authenticate] of [
      ["dies", () => Effect.die(new Error("secret"))],
      [
        "throws",
        () => {
          throw new Error("secret")
        }
      ]
    ] as const) {
      test(
        `answers 500 when it ${what}, says why in the log and not to the client`,
        logged((logs) =>
          Effect.gen(function* () {
            const { address, connections } = yield* host.serve({ authenticate }, echo)
            const error = yield* refused(urlOf(address))
            assertRejected(error, custom({ status: 500, body: "The server failed.\n" }))
            yield* noConnections(connections)
            const [entry, ...others] = logs.filter(({ level }) => level === "ERROR")
            assert.include(entry?.text, "secret")
            assert.strictEqual(others.length, 0)
          })
        )
      )
    }

    test(
      "adds fields and cookies to the 101",
      Effect.gen(function* () {
        const { address } = yield* host.serve(
          {
            authenticate: ({ resource }) => Effect.succeed(resource.slice(1)),
            fields: ({ key }, principal) =>
              Effect.succeed([
                ["Set-Cookie", `user=${principal}`],
                ["Set-Cookie", "theme=dark; Secure"],
                ["X-Key", key]
              ] as const)
          },
          echo
        )
        const { response } = yield* WebSocketClient.connect(urlOf(address, "/ada"))
        assert.deepStrictEqual(Fields.getAll(response.fields, "set-cookie"), ["user=ada", "theme=dark; Secure"])
        assert.strictEqual(Fields.getAll(response.fields, "X-Key").length, 1)
        assert.strictEqual(response.status, 101)
      })
    )

    for (const [what, entry] of [
      ["a line break", ["X-A", "1\r\nSet-Cookie: admin=1"]],
      ["a NUL", ["X-A", "\u0000"]],
      ["a name that is none", ["X A", "1"]],
      ["a field of the handshake", ["Sec-WebSocket-Accept", "forged"]],
      ["a field of a body", ["Content-Length", "5"]]
    ] as const) {
      test(
        `answers 500 for a field with ${what}, and writes none of it`,
        logged((logs) =>
          Effect.gen(function* () {
            const { address } = yield* host.serve({ fields: () => Effect.succeed([entry]) }, echo)
            const reply = yield* exchange(address, Peer.request("/"))
            assert.match(reply, /^HTTP\/1\.1 500 Internal Server Error\r\n/)
            assert.notMatch(reply, / 101 |Set-Cookie|X-A|forged/)
            const errors = logs.filter(({ level }) => level === "ERROR")
            assert.strictEqual(errors.length, 1)
            assert.include(errors[0]?.text, "FieldError")
          })
        )
      )
    }

    test(
      "refuses with the fields, too",
      Effect.gen(function* () {
        const rejection = new Rejection.Unavailable({ retryAfter: 3 })
        const { address } = yield* host.serve({ fields: () => rejection }, echo)
        assertRejected(yield* refused(urlOf(address)), rejection)
      })
    )
  })

  describe(`protocols beside WebSocket on ${host.name}`, () => {
    const mirror = WebSocketServer.upgrade(
      "mirror/1",
      ({ negotiated, rest, transport }) =>
        Effect.gen(function* () {
          const protocol: "mirror/1" = negotiated.protocol
          yield* transport.write(utf8(`${protocol} ${negotiated.resource}:`))
          yield* transport.write(rest)
          yield* Stream.runForEach(Network.reads(transport), (bytes) => transport.write(bytes))
        }),
      {
        authorize: ({ resource }) =>
          resource === "/private" ? new Rejection.Forbidden() : Effect.succeed([["X-Mirror", "yes"]] as const)
      }
    )
    const once = WebSocketServer.upgrade("once", ({ transport }) => transport.write(utf8("done")))
    const failing = WebSocketServer.upgrade("failing", ({ rest }) => Effect.dieMessage(`no ${rest.length}`))
    const services = { upgrades: [mirror, once, failing] }

    const asking = (protocol: string, target: string, ...more: ReadonlyArray<string>) =>
      latin1(head(`GET ${target} HTTP/1.1`, "Host: h", "Connection: upgrade", `Upgrade: ${protocol}`, ...more))

    test(
      "gets the connection and what came with the request",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(services, echo)
        const network = yield* Network.Network
        const transport = yield* network.connect(address)
        yield* transport.write(concat([asking("mirror/1", "/log?a"), utf8("early ")]))
        const { head, rest } = yield* Peer.readHead(transport)
        assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
        assert.include(head, "\r\nUpgrade: mirror/1\r\n")
        assert.include(head, "\r\nX-Mirror: yes\r\n")
        assert.notInclude(head, "Sec-WebSocket")
        yield* transport.write(utf8("and late"))
        yield* transport.endOfOutput
        const others = yield* Stream.runCollect(Network.reads(transport))
        assert.strictEqual(toLatin1(concat([rest, ...others])), "mirror/1 /log?a:early and late")
        yield* noConnections(connections)
      })
    )

    test(
      "leaves WebSocket as it is",
      Effect.gen(function* () {
        const { address } = yield* host.serve(services, echo)
        const client = yield* WebSocketClient.connect(urlOf(address))
        yield* client.send("hello")
        assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
      })
    )

    test(
      "the one that the client wants most is taken",
      Effect.gen(function* () {
        const { address } = yield* host.serve(services, echo)
        const reply = yield* exchange(address, asking("h2c, ONCE, mirror/1, websocket", "/"))
        assert.include(reply, "\r\nUpgrade: once\r\n")
        assert.isTrue(reply.endsWith("\r\n\r\ndone"), reply)
      })
    )

    test(
      "one that is not served is refused with those that are",
      Effect.gen(function* () {
        const { address } = yield* host.serve(services, echo)
        const reply = yield* exchange(address, asking("mirror/2", "/"))
        assert.match(reply, /^HTTP\/1\.1 426 /)
        assert.include(reply, "\r\nUpgrade: websocket, mirror/1, once, failing\r\n")
      })
    )

    test(
      "may refuse",
      Effect.gen(function* () {
        const { address } = yield* host.serve(services, echo)
        assert.match(yield* exchange(address, asking("mirror/1", "/private")), /^HTTP\/1\.1 403 /)
      })
    )

    test(
      "a client that expects a 100 gets it before the 101 (RFC 9110 §7.8)",
      Effect.gen(function* () {
        const { address } = yield* host.serve(services, echo)
        const reply = yield* exchange(address, asking("once", "/", "Expect: 100-continue"))
        assert.match(reply, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 101 /)
      })
    )

    test(
      "a handler that fails ends the connection, is logged, and ends nothing else",
      logged((logs) =>
        Effect.gen(function* () {
          const { address, connections } = yield* host.serve(services, echo)
          assert.match(yield* exchange(address, asking("failing", "/")), /^HTTP\/1\.1 101 /)
          yield* noConnections(connections)
          assert.strictEqual(logs.filter(({ level }) => level === "ERROR").length, 1)
          assert.isTrue((yield* exchange(address, asking("once", "/"))).endsWith("done"))
        })
      )
    )
  })

  describe(`how many come in on ${host.name}`, () => {
    test(
      "maxConnections: 503 and Retry-After for those above it, nothing at all for those far above it",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({ limits: { maxConnections: 2 } }, (socket) => socket.closed)
        const first = yield* WebSocketClient.connect(urlOf(address))
        yield* WebSocketClient.connect(urlOf(address))
        const error = yield* refused(urlOf(address))
        assertRejected(
          error,
          new Rejection.Unavailable({ retryAfter: 1, detail: "The server has 2 connections, its limit." })
        )
        // Two that are refused and stay: those who come then do not even get a reply.
        const network = yield* Network.Network
        const waiting: Array<Network.Transport> = []
        yield* eventuallyEffect(
          "only the two are left",
          Effect.map(connections, (count) => count === 2)
        )
        for (const count of [3, 4]) {
          const transport = yield* network.connect(address)
          yield* transport.write(Peer.request("/"))
          const { head } = yield* Peer.readHead(transport)
          assert.match(head, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/)
          assert.strictEqual(yield* connections, count)
          waiting.push(transport)
        }
        // The reset may be there before the connection is.
        const cut = yield* Effect.either(exchange(address, Peer.request("/")))
        assert.isTrue(Either.isLeft(cut) && cut.left._tag === "TransportError")
        for (const transport of waiting) yield* transport.endOfOutput
        yield* first.close()
        yield* eventuallyEffect(
          "there is room",
          Effect.map(connections, (count) => count === 1)
        )
        yield* WebSocketClient.connect(urlOf(address))
      })
    )

    test(
      "maxHandshakes: 503 while the application decides on others",
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const asked = yield* Queue.unbounded<void>()
        const { address } = yield* host.serve(
          {
            limits: { maxHandshakes: 1 },
            authenticate: ({ resource }) =>
              resource === "/slow" ? Effect.zipRight(Queue.offer(asked, undefined), Deferred.await(gate)) : Effect.void
          },
          (socket) => socket.closed
        )
        const slow = yield* Effect.fork(WebSocketClient.connect(urlOf(address, "/slow")))
        yield* Queue.take(asked)
        for (let i = 0; i < 3; i++) {
          assertRejected(
            yield* refused(urlOf(address)),
            new Rejection.Unavailable({ retryAfter: 1, detail: "The server has 1 handshakes in flight, its limit." })
          )
        }
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(slow)
        // Who is refused is in no handshake any more, even if he stays.
        const network = yield* Network.Network
        const stays = yield* network.connect(address)
        yield* stays.write(latin1(toLatin1(Peer.request("/")).replace("Version: 13", "Version: 1")))
        assert.match((yield* Peer.readHead(stays)).head, /^HTTP\/1\.1 426 /)
        yield* WebSocketClient.connect(urlOf(address))
      })
    )

    test(
      "maxConnectionsPerAddress: 429",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve(
          { limits: { maxConnectionsPerAddress: 1 } },
          (socket) => socket.closed
        )
        const first = yield* WebSocketClient.connect(urlOf(address))
        assertRejected(
          yield* refused(urlOf(address)),
          new Rejection.TooManyRequests({
            retryAfter: 1,
            detail: "2 connections from 127.0.0.1; the limit is 1."
          })
        )
        yield* first.close()
        yield* noConnections(connections)
        yield* WebSocketClient.connect(urlOf(address))
      })
    )

    test(
      "the server counts its connections",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, (socket) => socket.closed)
        const scope = yield* Scope.make()
        yield* Effect.forEach(Chunk.range(1, 30), () => Scope.extend(WebSocketClient.connect(urlOf(address)), scope), {
          concurrency: 10
        })
        assert.strictEqual(yield* connections, 30)
        yield* Scope.close(scope, Exit.void)
        yield* noConnections(connections)
      })
    )
  })

  describe(`handlers on ${host.name}`, () => {
    const ends: ReadonlyArray<
      readonly [what: string, handler: () => Effect.Effect<unknown, string>, code: number, errors: number]
    > = [
      ["succeeds", () => Effect.void, 1000, 0],
      ["fails", () => Effect.fail("no"), 1011, 1],
      ["dies", () => Effect.dieMessage("no"), 1011, 1],
      ["is interrupted", () => Effect.interrupt, 1001, 0],
      [
        "throws",
        () => {
          throw new Error("no")
        },
        1011,
        1
      ]
    ]
    for (const [what, handler, code, errors] of ends) {
      test(
        `one that ${what} closes with ${code}`,
        logged((logs) =>
          Effect.gen(function* () {
            const { address, connections } = yield* host.serve({}, handler)
            const client = yield* WebSocketClient.connect(urlOf(address))
            assert.deepStrictEqual(
              yield* client.closed,
              Protocol.CloseReason.Clean({ code, reason: "", initiator: "peer" })
            )
            yield* noConnections(connections)
            assert.strictEqual(logs.filter(({ level }) => level === "ERROR").length, errors)
            // The server goes on.
            yield* WebSocketClient.connect(urlOf(address))
          })
        )
      )
    }

    test(
      "each has a scope of its own, and what it forks ends with it",
      Effect.gen(function* () {
        const events = yield* Queue.unbounded<string>()
        const { address } = yield* host.serve({}, (socket) =>
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Queue.offer(events, "finalizer"))
            yield* Effect.fork(Effect.onInterrupt(Effect.never, () => Queue.offer(events, "fork")))
            yield* Effect.forkScoped(Effect.onInterrupt(Effect.never, () => Queue.offer(events, "forkScoped")))
            yield* socket.take
          })
        )
        const client = yield* WebSocketClient.connect(urlOf(address))
        yield* client.send("end")
        assert.strictEqual(Protocol.codeOf(yield* client.closed), 1000)
        const all = yield* Effect.all([Queue.take(events), Queue.take(events), Queue.take(events)])
        assert.sameMembers(all, ["finalizer", "fork", "forkScoped"])
      })
    )

    test(
      "a peer that breaks a rule, leaves or resets is no error of the server",
      logged((logs) =>
        Effect.gen(function* () {
          const { address, connections } = yield* host.serve({}, echo)
          const violating = yield* Peer.connect(address)
          yield* violating.send({ opcode: 3 })
          assert.strictEqual(yield* violating.hear, 'Close 1002 "ReservedOpcode"')
          yield* violating.transport.endOfOutput
          const leaving = yield* Peer.connect(address)
          yield* leaving.transport.endOfOutput
          const resetting = yield* Peer.connect(address)
          yield* resetting.transport.abort
          yield* noConnections(connections)
          assert.deepStrictEqual(
            logs.filter(({ level }) => level === "ERROR" || level === "WARN"),
            []
          )
        })
      )
    )

    test(
      "what a handler has accepted is answered, though the peer has closed",
      Effect.gen(function* () {
        const handled = yield* Queue.unbounded<string>()
        const { address } = yield* host.serve({}, (socket) =>
          WebSocket.runForEach(socket, (message) => Queue.offer(handled, Message.isText(message) ? message.text : ""))
        )
        const peer = yield* Peer.connect(address)
        yield* peer.send(...["1", "2", "3"].map(Peer.text), Peer.close(1000))
        assert.deepStrictEqual([...(yield* Queue.takeN(handled, 3))], ["1", "2", "3"])
      })
    )
  })

  describe(`draining on ${host.name}`, () => {
    test(
      "everybody is told 1001, and handlers finish what they have accepted",
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const gate = yield* Deferred.make<void>()
        const handled: Array<string> = []
        const reasons = yield* Queue.unbounded<Protocol.CloseReason>()
        const { address, connections } = yield* Scope.extend(
          host.serve({}, (socket) =>
            Effect.gen(function* () {
              yield* WebSocket.runForEach(socket, (message) =>
                Effect.zipRight(
                  Deferred.await(gate),
                  Effect.sync(() => handled.push(Message.isText(message) ? message.text : ""))
                )
              )
              yield* Queue.offer(reasons, yield* socket.closed)
            })
          ),
          scope
        )
        const idle = yield* WebSocketClient.connect(urlOf(address))
        const busy = yield* WebSocketClient.connect(urlOf(address))
        yield* busy.sendAll(["1", "2", "3"])
        yield* busy.ping
        const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
        const reason = Protocol.CloseReason.Clean({ code: 1001, reason: "", initiator: "peer" })
        assert.deepStrictEqual(yield* idle.closed, reason)
        assert.deepStrictEqual(yield* busy.closed, reason)
        assert.deepStrictEqual(handled, [])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(draining)
        assert.deepStrictEqual(handled, ["1", "2", "3"])
        assert.strictEqual(yield* connections, 0)
        for (const reason of yield* Queue.takeAll(reasons)) {
          assert.deepStrictEqual(reason, Protocol.CloseReason.Drained({ code: 1001, reason: "" }))
        }
      })
    )

    test(
      "a handshake on which the application decides gets a 503",
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const gate = yield* Deferred.make<void>()
        const asked = yield* Deferred.make<void>()
        const { address } = yield* Scope.extend(
          host.serve(
            { authenticate: () => Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(gate)) },
            echo
          ),
          scope
        )
        const connecting = yield* Effect.fork(refused(urlOf(address)))
        yield* Deferred.await(asked)
        const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* turns()
        yield* Deferred.succeed(gate, undefined)
        assertRejected(
          yield* Fiber.join(connecting),
          new Rejection.Unavailable({ retryAfter: 1, detail: "The server is shutting down." })
        )
        yield* Fiber.join(draining)
      })
    )

    if (!host.isGuest) {
      test(
        "a request that has not come whole gets a 503, and nobody new comes in",
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const { address, connections } = yield* Scope.extend(host.serve({}, echo), scope)
          const network = yield* Network.Network
          const transport = yield* network.connect(address)
          yield* transport.write(Peer.request("/").slice(0, 30))
          yield* eventuallyEffect(
            "it is there",
            Effect.map(connections, (count) => count === 1)
          )
          const draining = yield* Effect.fork(Scope.close(scope, Exit.void))
          assert.match((yield* Peer.readHead(transport)).head, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/)
          assertRejected(
            yield* refused(urlOf(address)),
            new Rejection.Unavailable({ retryAfter: 1, detail: "The server is shutting down." })
          )
          yield* transport.endOfOutput
          yield* Fiber.join(draining)
          const late = yield* refused(urlOf(address))
          assert.deepStrictEqual([late._tag, "reason" in late && late.reason], ["TransportError", "ConnectionRefused"])
        })
      )

      test(
        "a layer serves for as long as it lives",
        Effect.gen(function* () {
          const service = WebSocketServer.layer({ port: 0 }, echo)
          const network = yield* Network.Network
          const { address } = yield* Effect.gen(function* () {
            const server = yield* WebSocketServer.WebSocketServer
            const client = yield* WebSocketClient.connect(urlOf(server.address))
            yield* client.send("hello")
            assert.deepStrictEqual(yield* client.take, [Message.text("hello")])
            yield* client.close()
            return server
          }).pipe(Effect.scoped, Effect.provide(Layer.provide(service, Layer.succeed(Network.Network, network))))
          const late = yield* refused(urlOf(address))
          assert.strictEqual("reason" in late && late.reason, "ConnectionRefused")
        })
      )

      test(
        "an address that is taken is an error of the server",
        Effect.gen(function* () {
          const { address } = yield* host.serve({}, echo)
          const error = yield* Effect.flip(host.serve(address, echo))
          assert.strictEqual(error.reason, "AddressInUse")
        })
      )
    }

    test(
      "a server that is used leaves nothing",
      Effect.gen(function* () {
        // That no fiber is left is seen by every test; this one has a server and many clients end together.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { address } = yield* host.serve({}, echo)
            yield* Effect.forEach(
              Chunk.range(1, 30),
              (i) =>
                Effect.gen(function* () {
                  const client = yield* WebSocketClient.connect(urlOf(address))
                  yield* client.send(`hello ${i}`)
                  assert.deepStrictEqual(yield* client.take, [Message.text(`hello ${i}`)])
                }),
              { concurrency: 10 }
            )
          })
        )
      })
    )
  })

  if (host.isGuest) return
  describe(`one connection on ${host.name}`, () => {
    test(
      "is accepted in the scope of whoever calls",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const connecting = yield* Effect.fork(
          WebSocketClient.connect({ url: urlOf(listener.address, "/ada"), subprotocols: ["a"] })
        )
        const transport = yield* listener.accept
        const [server, connected] = yield* WebSocketServer.accept(transport, {
          subprotocols: ["a", "b"],
          subprotocolRequired: true,
          authenticate: ({ resource }) => Effect.succeed(resource.slice(1))
        })
        const subprotocol: "a" | "b" = server.subprotocol
        const user: string = connected.principal
        assert.deepStrictEqual([subprotocol, user], ["a", "ada"])
        const client = yield* Fiber.join(connecting)
        yield* client.send("hello")
        assert.deepStrictEqual(yield* server.take, [Message.text("hello")])
      })
    )

    test(
      "is refused, and the effect fails with what the client was told",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const rejection = new Rejection.TooManyRequests({ retryAfter: 9 })
        const connecting = yield* Effect.fork(refused(urlOf(listener.address)))
        const transport = yield* listener.accept
        const error = yield* Effect.flip(WebSocketServer.accept(transport, { authenticate: () => rejection }))
        assertRejected(error, rejection)
        assertRejected(yield* Fiber.join(connecting), rejection)
      })
    )

    test(
      "is given up by a client that leaves",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const client = yield* network.connect(listener.address)
        yield* client.write(Peer.request("/").slice(0, 30))
        yield* client.endOfOutput
        const error = yield* Effect.flip(WebSocketServer.accept(yield* listener.accept))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "UnexpectedEnd"])
      })
    )
  })
}
