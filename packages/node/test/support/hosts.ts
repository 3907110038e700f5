/** The hosts of Node, for the suites of sluice. */
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo, Server as TcpServer } from "node:net"
import { Effect } from "effect"
import * as WebSocketServer from "sluice/WebSocketServer"
import type { Host } from "../../../sluice/test/suites/host.js"
import * as NodeNetwork from "../../src/NodeNetwork.js"
import * as NodeUpgrade from "../../src/NodeUpgrade.js"

/** Listens on a free port until the scope ends. */
export const listening = <S extends TcpServer>(server: S) =>
  Effect.acquireRelease(
    Effect.async<S>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )

export const addressOf = (server: TcpServer) => {
  // A TCP server that listens has an address of this form.
  const { address, port } = server.address() as AddressInfo
  return { host: address, port }
}

/** As `WebSocketServer.serve`, on a `node:http` server of its own, which answers other requests so. */
const serveUpgrades =
  (answer: RequestListener): typeof WebSocketServer.serve =>
  (options, handler) =>
    Effect.gen(function* () {
      const server = yield* listening(createServer(answer))
      const service = yield* NodeUpgrade.serve(server, options, handler)
      return { ...service, address: addressOf(server) }
    })

/** What the kernel takes for a peer that does not read: the buffers of both ends of a loopback connection. */
const kernel = 16 * 1024 * 1024

export const node: Host = {
  name: "node",
  network: NodeNetwork.layer(),
  serve: WebSocketServer.serve,
  held: kernel,
  sizes: [20_000, 200_000],
  isGuest: false
}

/** A `node:http` server that answers other requests so. */
export const upgradeBeside = (answer: RequestListener): Host => ({
  ...node,
  name: "a node:http server",
  serve: serveUpgrades(answer),
  isGuest: true
})

export const upgrade: Host = upgradeBeside((_request, response) => response.writeHead(404).end())
