/** The library `ws`. With WS_NO_BUFFER_UTIL=1 its native add-on stays out of it. */
import { type WebSocket, WebSocketServer } from "ws"
import { backlog, host, maxMessage, port, ready } from "./ready.js"

const subscribers = new Set<WebSocket>()
const server = new WebSocketServer({ host, port, perMessageDeflate: false, maxPayload: maxMessage, backlog })

const echo = (socket: WebSocket) =>
  socket.on("message", (message, isBinary) => socket.send(message as Buffer, { binary: isBinary }))

/** As an application has it that speaks JSON: parsed, handled as a value, written again. */
const echoJson = (socket: WebSocket) =>
  socket.on("message", (message) => {
    const { text } = JSON.parse(String(message)) as { readonly text: string }
    socket.send(JSON.stringify({ text }))
  })

const subscribe = (socket: WebSocket) => {
  subscribers.add(socket)
  socket.on("close", () => subscribers.delete(socket))
}

const publish = (socket: WebSocket) =>
  socket.on("message", (message) => {
    const options = { binary: true }
    for (const subscriber of subscribers) subscriber.send(message as Buffer, options)
  })

server.on("connection", (socket, { url }) => {
  socket.on("error", () => {})
  if (url === "/sub") subscribe(socket)
  else if (url === "/pub") publish(socket)
  else if (url === "/json") echoJson(socket)
  else echo(socket)
})
server.on("listening", () => ready())
