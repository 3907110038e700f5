/** That programs which are not ours are started, heard and ended as the tests of interop need it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { type Command, run, start, startOnFreePort } from "./support/program.js"

/** A program of one line; the system has nothing of it once it has ended. */
const script = (source: string): Command => ({ words: [process.execPath, "-e", source] })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("a program", () => {
  it.effect("is heard to its end, and a status other than 0 is an error with what it said", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run(script("console.log('one'); console.log('two')")), ["one", "two"])
      const error = yield* Effect.flip(run(script("console.error('no'); process.exitCode = 3")))
      assert.deepStrictEqual([error.status, error.said], [3, "no\n"])
    })
  )

  it.effect("that is not there is an error", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run({ words: ["/there/is/none"] }))
      assert.match(String(error.status), /ENOENT/)
    })
  )

  it.scoped("that ends before it says what is waited for is an error, at once and ever after", () =>
    Effect.gen(function* () {
      const { until } = yield* start(script("console.log('early')"))
      assert.strictEqual((yield* Effect.flip(until(/late/))).said, "early\n")
      assert.strictEqual((yield* Effect.flip(until(/late/))).status, 0)
    })
  )

  it.effect("has ended when its scope has", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const forever = script("console.log(process.pid); setInterval(() => {}, 1000)")
      const { line } = yield* Scope.extend(start(forever), scope)
      const pid = Number(yield* line)
      assert.isTrue(isAlive(pid))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(pid))
    })
  )

  it.scoped("whose port somebody else has is started again with another; one that fails otherwise is not", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const failing = (tries: number, complaint: string) => (port: number) =>
        Effect.sync(() => {
          asked.push(port)
          return script(
            asked.length <= tries
              ? `console.error(${JSON.stringify(complaint)}); process.exitCode = 1`
              : "console.log('ready')"
          )
        })
      const taken = "bind() to 127.0.0.1:1 failed (98: Address already in use)"
      assert.strictEqual(yield* startOnFreePort(failing(2, taken), /^ready/), asked[2])
      assert.lengthOf(asked, 3)

      asked.length = 0
      yield* Effect.flip(startOnFreePort(failing(1, "no such option"), /^ready/))
      assert.lengthOf(asked, 1)

      asked.length = 0
      yield* Effect.flip(startOnFreePort(failing(100, taken), /^ready/))
      assert.lengthOf(asked, 6)
    })
  )
})
