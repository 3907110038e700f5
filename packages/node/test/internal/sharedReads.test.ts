import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { onHandle } from "../../src/internal/sharedReads.js"

/** A server with a listening handle that writes down what it would make a socket of. */
const listening = () => {
  const made: Array<ReadonlyArray<unknown>> = []
  const handle = {
    onconnection(this: unknown, ...given: ReadonlyArray<unknown>) {
      made.push([this === handle, ...given])
    }
  }
  return { server: Object.assign(new Net.Server(), { _handle: handle }), handle, made }
}

describe("onHandle", () => {
  it("takes the connections whose handles can read into a buffer of ours", () => {
    const { handle, made, server } = listening()
    const accepted: Array<object> = []
    onHandle(server, (handle) => accepted.push(handle))
    const able = { useUserBuffer: () => {} }
    handle.onconnection(0, able)
    assert.deepStrictEqual(accepted, [able])
    assert.deepStrictEqual(made, [])
  })

  it("leaves to the server what went wrong, and handles of another kind, as those of Bun are", () => {
    const { handle, made, server } = listening()
    const accepted: Array<object> = []
    onHandle(server, (handle) => accepted.push(handle))
    const foreign = { fd: 7 }
    handle.onconnection(-24, undefined)
    handle.onconnection(0, foreign)
    assert.deepStrictEqual(accepted, [])
    assert.deepStrictEqual(made, [
      [true, -24, undefined],
      [true, 0, foreign]
    ])
  })

  it("does nothing to a server that has no such handle", () => {
    for (const _handle of [null, undefined, {}, { onconnection: 1 }]) {
      const server = Object.assign(new Net.Server(), { _handle })
      onHandle(server, () => assert.fail("nothing can come"))
      assert.strictEqual(server._handle, _handle)
    }
  })
})
