import { Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as EventScheduler from "sluice/EventScheduler"
import { transportOf } from "../../src/internal/transport.js"

describe("the transport of a socket that is closed already", () => {
  const rows: ReadonlyArray<readonly [what: string, error: Error | undefined, reason: string]> = [
    ["without an error", undefined, "Closed"],
    ["by a reset", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }), "ConnectionReset"]
  ]
  for (const [what, error, reason] of rows) {
    it.effect(`says so: ${what}`, () =>
      Effect.gen(function* () {
        const socket = new Socket().on("error", () => {})
        socket.destroy(error)
        const transport = transportOf(socket, EventScheduler.make())
        const read = Option.getOrThrow(yield* Effect.flip(transport.read))
        assert.deepStrictEqual([read.reason, read.operation], [reason, "read"])
        const write = yield* Effect.flip(transport.write(new Uint8Array(1)))
        assert.deepStrictEqual([write.reason, write.operation], [reason, "write"])
      })
    )
  }
})
