import { Fault, SimNetwork } from "@sluice/sim"
import { Layer } from "effect"
import { conforms } from "./support/playing.js"

/** Cut at random places by the network itself, in both directions. */
const inPieces = Layer.scopedDiscard(SimNetwork.install(Fault.chunking({ chunking: "Random" })))

conforms("SimNetwork, in pieces", Layer.provideMerge(inPieces, SimNetwork.layer({ seed: 7 })), ["whole"])
