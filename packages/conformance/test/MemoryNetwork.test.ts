import { MemoryNetwork } from "sluice"
import { conforms } from "./support/playing.js"

conforms("MemoryNetwork", MemoryNetwork.layer(), ["whole", "bytes", { seed: 1 }])
