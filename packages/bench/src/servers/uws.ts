/**
 * uWebSockets.js, as `@trufflesuite/uws-js-unofficial` redistributes it. The native module is loaded by its own name:
 * the package would fall back to JavaScript without a word to whom measures it.
 */
import { createRequire } from "node:module"
import { host, maxMessage, port, ready } from "./ready.js"

interface Socket {
  readonly getUserData: () => { readonly url: string }
  readonly send: (message: ArrayBuffer, isBinary: boolean) => void
  readonly subscribe: (topic: string) => void
}

interface Request {
  readonly getUrl: () => string
  readonly getHeader: (name: string) => string
}

interface Response {
  readonly upgrade: (data: object, key: string, protocol: string, extensions: string, context: unknown) => void
}

interface App {
  readonly ws: (
    pattern: string,
    behavior: {
      readonly compression: number
      readonly maxPayloadLength: number
      readonly maxBackpressure: number
      readonly idleTimeout: number
      readonly sendPingsAutomatically: boolean
      readonly upgrade: (response: Response, request: Request, context: unknown) => void
      readonly open: (socket: Socket) => void
      readonly message: (socket: Socket, message: ArrayBuffer, isBinary: boolean) => void
    }
  ) => void
  readonly publish: (topic: string, message: ArrayBuffer, isBinary: boolean) => void
  readonly listen: (host: string, port: number, listening: (token: unknown) => void) => void
}

const { arch, platform, versions } = process
const native = `@trufflesuite/uws-js-unofficial/binaries/uws_${platform}_${arch}_${versions.modules}.node`
// the part that is used of what it exports
const { App, DISABLED } = createRequire(import.meta.url)(native) as {
  readonly App: () => App
  readonly DISABLED: number
}

const app = App()
app.ws("/*", {
  compression: DISABLED,
  maxPayloadLength: maxMessage,
  maxBackpressure: 1 << 30,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade: (response, request, context) => {
    response.upgrade(
      { url: request.getUrl() },
      request.getHeader("sec-websocket-key"),
      request.getHeader("sec-websocket-protocol"),
      request.getHeader("sec-websocket-extensions"),
      context
    )
  },
  open: (socket) => {
    if (socket.getUserData().url === "/sub") socket.subscribe("all")
  },
  message: (socket, message, isBinary) => {
    if (socket.getUserData().url === "/pub") app.publish("all", message, isBinary)
    else socket.send(message, isBinary)
  }
})
app.listen(host, port, (token) => {
  if (token === false) process.exit(1)
  ready()
})
