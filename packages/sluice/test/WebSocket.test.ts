import { closing } from "./suites/closing.js"
import { flow } from "./suites/flow.js"
import { laneless, memory } from "./suites/host.js"
import { messages } from "./suites/messages.js"

for (const host of [memory, laneless]) {
  messages(host)
  closing(host)
  flow(host)
}
