import { laneless, memory } from "./suites/host.js"
import { redirecting } from "./suites/redirecting.js"
import { upgrading } from "./suites/upgrading.js"

for (const host of [memory, laneless]) {
  upgrading(host)
  redirecting(host)
}
