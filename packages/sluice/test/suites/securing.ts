/** What is agreed on in TLS, and what becomes of those who do not agree, on every network that has TLS. */
import { assert, describe } from "@effect/vitest"
import { Effect, Either, Fiber, type Layer } from "effect"
import * as Message from "../../src/Message.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as WebSocket from "../../src/WebSocket.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import * as Certificates from "../support/certificates.js"
import { turns } from "../support/turns.js"
import { type Host, scenario } from "./host.js"

/** What the networks of all hosts take. */
interface Side {
  readonly ALPNProtocols?: Array<string>
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

interface ServerSide extends Side {
  readonly maxHandshakes?: number
  readonly rejectUnauthorized?: boolean
  readonly requestCert?: boolean
}

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const { ca, client, expired, server } = Certificates

const assertEchoes = (request: WebSocketClient.Request) =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect(request)
    yield* socket.send("hello")
    assert.deepStrictEqual(yield* socket.take, [Message.text("hello")])
  }).pipe(Effect.scoped)

export const securing = (
  host: Host,
  layer: (options: {
    readonly tls?: { readonly server?: ServerSide; readonly client?: Side }
  }) => Layer.Layer<Network.Network>
): void => {
  /** Whose listeners are secure, and whose clients trust them. */
  const secured = (theirs: ServerSide, own: Side = {}): Host => ({
    ...host,
    network: layer({ tls: { server: theirs, client: { ca, ...own } } })
  })

  const secureUrl = ({ port }: Network.Address, name = "localhost") => `wss://${name}:${port}/`

  /** Why a client with its own TLS does not connect. */
  const failure = (own: Side, request: WebSocketClient.Request) =>
    Effect.flip(Effect.scoped(WebSocketClient.connect(request))).pipe(
      Effect.map((error) => [error._tag, "reason" in error && error.reason, error.message] as const),
      Effect.provide(layer({ tls: { client: own } }))
    )

  describe(`TLS on ${host.name}`, () => {
    const test = scenario(secured(server))

    for (const name of ["localhost", "127.0.0.1"]) {
      test(
        `a service is found at wss://${name}`,
        Effect.gen(function* () {
          const { address } = yield* WebSocketServer.serve({ host: "127.0.0.1" }, echo)
          yield* assertEchoes({ url: secureUrl(address, name) })
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
        for (const { tls } of [near, far]) {
          assert.deepStrictEqual([tls?.version, tls?.alpnProtocol], ["TLSv1.3", "http/1.1"])
        }
        assert.deepStrictEqual([near.tls?.authorized, far.tls?.authorized], [true, false])
        assert.include(near.tls?.peerCertificate?.subject ?? "", "CN=localhost")
        assert.include(near.tls?.peerCertificate?.subjectAltName ?? "", "IP Address:127.0.0.1")
        assert.match(near.tls?.peerCertificate?.fingerprint256 ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
        assert.isUndefined(far.tls?.peerCertificate)
        assert.deepStrictEqual(near.remote, listener.address)
      })
    )

    const refusals: ReadonlyArray<readonly [what: string, ServerSide, Side, name: string, reason: string]> = [
      ["an authority that nobody trusts", server, {}, "localhost", "CertificateRejected"],
      ["a name that the certificate is not for", server, { ca }, "other.localhost", "CertificateRejected"],
      ["a certificate that is not valid any more", expired, { ca }, "localhost", "CertificateRejected"],
      ["no protocol in common", { ...server, ALPNProtocols: ["h2"] }, { ca }, "localhost", "TlsFailed"]
    ]
    for (const [what, theirs, own, name, reason] of refusals) {
      scenario(secured(theirs))(
        `${what}: ${reason}`,
        Effect.gen(function* () {
          const { address, connections } = yield* WebSocketServer.serve({}, echo)
          const [tag, seen, message] = yield* failure(own, { url: secureUrl(address, name), address })
          assert.deepStrictEqual([tag, seen], ["TransportError", reason])
          assert.isAbove(message.length, 20)
          // Who did not agree is no connection of the service.
          assert.strictEqual(yield* connections, 0)
          const next = yield* Effect.either(assertEchoes({ url: secureUrl(address), address }))
          assert.strictEqual(Either.isRight(next), theirs === server)
        })
      )
    }

    test(
      "who speaks no TLS is cut, and the service goes on",
      Effect.gen(function* () {
        const { address } = yield* WebSocketServer.serve({}, echo)
        const [tag] = yield* failure({}, { url: `ws://127.0.0.1:${address.port}/` })
        assert.include(["TransportError", "InvalidResponse"], tag)
        yield* assertEchoes({ url: secureUrl(address) })
      })
    )

    scenario({ ...host, network: layer({}) })(
      "a server that speaks no TLS is an error",
      Effect.gen(function* () {
        const { address } = yield* WebSocketServer.serve({}, echo)
        const [tag, reason] = yield* failure({}, { url: secureUrl(address) })
        assert.deepStrictEqual([tag, reason], ["TransportError", "TlsFailed"])
      })
    )

    scenario({ ...host, network: layer({}) })(
      "a client that is interrupted while the server says nothing leaves it",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const listener = yield* network.listen({})
        const connecting = yield* Effect.fork(
          Effect.scoped(network.connect({ ...listener.address, tls: { serverName: "localhost" } }))
        )
        const silent = yield* listener.accept
        // It has begun its handshake.
        yield* silent.read
        yield* turns()
        yield* Fiber.interrupt(connecting)
        assert.isTrue(Either.isLeft(yield* Effect.either(silent.read)))
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
        yield* assertEchoes({ url: secureUrl(address) })
        const [stranger] = yield* failure({ ca }, { url: secureUrl(address) })
        assert.strictEqual(stranger, "Forbidden")
        assert.deepStrictEqual([subjects[0]?.includes("CN=ada"), subjects[1]], [true, undefined])
      })
    )

    scenario(secured({ ...server, ca, requestCert: true }, client))(
      "a client without a certificate that must have one is no connection",
      Effect.gen(function* () {
        const { address, connections } = yield* WebSocketServer.serve({}, echo)
        const [tag] = yield* failure({ ca }, { url: secureUrl(address) })
        assert.strictEqual(tag, "TransportError")
        assert.strictEqual(yield* connections, 0)
        yield* assertEchoes({ url: secureUrl(address) })
      })
    )

    scenario({ ...host, network: layer({}) })(
      "those who begin no handshake, or fail in it, take the place of few, and leave with the listener",
      Effect.gen(function* () {
        const { connect } = yield* Network.Network
        const held = yield* Effect.scoped(
          Effect.gen(function* () {
            const { address } = yield* Effect.provide(
              WebSocketServer.serve({}, echo),
              secured({ ...server, maxHandshakes: 2 }).network
            )
            // What fails gives its place back, and no more than its own.
            for (let i = 0; i < 3; i++) yield* failure({}, { url: secureUrl(address) })
            const idle = yield* Effect.all([connect(address), connect(address)])
            yield* turns()
            const more = yield* connect(address)
            assert.isTrue(Either.isLeft(yield* Effect.either(more.read)), "a third is turned away")
            const [tag] = yield* failure({ ca }, { url: secureUrl(address) })
            assert.strictEqual(tag, "TransportError")
            return idle
          })
        )
        for (const { read } of held) assert.isTrue(Either.isLeft(yield* Effect.either(read)), "all are gone")
      })
    )
  })
}
