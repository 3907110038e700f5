import { transportLaws } from "@sluice/conformance/vitest"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { sockets } from "../../sluice/test/suites/sockets.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import { node } from "./support/hosts.js"

transportLaws(node.name, node)
messages(node)
closing(node)
flow(node)
serving(node)
connecting(node)
upgrading(node)
redirecting(node)
sockets(node, NodeNetwork.layerConfig)
