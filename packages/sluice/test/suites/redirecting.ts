/** Redirections, for all clients alike: where they lead, what is said there, and where they end; on every network. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Queue, Redacted, type Scope, TestClock } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as SubprotocolToken from "../../src/SubprotocolToken.js"
import * as UpgradeClient from "../../src/UpgradeClient.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import { head, latin1 } from "../support/http.js"
import * as Site from "../support/site.js"
import { turns } from "../support/turns.js"
import { type Host, scenario } from "./host.js"

type Asked = Pick<WebSocketClient.Request, "url" | "fields" | "maxRedirects" | "limits">

interface Client {
  readonly name: string
  readonly scheme: "ws" | "http"
  /** Connects, and tells the URL at which that has ended. */
  readonly connect: (asked: Asked) => Effect.Effect<string, WebSocketClient.ConnectError, Network.Network | Scope.Scope>
}

const webSocket: Client = {
  name: "a WebSocket",
  scheme: "ws",
  connect: (asked) => Effect.map(WebSocketClient.connect(asked), ({ url }) => url)
}

const custom: Client = {
  name: "a custom protocol",
  scheme: "http",
  connect: (asked) => Effect.map(UpgradeClient.connect({ ...asked, protocols: ["a/1"] }), ({ url }) => url)
}

const statuses = [301, 302, 303, 307, 308]

/** Switches at `/end`, and redirects elsewhere as the table says. */
const leading = (redirections: { readonly [target: string]: Uint8Array }) =>
  Site.site((request, transport) => transport.write(redirections[Site.targetOf(request)] ?? Site.switching(request)))

const targets = (site: Site.Site) =>
  Effect.map(Queue.takeAll(site.requests), (requests) => [...requests].map(Site.targetOf))

export const redirecting = (host: Host): void => {
  const test = scenario(host)

  for (const { connect, name, scheme } of [webSocket, custom]) {
    const urlOf = (site: Site.Site, path: string) => `${scheme}://${Network.formatAddress(site.address)}${path}`

    describe(`redirections of ${name} on ${host.name}`, () => {
      test(
        "are rejections unless they are asked for",
        Effect.gen(function* () {
          const site = yield* leading(
            Object.fromEntries(statuses.map((status) => [`/${status}`, Site.redirection("/end", status)]))
          )
          for (const status of statuses) {
            for (const maxRedirects of [undefined, 0, -1, Number.NaN]) {
              const error = yield* Effect.flip(connect({ url: urlOf(site, `/${status}`), maxRedirects }))
              if (error._tag !== "Custom") assert.fail(`${error}`)
              assert.deepStrictEqual([error.status, Fields.get(error.fields, "Location")], [status, "/end"])
            }
          }
          assert.notInclude(yield* targets(site), "/end")
        })
      )

      test(
        "are followed for each of the five statuses, and the end is told",
        Effect.gen(function* () {
          const other = yield* leading({})
          const there = Network.formatAddress(other.address)
          for (const status of statuses) {
            const site = yield* leading({
              "/a/relative?x": Site.redirection("../end?y=1#z", status),
              "/authority": Site.redirection(`//${there}/end`, status),
              "/ws": Site.redirection(`ws://${there}/end`, status),
              "/http": Site.redirection(`http://${there}/end`, status)
            })
            const ends = [
              yield* connect({ url: urlOf(site, "/a/relative?x"), maxRedirects: 1 }),
              yield* connect({ url: urlOf(site, "/authority"), maxRedirects: 1 }),
              yield* connect({ url: urlOf(site, "/ws"), maxRedirects: 1 }),
              yield* connect({ url: urlOf(site, "/http"), maxRedirects: 9 }),
              yield* connect({ url: urlOf(site, "/end"), maxRedirects: 1 })
            ]
            const elsewhere = urlOf(other, "/end")
            assert.deepStrictEqual(ends, [
              urlOf(site, "/end?y=1"),
              elsewhere,
              elsewhere,
              elsewhere,
              urlOf(site, "/end")
            ])
          }
        })
      )

      test(
        "other answers of 300 and above are rejections, whatever their Location",
        Effect.gen(function* () {
          const without = latin1(head("HTTP/1.1 307 Elsewhere", "Content-Length: 0"))
          const site = yield* leading({
            "/300": Site.redirection("/end", 300),
            "/305": Site.redirection("/end", 305),
            "/306": Site.redirection("/end", 306),
            "/401": Site.redirection("/end", 401),
            "/503": Site.redirection("/end", 503),
            "/307": without
          })
          for (const status of [300, 305, 306, 401, 503, 307]) {
            const error = yield* Effect.flip(connect({ url: urlOf(site, `/${status}`), maxRedirects: 5 }))
            assert.deepStrictEqual([error._tag, "status" in error && error.status], ["Custom", status])
          }
          assert.notInclude(yield* targets(site), "/end")
        })
      )

      test(
        "end at the bound, in a loop too, with all who were asked",
        Effect.gen(function* () {
          const site = yield* leading({
            "/1": Site.redirection("/2"),
            "/2": Site.redirection("/3"),
            "/3": Site.redirection("/end"),
            "/loop?secret": Site.redirection("")
          })
          const end = yield* connect({ url: urlOf(site, "/1"), maxRedirects: 3 })
          assert.strictEqual(end, urlOf(site, "/end"))
          const error = yield* Effect.flip(connect({ url: urlOf(site, "/1"), maxRedirects: 2 }))
          if (error._tag !== "RedirectError") assert.fail(`${error}`)
          const chain = ["/1", "/2", "/3"].map((path) => urlOf(site, path))
          assert.deepStrictEqual([error.reason, [...error.chain]], ["TooMany", chain])
          for (const url of [...chain, urlOf(site, "/end")]) assert.include(error.message, url)
          assert.strictEqual(Fields.get(error.rejection.fields, "Location"), "/end")
          yield* targets(site)
          const loop = yield* Effect.flip(connect({ url: urlOf(site, "/loop?secret"), maxRedirects: 4 }))
          if (loop._tag !== "RedirectError") assert.fail(`${loop}`)
          assert.deepStrictEqual([loop.reason, loop.chain.length], ["TooMany", 5])
          assert.notInclude(`${loop.message} ${loop.chain}`, "secret")
          assert.deepStrictEqual(
            yield* targets(site),
            Array.from({ length: 5 }, () => "/loop?secret")
          )
        })
      )

      test(
        "to what is no URL of a server are errors",
        Effect.gen(function* () {
          const wrong = ["ftp://localhost/", "//ada:secret@localhost/", "http://", "/\\localhost/", "/a b"]
          const site = yield* leading({
            ...Object.fromEntries(wrong.map((location, at) => [`/${at}`, Site.redirection(location)])),
            "/twice": Site.redirection("/end", 307, "Location: /end")
          })
          for (const path of [...wrong.keys(), "twice"]) {
            const url = urlOf(site, `/${path}`)
            const error = yield* Effect.flip(connect({ url, maxRedirects: 5 }))
            if (error._tag !== "RedirectError") assert.fail(`${error}`)
            assert.deepStrictEqual([error.reason, [...error.chain]], ["Location", [url]])
            assert.notInclude(error.message, "secret")
          }
        })
      )

      test(
        "lead to what any URL may lead to",
        Effect.gen(function* () {
          const network = yield* Network.Network
          const { address } = yield* Effect.scoped(network.listen({}))
          const site = yield* leading({
            "/nobody": Site.redirection(`http://${Network.formatAddress(address)}/`),
            "/refused": Site.redirection("/forbidden"),
            "/forbidden": Rejection.toBytes(new Rejection.Forbidden({ detail: "not you" })),
            "/nonsense": Site.redirection("/garbage"),
            "/garbage": latin1("SSH-2.0-OpenSSH_9.6\r\n")
          })
          const tags: Array<string> = []
          for (const path of ["/nobody", "/refused", "/nonsense"]) {
            tags.push((yield* Effect.flip(connect({ url: urlOf(site, path), maxRedirects: 1 })))._tag)
          }
          assert.deepStrictEqual(tags, ["TransportError", "Forbidden", "InvalidResponse"])
        })
      )

      test(
        "drop credentials where the origin changes, and for good",
        Effect.gen(function* () {
          const there = yield* leading({
            "/on": Site.redirection("/end"),
            get "/back"() {
              return Site.redirection(urlOf(start, "/end"))
            }
          })
          const start: Site.Site = yield* leading({
            "/same": Site.redirection("/end"),
            "/on": Site.redirection(urlOf(there, "/on")),
            "/back": Site.redirection(urlOf(there, "/back"))
          })
          const fields = [
            ["AUTHORIZATION", "Bearer x"],
            ["Cookie", "a=1"],
            ["Proxy-Authorization", "Basic x"],
            ["X-Api-Key", Redacted.make("key")],
            ["X-Trace", "trace"]
          ] as const
          const said = (site: Site.Site) =>
            Effect.map(Queue.takeAll(site.requests), (requests) =>
              [...requests].map((request) => [
                Site.targetOf(request),
                Site.fieldOf(request, "Host") === Network.formatAddress(site.address),
                fields.map(([name]) => Site.fieldOf(request, name))
              ])
            )
          const all = ["Bearer x", "a=1", "Basic x", "key", "trace"]
          const few = [undefined, undefined, undefined, undefined, "trace"]

          // An iterator can be read once only.
          yield* connect({ url: urlOf(start, "/same"), fields: fields.values(), maxRedirects: 1 })
          assert.deepStrictEqual(yield* said(start), [
            ["/same", true, all],
            ["/end", true, all]
          ])
          yield* connect({ url: urlOf(start, "/on"), fields, maxRedirects: 2 })
          assert.deepStrictEqual(yield* said(start), [["/on", true, all]])
          assert.deepStrictEqual(yield* said(there), [
            ["/on", true, few],
            ["/end", true, few]
          ])
          yield* connect({ url: urlOf(start, "/back"), fields, maxRedirects: 2 })
          assert.deepStrictEqual(yield* said(there), [["/back", true, few]])
          assert.deepStrictEqual(yield* said(start), [
            ["/back", true, all],
            ["/end", true, few]
          ])
        })
      )

      test(
        "leave nothing of the connections on the way",
        Effect.gen(function* () {
          const site = yield* leading({ "/1": Site.redirection("/2"), "/2": Site.redirection("/end") })
          const network = yield* Network.Network
          let open = 0
          let most = 0
          const opening = Effect.acquireRelease(
            Effect.sync(() => {
              most = Math.max(most, ++open)
            }),
            () => Effect.sync(() => open--)
          )
          const counting = {
            ...network,
            connect: (...options: Parameters<typeof network.connect>) =>
              Effect.zipRight(opening, network.connect(...options))
          }
          yield* Effect.provideService(connect({ url: urlOf(site, "/1"), maxRedirects: 2 }), Network.Network, counting)
          // While the last one is open.
          assert.deepStrictEqual([open, most], [1, 1])
          assert.deepStrictEqual([...(yield* Queue.takeN(site.ends, 2))], ["End", "End"])
          yield* turns()
          assert.isTrue(Option.isNone(yield* Queue.poll(site.ends)))
        })
      )

      test(
        "have the time of one handshake, all together",
        Effect.gen(function* () {
          const asked = yield* Deferred.make<void>()
          const silent = yield* Site.site(() => Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never))
          const held = yield* Deferred.make<void>()
          const site = yield* Site.site((_, transport) =>
            Effect.zipRight(Deferred.await(held), transport.write(Site.redirection(urlOf(silent, "/"))))
          )
          const url = urlOf(site, "/first?token=x")
          const limits = { handshakeTimeout: "4 seconds" } as const
          const connecting = yield* Effect.fork(connect({ url, maxRedirects: 1, limits }))
          yield* Queue.take(site.requests)
          yield* TestClock.adjust("3 seconds")
          yield* Deferred.succeed(held, undefined)
          yield* Deferred.await(asked)
          yield* TestClock.adjust("999 millis")
          yield* turns()
          assert.isTrue(Option.isNone(yield* Fiber.poll(connecting)))
          yield* TestClock.adjust("1 millis")
          const error = yield* Effect.flip(Fiber.join(connecting))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["TransportError", "TimedOut"])
          assert.include(error.message, "/first was not complete after 4000 ms")
        })
      )

      test(
        "are over with the client that is interrupted",
        Effect.gen(function* () {
          const asked = yield* Deferred.make<void>()
          const silent = yield* Site.site(() => Deferred.succeed(asked, undefined))
          const site = yield* leading({ "/": Site.redirection(urlOf(silent, "/")) })
          const connecting = yield* Effect.fork(connect({ url: urlOf(site, "/"), maxRedirects: 1 }))
          yield* Deferred.await(asked)
          yield* turns()
          yield* Fiber.interrupt(connecting)
          assert.strictEqual(yield* Queue.take(silent.ends), host.hasResets === false ? "End" : "Reset")
        })
      )
    })
  }

  describe(`redirections of a WebSocket only on ${host.name}`, () => {
    test(
      "have a new key each time",
      Effect.gen(function* () {
        const site = yield* leading(
          Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`/${at}`, Site.redirection(`/${at + 1}`)]))
        )
        const url = `ws://${Network.formatAddress(site.address)}/0`
        yield* WebSocketClient.connect({ url, maxRedirects: 10 })
        const keys = [...(yield* Queue.takeN(site.requests, 11))].map((request) =>
          Site.fieldOf(request, "Sec-WebSocket-Key")
        )
        assert.strictEqual(new Set(keys).size, 11)
        for (const key of keys) assert.match(key ?? "", /^[A-Za-z0-9+/]{22}==$/)
      })
    )

    test(
      "take the subprotocols along, but not a token among them to another origin",
      Effect.gen(function* () {
        const there = yield* Site.site((request, transport) =>
          transport.write(Site.switching(request, "Sec-WebSocket-Protocol: chat.v1"))
        )
        const site = yield* leading({
          "/near": Site.redirection("/here"),
          "/here": Site.redirection(`ws://${Network.formatAddress(there.address)}/`)
        })
        const token = SubprotocolToken.encode(Redacted.make("secret"))
        const socket = yield* WebSocketClient.connect({
          url: `ws://${Network.formatAddress(site.address)}/near`,
          subprotocols: ["chat.v1", token],
          origin: "https://example.com",
          maxRedirects: 2
        })
        assert.strictEqual(socket.subprotocol, "chat.v1")
        const said = (site: Site.Site) =>
          Effect.map(Queue.takeAll(site.requests), (requests) =>
            [...requests].map((request) => [
              Site.fieldOf(request, "Sec-WebSocket-Protocol"),
              Site.fieldOf(request, "Origin")
            ])
          )
        const near = [`chat.v1, ${token}`, "https://example.com"]
        assert.deepStrictEqual(yield* said(site), [near, near])
        assert.deepStrictEqual(yield* said(there), [["chat.v1", "https://example.com"]])
      })
    )
  })
}
