/** The server of Bun: a path for each thing that is tried; prints its port, and how each connection ends. */

interface Socket {
  readonly data: string
  readonly send: (message: string | Uint8Array) => void
  readonly ping: (payload: string) => void
  readonly close: (code: number, reason: string) => void
}

interface Request {
  readonly url: string
  readonly headers: { readonly get: (name: string) => string | null }
}

interface Server {
  readonly port: number
  readonly upgrade: (
    request: Request,
    options: { readonly data: string; readonly headers: Readonly<Record<string, string>> }
  ) => boolean
}

/** The part that is used of the global of this name. */
declare const Bun: {
  readonly serve: (options: {
    readonly hostname: string
    readonly port: number
    readonly fetch: (request: Request, server: Server) => Response | undefined
    readonly websocket: {
      readonly perMessageDeflate: boolean
      readonly maxPayloadLength: number
      readonly open: (socket: Socket) => void
      readonly message: (socket: Socket, message: string | Uint8Array) => void
      readonly pong: (socket: Socket, payload: Uint8Array) => void
      readonly close: (socket: Socket, code: number, reason: string) => void
    }
  }) => Server
}

const tell = (seen: object) => console.log(JSON.stringify(seen))

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => {
    const { pathname } = new URL(request.url)
    if (pathname === "/missing") return new Response("nothing here\n", { status: 404 })
    if (pathname === "/forbidden") return new Response("not for you\n", { status: 403 })
    const asked = request.headers.get("sec-websocket-protocol")?.split(/, */) ?? []
    server.upgrade(request, {
      data: pathname,
      headers: asked.includes("b") ? { "Sec-WebSocket-Protocol": "b" } : {}
    })
    return undefined
  },
  websocket: {
    perMessageDeflate: true,
    maxPayloadLength: 16 * 1024 * 1024,
    open: (socket) => {
      if (socket.data === "/ping") socket.ping("are you there?")
      if (socket.data === "/close") socket.close(4321, "enough \u20ac")
    },
    message: (socket, message) => socket.send(message),
    pong: (socket, payload) => {
      if (socket.data === "/ping" && String(payload) === "are you there?") socket.send("ponged")
    },
    close: (_socket, code, reason) => tell({ closed: [code, reason] })
  }
})
tell({ port: server.port })
