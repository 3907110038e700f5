import { laneless, memory } from "./suites/host.js"
import { serving } from "./suites/serving.js"

for (const host of [memory, laneless]) serving(host)
