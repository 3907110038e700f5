/** Browsers: a page that is led through the dialogue with our server, which is its origin, and the page of the chat. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { node } from "../support/hosts.js"
import { browsers } from "./peers.js"
import type { Evaluate } from "./support/browser.js"
import { baseOf, dialogue, seenIn, sizes } from "./support/dialogue.js"
import { where } from "./support/needs.js"
import { playground } from "./support/playground.js"
import { start } from "./support/program.js"
import { ledIn, site } from "./support/site.js"

const Lines = Schema.parseJson(Schema.Array(Schema.String))

/** Taken before there is a `layer`, which puts its own in the place of it: then this test would start what that one needs. */
const scoped = it.scoped

/** The program that says where it listens. */
const chat = {
  words: [process.execPath, "--conditions=source", "--import", "tsx", "examples/chat/main.ts"],
  env: { PORT: "0" }
}

/** Whether a page gets a connection. */
const isOpened = (url: string, subprotocol: string) => `
  new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(url)}, ${JSON.stringify(subprotocol)})
    socket.onopen = () => resolve(true)
    socket.onerror = () => resolve(false)
  })`

/** Waits until an element of the page of the chat has this in it. */
const seen = (selector: string, text: string) => `
  new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(${JSON.stringify(selector)}).textContent.includes(${JSON.stringify(text)})) resolve(true)
    }
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
    look()
  })`

/** Fills a field of the page of the chat, and sends its form. */
const fill = (selector: string, text: string) => `
  {
    const field = document.querySelector(${JSON.stringify(selector)})
    field.value = ${JSON.stringify(text)}
    field.form.requestSubmit()
  }`

for (const { can, launch, name, needs } of browsers) {
  dialogue(
    needs,
    `a page in ${name}`,
    can,
    Effect.gen(function* () {
      const { address, ends, offers, unfinished } = yield* playground(site)
      const open = yield* launch
      const evaluate = yield* open(`http://127.0.0.1:${address.port}/`)
      const lines = yield* Schema.decodeUnknown(Lines)(yield* evaluate(ledIn(baseOf(address), sizes)))
      return { seen: yield* seenIn(lines), ends: yield* ends, offers, unfinished: yield* unfinished }
    }).pipe(Effect.provide(site.network))
  )

  where(needs, name, () =>
    describe(name, () => {
      scoped("a page of another origin is refused, and a page of the chat in two tabs is not", () =>
        Effect.gen(function* () {
          const { until } = yield* start(chat)
          const [, host = ""] = yield* until(/http:\/\/([^/ ]+)/)
          const { address } = yield* playground(site)
          const open = yield* launch

          const foreign = yield* open(`http://127.0.0.1:${address.port}/`)
          assert.isTrue(yield* foreign(isOpened(`${baseOf(address)}/echo`, "b")))
          // Its own page gets what this one does not: nothing but the origin differs.
          const asked = isOpened(`ws://${host}/chat`, "chat.v1")
          assert.isFalse(yield* foreign(asked))
          assert.isTrue(yield* (yield* open(`http://${host}/`))(asked))

          const enter = (name: string) =>
            Effect.tap(open(`http://${host}/`), (tab: Evaluate) =>
              Effect.zipRight(tab(seen("#status", "connected")), tab(fill("#name", name)))
            )
          const ada = yield* enter("Ada")
          yield* ada(seen("#members", "Ada (you)"))
          const grace = yield* enter("Grace")
          yield* grace(seen("#members", "Ada"))
          yield* ada(seen("#members", "Grace"))
          yield* ada(fill("#text", "Hello <b>Grace</b>"))
          yield* grace(seen("#log", "Hello <b>Grace</b>"))
          yield* grace(fill("#text", "Hello Ada"))
          yield* ada(seen("#log", "Hello Ada"))
          yield* ada(seen("#subprotocol", "chat.v1"))
        }).pipe(Effect.provide(node.network))
      )
    })
  )
}
