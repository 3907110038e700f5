/** The WebSocket of undici, or that of Bun when this runs on Bun, led through the dialogue: `webClient URL SIZES`. */
import { WebSocket as Undici } from "undici"
import { dialogue, type WebSocketConstructor } from "./webDialogue.js"

const [, , base = "", sizes = "[]"] = process.argv
// Bun has it as a global, which the types of Node do not know.
const WebSocket = (
  process.versions.bun === undefined ? Undici : Reflect.get(globalThis, "WebSocket")
) as WebSocketConstructor

await dialogue(WebSocket, base, JSON.parse(sizes), (seen) => console.log(JSON.stringify(seen)))
