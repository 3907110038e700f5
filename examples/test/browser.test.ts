import { existsSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Browser, chromium, type Page } from "playwright-core"
import { Handshake, Network } from "sluice"
import { serve } from "../chat/server.js"

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]

const executablePath = places.find((place) => existsSync(place))

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

const act = <A>(evaluate: () => Promise<A>) => Effect.promise(evaluate)

/** A browser with a profile of its own, which is deleted with it. */
const launch = (executablePath: string) =>
  Effect.acquireRelease(
    act(() => chromium.launch({ executablePath, args })),
    (browser) => act(() => browser.close())
  )

/** A tab in which somebody has joined the room, with all that went wrong in it. */
const visit = (browser: Browser, url: string, name: string, wrong: Array<string>) =>
  act(async () => {
    const page = await browser.newPage()
    page.on("pageerror", (error) => wrong.push(String(error)))
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()))
    await page.goto(url)
    await page.getByLabel("Your name").fill(name)
    await page.getByRole("button", { name: "Join" }).click()
    await page.getByRole("log").waitFor()
    return page
  })

/** Waits until this is on the page. */
const see = (page: Page, label: string, text: string) =>
  act(() => page.getByLabel(label).getByText(text).first().waitFor())

/** The lines of a head. */
const lines = (page: Page, id: string) => act(() => page.locator(`#${id} > span`).allTextContents())

/** The frames that the page shows: who sent them, their opcode, whether they are masked, and how they begin. */
const framesOf = (page: Page) =>
  act(() =>
    page.locator(".frame").evaluateAll((frames) =>
      frames.map((frame) => {
        const of = (selector: string) => frame.querySelector(selector)?.textContent ?? ""
        return `${of(".who")} ${of(".opcode")} ${of(".flags")} ${of(".header").slice(0, 2)} ${of(".preview")}`
      })
    )
  )

describe("chat, in a browser", () => {
  it("lets two tabs talk, and shows the handshake and the frames", { timeout: 90_000 }, (context) => {
    if (executablePath === undefined) return context.skip(`none of ${places.join(", ")}; apt-get install chromium`)
    const program = Effect.gen(function* () {
      const url = `http://${Network.formatAddress(yield* serve(0))}/`
      const browser = yield* launch(executablePath)
      const wrong: Array<string> = []

      const ada = yield* visit(browser, url, "Ada", wrong)
      yield* see(ada, "Who is here", "Ada (you)")
      const grace = yield* visit(browser, `${url}#lobby`, "Grace", wrong)
      yield* see(grace, "Who is here", "Ada")
      yield* see(ada, "Who is here", "Grace")

      // what somebody says is text, whatever it looks like
      yield* act(() => ada.getByLabel("Say something").fill("Hello <b>Grace</b>"))
      yield* act(() => ada.getByLabel("Say something").press("Enter"))
      yield* see(grace, "What was said", "Hello <b>Grace</b>")
      yield* act(() => grace.getByLabel("Say something").fill("Hello Ada"))
      yield* act(() => grace.getByRole("button", { name: "Send" }).click())
      yield* see(ada, "What was said", "Hello Ada")

      const request = yield* lines(ada, "request")
      assert.strictEqual(request[0], "GET /chat HTTP/1.1")
      assert.include(request, `Origin: ${url.slice(0, -1)}`)
      assert.include(request, "Sec-WebSocket-Protocol: chat.v1")
      const [key] = request.flatMap((line) => /^Sec-WebSocket-Key: (.*)$/.exec(line)?.slice(1) ?? [])
      assert.deepStrictEqual(yield* lines(ada, "response"), [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        `Sec-WebSocket-Accept: ${Handshake.acceptKey(key ?? "")}`,
        "Sec-WebSocket-Protocol: chat.v1"
      ])
      yield* see(ada, "Under the hood", "chat.v1")

      yield* see(ada, "Frames of this connection", '{"_tag":"Said","from":{"id":2')
      const frames = yield* framesOf(ada)
      assert.match(frames[0] ?? "", /^server Text FIN · no mask 81 {"_tag":"Hello"/)
      assert.include(frames, 'page Text FIN · MASK 81 {"_tag":"Join","name":"Ada","room":"lobby"}')
      assert.include(frames, 'server Text FIN · no mask 81 {"_tag":"Joined","member":{"id":2,"name":"Grace"}}')
      assert.include(frames, 'page Text FIN · MASK 81 {"_tag":"Say","text":"Hello <b>Grace</b>"}')

      yield* act(() => grace.close())
      yield* see(ada, "What was said", "Grace left")
      assert.strictEqual(yield* act(() => ada.getByLabel("Who is here").getByRole("listitem").count()), 1)
      assert.deepStrictEqual(wrong, [])
    })
    return Effect.runPromise(Effect.scoped(program))
  })
})
