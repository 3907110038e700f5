/** Redirections where TLS and addresses of one's own have a part; the others are in the suite. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue, type Scope, Stream } from "effect"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Network from "../src/Network.js"
import * as UpgradeClient from "../src/UpgradeClient.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { leavesNoFiber } from "./support/fibers.js"
import * as Site from "./support/site.js"

/** Redirects elsewhere, by its path: `/ws://b/` leads to `ws://b/`; `/end` switches. */
const leading = Site.site((request, transport) => {
  const location = Site.targetOf(request).slice(1)
  return transport.write(location === "end" ? Site.switching(request) : Site.redirection(location))
})

/** A network in memory on which each connection is told: where it went to, and the name that TLS was for. */
const watched = Effect.gen(function* () {
  const network = yield* Network.Network
  const asked: Array<string> = []
  const connect = (to: Network.ConnectOptions) => {
    asked.push(`${to.tls === undefined ? "" : `${to.tls.serverName} at `}${Network.formatAddress(to)}`)
    return network.connect(to)
  }
  return { network: { ...network, connect }, asked }
})

type Dial = (
  request: Pick<WebSocketClient.Request, "url" | "address">
) => Effect.Effect<string, WebSocketClient.ConnectError, Network.Network | Scope.Scope>

const clients: ReadonlyArray<readonly [what: string, scheme: "ws" | "http", dial: Dial]> = [
  [
    "a WebSocket",
    "ws",
    (request) => Effect.map(WebSocketClient.connect({ ...request, maxRedirects: 3 }), ({ url }) => url)
  ],
  [
    "a custom protocol",
    "http",
    (request) => Effect.map(UpgradeClient.connect({ ...request, protocols: ["a"], maxRedirects: 3 }), ({ url }) => url)
  ]
]

for (const [what, scheme, dial] of clients) {
  describe(`redirections of ${what}`, () => {
    it.effect("lead into TLS and stay in it, each with the name of its own URL", () =>
      Effect.gen(function* () {
        const site = yield* leading
        const { asked, network } = yield* watched
        const there = Network.formatAddress(site.address)
        const { port } = site.address
        for (const [from, location, end] of [
          [scheme, "/end", scheme],
          [scheme, `${scheme}://${there}/end`, scheme],
          [scheme, `https://${there}/end`, `${scheme}s`],
          [scheme, `wss://${there}/end`, `${scheme}s`],
          [`${scheme}s`, "/end", `${scheme}s`],
          [`${scheme}s`, `//${there}/end`, `${scheme}s`],
          [`${scheme}s`, `https://${there}/end`, `${scheme}s`]
        ]) {
          const url = yield* Effect.provideService(
            dial({ url: `${from}://${there}/${location}` }),
            Network.Network,
            network
          )
          assert.strictEqual(url, `${end}://${there}/end`)
        }
        const [plain, secure] = [there, `127.0.0.1 at 127.0.0.1:${port}`]
        assert.deepStrictEqual(asked, [
          ...[plain, plain, plain, plain],
          ...[plain, secure, plain, secure],
          ...[secure, secure, secure, secure, secure, secure]
        ])
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
    )

    it.effect("do not lead out of TLS, not even to the same host, and nobody is asked there", () =>
      Effect.gen(function* () {
        const site = yield* leading
        const there = Network.formatAddress(site.address)
        for (const location of [`ws://${there}/end`, `http://${there}/end`]) {
          const error = yield* Effect.flip(dial({ url: `${scheme}s://${there}/${location}` }))
          if (error._tag !== "RedirectError") assert.fail(`${error}`)
          assert.deepStrictEqual([error.reason, [...error.chain]], ["Downgrade", [`${scheme}s://${there}/${location}`]])
          assert.include(error.message, `from TLS to ${scheme}://${there}/end is not followed`)
        }
        const heard = [...(yield* Queue.takeAll(site.requests))].map(Site.targetOf)
        assert.notInclude(heard, "/end")
        assert.strictEqual(heard.length, 2)
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
    )

    it.effect("leave nothing when the client is interrupted, at whichever step", () =>
      Effect.gen(function* () {
        const site = yield* leading
        const network = yield* Network.Network
        let open = 0
        const counting = {
          ...network,
          connect: (to: Network.ConnectOptions) =>
            Effect.acquireRelease(network.connect(to), () => Effect.sync(() => open--)).pipe(
              Effect.tap(() => Effect.sync(() => open++))
            )
        }
        // One that answers a Close, which the end of a WebSocket waits for.
        const sink = WebSocketServer.upgrade("a", ({ transport }) =>
          Effect.ignore(Stream.runDrain(Network.reads(transport)))
        )
        const server = yield* WebSocketServer.serve({ upgrades: [sink] }, (socket) => socket.closed)
        const there = `http://${Network.formatAddress(server.address)}/`
        const url = `${scheme}://${Network.formatAddress(site.address)}/${there}`
        let finished = 0
        const most = 48
        for (let steps = 0; steps < most; steps++) {
          const dialled = Effect.zipRight(
            Effect.tap(dial({ url }), () => Effect.sync(() => finished++)),
            Effect.never
          )
          const fiber = yield* Effect.fork(Effect.provideService(Effect.scoped(dialled), Network.Network, counting))
          for (let step = 0; step < steps; step++) yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
          assert.strictEqual(open, 0, `after ${steps} steps`)
        }
        // Some were interrupted before they had a connection, and some after.
        assert.isTrue(finished > 0 && finished < most, `${finished} of ${most}`)
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()), leavesNoFiber)
    )

    it.effect("keep the address that was asked for as long as the origin is that of the URL", () =>
      Effect.gen(function* () {
        const home = yield* leading
        const other = yield* leading
        const { asked, network } = yield* watched
        const there = Network.formatAddress(other.address)
        const follow = (path: string) =>
          Effect.provideService(
            dial({ url: `${scheme}://chat.example/${path}`, address: home.address }),
            Network.Network,
            network
          )
        assert.strictEqual(yield* follow("/end"), `${scheme}://chat.example/end`)
        assert.strictEqual(yield* follow(`ws://${there}/end`), `${scheme}://${there}/end`)
        const here = Network.formatAddress(home.address)
        assert.deepStrictEqual(asked, [here, here, here, there])
        const heard = [...(yield* Queue.takeAll(home.requests))].map((request) => Site.fieldOf(request, "Host"))
        assert.deepStrictEqual(heard, ["chat.example", "chat.example", "chat.example"])
        assert.strictEqual(Site.fieldOf(yield* Queue.take(other.requests), "Host"), there)

        // Who was led away is not led back to where only the caller may send it.
        const back = yield* Effect.flip(follow(`ws://${there}/ws://chat.example/end`))
        assert.deepStrictEqual([back._tag, "reason" in back && back.reason], ["TransportError", "ConnectionRefused"])
        assert.strictEqual(asked.at(-1), "chat.example:80")
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer()))
    )
  })
}
