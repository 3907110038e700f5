/** No WebSocket at all: the bytes that come go back. A floor for all that is built on `node:net`. */
import { createServer } from "node:net"
import { backlog, host, port, ready } from "./ready.js"

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {})
  socket.pipe(socket)
})
server.listen({ host, port, backlog }, () => ready())
