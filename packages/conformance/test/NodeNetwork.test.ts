import { NodeNetwork } from "@sluice/node"
import { conforms } from "./support/playing.js"

conforms("NodeNetwork", NodeNetwork.layer(), [{ seed: 2 }])
