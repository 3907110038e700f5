/** Advisories about what a server reads before the 101: the head, its fields, its target, its origin, and what follows. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Redacted, Ref, type Scope, Stream } from "effect"
import * as Credential from "../../src/Credential.js"
import * as Fields from "../../src/Fields.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import {
  answering,
  each,
  echo,
  exchange,
  nobodyIsLeft,
  request,
  serves,
  statusOf,
  valid,
  withLines,
  without
} from "../support/hostile.js"
import { latin1 } from "../support/http.js"
import * as Peer from "../support/peer.js"
import { settled } from "../support/turns.js"
import { named } from "./advisoriesNamed.js"
import { type Host, scenario } from "./host.js"

const chunk = new Uint8Array(64 * 1024)

/** Names of what every object has. */
const inherited = ["constructor", "__proto__", "prototype", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"]

const target = (path: string): string => valid.replace("GET / ", `GET ${path} `)

const reasonOf = (error: { readonly _tag: string }): unknown => ("reason" in error ? error.reason : undefined)

/** Sends until the server takes no more, or ends the connection: not more than it may take. */
const pour = (host: Host, transport: Network.Transport) =>
  Effect.gen(function* () {
    // What is on its way, and what is read of it at most.
    const most = host.held + 3 * chunk.length
    let written = 0
    const piece = Effect.map(transport.write(chunk), () => (written += chunk.length))
    yield* Effect.forkScoped(Effect.ignore(Effect.repeat(piece, { until: (written) => written > most })))
    assert.isAtMost(yield* settled(() => written), most)
  })

type Serve = Effect.Effect<
  WebSocketServer.WebSocketServer["Type"],
  Network.TransportError,
  Network.Network | Scope.Scope
>

export const advisoriesOfRequests = (host: Host): void => {
  const test = scenario(host)
  const name = named("network")
  const row = <E>(id: string, what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    test(name(id, what), run)

  /** Sends each of the requests to a server, looks at the status of the one reply, and whether it still serves. */
  const statuses = (
    cases: ReadonlyArray<readonly [what: string, head: string, status: number | ReadonlyArray<number>]>,
    serve: Serve = host.serve({}, echo)
  ) =>
    Effect.gen(function* () {
      const { address, connections } = yield* serve
      yield* each(cases, ([what, head, status]) =>
        Effect.map(exchange(address, request(head)), (reply) => assert.include([status].flat(), statusOf(reply), what))
      )
      yield* serves(address)
      yield* nobodyIsLeft(connections)
    })

  describe(`advisories about requests on ${host.name}`, () => {
    row(
      "CVE-2024-37890",
      "2,000 fields are refused, and so is a request that lacks one of those that are needed",
      Effect.gen(function* () {
        const many = Array.from({ length: 2000 }, () => "x:")
        // A server that reads the head itself may count in its own way; nobody is accepted for what is not there.
        const tooMany = host.isGuest ? [101, 400, 431] : 431
        const own = ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]
        const missing = host.isGuest ? own.slice(3) : own
        yield* statuses([
          ["many behind", withLines(valid, ...many), tooMany],
          ["many before", valid.replace("\r\n", `\r\n${many.join("\r\n")}\r\n`), tooMany],
          ...missing.map((field) => [field, without(valid, field), field === "Upgrade" ? 426 : 400] as const)
        ])
      })
    )

    row(
      "CVE-2024-37890",
      "a 101 that lacks one of its fields, or has 2,000, is no answer",
      Effect.gen(function* () {
        for (const [field, reason] of [
          ["Upgrade", "Upgrade"],
          ["Connection", "Connection"],
          ["Sec-WebSocket-Accept", "Accept"]
        ] as const) {
          const { url } = yield* answering((head) => without(new TextDecoder().decode(Peer.switching(head)), field))
          assert.strictEqual(reasonOf(yield* Effect.flip(WebSocketClient.connect(url))), reason)
        }
        const { url } = yield* answering((head) => Peer.switching(head, ...Array.from({ length: 2000 }, () => "x:")))
        assert.strictEqual(reasonOf(yield* Effect.flip(WebSocketClient.connect(url))), "HeadTooLarge")
      })
    )

    row(
      "CVE-2021-32640",
      "a head full of white space and commas in Sec-WebSocket-Protocol is refused",
      statuses(
        [" ", ",", " ,", ", ", "\t"].map((unit) => [
          JSON.stringify(unit),
          withLines(valid, `Sec-WebSocket-Protocol: a${unit.repeat(15_000 / unit.length)}b c`),
          400
        ])
      )
    )

    row(
      "CVE-2020-7662",
      "a head full of a quoted string that is not closed, in Sec-WebSocket-Extensions, is refused",
      statuses(
        ["\\", '\\"', "a", "a, b; c=\\"].map((unit) => [
          unit,
          withLines(valid, `Sec-WebSocket-Extensions: a; b="${unit.repeat(15_000 / unit.length)}`),
          400
        ])
      )
    )

    row(
      "CVE-2021-33880",
      "a wrong password is refused in one and the same way, whatever of it is right",
      Effect.gen(function* () {
        const isRight = Credential.equalTo(Redacted.make(`Basic ${btoa("ada:correct horse")}`))
        const refusal = new Rejection.Unauthorized({ challenges: [Rejection.bearer] })
        const { address } = yield* host.serve(
          {
            authenticate: ({ request }) =>
              isRight(Redacted.make(Fields.get(request.fields, "Authorization") ?? "")) ? Effect.void : refusal
          },
          echo
        )
        const ask = (credentials: string) =>
          exchange(address, request(withLines(valid, `Authorization: Basic ${btoa(credentials)}`)))
        const replies = yield* Effect.forEach(
          ["", "a", "ada:", "ada:wrong horse", "ada:correct hors", "ada:correct horse ", "bob:correct horse"],
          ask
        )
        for (const reply of replies) assert.strictEqual(statusOf(reply), 401)
        assert.strictEqual(new Set(replies).size, 1)
        assert.strictEqual(statusOf(yield* ask("ada:correct horse")), 101)
      })
    )

    row(
      "CVE-2023-43669",
      "a head without end, or of too many fields, is refused as soon as that is known",
      statuses([
        ["a value", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}`, 431],
        ["a name", `GET / HTTP/1.1\r\nHost: a\r\n${"x".repeat(20_000)}`, host.isGuest ? [400, 431] : 431],
        ...(host.isGuest
          ? []
          : ([
              ["a target", `GET /${"x".repeat(9000)}`, 414],
              ["a method", "x".repeat(20_000), 431],
              ["fields", `GET / HTTP/1.1\r\n${"x:\r\n".repeat(129)}`, 431],
              ["as many fields as may be", withLines(valid, ...Array.from({ length: 123 }, () => "x:")), 101],
              ["one more", withLines(valid, ...Array.from({ length: 124 }, () => "x:")), 431]
            ] as const))
      ])
    )

    row(
      "ws 3.3.1",
      "extensions, subprotocols and fields with the names of what every object has are names like others",
      Effect.gen(function* () {
        const before = Object.getOwnPropertyNames(Object.prototype)
        const served = host.serve({ subprotocols: ["chat"] }, echo)
        yield* statuses(
          inherited.flatMap((own) => [
            [own, withLines(valid, `Sec-WebSocket-Extensions: ${own}; ${own}; ${own}=${own}`), 101] as const,
            [own, withLines(valid, `Sec-WebSocket-Protocol: ${own}`), 400] as const,
            [own, withLines(valid, `${own}: polluted`, `${own}: polluted`), 101] as const
          ]),
          served
        )
        const { address } = yield* served
        for (const own of inherited) {
          const reply = yield* exchange(address, request(withLines(valid, `Sec-WebSocket-Extensions: ${own}`)))
          assert.notInclude(reply, "Extensions")
          const extended = yield* answering((head) => Peer.switching(head, `Sec-WebSocket-Extensions: ${own}`))
          assert.strictEqual(reasonOf(yield* Effect.flip(WebSocketClient.connect(extended.url))), "Extensions")
          const refusing = yield* answering(
            () => `HTTP/1.1 403 No\r\nSluice-Rejection: ${own}; ${own}=1\r\nContent-Length: 0\r\n\r\n`
          )
          assert.strictEqual((yield* Effect.flip(WebSocketClient.connect(refusing.url)))._tag, "Custom")
        }
        assert.deepStrictEqual(Object.getOwnPropertyNames(Object.prototype), before)
        assert.notProperty({}, "polluted")
      })
    )

    row(
      "CVE-2026-2229",
      "window bits of no meaning are declined by a server, and refused by a client that has offered nothing",
      Effect.gen(function* () {
        const bits = ["7", "16", "1000", "-1", "1e9", "0x0f", "99999999999999999999", "NaN"]
        const { address } = yield* host.serve({}, echo)
        const parameters = bits.flatMap((bits) => [`server_max_window_bits=${bits}`, `client_max_window_bits=${bits}`])
        yield* each(parameters, (parameter) =>
          Effect.gen(function* () {
            const field = `Sec-WebSocket-Extensions: permessage-deflate; ${parameter}`
            const reply = yield* exchange(address, request(withLines(valid, field)))
            assert.strictEqual(statusOf(reply), 101, parameter)
            assert.notInclude(reply, "Extensions")
            const { url } = yield* answering((head) => Peer.switching(head, field))
            assert.strictEqual(reasonOf(yield* Effect.flip(WebSocketClient.connect(url))), "Extensions")
          })
        )
      })
    )

    row(
      "CVE-2023-31125",
      "a target may be anything, and is only read by the application",
      Effect.gen(function* () {
        const seen = yield* Ref.make<ReadonlyArray<string>>([])
        const served = host.serve(
          { authenticate: ({ resource }) => Ref.update(seen, (all) => [...all, resource]) },
          echo
        )
        const good = [
          ...inherited.flatMap((own) => [`/?transport=${own}`, `/?sid=${own}&EIO=4`, `/${own}`, `/?${own}[${own}]=1`]),
          "//",
          "/?",
          "/%",
          "/%00%ff%fe",
          "/..%2f..%5c",
          `/?${"a=&".repeat(1000)}`
        ]
        const bad = ["http://[::1/", "http://a%/", "*", "a", "http://a:b@c/", "/#x", "http://"]
        yield* statuses(
          [
            ...good.map((path) => [path, target(path), 101] as const),
            // A server that reads the head itself may say so in its own way.
            ...bad.map((path) => [path, target(path), 400] as const)
          ],
          served
        )
        assert.sameMembers([...(yield* Ref.get(seen))], [...good, "/"])
      })
    )

    row(
      "CVE-2026-59898",
      "what is not wholly an upgrade to version 13 is refused, and nothing behind it is read as a request",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const set = (line: string) => withLines(without(valid, line.slice(0, line.indexOf(":"))), line)
        const cases: ReadonlyArray<readonly [head: string, status: number]> = [
          ...["0", "7", "8", "12", "14", "25", "255"].map(
            (version) => [set(`Sec-WebSocket-Version: ${version}`), 426] as const
          ),
          ...["", "013", "0xd", "-13", "13.0", "thirteen", "13 13"].map(
            (version) => [set(`Sec-WebSocket-Version: ${version}`), 400] as const
          ),
          [set("Upgrade: h2c"), 426],
          [set("Upgrade: websocket/13"), 426],
          [set("Upgrade: websockets"), 426],
          ...(host.isGuest
            ? []
            : ([
                [without(valid, "Upgrade"), 426],
                [without(valid, "Connection"), 400],
                [set("Connection: close"), 400],
                [set("Connection: keep-alive"), 400],
                [set("Connection: upgrades"), 400],
                [set("Connection: Upgrade, keep alive"), 400],
                [set("Upgrade:"), 426],
                [without(valid, "Upgrade", "Connection"), 426]
              ] as const))
        ]
        yield* each(cases, ([head, status]) =>
          Effect.map(exchange(address, head, target("/smuggled")), (reply) => {
            assert.strictEqual(statusOf(reply), status, head)
            assert.match(reply, /\r\nConnection: (?:Upgrade, )?close\r\n/)
          })
        )
        yield* serves(address)
        yield* nobodyIsLeft(connections)
      })
    )

    row(
      "CVE-2018-12541",
      "a request with a body is refused, and of the body no more is taken than a connection lingers for",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const network = yield* Network.Network
        const bodies = [
          "Content-Length: 5",
          "Content-Length: 10000000000",
          "Content-Length: -1",
          "Transfer-Encoding: chunked"
        ]
        for (const line of host.isGuest ? bodies.slice(0, 2) : bodies) {
          assert.strictEqual(statusOf(yield* exchange(address, withLines(valid, line), "hello")), 400, line)
        }
        if (!host.isGuest) {
          const connect = valid.replace("GET / ", "CONNECT localhost:80 ")
          assert.strictEqual(statusOf(yield* exchange(address, connect)), 405)
        }
        const transport = yield* network.connect(address)
        yield* transport.write(latin1(withLines(valid, "Content-Length: 10000000000")))
        yield* pour(host, transport)
        yield* nobodyIsLeft(connections)
      })
    )

    row(
      "CVE-2018-12541",
      "what comes behind the head waits on the wire while the application decides",
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const { address, connections } = yield* host.serve(
          { authenticate: () => Effect.zipRight(Deferred.await(gate), new Rejection.Forbidden()) },
          echo
        )
        const network = yield* Network.Network
        const transport = yield* network.connect(address)
        yield* transport.write(Peer.request("/"))
        yield* pour(host, transport)
        yield* Deferred.succeed(gate, undefined)
        yield* nobodyIsLeft(connections)
      })
    )

    row(
      "CVE-2020-36048",
      "a POST is refused by its head, and its body is not kept",
      Effect.gen(function* () {
        const { address, connections } = yield* host.serve({}, echo)
        const network = yield* Network.Network
        const post = withLines(valid.replace("GET", "POST"), "Content-Length: 10000000000")
        const transport = yield* network.connect(address)
        yield* transport.write(latin1(post))
        const { head } = yield* Peer.readHead(transport)
        assert.match(head, /^HTTP\/1\.1 405 /)
        yield* pour(host, transport)
        yield* nobodyIsLeft(connections)
        yield* serves(address)
      })
    )

    row(
      "Granian advisory",
      "bytes of 0x80 and above in Sec-WebSocket-Protocol are refused, and the server goes on",
      statuses(
        Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x80 + i)).map((byte) => [
          `0x${byte.charCodeAt(0).toString(16)}`,
          withLines(valid, `Sec-WebSocket-Protocol: chat, caf${byte}`),
          400
        ]),
        host.serve({ subprotocols: ["chat"] }, echo)
      )
    )

    row(
      "CVE-2026-27977",
      "a list of origins is compared with what the origin is, and null is in no list",
      Effect.gen(function* () {
        const allowed = ["https://app.example", "http://localhost:3000", "null"]
        const origins: ReadonlyArray<readonly [origin: string, status: number]> = [
          ["https://app.example", 101],
          ["HTTPS://APP.EXAMPLE", 101],
          ["https://app.example:443", 101],
          ["http://localhost:3000", 101],
          ["null", 403],
          ["NULL", 403],
          ["", 403],
          ["https://app.example.", 403],
          ["https://app.example:8443", 403],
          ["http://app.example", 403],
          ["http://localhost", 403],
          ["https://app.example/", 403],
          ["https://app.example.evil.example", 403],
          ["https://evil.example/https://app.example", 403],
          ["https://evil.example?https://app.example", 403],
          ["https://app.example@evil.example", 403],
          ["https://user@app.example", 403],
          ["https://app.example, https://evil.example", 403],
          ["https://evil.example https://app.example", 403],
          ["app.example", 403],
          ["file://", 403]
        ]
        yield* statuses(
          [
            ["none: not a browser", valid, 101],
            ["twice", withLines(valid, "Origin: https://app.example", "Origin: https://app.example"), 400],
            ...origins.map(([origin, status]) => [origin, withLines(valid, `Origin: ${origin}`), status] as const)
          ],
          host.serve({ origin: allowed }, echo)
        )
      })
    )

    row(
      "CVE-2025-24010",
      "without a policy only the server's own pages may connect, and nobody else comes to the application",
      Effect.gen(function* () {
        const asked = yield* Ref.make(0)
        const once = Ref.update(asked, (count) => count + 1)
        const { address } = yield* host.serve({ authenticate: () => once }, (socket) =>
          Effect.zipRight(once, echo(socket))
        )
        const own = Network.formatAddress(address)
        const head = valid.replace("Host: localhost", `Host: ${own}`)
        const status = (origin: string) =>
          Effect.map(exchange(address, request(withLines(head, `Origin: ${origin}`))), statusOf)
        for (const origin of [
          "https://evil.example",
          `http://${own}.evil.example`,
          `http://evil.example:${address.port}`,
          `http://${address.host}:1`,
          `http://${address.host}`,
          `http://${own}@evil.example`,
          `http://${own}/path`,
          "null",
          "file://",
          "chrome-extension://abcdefgh",
          own
        ]) {
          assert.strictEqual(yield* status(origin), 403, origin)
        }
        assert.strictEqual(yield* Ref.get(asked), 0)
        assert.strictEqual(yield* status(`http://${own}`), 101)
        assert.strictEqual(yield* Ref.get(asked), 2)
      })
    )

    row(
      "GHSA-c4j6-fc7j-m34r",
      "a target is a path for the application's own router, whatever its form, and is never connected to",
      Effect.gen(function* () {
        const network = yield* Network.Network
        const outward: Array<Network.Address> = []
        const watched: Network.Network["Type"] = {
          ...network,
          connect: (address) => {
            outward.push(address)
            return network.connect(address)
          }
        }
        const routed = yield* Ref.make<ReadonlyArray<string>>([])
        const { address } = yield* Effect.provideService(
          host.serve(
            {
              authenticate: ({ authority, resource }) =>
                Effect.zipRight(
                  Ref.update(routed, (all) => [...all, `${authority} ${resource}`]),
                  resource === "/chat" ? Effect.void : new Rejection.NotFound()
                ),
              upgrades: [
                WebSocketServer.upgrade("mirror/1", ({ transport }) => Stream.runDrain(Network.reads(transport)), {
                  authorize: () => new Rejection.Forbidden()
                })
              ]
            },
            echo
          ),
          Network.Network,
          watched
        )
        const cases: ReadonlyArray<readonly [target: string, status: number, routed?: string]> = [
          ["http://169.254.169.254/latest/meta-data/", 404, "169.254.169.254 /latest/meta-data/"],
          ["http://localhost:6379/chat", 101, "localhost:6379 /chat"],
          ["https://internal.example?x", 404, "internal.example /?x"],
          ["//169.254.169.254/chat", 404, "localhost //169.254.169.254/chat"],
          ["/http://169.254.169.254/chat", 404, "localhost /http://169.254.169.254/chat"],
          ["/chat/../admin", 404, "localhost /chat/../admin"],
          ["ws://localhost/chat", 400],
          ["ftp://localhost/chat", 400],
          ["file:///chat", 400],
          ["http:///chat", 400],
          ["http://user@localhost/chat", 400],
          ["http://a\\@localhost/chat", 400],
          ["localhost:80", 400],
          ["*", 400]
        ]
        for (const [path, status] of cases) {
          assert.strictEqual(statusOf(yield* exchange(address, request(target(path)))), status, path)
        }
        const mirror = target("http://169.254.169.254/chat").replace("Upgrade: websocket", "Upgrade: mirror/1")
        assert.strictEqual(statusOf(yield* exchange(address, mirror)), 403)
        assert.deepStrictEqual(
          yield* Ref.get(routed),
          cases.flatMap(([, , routed]) => routed ?? [])
        )
        assert.deepStrictEqual(outward, [])
      })
    )
  })
}
