// Before all that is counted.
import "./support/work.js"

import { hasAllRows } from "./suites/advisoriesNamed.js"
import { advisoriesOfTheMachine } from "./suites/advisoriesOfTheMachine.js"

advisoriesOfTheMachine()
hasAllRows("machine")
