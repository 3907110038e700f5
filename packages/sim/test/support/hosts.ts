/** The simulated network as a host for the suites of sluice. */
import { Layer } from "effect"
import * as WebSocketServer from "sluice/WebSocketServer"
import type { Host } from "../../../sluice/test/suites/host.js"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"

/** Without faults, on the clock and the scheduler of the test. */
export const sim: Host = {
  name: "sim",
  network: SimNetwork.layer(),
  serve: WebSocketServer.serve,
  // The window, and what waits for room in it.
  held: 128 * 1024,
  sizes: [10, 1000, 10_000, 200_000],
  isGuest: false
}

const inPieces = Layer.scopedDiscard(SimNetwork.install(Fault.chunking({ chunking: "Random" })))

/** Cut at random places, which no program may notice. */
export const simInPieces: Host = {
  ...sim,
  name: "sim, in pieces",
  network: Layer.provideMerge(inPieces, SimNetwork.layer({ seed: 7 }))
}
