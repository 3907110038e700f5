/** Advisories about what this side writes into heads, and where it takes its secrets. */
import { assert, describe } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Network from "../../src/Network.js"
import * as Rejection from "../../src/Rejection.js"
import * as WebSocketClient from "../../src/WebSocketClient.js"
import * as WebSocketServer from "../../src/WebSocketServer.js"
import { answering, each, echo, exchange, serves, statusOf, valid, withLines } from "../support/hostile.js"
import { head } from "../support/http.js"
import { logged } from "../support/logs.js"
import * as Peer from "../support/peer.js"
import { turns } from "../support/turns.js"
import { named } from "./advisoriesNamed.js"
import { type Host, scenario } from "./host.js"

/** What would end a line, or the text that a recipient reads. */
const breaks = ["\r\n", "\r", "\n", "\0", "\r\n\r\n"]

const injected = "X-Injected: 1"

/** A network that nobody may use. */
const untouched = Effect.provideService(Network.Network, {
  connect: () => Effect.dieMessage("connected"),
  listen: () => Effect.dieMessage("listened")
})

/** No line of the head is one that was smuggled in, and there is one head only. */
const assertClean = (text: string, what: string): void => {
  assert.isFalse(
    text.split(/\r\n|\r|\n|\0/).some((line) => line.startsWith(injected)),
    `${what}: ${text}`
  )
}

export const advisoriesOfOutput = (host: Host): void => {
  const test = scenario(host)
  const name = named("network")
  const row = <E>(id: string, what: string, run: Effect.Effect<unknown, E, Network.Network | Scope.Scope>) =>
    test(name(id, what), run)

  describe(`advisories about output on ${host.name}`, () => {
    row(
      "ws@6946f5f",
      "a client follows no redirect: it is an error with its Location, and no secret goes anywhere",
      Effect.gen(function* () {
        const elsewhere = yield* answering((request) => Peer.switching(request))
        const there = Network.formatAddress(elsewhere.address)
        const locations = [
          `ws://${there}/`,
          `http://${there}/`,
          `ws://ada:secret@${there}/`,
          `//${there}/`,
          `wss://${there}/`,
          "https://localhost/",
          "ws+unix:///run/secret.sock:/",
          "file:///etc/passwd",
          "/other",
          "?again",
          ""
        ]
        const redirects = [300, 301, 302, 303, 305, 307, 308].flatMap((status) =>
          locations.map((location) => ({ status, location }))
        )
        yield* each(redirects, ({ location, status }) =>
          Effect.gen(function* () {
            const here = yield* answering(() =>
              head(`HTTP/1.1 ${status} Elsewhere`, `Location: ${location}`, "Content-Length: 0")
            )
            const error = yield* Effect.flip(
              WebSocketClient.connect({
                url: here.url,
                origin: "https://example.com",
                fields: [
                  ["Authorization", "Bearer secret"],
                  ["Cookie", "session=secret"]
                ]
              })
            )
            if (error._tag !== "Custom") return assert.fail(error._tag)
            assert.deepStrictEqual([error.status, Fields.get(error.fields, "Location")], [status, location])
            assert.deepStrictEqual([yield* here.connections, here.requests.length], [1, 1])
          })
        )
        yield* turns()
        assert.strictEqual(yield* elsewhere.connections, 0)
      })
    )

    row(
      "CVE-2026-1527",
      "a line break or NUL in what a client is told to send is an error before anything is done",
      Effect.gen(function* () {
        const url = "ws://localhost/"
        const cases = (
          ends: string
        ): ReadonlyArray<readonly [WebSocketClient.Request, tag: string, reason: string]> => [
          [{ url, subprotocols: [`a${ends}${injected}`] }, "RequestError", "Subprotocol"],
          [{ url, subprotocols: ["a", ends] }, "RequestError", "Subprotocol"],
          [{ url, origin: `https://example.com${ends}${injected}` }, "RequestError", "Origin"],
          [{ url, fields: [["Cookie", `a=1${ends}${injected}`]] }, "FieldError", "InvalidValue"],
          [{ url, fields: [["Cookie", ends]] }, "FieldError", "InvalidValue"],
          [{ url, fields: [[`Cookie: 1${ends}X-Injected`, "1"]] }, "FieldError", "InvalidName"],
          [
            {
              url,
              fields: [
                ["Cookie", "1"],
                [ends, "1"]
              ]
            },
            "FieldError",
            "InvalidName"
          ]
        ]
        for (const [options, tag, reason] of breaks.flatMap(cases)) {
          const error = yield* untouched(Effect.scoped(Effect.flip(WebSocketClient.connect(options))))
          assert.deepStrictEqual([error._tag, "reason" in error && error.reason], [tag, reason])
        }
      })
    )

    row(
      "CVE-2026-1527",
      "a line break or NUL in a URL does not come to the request",
      Effect.gen(function* () {
        const server = yield* answering(() => head("HTTP/1.1 403 No", "Content-Length: 0"))
        for (const ends of breaks) {
          for (const url of [`${server.url}a${ends}${injected}${ends}b`, `${server.url}?a=${ends}${injected}`]) {
            yield* Effect.flip(WebSocketClient.connect(url))
          }
        }
        assert.strictEqual(server.requests.length, 2 * breaks.length)
        for (const request of server.requests) {
          assertClean(request, "the request")
          // The request line, five fields and the empty line, each ended.
          assert.strictEqual(request.split("\r\n").length, 8)
        }
      })
    )

    row(
      "CVE-2026-1527",
      "a line break or NUL in what the application adds to a 101 is its failure, and is not written",
      logged((logs) =>
        Effect.gen(function* () {
          const bad = breaks.flatMap(
            (ends): ReadonlyArray<readonly [string, string]> => [
              ["Set-Cookie", `a=1${ends}${injected}`],
              [`Set-Cookie: 1${ends}X-Injected`, "1"]
            ]
          )
          // The first is asked for by who asks for nothing.
          const chosen = (resource: string) => [undefined, ...bad][Number(resource.slice(1))]
          const { address } = yield* host.serve(
            {
              authenticate: ({ resource }) => Effect.succeed(chosen(resource)),
              fields: (_, field) => Effect.succeed(field === undefined ? [] : [["X-Good", "1"], field]),
              upgrades: [
                WebSocketServer.upgrade("mirror/1", ({ transport }) => Stream.runDrain(Network.reads(transport)), {
                  authorize: ({ resource }) => Effect.succeed([chosen(resource)!])
                })
              ]
            },
            echo
          )
          for (const [i, field] of bad.entries()) {
            const asking = valid.replace("GET / ", `GET /${i + 1} `)
            for (const head of [asking, asking.replace("Upgrade: websocket", "Upgrade: mirror/1")]) {
              const reply = yield* exchange(address, head)
              assert.strictEqual(statusOf(reply), 500)
              assertClean(reply, JSON.stringify(field))
              assert.notInclude(reply, "X-Good")
            }
          }
          yield* serves(address)
          assert.strictEqual(logs.filter(({ level }) => level === "ERROR").length, 2 * bad.length)
        })
      )
    )

    row(
      "CVE-2026-1527",
      "a line break or NUL in a refusal, or in the names of what a server speaks, ends no line of its reply",
      Effect.gen(function* () {
        for (const ends of breaks) {
          const text = `a${ends}${injected}`
          const refusals: ReadonlyArray<Rejection.Rejection> = [
            new Rejection.BadRequest({ reason: "Syntax", detail: text }),
            new Rejection.Forbidden({ detail: text }),
            new Rejection.ForbiddenOrigin({ origin: text, detail: "no" }),
            new Rejection.ForbiddenOrigin({ origin: "null", detail: text }),
            new Rejection.NotFound({ detail: text }),
            new Rejection.NotAnUpgrade({ supported: ["websocket", text] }),
            new Rejection.NoCommonSubprotocol({ supported: ["a", text] }),
            new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail: text }),
            new Rejection.TooManyRequests({ retryAfter: 1, detail: text }),
            new Rejection.Unavailable({ retryAfter: 1, detail: text })
          ]
          const { address } = yield* host.serve(
            {
              authenticate: ({ resource }) => refusals[Number(resource.slice(1))] ?? Effect.void,
              subprotocols: ["chat", text],
              upgrades: [WebSocketServer.upgrade(text, () => Effect.void)]
            },
            echo
          )
          const headOf = (reply: string) => reply.slice(0, reply.indexOf("\r\n\r\n"))
          for (const [i, refusal] of refusals.entries()) {
            const reply = yield* exchange(address, valid.replace("GET / ", `GET /${i} `))
            assert.strictEqual(statusOf(reply), refusal.status)
            assertClean(headOf(reply), refusal._tag)
            assert.match(headOf(reply), /\r\nContent-Length: \d+$/)
          }
          const unknown = yield* exchange(address, withLines(valid, "Sec-WebSocket-Protocol: other"))
          assert.strictEqual(statusOf(unknown), 400)
          assertClean(headOf(unknown), "subprotocols")
          const other = yield* exchange(address, valid.replace("Upgrade: websocket", "Upgrade: other"))
          assert.strictEqual(statusOf(other), 426)
          assertClean(headOf(other), "upgrades")
        }
      })
    )
  })
}
