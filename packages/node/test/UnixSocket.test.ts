import { transportLaws } from "@sluice/conformance/vitest"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import { node } from "./support/hosts.js"
import { freshPath, unix } from "./support/otherHosts.js"

transportLaws(unix.name, { ...unix, network: node.network, listen: () => ({ path: freshPath() }) })
messages(unix)
closing(unix)
flow(unix)
serving(unix)
connecting(unix)
upgrading(unix)
redirecting(unix)
