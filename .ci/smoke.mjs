// Starts the chat as a user would, talks to it with a client of another library, and stops it.
import { once } from "node:events"
import { program } from "./program.mjs"

// the first start installs
await program(
  ["npm", "start"],
  { ready: /http:\/\/((?:127\.0\.0\.1|localhost):\d+)/, startTimeout: 300_000 },
  async ([, host]) => {
    const { WebSocket } = await import("ws")
    const socket = new WebSocket(`ws://${host}/chat`, "chat.v1")
    const [message] = await once(socket, "message")
    console.log(`the chat says: ${message}`)
    socket.close(1000)
    await once(socket, "close")
  }
)
