import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { transportLaws } from "../../sluice/test/suites/transportLaws.js"
import { sim, simInPieces } from "./support/hosts.js"

for (const host of [sim, simInPieces]) {
  transportLaws(host.name, host)
  messages(host)
  closing(host)
  flow(host)
  serving(host)
  connecting(host)
}
