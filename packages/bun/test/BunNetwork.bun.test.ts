/** Runs on Bun only: `npm test` starts it there. */
import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect } from "effect"
import { Network, WebSocketServer } from "sluice"
import { advisories } from "../../sluice/test/suites/advisories.js"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { type Host, scenario } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { proxying } from "../../sluice/test/suites/proxying.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { securing } from "../../sluice/test/suites/securing.js"
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

securing(bun, BunNetwork.layer)

describe("unix sockets on Bun", () => {
  scenario(bun)(
    "are unsupported, and say so",
    Effect.gen(function* () {
      const { connect, listen } = yield* Network.Network
      const listening = yield* Effect.flip(listen({ path: "/nowhere/a.sock" }))
      assert.deepStrictEqual([listening.reason, listening.operation], ["Unsupported", "listen"])
      const connecting = yield* Effect.flip(connect(Network.unixSocket("/nowhere/a.sock")))
      assert.deepStrictEqual([connecting.reason, connecting.operation], ["Unsupported", "connect"])
    })
  )
})
