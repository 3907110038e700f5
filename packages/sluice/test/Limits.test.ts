import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as Limits from "../src/Limits.js"

describe("defaults", () => {
  it("are those that the documentation states", () => {
    const { closeTimeout, handshakeTimeout, messageTimeout, pingInterval, pingTimeout, ...sizes } = Limits.defaults
    assert.deepStrictEqual(sizes, {
      maxHeadSize: 16_384,
      maxFields: 128,
      maxTarget: 8_192,
      maxFramePayload: 1_048_576,
      maxMessageSize: 1_048_576,
      maxFragments: 1_024,
      receiveWindowMessages: 16,
      receiveWindowBytes: 65_536,
      sendHighWaterMark: 65_536,
      maxControlFramesPerSecond: 256,
      maxConnections: 16_384,
      maxHandshakes: 1_024,
      maxConnectionsPerAddress: "unbounded",
      maxMessagesPerSecond: "unbounded",
      maxPinnedBytes: 268_435_456,
      maxPendingBytes: 268_435_456
    })
    const seconds = (timeout: Limits.Timeout) => (timeout === "unbounded" ? timeout : Duration.toSeconds(timeout))
    assert.deepStrictEqual(
      [closeTimeout, handshakeTimeout, messageTimeout, pingInterval, pingTimeout].map(seconds),
      [10, 10, 60, 20, 20]
    )
  })
})

describe("make", () => {
  it("without options is the defaults", () => {
    assert.deepStrictEqual(Limits.make(), Limits.defaults)
    assert.deepStrictEqual(Limits.make({}), Limits.defaults)
  })

  it("takes what was given, and the defaults for the rest", () => {
    const given = { maxMessageSize: 1, maxFragments: "unbounded", pingInterval: "1 minute", maxPinnedBytes: 0 } as const
    assert.deepStrictEqual(Limits.make(given), { ...Limits.defaults, ...given })
  })

  it("a field that is `undefined` counts as absent", () => {
    const all = Object.keys(Limits.defaults).map((name) => [name, undefined])
    assert.deepStrictEqual(Limits.make(Object.fromEntries(all)), Limits.defaults)
  })

  it("does not change the defaults, nor hand them out to be changed", () => {
    const before = { ...Limits.defaults }
    assert.notStrictEqual(Limits.make(), Limits.defaults)
    Limits.make({ maxFields: 1 })
    assert.deepStrictEqual(Limits.defaults, before)
  })
})

describe("isAbove", () => {
  it.each([
    [0, 0, false],
    [1, 0, true],
    [9, 10, false],
    [10, 10, false],
    [11, 10, true],
    [Number.MAX_SAFE_INTEGER, "unbounded", false],
    [Number.POSITIVE_INFINITY, "unbounded", false],
    [Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, true]
  ] as const)("%d, limit %s: %s", (value, limit, expected) => {
    assert.strictEqual(Limits.isAbove(value, limit), expected)
  })
})
