import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Contest from "../src/Contest.js"
import * as Peer from "../src/Peer.js"
import { plan } from "../src/Plan.js"
import { isFailed } from "../src/Results.js"
import { defaults } from "../src/Settings.js"
import { lasting } from "../src/Span.js"
import * as Toolchain from "../src/Toolchain.js"

const settings = { ...defaults, rounds: 1, duration: 100, warmUp: 20, firstWarmUp: 20, retries: 0, cpus: undefined }

describe("a span", () => {
  const span = { warmUp: 200, duration: 500 }

  it("is as asked for where little is on its way", () => {
    assert.deepStrictEqual(lasting(span, { mode: "echo", connections: 64, window: 32, size: 128 }), span)
    assert.deepStrictEqual(lasting(span, { mode: "handshake", connections: 64 }), span)
  })

  it("lasts until all that is on its way has gone round", () => {
    const load = { mode: "echo", connections: 64, window: 8, size: 1024 * 1024 } as const
    assert.deepStrictEqual(lasting(span, load), { warmUp: 1748, duration: 1748 })
  })

  it("lasts until the kernel has made room for large messages", () => {
    const load = { mode: "echo", connections: 8, window: 1, size: 16 * 1024 } as const
    assert.deepStrictEqual(lasting(span, load), { warmUp: 1000, duration: 1000 })
  })
})

describe("run", () => {
  it("plays a cell of the echo part with two peers", (context) => {
    const problem = Toolchain.problem(settings.cpus)
    if (problem !== undefined) return context.skip(problem)
    const program = Effect.gen(function* () {
      const toolchain = yield* Toolchain.make(settings.cpus)
      return yield* Effect.gen(function* () {
        const peers = (yield* Peer.builtIn).filter(({ name }) => name === "sluice" || name === "ws")
        const [first] = plan("echo", [...peers, Peer.outside("broken", "sh -c 'exit 3'")])
        assert.isDefined(first)
        return yield* Contest.play({ ...first!, load: { ...first!.load, connections: 2 } }, settings)
      }).pipe(Effect.provideService(Toolchain.Toolchain, toolchain))
    }).pipe(Effect.scoped)
    return Effect.runPromise(program).then(({ rows }) => {
      assert.deepStrictEqual(
        rows.map(({ name, samples }) => [name, samples.map(isFailed)]),
        [
          ["sluice", [false]],
          ["ws", [false]],
          ["broken", [true]]
        ]
      )
      for (const { samples } of rows.slice(0, 2)) {
        for (const sample of samples) {
          assert.isTrue(!isFailed(sample) && sample.messagesPerSecond > 0 && sample.cpuPerMessage > 0)
        }
      }
      assert.match(JSON.stringify(rows[2]?.samples), /has ended \(3\)/)
    })
  })
})
