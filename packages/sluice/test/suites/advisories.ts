/** Security advisories of other libraries, on the wire of every network; the table says which. */
import { advisoriesOfFrames } from "./advisoriesOfFrames.js"
import { advisoriesOfMessages } from "./advisoriesOfMessages.js"
import { advisoriesOfOutput } from "./advisoriesOfOutput.js"
import { advisoriesOfRequests } from "./advisoriesOfRequests.js"
import type { Host } from "./host.js"

export const advisories = (host: Host): void => {
  advisoriesOfRequests(host)
  advisoriesOfOutput(host)
  advisoriesOfFrames(host)
  advisoriesOfMessages(host)
}
