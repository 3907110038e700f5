import { laneless, memory } from "./suites/host.js"
import { transportLaws } from "./suites/transportLaws.js"

for (const host of [memory, laneless]) transportLaws(host.name, host)
