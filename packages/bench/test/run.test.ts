import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Contest from "../src/Contest.js"
import * as Peer from "../src/Peer.js"
import { plan } from "../src/Plan.js"
import { isFailed } from "../src/Results.js"
import { defaults } from "../src/Settings.js"
import * as Toolchain from "../src/Toolchain.js"

const settings = { ...defaults, rounds: 1, duration: 100, warmUp: 20, firstWarmUp: 20, retries: 0, cpus: undefined }

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
