/**
 * The chat on Node: the page, the service at `/chat`, and the frames of a connection at `/wire`, on one port.
 */
import type { AddressInfo } from "node:net"
import { NodeUpgrade } from "@sluice/node"
import { Effect } from "effect"
import { WebSocketServer } from "sluice"
import * as Page from "./page.js"
import * as Chat from "./service.js"
import * as Wire from "./wire.js"

/** Serves until the scope ends; then everybody is told to leave (1001) before the port is closed. Gives the address. */
export const serve = (port: number) =>
  Effect.gen(function* () {
    const http = yield* Page.listen(port)

    // The usual way to serve WebSockets beside a web server is one line.
    const wire = yield* Wire.make
    yield* NodeUpgrade.serve(http, { ...wire.options, path: "/wire" }, wire.watch)

    // The chat could be served in the same way, by `NodeUpgrade.serve(http, { ...Chat.options, path: "/chat" }, …)`. But
    // we want to watch its bytes: its acceptor gets a transport with a tap. The service does not notice.
    const chat = yield* WebSocketServer.make(Chat.options, yield* Chat.make)
    const tapped: WebSocketServer.Acceptor = {
      ...chat,
      accept: (transport, received) =>
        received === undefined
          ? chat.accept(transport)
          : Effect.flatMap(wire.tap(transport, received), (tapped) => chat.accept(tapped, received))
    }
    yield* NodeUpgrade.attach(http, tapped)

    // A server that listens on a port has an address of this type.
    const { address, port: chosen } = http.address() as AddressInfo
    return { host: address, port: chosen, connections: chat.connections }
  })
