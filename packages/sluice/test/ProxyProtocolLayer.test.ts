import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect, Layer, Queue } from "effect"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Network from "../src/Network.js"
import * as ProxyProtocol from "../src/ProxyProtocol.js"
import { laneless, memory, scenario } from "./suites/host.js"
import { behind, proxying, relaying } from "./suites/proxying.js"
import { assertBytes, utf8 } from "./support/bytes.js"
import { leavesNoFiber } from "./support/fibers.js"
import { latin1 } from "./support/http.js"

for (const host of [memory, laneless]) {
  proxying(host)
  transportLaws(`${host.name}, each behind a header`, { ...host, network: relaying(host.network) })
  transportLaws(`${host.name}, none behind a header`, {
    ...host,
    network: behind(host.network, { trusted: () => false })
  })
}

const line = latin1("PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n")

describe("ProxyProtocol.layer", () => {
  /** A network that tells which transports its listeners have. */
  const telling = (decorate: (transport: Network.Transport) => Network.Transport) =>
    Effect.gen(function* () {
      const inner = MemoryNetwork.make()
      const transports = yield* Queue.unbounded<Network.Transport>()
      const network: Network.Network["Type"] = {
        connect: inner.connect,
        listen: (options) =>
          Effect.map(inner.listen(options), (listener) => ({
            ...listener,
            onConnection: (take) =>
              listener.onConnection?.((given) => {
                const transport = decorate(given)
                transports.unsafeOffer(transport)
                take(transport)
              }) ?? (() => {})
          }))
      }
      return { network, transports }
    })

  it.scoped(
    "hands over the lane of the network where nothing came with the header, and the transport where it says nothing",
    () =>
      Effect.gen(function* () {
        const { network, transports } = yield* telling((transport) => transport)
        const trusted = yield* Effect.map(
          ProxyProtocol.make(network, { trusted: () => true }).listen({}),
          (listener) => listener
        )
        const accept = (...bytes: ReadonlyArray<Uint8Array>) =>
          Effect.gen(function* () {
            const client = yield* network.connect(trusted.address)
            yield* client.write(bytes)
            return { handed: yield* trusted.accept, inner: yield* Queue.take(transports) }
          })
        const proxied = yield* accept(line)
        assert.strictEqual(proxied.handed.lane, proxied.inner.lane)
        assert.strictEqual(proxied.handed.remote.host, "203.0.113.7")
        const unknown = yield* accept(latin1("PROXY UNKNOWN\r\n"))
        assert.strictEqual(unknown.handed, unknown.inner)
        const together = yield* accept(new Uint8Array([...line, ...utf8("x")]))
        assert.notStrictEqual(together.handed.lane, together.inner.lane)
        assertBytes(yield* together.handed.read, utf8("x"))
        const plain = yield* ProxyProtocol.make(network, { trusted: () => false }).listen({})
        yield* network.connect(plain.address)
        assert.strictEqual(yield* plain.accept, yield* Queue.take(transports))
      })
  )

  it.scoped("what else a transport has is that of the network, whoever has made it", () =>
    Effect.gen(function* () {
      class Labelled {
        readonly #label = "a label of its own"
        get label() {
          return this.#label
        }
      }
      const { network } = yield* telling((transport) => {
        const labelled = new Labelled()
        return new Proxy(transport, {
          get: (target, key) => (key === "label" ? labelled.label : Reflect.get(target, key))
        })
      })
      const listener = yield* ProxyProtocol.make(network, { trusted: () => true }).listen({})
      const client = yield* network.connect(listener.address)
      yield* client.write(line)
      const transport = yield* listener.accept
      assert.strictEqual(Reflect.get(transport, "label"), "a label of its own")
      assert.strictEqual(transport.remote.port, 40000)
    })
  )

  it.effect("an error of the network is one of who accepts, and then it goes on", () =>
    leavesNoFiber(
      Effect.scoped(
        Effect.gen(function* () {
          let failures = 1
          const inner = MemoryNetwork.make()
          const network: Network.Network["Type"] = {
            connect: inner.connect,
            listen: (options) =>
              Effect.map(inner.listen(options), ({ accept, address }) => ({
                address,
                accept: Effect.suspend(() =>
                  failures-- > 0
                    ? new Network.TransportError({ reason: "Unknown", operation: "accept", detail: "no descriptor" })
                    : accept
                )
              }))
          }
          const listener = yield* ProxyProtocol.make(network, { trusted: () => true }).listen({})
          assert.strictEqual((yield* Effect.flip(listener.accept)).detail, "no descriptor")
        })
      )
    )
  )

  scenario({ ...memory, network: behind(memory.network) })(
    "write sends a header, and fails before a byte where there is none",
    Effect.gen(function* () {
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      const transport = yield* network.connect(listener.address)
      const [source, destination] = [
        { host: "::1", port: 1 },
        { host: "::2", port: 2 }
      ]
      const name = ProxyProtocol.proxied({ host: "localhost", port: 1 }, destination)
      assert.strictEqual((yield* Effect.flip(ProxyProtocol.write(transport, name)))._tag, "ProxyEncodeError")
      yield* ProxyProtocol.write(transport, ProxyProtocol.proxied(source, destination), { checksum: true })
      const { local, remote } = yield* listener.accept
      assert.deepStrictEqual({ remote, local }, { remote: source, local: destination })
    })
  )

  it.scoped("the layer is the network that it needs, but for its listeners", () =>
    Effect.gen(function* () {
      const inner = { ...MemoryNetwork.make(), more: "of it" }
      const layer = ProxyProtocol.layer({ trusted: () => true })
      const network = yield* Effect.provide(
        Network.Network,
        Layer.provide(layer, Layer.succeed(Network.Network, inner))
      )
      assert.strictEqual(network.connect, inner.connect)
      assert.strictEqual(Reflect.get(network, "more"), "of it")
    })
  )
})
