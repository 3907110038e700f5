import { advisories } from "../../sluice/test/suites/advisories.js"
import { hasAllRows } from "../../sluice/test/suites/advisoriesNamed.js"
import { sim, simInPieces } from "./support/hosts.js"

for (const host of [sim, simInPieces]) advisories(host)
hasAllRows("network")
