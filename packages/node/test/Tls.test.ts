import { transportLaws } from "@sluice/conformance/vitest"
import { closing } from "../../sluice/test/suites/closing.js"
import { connecting } from "../../sluice/test/suites/connecting.js"
import { flow } from "../../sluice/test/suites/flow.js"
import { messages } from "../../sluice/test/suites/messages.js"
import { redirecting } from "../../sluice/test/suites/redirecting.js"
import { serving } from "../../sluice/test/suites/serving.js"
import { upgrading } from "../../sluice/test/suites/upgrading.js"
import { tls } from "./support/otherHosts.js"

transportLaws(tls.name, tls)
messages(tls)
closing(tls)
flow(tls)
serving(tls)
connecting(tls)
upgrading(tls)
redirecting(tls)
