/** Signs of life on the wire, while the handler does nothing. */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { scenario } from "../../../sluice/test/suites/host.js"
import { toHex, utf8 } from "../../../sluice/test/support/bytes.js"
import * as Peer from "../../../sluice/test/support/peer.js"
import { node, upgrade } from "../support/hosts.js"

for (const host of [node, upgrade]) {
  const test = scenario(host)

  describe(`a handler that hangs on ${host.name}`, () => {
    test(
      "has each of 60 Pings answered before the next one, though messages wait for it",
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const over = yield* Deferred.make<void>()
        const { address } = yield* host.serve({}, () =>
          Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(over))
        )
        const peer = yield* Peer.connect(address)
        yield* Deferred.await(begun)
        for (let i = 0; i < 60; i++) {
          // As many as wait without filling the window.
          if (i % 4 === 0) yield* peer.send(Peer.text(`message ${i}`))
          yield* peer.send(Peer.ping(`${i}`))
          // No time passes on the clock of the server: nothing but the Ping can have led to this.
          assert.strictEqual(yield* peer.hear, `Pong ${toHex(utf8(`${i}`))}`)
        }
        yield* Deferred.succeed(over, undefined)
      })
    )
  })
}
