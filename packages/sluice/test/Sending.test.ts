/** What a caller without types may send: a defect of his, after which the connection ends as it should. */
import { assert, describe } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
import * as Protocol from "../src/Protocol.js"
import * as WebSocket from "../src/WebSocket.js"
import { memory, opened, scenario } from "./suites/host.js"

const test = scenario(memory)

describe("sendStream", () => {
  for (const chunk of [200, { length: 9 }, [1, 2, 3]]) {
    test(
      `of ${JSON.stringify(chunk)} as bytes is a defect, and the connection is closed with 1011`,
      Effect.gen(function* () {
        const { client, server } = yield* opened(memory)
        // What a program does that sends what it has parsed.
        const parsed: Uint8Array = JSON.parse(JSON.stringify(chunk))
        const exit = yield* Effect.exit(WebSocket.sendStream(client, "Binary", Stream.make(new Uint8Array(3), parsed)))
        assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
        assert.strictEqual(Protocol.codeOf(yield* server.closed), 1011)
      })
    )
  }
})
