/**
 * Firefox, through its WebDriver BiDi: JSON over a WebSocket, in which it is the server. Its client here is ours, so that
 * every command to it is a message between the two.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import { type WebSocket, WebSocketClient } from "sluice"
import type { Launch } from "./browser.js"
import { folder, start } from "./program.js"

export const executable = "/usr/bin/firefox-esr"

/** What is not on this machine is behind a proxy that is not there: it asks nobody for news. */
const preferences = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 1,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 1
}

const Reply = Schema.parseJson(
  Schema.Union(
    Schema.Struct({ type: Schema.Literal("success"), id: Schema.Number, result: Schema.Unknown }),
    Schema.Struct({ type: Schema.Literal("error"), id: Schema.NullOr(Schema.Number), message: Schema.String }),
    Schema.Struct({ type: Schema.Literal("event") })
  )
)

const Context = Schema.Struct({ context: Schema.String })

const Evaluated = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("success"),
    result: Schema.Struct({ type: Schema.String, value: Schema.optional(Schema.Unknown) })
  }),
  Schema.Struct({ type: Schema.Literal("exception"), exceptionDetails: Schema.Struct({ text: Schema.String }) })
)

/** Commands, one after another. */
const commandsOf = (socket: WebSocket.WebSocket) =>
  Effect.gen(function* () {
    const one = yield* Effect.makeSemaphore(1)
    let last = 0
    const replyTo = (id: number): Effect.Effect<unknown, unknown> =>
      Effect.gen(function* () {
        for (const message of yield* socket.take) {
          const reply = yield* Schema.decode(Reply)(message._tag === "Text" ? message.text : message._tag)
          if (reply.type === "error") return yield* Effect.fail(new Error(reply.message))
          if (reply.type === "success" && reply.id === id) return reply.result
        }
        return yield* replyTo(id)
      })
    return (method: string, params: object) =>
      one.withPermits(1)(
        Effect.suspend(() => {
          const id = ++last
          return Effect.zipRight(socket.send(JSON.stringify({ id, method, params })), replyTo(id))
        })
      )
  })

export const launch: Launch = Effect.gen(function* () {
  const profile = yield* folder
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
  yield* Effect.promise(() => writeFile(join(profile, "user.js"), lines.join("")))
  const { until } = yield* start({
    words: [executable, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
    env: { HOME: profile }
  })
  const [, url] = yield* until(/WebDriver BiDi listening on (ws:\S+)/)
  const command = yield* commandsOf(yield* WebSocketClient.connect(`${url}/session`))
  yield* command("session.new", { capabilities: {} })
  return (url) =>
    Effect.gen(function* () {
      const created = yield* command("browsingContext.create", { type: "tab" })
      const { context } = yield* Schema.decodeUnknown(Context)(created)
      yield* command("browsingContext.navigate", { context, url, wait: "complete" })
      return (expression) =>
        Effect.gen(function* () {
          const params = { expression, target: { context }, awaitPromise: true }
          const evaluated = yield* Schema.decodeUnknown(Evaluated)(yield* command("script.evaluate", params))
          if (evaluated.type === "success") return evaluated.result.value
          return yield* Effect.fail(new Error(evaluated.exceptionDetails.text))
        })
    })
})
