import { connecting } from "./suites/connecting.js"
import { laneless, memory } from "./suites/host.js"

for (const host of [memory, laneless]) connecting(host)
