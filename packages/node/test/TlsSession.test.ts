/** What is agreed on in TLS, and what becomes of those who do not agree. */
import { createServer as createHttpsServer } from "node:https"
import { connect as netConnect } from "node:net"
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Either } from "effect"
import { Message, Network, Rejection, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { type Host, scenario } from "../../sluice/test/suites/host.js"
import * as Certificates from "../../sluice/test/support/certificates.js"
import { eventually } from "../../sluice/test/support/turns.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import * as NodeUpgrade from "../src/NodeUpgrade.js"
import { addressOf, listening, node } from "./support/hosts.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const { ca, client, expired, server } = Certificates

const secureUrl = ({ port }: Network.Address, host = "localhost") => `wss://${host}:${port}/`

const failure = (network: NodeNetwork.Options, request: WebSocketClient.Request) =>
  Effect.flip(Effect.scoped(WebSocketClient.connect(request))).pipe(
    Effect.map((error) => [error._tag, "reason" in error && error.reason, String(error.message)] as const),
    Effect.provide(NodeNetwork.layer(network))
  )

/** A host whose listeners are secure, and whose clients trust them. */
const secured = (tls: NodeNetwork.TlsServerOptions, own: NodeNetwork.TlsClientOptions = {}): Host => ({
  ...node,
  network: NodeNetwork.layer({ tls: { server: tls, client: { ca, ...own } } })
})

describe("TLS on node", () => {
  const test = scenario(secured(server))

  for (const host of ["localhost", "127.0.0.1"]) {
    test(
      `a service is found at wss://${host}`,
      Effect.gen(function* () {
        const { address } = yield* WebSocketServer.serve({ host: "127.0.0.1" }, echo)
        const socket = yield* WebSocketClient.connect(secureUrl(address, host))
        yield* socket.send("hello")
        assert.deepStrictEqual(yield* socket.take, [Message.text("hello")])
      })
    )
  }

  test(
    "both ends know what was agreed on",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const near = yield* network.connect({ ...listener.address, tls: { serverName: "localhost" } })
      const far = yield* listener.accept
      assert.deepStrictEqual([near.tls?.version, far.tls?.version], ["TLSv1.3", "TLSv1.3"])
      assert.deepStrictEqual([near.tls?.alpnProtocol, far.tls?.alpnProtocol], ["http/1.1", "http/1.1"])
      assert.deepStrictEqual([near.tls?.authorized, far.tls?.authorized], [true, false])
      assert.include(near.tls?.peerCertificate?.subject ?? "", "CN=localhost")
      assert.include(near.tls?.peerCertificate?.subjectAltName ?? "", "IP Address:127.0.0.1")
      assert.match(near.tls?.peerCertificate?.fingerprint256 ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      assert.isUndefined(far.tls?.peerCertificate)
      assert.deepStrictEqual(near.remote, listener.address)
    })
  )

  const refusals: ReadonlyArray<
    readonly [what: string, NodeNetwork.TlsServerOptions, NodeNetwork.TlsClientOptions, host: string, reason: string]
  > = [
    ["an authority that nobody trusts", server, {}, "localhost", "CertificateRejected"],
    ["a name that the certificate is not for", server, { ca }, "other.localhost", "CertificateRejected"],
    ["a certificate that is not valid any more", expired, { ca }, "localhost", "CertificateRejected"],
    ["no protocol in common", { ...server, ALPNProtocols: ["h2"] }, { ca }, "localhost", "TlsFailed"],
    [
      "no version in common",
      { ...server, minVersion: "TLSv1.3" },
      { ca, maxVersion: "TLSv1.2" },
      "localhost",
      "TlsFailed"
    ]
  ]
  for (const [what, theirs, ours, host, reason] of refusals) {
    scenario(secured(theirs))(
      `${what}: ${reason}`,
      Effect.gen(function* () {
        const { address, connections } = yield* WebSocketServer.serve({}, echo)
        const request = { url: secureUrl(address, host), address }
        const [tag, seen, message] = yield* failure({ tls: { client: ours } }, request)
        assert.deepStrictEqual([tag, seen], ["TransportError", reason])
        assert.isAbove(message.length, 20)
        // Who did not agree is no connection of the service.
        assert.strictEqual(yield* connections, 0)
        yield* Effect.scoped(WebSocketClient.connect({ ...request, url: secureUrl(address) })).pipe(
          Effect.either,
          Effect.map((next) =>
            assert.strictEqual(Either.isRight(next), theirs.cert === server.cert && theirs.ALPNProtocols === undefined)
          )
        )
      })
    )
  }

  test(
    "who speaks no TLS is cut, and the service goes on",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      const plain = yield* failure({}, { url: `ws://127.0.0.1:${address.port}/` })
      assert.strictEqual(plain[0] === "TransportError" || plain[0] === "InvalidResponse", true, plain[2])
      yield* Effect.scoped(WebSocketClient.connect(secureUrl(address)))
    })
  )

  test(
    "a server that speaks no TLS is an error",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      const [tag, reason] = yield* failure({}, { url: secureUrl(address) })
      assert.deepStrictEqual([tag, reason], ["TransportError", "TlsFailed"])
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )

  test(
    "a key that is none is an error of the listener",
    Effect.gen(function* () {
      const error = yield* Effect.flip(WebSocketServer.serve({}, echo)).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { server: { key: "none", cert: server.cert } } }))
      )
      assert.deepStrictEqual([error.reason, error.operation], ["TlsFailed", "listen"])
    })
  )

  const named = { ...server, ca, requestCert: true, rejectUnauthorized: false }

  scenario(secured(named, client))(
    "a client is known by its certificate before it is let in",
    Effect.gen(function* () {
      const subjects: Array<string | undefined> = []
      const { address } = yield* WebSocketServer.serve(
        {
          authenticate: ({ tls }) => {
            subjects.push(tls?.peerCertificate?.subject)
            return tls?.authorized === true ? Effect.void : new Rejection.Forbidden({ detail: "no certificate" })
          }
        },
        echo
      )
      const request = { url: secureUrl(address) }
      yield* WebSocketClient.connect(request)
      const stranger = yield* Effect.flip(WebSocketClient.connect(request)).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { client: { ca } } }))
      )
      assert.strictEqual(stranger._tag, "Forbidden")
      assert.deepStrictEqual([subjects[0]?.includes("CN=ada"), subjects[1]], [true, undefined])
    })
  )

  scenario(secured({ ...server, ca, requestCert: true }))(
    "a client without a certificate that must have one hears so from TLS",
    Effect.gen(function* () {
      const { address, connections } = yield* WebSocketServer.serve({}, echo)
      const [tag, reason] = yield* failure({ tls: { client: { ca } } }, { url: secureUrl(address) })
      assert.deepStrictEqual([tag, reason], ["TransportError", "TlsFailed"])
      assert.strictEqual(yield* connections, 0)
      yield* WebSocketClient.connect(secureUrl(address)).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { client: { ca, ...client } } }))
      )
    })
  )

  scenario(secured({ ...server, maxHandshakes: 2 }))(
    "those who begin no handshake take the place of few, and leave with the listener",
    Effect.gen(function* () {
      const held = yield* Effect.scoped(
        Effect.gen(function* () {
          const { address } = yield* WebSocketServer.serve({}, echo)
          const idle = [1, 2, 3].map(() =>
            netConnect(address.port, address.host)
              .on("error", () => {})
              .resume()
          )
          yield* eventually("one is turned away", () => idle.some((socket) => socket.closed))
          assert.strictEqual(idle.filter((socket) => socket.closed).length, 1)
          const [tag] = yield* failure({ tls: { client: { ca } } }, { url: secureUrl(address) })
          assert.strictEqual(tag, "TransportError")
          return idle
        })
      )
      yield* eventually("all are gone", () => held.every((socket) => socket.closed))
    })
  )

  test(
    "a service beside the routes of a node:https server knows the certificate of its client",
    Effect.gen(function* () {
      const seen = yield* Deferred.make<Network.TlsSession | undefined>()
      const http = yield* listening(createHttpsServer(named, (_request, response) => response.end("a route")))
      yield* NodeUpgrade.serve(http, { authenticate: ({ tls }) => Effect.asVoid(Deferred.succeed(seen, tls)) }, echo)
      const socket = yield* WebSocketClient.connect(secureUrl(addressOf(http))).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { client: { ca, ...client } } }))
      )
      yield* socket.send("hello")
      assert.deepStrictEqual(yield* socket.take, [Message.text("hello")])
      const session = yield* Deferred.await(seen)
      assert.isTrue(session?.authorized)
      assert.include(session?.peerCertificate?.subject ?? "", "CN=ada")
    })
  )
})
