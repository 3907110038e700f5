/** Runs on Bun only: `npm test` starts it there. */
import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect } from "effect"
import { Network, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { advisories } from "../../sluice/test/suites/advisories.js"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { type Host, scenario } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { proxying } from "../../sluice/test/suites/proxying.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { sockets } from "../../sluice/test/suites/sockets.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import * as Certificates from "../../sluice/test/support/certificates.js"
import { withTls } from "../../sluice/test/support/networks.js"
import * as BunNetwork from "../src/BunNetwork.js"

/** What the kernel takes for a peer that does not read: the buffers of both ends of a loopback connection. */
const kernel = 16 * 1024 * 1024

const bun: Host = {
  name: "bun",
  network: BunNetwork.layer(),
  serve: WebSocketServer.serve,
  held: kernel,
  sizes: [20_000, 200_000],
  isGuest: false
}

/** All over TLS. */
const tls: Host = {
  ...bun,
  name: "bun with TLS",
  network: withTls(BunNetwork.layer({ tls: { server: Certificates.server, client: { ca: Certificates.ca } } }))
}

it("runs on Bun", () => {
  assert.isDefined(process.versions.bun)
})

transportLaws(bun.name, bun)
messages(bun)
closing(bun)
flow(bun)
serving(bun)
connecting(bun)
upgrading(bun)
redirecting(bun)
advisories(bun)
proxying(bun)
sockets(bun, BunNetwork.layerConfig)

transportLaws(tls.name, tls)
messages(tls)
closing(tls)
flow(tls)
serving(tls)
connecting(tls)
upgrading(tls)
redirecting(tls)

describe("TLS on Bun", () => {
  const test = scenario(tls)
  const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

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
      assert.isUndefined(far.tls?.peerCertificate)
    })
  )

  const refusals: ReadonlyArray<readonly [what: string, ca: string | undefined, host: string, reason: string]> = [
    ["an authority that nobody trusts", undefined, "localhost", "CertificateRejected"],
    ["a name that the certificate is not for", Certificates.ca, "other.localhost", "CertificateRejected"]
  ]
  for (const [what, ca, host, reason] of refusals) {
    test(
      `${what}: ${reason}`,
      Effect.gen(function* () {
        const { address, connections } = yield* WebSocketServer.serve({}, echo)
        const error = yield* Effect.flip(
          Effect.scoped(WebSocketClient.connect({ url: `wss://${host}:${address.port}/`, address }))
        ).pipe(Effect.provide(BunNetwork.layer({ tls: { client: { ca } } })))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", reason])
        assert.strictEqual(yield* connections, 0)
        yield* WebSocketClient.connect({ url: `wss://localhost:${address.port}/`, address })
      })
    )
  }

  test(
    "who speaks no TLS is cut, and a server that speaks none is an error",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({}, echo)
      const url = `//localhost:${address.port}/`
      const without = Effect.provide(BunNetwork.layer())
      const plain = yield* Effect.flip(Effect.scoped(WebSocketClient.connect({ url: `ws:${url}`, address }))).pipe(
        without
      )
      assert.include(["TransportError", "InvalidResponse"], plain._tag)
      yield* WebSocketClient.connect({ url: `wss:${url}`, address })
      const unsecured = yield* WebSocketServer.serve({}, echo).pipe(without)
      const request = { url: `wss:${url}`, address: unsecured.address }
      const error = yield* Effect.flip(Effect.scoped(WebSocketClient.connect(request)))
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TlsFailed"])
    })
  )

  test(
    "a unix socket is unsupported, and says so",
    Effect.gen(function* () {
      const error = yield* Effect.flip(WebSocketServer.serve({ path: "/nowhere/a.sock" }, echo))
      assert.deepStrictEqual([error.reason, error.operation], ["Unsupported", "listen"])
    })
  )
})
