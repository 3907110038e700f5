import { existsSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { NodeNetwork } from "@sluice/node"
import { Effect, Redacted } from "effect"
import { type Browser, chromium } from "playwright-core"
import { Network, Rejection, SubprotocolToken, WebSocketClient } from "sluice"
import { serve } from "../browser-auth/server.js"

const start = Effect.map(serve(0), (address) => {
  const host = Network.formatAddress(address)
  const post = (authorization?: string) =>
    Effect.promise(() =>
      fetch(`http://${host}/ticket`, {
        method: "POST",
        headers: authorization === undefined ? {} : { Authorization: authorization }
      })
    )
  return { http: `http://${host}`, ws: `ws://${host}`, post }
})

const greeting = (request: string | WebSocketClient.Request) =>
  Effect.scoped(Effect.flatMap(WebSocketClient.connect(request), (socket) => socket.take))

describe("browser-auth", () => {
  it.scopedLive("gives a ticket to who has a token, and lets it in once", () =>
    Effect.gen(function* () {
      const { post, ws } = yield* start
      const response = yield* post("Bearer ada's token")
      assert.strictEqual(response.status, 201)
      assert.strictEqual(response.headers.get("Cache-Control"), "no-store")
      const { ticket } = yield* Effect.promise(() => response.json() as Promise<{ readonly ticket: string }>)
      const url = `${ws}/by-ticket?ticket=${ticket}`
      assert.deepStrictEqual(yield* greeting(url), [{ _tag: "Text", text: "Hello, Ada" }])
      const detail = "The ticket is unknown, was used, or has expired. Ask for another."
      assert.deepStrictEqual(
        yield* Effect.flip(greeting(url)),
        new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail })
      )
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )

  it.scopedLive("gives no ticket to anybody else", () =>
    Effect.gen(function* () {
      const { http, post, ws } = yield* start
      for (const authorization of [undefined, "Bearer nobody's token", "Basic ada's token"]) {
        const response = yield* post(authorization)
        assert.strictEqual(response.status, 401)
        assert.strictEqual(response.headers.get("WWW-Authenticate"), "Bearer")
      }
      assert.strictEqual((yield* Effect.promise(() => fetch(`${http}/ticket`))).status, 404)
      assert.strictEqual((yield* Effect.flip(greeting(`${ws}/by-ticket`)))._tag, "Unauthorized")
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )

  it.scopedLive("lets a token among the subprotocols in", () =>
    Effect.gen(function* () {
      const { ws } = yield* start
      const by = (token: string) =>
        greeting({
          url: `${ws}/by-token`,
          subprotocols: ["greet.v1", SubprotocolToken.encode(Redacted.make(token))]
        })
      assert.deepStrictEqual(yield* by("grace's token"), [{ _tag: "Text", text: "Hello, Grace" }])
      assert.deepStrictEqual(
        yield* Effect.flip(by("nobody's token")),
        new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail: "This is nobody's token." })
      )
    }).pipe(Effect.provide(NodeNetwork.layer()))
  )
})

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((place) =>
  existsSync(place)
)

const act = <A>(evaluate: () => Promise<A>) => Effect.promise(evaluate)

const launch = (executablePath: string) =>
  Effect.acquireRelease(
    act(() => chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu"] })),
    (browser: Browser) => act(() => browser.close())
  )

describe("browser-auth, in a browser", () => {
  it("lets a page in either way, with its token", { timeout: 90_000 }, (context) => {
    if (executablePath === undefined) return context.skip("there is no chromium; apt-get install chromium")
    const program = Effect.gen(function* () {
      const { http } = yield* start
      const browser = yield* launch(executablePath)
      const page = yield* act(() => browser.newPage())
      yield* act(() => page.goto(`${http}/`))

      /** Connects, and gives the lines that are said until the connection ends. */
      const connect = (how: string, token: string, last: RegExp) =>
        act(async () => {
          await page.getByLabel("Your token").fill(token)
          await page.getByRole("log").evaluate((log) => log.replaceChildren())
          await page.getByRole("button", { name: how }).click()
          await page.getByRole("log").filter({ hasText: last }).waitFor()
          return ((await page.getByRole("log").textContent()) ?? "").trim().split("\n")
        })

      const [ticket, subprotocol] = ["Connect with a ticket", "Connect with a subprotocol"]
      const closed = /closed with/
      const lines = ["Hello, Ada", 'closed with 1000, spoke ""']
      assert.deepStrictEqual(yield* connect(ticket, "ada's token", closed), lines)
      assert.deepStrictEqual(yield* connect(ticket, "nobody's token", /no ticket/), [
        "no ticket: 401 This is nobody's token."
      ])
      assert.deepStrictEqual(yield* connect(subprotocol, "grace's token", closed), [
        "Hello, Grace",
        'closed with 1000, spoke "greet.v1"'
      ])
      assert.deepStrictEqual(yield* connect(subprotocol, "nobody's token", closed), ['closed with 1006, spoke ""'])

      // why a server needs a subprotocol to choose: this ticket is valid, and the browser fails the connection all the same
      const url = `${http.replace("http", "ws")}/by-ticket?ticket=`
      const script = `fetch("/ticket", { method: "POST", headers: { Authorization: "Bearer ada's token" } })
        .then((response) => response.json())
        .then(({ ticket }) => new Promise((resolve) => {
          new WebSocket("${url}" + ticket, ["bearer.dG9rZW4"]).onclose = ({ code }) => resolve(code)
        }))`
      assert.strictEqual(yield* act(() => page.evaluate(script)), 1006)
    })
    return Effect.runPromise(Effect.scoped(program))
  })
})
