/** TLS as Node has it, beyond what all networks have. */
import { createServer as createHttpsServer } from "node:https"
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { Message, type Network, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { scenario } from "../../sluice/test/suites/host.js"
import { securing } from "../../sluice/test/suites/securing.js"
import * as Certificates from "../../sluice/test/support/certificates.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import * as NodeUpgrade from "../src/NodeUpgrade.js"
import { addressOf, listening, node } from "./support/hosts.js"

securing(node, NodeNetwork.layer)

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const { ca, client, server } = Certificates

describe("TLS of Node", () => {
  const test = scenario(node)

  test(
    "no version in common: TlsFailed",
    Effect.gen(function* () {
      const { address } = yield* Effect.provide(
        WebSocketServer.serve({}, echo),
        NodeNetwork.layer({ tls: { server: { ...server, minVersion: "TLSv1.3" } } })
      )
      const url = `wss://localhost:${address.port}/`
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect(url))).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { client: { ca, maxVersion: "TLSv1.2" } } }))
      )
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TlsFailed"])
    })
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

  test(
    "a client without a certificate that must have one hears so from TLS",
    Effect.gen(function* () {
      const { address } = yield* Effect.provide(
        WebSocketServer.serve({}, echo),
        NodeNetwork.layer({ tls: { server: { ...server, ca, requestCert: true } } })
      )
      const url = `wss://localhost:${address.port}/`
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect(url))).pipe(
        Effect.provide(NodeNetwork.layer({ tls: { client: { ca } } }))
      )
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TlsFailed"])
    })
  )

  test(
    "a service beside the routes of a node:https server knows the certificate of its client",
    Effect.gen(function* () {
      const seen = yield* Deferred.make<Network.TlsSession | undefined>()
      const named = { ...server, ca, requestCert: true, rejectUnauthorized: false }
      const http = yield* listening(createHttpsServer(named, (_request, response) => response.end("a route")))
      yield* NodeUpgrade.serve(http, { authenticate: ({ tls }) => Effect.asVoid(Deferred.succeed(seen, tls)) }, echo)
      const socket = yield* WebSocketClient.connect(`wss://localhost:${addressOf(http).port}/`).pipe(
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
