/** The WebSocket server that is part of Bun; runs on Bun only. */
import { host, maxMessage, port, ready } from "./ready.js"

interface Socket {
  readonly data: string
  readonly send: (message: string | Uint8Array) => number
  readonly subscribe: (topic: string) => void
}

interface Server {
  readonly upgrade: (request: { readonly url: string }, options: { readonly data: string }) => boolean
  readonly publish: (topic: string, message: string | Uint8Array) => number
}

/** The part that is used of the global of this name. */
declare const Bun: {
  readonly gc: (force: boolean) => void
  readonly serve: (options: {
    readonly hostname: string
    readonly port: number
    readonly fetch: (request: { readonly url: string }, server: Server) => unknown
    readonly websocket: {
      readonly maxPayloadLength: number
      readonly backpressureLimit: number
      readonly perMessageDeflate: boolean
      readonly idleTimeout: number
      readonly open: (socket: Socket) => void
      readonly message: (socket: Socket, message: string | Uint8Array) => void
    }
  }) => Server
}

const server = Bun.serve({
  hostname: host,
  port,
  // nobody but the load generator asks, and it upgrades
  fetch: (request, server) => {
    server.upgrade(request, { data: new URL(request.url).pathname })
  },
  websocket: {
    maxPayloadLength: maxMessage,
    backpressureLimit: 1 << 30,
    perMessageDeflate: false,
    idleTimeout: 960,
    open: (socket) => {
      if (socket.data === "/sub") socket.subscribe("all")
    },
    message: (socket, message) => {
      if (socket.data === "/pub") server.publish("all", message)
      else socket.send(message)
    }
  }
})
ready(() => Bun.gc(true))
