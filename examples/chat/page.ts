/**
 * The page: three files, served by `node:http`, without a framework and without a build step.
 */
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { Effect } from "effect"
import { Network } from "sluice"

const files: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ["/", ["index.html", "text/html; charset=utf-8"]],
  ["/app.js", ["app.js", "text/javascript; charset=utf-8"]],
  ["/style.css", ["style.css", "text/css; charset=utf-8"]]
])

/** The page talks to nobody but us, and nobody can put scripts into it. */
const headers = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy": "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff"
}

const makeServer = (): Server =>
  createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1)
    const found = files.get(path)
    if (found === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(found === undefined ? 404 : 405, { "Content-Type": "text/plain", ...headers })
      response.end("There is nothing here; the chat is at /\n")
      return
    }
    const [file, type] = found
    readFile(new URL(`./page/${file}`, import.meta.url)).then(
      (content) => {
        response.writeHead(200, { "Content-Type": type, ...headers })
        response.end(request.method === "HEAD" ? undefined : content)
      },
      () => response.writeHead(500, headers).end()
    )
  })

const failure = (cause: NodeJS.ErrnoException) =>
  new Network.TransportError({
    reason: cause.code === "EADDRINUSE" ? "AddressInUse" : "Unknown",
    operation: "listen",
    detail: cause.message,
    cause
  })

/** An HTTP server with the page; it stops when the scope ends. Port 0 lets the system choose one. */
export const listen = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Server, Network.TransportError>((resume) => {
      const server = makeServer()
      server.once("error", (cause) => resume(Effect.fail(failure(cause))))
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        // Browsers keep connections open in case they need another file.
        server.closeAllConnections()
      })
  )
