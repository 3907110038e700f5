import { WebSocket, WebSocketServer } from "sluice"

/** The smallest service: every message goes back to whoever sent it. Port 0 lets the system choose one. */
export const echo = (port: number) =>
  WebSocketServer.serve({ port }, (socket) => WebSocket.runForEach(socket, (message) => socket.send(message)))
