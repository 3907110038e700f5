/**
 * Two ways to say who connects, for browsers: `new WebSocket` takes a URL and a list of subprotocols, and no fields.
 */
import type { AddressInfo } from "node:net"
import { NodeUpgrade } from "@sluice/node"
import { Effect } from "effect"
import { SubprotocolToken, Ticket, type WebSocket } from "sluice"
import { listen } from "./http.js"
import { type User, verify } from "./users.js"

/** The service of both. */
const greet = (socket: WebSocket.WebSocket, { principal }: { readonly principal: User }) =>
  socket.send(`Hello, ${principal.name}`)

/** Serves until the scope ends, and gives the address. Port 0 lets the system choose one. */
export const serve = (port: number) =>
  Effect.gen(function* () {
    const tickets = yield* Ticket.make<User>({ lifetime: "10 seconds" })
    const http = yield* listen(port, tickets)

    // The page asks for a ticket first, at `POST /ticket`, and connects to `/by-ticket?ticket=...`. The ticket is good
    // for one connection, so that it may well be in somebody's log.
    yield* NodeUpgrade.serve(http, { path: "/by-ticket", authenticate: tickets.authenticate }, greet)

    // The page connects with `["greet.v1", "bearer.<its token in base64url>"]`. One step less, and the token itself is
    // on the wire: over TLS only.
    const token = yield* SubprotocolToken.make({ subprotocols: ["greet.v1"], verify })
    yield* NodeUpgrade.serve(http, { path: "/by-token", ...token }, greet)

    // A server that listens on a port has an address of this type.
    const { address: host, port: chosen } = http.address() as AddressInfo
    return { host, port: chosen }
  })
