/** The file of a unix socket: who made it, who may use it, and what is left of one. */
import { existsSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { Message, Network, WebSocket, WebSocketClient, WebSocketServer } from "sluice"
import { scenario } from "../../sluice/test/suites/host.js"
import * as Certificates from "../../sluice/test/support/certificates.js"
import * as NodeNetwork from "../src/NodeNetwork.js"
import { node } from "./support/hosts.js"
import { left } from "./support/leftSocket.js"
import { freshPath } from "./support/otherHosts.js"

const echo = (socket: WebSocket.WebSocket) => WebSocket.runForEach(socket, (message) => socket.send(message))

const assertEchoes = (address: Network.Address, url = "ws://chat.example/") =>
  Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect({ url, address })
    yield* socket.send("hello")
    assert.deepStrictEqual(yield* socket.take, [Message.text("hello")])
  }).pipe(Effect.scoped)

describe("a unix socket on node", () => {
  const test = scenario(node)

  test(
    "is found by its path, and is gone with its listener",
    Effect.gen(function* () {
      const path = freshPath()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { address } = yield* WebSocketServer.serve({ path }, echo)
          assert.deepStrictEqual(address, Network.unixSocket(path))
          yield* assertEchoes(address)
          assert.isTrue(existsSync(path))
        })
      )
      assert.isFalse(existsSync(path))
      const error = yield* Effect.flip(WebSocketClient.connect({ url: "ws://h/", address: Network.unixSocket(path) }))
      assert.strictEqual("reason" in error && error.reason, "ConnectionRefused")
    })
  )

  for (const mode of [0o600, 0o660, 0o666]) {
    test(
      `has the permissions 0o${mode.toString(8)}, and the mask of the process stays as it was`,
      Effect.gen(function* () {
        const path = freshPath()
        const before = process.umask()
        yield* WebSocketServer.serve({ path, mode }, echo)
        assert.strictEqual(statSync(path).mode & 0o777, mode)
        assert.strictEqual(process.umask(), before)
      })
    )
  }

  test(
    "is taken over from a process that has died",
    Effect.gen(function* () {
      const path = freshPath()
      yield* left(path)
      assert.isTrue(statSync(path).isSocket())
      const { address } = yield* WebSocketServer.serve({ path }, echo)
      yield* assertEchoes(address)
    })
  )

  test(
    "is not taken from who listens on it, whoever that is",
    Effect.gen(function* () {
      const path = freshPath()
      const other = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((socket) => socket.end())
          server.listen(path, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const error = yield* Effect.flip(WebSocketServer.serve({ path }, echo))
      assert.deepStrictEqual([error.reason, error.operation], ["AddressInUse", "listen"])
      assert.isTrue(other.listening)
      assert.isTrue(existsSync(path))
    })
  )

  test(
    "is not made where there is another file, which stays",
    Effect.gen(function* () {
      const path = freshPath()
      writeFileSync(path, "a letter")
      const error = yield* Effect.flip(WebSocketServer.serve({ path }, echo))
      assert.strictEqual(error.reason, "AddressInUse")
      assert.isTrue(statSync(path).isFile())
    })
  )

  // Node cuts a long path off and listens on the rest.
  test(
    "has a path that fits, or is an error",
    Effect.gen(function* () {
      const network = yield* Network.Network
      for (const path of ["", `${freshPath()}${"x".repeat(107)}`]) {
        const listening = yield* Effect.flip(network.listen({ path }))
        assert.deepStrictEqual([listening.reason, listening.operation], ["AddressNotAvailable", "listen"])
        const connecting = yield* Effect.flip(network.connect(Network.unixSocket(path)))
        assert.deepStrictEqual([connecting.reason, connecting.operation], ["AddressNotAvailable", "connect"])
      }
    })
  )

  const { ca, server } = Certificates

  scenario({ ...node, network: NodeNetwork.layer({ tls: { server, client: { ca } } }) })(
    "may have TLS on it",
    Effect.gen(function* () {
      const { address } = yield* WebSocketServer.serve({ path: freshPath() }, echo)
      yield* assertEchoes(address, "wss://localhost/")
    })
  )
})
