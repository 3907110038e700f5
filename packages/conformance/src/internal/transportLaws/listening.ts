/**
 * Laws of addresses and listeners: who is found where, and who is not.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Network from "sluice/Network"
import {
  abort,
  accept,
  ascii,
  connect,
  connected,
  type Draft,
  type End,
  fails,
  listen,
  readSome,
  readsReset,
  seesReset,
  write
} from "./ends.js"
import { expect, expectBytes, expectEqual, Unmet } from "./expectation.js"
import { eventually, soon, turns } from "./turns.js"

const { formatAddress } = Network

const refused = (address: Network.Address, when: string) =>
  Effect.flatMap(Network.Network, (network) =>
    fails(`a connect ${when}`, Effect.scoped(network.connect(address)), "connect", "ConnectionRefused")
  )

const listensInVain = (options: Network.ListenOptions, when: string, reason: Network.TransportError["reason"]) =>
  Effect.flatMap(Network.Network, (network) =>
    fails(`a listen ${when}`, Effect.scoped(network.listen(options)), "listen", reason)
  )

const inScope = (scope: Scope.Scope, options?: Network.ListenOptions) => Scope.extend(listen(options), scope)

const closeScope = (scope: Scope.CloseableScope) => soon("the scope closes", Scope.close(scope, Exit.void))

const remotes = (transports: ReadonlyArray<Network.Transport>): string =>
  transports.map(({ remote }) => formatAddress(remote)).join(", ")

const locals = (transports: ReadonlyArray<Network.Transport>): string =>
  transports.map(({ local }) => formatAddress(local)).join(", ")

const addressLaws: ReadonlyArray<Draft> = [
  {
    name: "both ends know each other's address",
    demand: "`remote` of each end is `local` of the other, and that of the server is the address of the listener.",
    test: Effect.gen(function* () {
      const { client, listener, server } = yield* connected()
      const address = formatAddress(listener.address)
      yield* expectEqual("`remote` of the client", formatAddress(client.transport.remote), address)
      yield* expectEqual("`local` of the server", formatAddress(server.transport.local), address)
      const local = formatAddress(client.transport.local)
      yield* expectEqual("`remote` of the server", formatAddress(server.transport.remote), local)
      const { path, port } = client.transport.local
      yield* expect(port > 0 || path !== undefined, "the client has a port, or a unix socket", () => local)
    })
  },

  {
    name: "port 0 is a free port, on the loopback",
    demand: "Listeners that ask for port 0 and no host have different ports above 0, on `127.0.0.1`.",
    test: Effect.gen(function* () {
      const listeners = yield* Effect.all(Array.from({ length: 5 }, () => listen({ port: 0 })))
      const addresses = listeners.map(({ address }) => formatAddress(address))
      yield* expectEqual("different addresses", new Set(addresses).size, 5)
      for (const { address } of listeners) {
        yield* expectEqual("the host of a listener", address.host, "127.0.0.1")
        yield* expect(address.port > 0, "a listener has a port", () => formatAddress(address))
      }
    })
  },

  {
    name: "an address is listened on once, and is free again when the scope ends",
    demand: "A second listener on it fails with `AddressInUse`; after the end of the scope it does not.",
    test: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address } = yield* inScope(scope)
      yield* listensInVain(address, "on an address that is taken", "AddressInUse")
      yield* closeScope(scope)
      const again = yield* Effect.catchTag(
        listen(address),
        "TransportError",
        ({ message }) => new Unmet({ expected: "the address is free after the end of the scope", seen: message })
      )
      yield* expectEqual("the address of the listener", formatAddress(again.address), formatAddress(address))
    })
  },

  {
    name: "nobody listens: refused",
    demand: "To connect to an address that nobody listens on fails with `ConnectionRefused`.",
    test: Effect.gen(function* () {
      const { address } = yield* Effect.scoped(listen())
      yield* refused(address, "to nobody")
    })
  },

  {
    name: "a port that is none is an error",
    demand:
      "To listen on a port that is no whole number from 0 to 65535 fails with `AddressNotAvailable`, and to connect to one with that or `ConnectionRefused`; neither is a defect.",
    test: Effect.gen(function* () {
      const network = yield* Network.Network
      for (const port of [-1, 65536, 1.5, Number.NaN]) {
        yield* listensInVain({ port }, `on port ${port}`, "AddressNotAvailable")
        const connecting = Effect.scoped(network.connect({ host: "127.0.0.1", port }))
        yield* fails(`a connect to port ${port}`, connecting, "connect", "AddressNotAvailable", "ConnectionRefused")
      }
    })
  }
]

const listenerLaws: ReadonlyArray<Draft> = [
  {
    name: "a connection that nobody accepted is reset with its listener, an accepted one is not",
    demand: "When the scope of the listener ends, the client that waits to be accepted reads `ConnectionReset`.",
    test: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const listener = yield* inScope(scope)
      const accepted: End = { side: "client", transport: yield* connect(listener.address) }
      const server: End = { side: "server", transport: yield* accept(listener) }
      const waiting = yield* connect(listener.address)
      const reading = yield* Effect.fork(waiting.read)
      yield* turns()
      yield* closeScope(scope)
      yield* seesReset("a read of who was not accepted", Fiber.join(reading))
      yield* write(server, ascii("still here"))
      yield* expectBytes("what the client reads", yield* readSome(accepted, 10), ascii("still here"))
    })
  },

  {
    name: "a listener that is closed refuses, and leaves alone what it accepted",
    demand:
      "After the end of its scope to connect fails with `ConnectionRefused`, and an accepted connection works both ways.",
    test: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const listener = yield* inScope(scope)
      const client: End = { side: "client", transport: yield* connect(listener.address) }
      const server: End = { side: "server", transport: yield* accept(listener) }
      yield* closeScope(scope)
      yield* refused(listener.address, "to a listener that is closed")
      yield* turns()
      yield* refused(listener.address, "to a listener that is closed")
      yield* write(server, ascii("still here"))
      yield* expectBytes("what the client reads", yield* readSome(client, 10), ascii("still here"))
      yield* write(client, ascii("so am I"))
      yield* expectBytes("what the server reads", yield* readSome(server, 7), ascii("so am I"))
      yield* abort(client)
      yield* readsReset(server)
    })
  },

  {
    name: "several who accept at once get a connection each",
    demand: "Of three who wait one is interrupted, and the two connections that come go to the others.",
    test: Effect.gen(function* () {
      const listener = yield* listen()
      const [first, second, third] = yield* Effect.all([
        Effect.fork(listener.accept),
        Effect.fork(listener.accept),
        Effect.fork(listener.accept)
      ])
      yield* turns()
      yield* Fiber.interrupt(second)
      const clients = yield* Effect.all([connect(listener.address), connect(listener.address)])
      const servers = yield* soon("both who wait accept", Fiber.join(Fiber.zip(first, third)))
      // Which of them gets which is not said.
      const [one, two] = clients
      const isSame = [clients, [two, one]].some((transports) => locals(transports) === remotes(servers))
      yield* expect(isSame, `connections from ${locals(clients)}`, () => remotes(servers))
    })
  },

  {
    name: "connections are handed over as they arrive, those first that waited",
    demand: "`onConnection` gives each connection to who asked for it, until it is stopped; then `accept` does again.",
    test: Effect.gen(function* () {
      const listener = yield* listen()
      const { onConnection } = listener
      if (onConnection === undefined) return
      const taken: Array<Network.Transport> = []
      const waited = yield* connect(listener.address)
      yield* turns()
      const stop = onConnection((transport) => taken.push(transport))
      const arrived = yield* connect(listener.address)
      yield* eventually("both connections are handed over", () => taken.length >= 2)
      yield* expectEqual("handed over", remotes(taken), locals([waited, arrived]))
      stop()
      const later = yield* connect(listener.address)
      yield* expectEqual("accepted", remotes([yield* accept(listener)]), locals([later]))
      yield* expectEqual("connections that were handed over", taken.length, 2)
      for (const transport of taken) yield* transport.abort
    })
  }
]

/** @internal */
export const listeningLaws = (): ReadonlyArray<Draft> => [...addressLaws, ...listenerLaws]
