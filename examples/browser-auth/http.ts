/**
 * The ordinary part of the server, on `node:http`: the page, and `POST /ticket`, where a page authenticates as with any
 * other request and gets a ticket for its WebSocket.
 */
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server } from "node:http"
import { Effect, Redacted, Runtime } from "effect"
import { Network, type Ticket } from "sluice"
import { type User, verify } from "./users.js"

interface Reply {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string | Buffer
}

const page = readFileSync(new URL("./page.html", import.meta.url))

const text = (status: number, body: string, headers: OutgoingHttpHeaders = {}): Reply => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
  body: `${body}\n`
})

/**
 * No other site can have a browser send this request, since `Authorization` is not sent by itself. With a cookie in its
 * place the route would have to look at `Origin`, as the WebSocket does. It should also limit how often one user asks.
 */
const issueTicket = (tickets: Ticket.Tickets<User>, authorization = ""): Effect.Effect<Reply> =>
  verify(Redacted.make(authorization.replace(/^Bearer /, ""))).pipe(
    Effect.flatMap(tickets.issue),
    Effect.map((ticket) => ({
      status: 201,
      // the ticket is for this page, and for nobody on the way to it
      headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
      body: JSON.stringify({ ticket: Redacted.value(ticket) })
    })),
    Effect.catchTags({
      Unauthorized: ({ detail }) => Effect.succeed(text(401, detail, { "WWW-Authenticate": "Bearer" })),
      TicketError: () => Effect.succeed(text(503, "There are no tickets now.", { "Retry-After": 30 }))
    })
  )

const route = (tickets: Ticket.Tickets<User>, { headers, method, url }: IncomingMessage): Effect.Effect<Reply> => {
  if (method === "POST" && url === "/ticket") return issueTicket(tickets, headers.authorization)
  return Effect.succeed(
    method === "GET" && url === "/"
      ? { status: 200, headers: { "Content-Type": "text/html; charset=utf-8" }, body: page }
      : text(404, "There is nothing here; the page is at /")
  )
}

const failure = (cause: Error) =>
  new Network.TransportError({ reason: "Unknown", operation: "listen", detail: cause.message, cause })

/** Listens until the scope ends. Port 0 lets the system choose one. */
export const listen = (port: number, tickets: Ticket.Tickets<User>) =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const server = createServer((request, response) => {
      runFork(
        Effect.map(route(tickets, request), ({ body, headers, status }) =>
          response.writeHead(status, headers).end(body)
        )
      )
    })
    return yield* Effect.acquireRelease(
      Effect.async<Server, Network.TransportError>((resume) => {
        server.once("error", (cause) => resume(Effect.fail(failure(cause))))
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          // Browsers keep connections open in case they need something else.
          server.closeAllConnections()
        })
    )
  })
