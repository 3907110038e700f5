import { NodeNetwork } from "@sluice/node"
import { MemoryNetwork } from "sluice"

/** What holds for an example holds on each of them. */
export const networks = [
  ["in memory", MemoryNetwork.layer()],
  ["on Node", NodeNetwork.layer()]
] as const
