import { assert, describe, it } from "@effect/vitest"
import { transportLaws } from "@sluice/conformance/vitest"
import { Effect, Layer, Option, Queue } from "effect"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Network from "../src/Network.js"
import * as ProxyProtocol from "../src/ProxyProtocol.js"
import { laneless, memory, scenario } from "./suites/host.js"
import { behind, proxying, relaying } from "./suites/proxying.js"
import { assertBytes, concat, utf8 } from "./support/bytes.js"
import { leavesNoFiber } from "./support/fibers.js"
import { latin1 } from "./support/http.js"
import { eventually } from "./support/turns.js"

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
  const telling = () =>
    Effect.gen(function* () {
      const inner = MemoryNetwork.make()
      const transports = yield* Queue.unbounded<Network.Transport>()
      const network: Network.Network["Type"] = {
        connect: inner.connect,
        listen: (options) =>
          Effect.map(inner.listen(options), (listener) => ({
            ...listener,
            onConnection: (take) =>
              listener.onConnection?.((transport) => {
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
        const { network, transports } = yield* telling()
        const trusted = yield* ProxyProtocol.make(network, { trusted: () => true }).listen({})
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

  /** A transport of somebody else: a class with a private part, and with more than a transport must have. */
  class Labelled implements Network.Transport {
    readonly #transport: Network.Transport
    readonly lane: Network.Lane | undefined
    constructor(transport: Network.Transport, hasLane: boolean) {
      this.#transport = transport
      this.lane = hasLane ? transport.lane : undefined
    }
    get remote() {
      return this.#transport.remote
    }
    get local() {
      return this.#transport.local
    }
    get read() {
      return this.#transport.read
    }
    write(bytes: Uint8Array | ReadonlyArray<Uint8Array>) {
      return this.#transport.write(bytes)
    }
    get endOfOutput() {
      return this.#transport.endOfOutput
    }
    get abort() {
      return this.#transport.abort
    }
    get label() {
      return `on ${this.#transport.local.port}`
    }
    labelled(text: string) {
      return `${text} ${this.label}`
    }
  }

  /** A network of such transports, which only has `accept`, and counts those that are alive. */
  const labelling = (hasLane: boolean) => {
    const inner = MemoryNetwork.make()
    let alive = 0
    const network: Network.Network["Type"] = {
      connect: inner.connect,
      listen: (options) =>
        Effect.map(inner.listen(options), ({ accept, address }) => ({
          address,
          accept: Effect.acquireRelease(
            Effect.tap(accept, () => Effect.sync(() => alive++)),
            () => Effect.sync(() => alive--)
          ).pipe(Effect.map((transport) => new Labelled(transport, hasLane)))
        }))
    }
    return { network, alive: () => alive }
  }

  for (const hasLane of [true, false]) {
    describe(`on a network whose transports have ${hasLane ? "a lane" : "no lane"}, and that can only be asked for one`, () => {
      it.scoped("what else a transport has is that of the network, whoever has made it", () =>
        Effect.gen(function* () {
          const { network } = labelling(hasLane)
          const listener = yield* ProxyProtocol.make(network, { trusted: () => true }).listen({ port: 80 })
          const client = yield* network.connect(listener.address)
          yield* client.write(concat([line, utf8("behind")]))
          const transport = yield* listener.accept
          assert.strictEqual(transport.remote.port, 40000)
          assert.strictEqual(transport.lane === undefined, !hasLane)
          assert.strictEqual(Reflect.get(transport, "label"), "on 80")
          assert.strictEqual(Reflect.get(transport, "labelled")("it is"), "it is on 80")
          assertBytes(yield* transport.read, utf8("behind"))
          yield* transport.write(utf8("reply"))
          yield* transport.endOfOutput
          assertBytes(yield* client.read, utf8("reply"))
        })
      )

      it.scoped(
        "what belongs to a connection ends with it: refused, handed out and aborted, or left by its scope",
        () =>
          Effect.gen(function* () {
            const { alive, network } = labelling(hasLane)
            const trusted = ({ port }: Network.Address) => port % 2 === 0
            const listener = yield* ProxyProtocol.make(network, { trusted }).listen({ port: 80 })
            const connect = Effect.tap(network.connect(listener.address), (client) =>
              client.write(concat([trusted(client.local) ? line : utf8(""), utf8("behind")]))
            )
            for (let at = 0; at < 4; at++) {
              yield* connect
              yield* Effect.scoped(
                Effect.gen(function* () {
                  const transport = yield* listener.accept
                  assert.strictEqual(alive(), 1)
                  if (at > 1) return
                  yield* transport.abort
                  yield* eventually("it has ended", () => alive() === 0)
                  const error = yield* Effect.flip(transport.read)
                  assert.isTrue(Option.isSome(error), "what came with the header is gone, too")
                })
              )
              yield* eventually("it has ended", () => alive() === 0)
            }
            const refused = yield* network.connect(listener.address)
            if (!trusted(refused.local)) return assert.fail("an even number of connections came before")
            yield* refused.write(utf8("no header"))
            yield* Effect.flip(refused.read)
            yield* eventually("it has ended", () => alive() === 0)
          })
      )
    })
  }

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
