/** Runs on Bun only: `npm test` starts it there. */
import { assert, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { WebSocketServer } from "sluice"
import { advisories } from "../../sluice/test/suites/advisories.js"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import type { Host } from "../../sluice/test/suites/host.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { proxying } from "../../sluice/test/suites/proxying.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { sockets } from "../../sluice/test/suites/sockets.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
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
