/** What the program says and how it ends, without a process of its own. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Case } from "../../src/Case.js"
import * as Cases from "../../src/Cases.js"
import { main } from "../../src/internal/cli.js"

/** Runs it, and gives what it printed and how it ended. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const out: Array<string> = []
    const err: Array<string> = []
    const console = yield* Effect.console
    const status = yield* main(args, "1.2.3").pipe(
      Effect.withConsole({
        ...console,
        log: (text: string) => Effect.sync(() => out.push(text)),
        error: (text: string) => Effect.sync(() => err.push(text)),
        unsafe: console.unsafe
      })
    )
    return { status, out: out.join("\n"), err: err.join("\n") }
  }).pipe(Effect.provide(NodeContext.layer))

const cases = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Case)))

const mistakes: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: RegExp]> = [
  [["http://127.0.0.1:1/"], /^http:\/\/127\.0\.0\.1:1\/ begins neither with ws:\/\/ nor/],
  [["ws://127.0.0.1:1/#a"], /has a fragment/],
  [["nonsense"], /^nonsense is not a URL; ws:\/\/host:port\/path is one/],
  [["ws://127.0.0.1:99999/"], /is not a URL/],
  [[], /^there is no URL of a server; or is it --client\?/],
  [["--client", "ws://127.0.0.1:1/"], /^with --client there is no URL/],
  [
    ["--case", "framing/none", "ws://127.0.0.1:1/"],
    /^there is no case whose id begins with framing\/none for a server/
  ],
  [
    ["--list", "--group", "utf8", "--case", "close/"],
    /^there is no case in the group utf8 whose id begins with close\//
  ],
  [["--group", "nothing", "ws://127.0.0.1:1/"], /Expected one of the following cases: framing/],
  [["--concurrency", "0", "ws://127.0.0.1:1/"], /^--concurrency must be at least 1/],
  [["--timeout", "0", "ws://127.0.0.1:1/"], /^--timeout must be more than 0/],
  [["--timeout", "soon", "ws://127.0.0.1:1/"], /soon/],
  [["--frobnicate", "ws://127.0.0.1:1/"], /^there is no option --frobnicate/],
  [["ws://127.0.0.1:1/", "--frobnicate=1"], /^there is no option --frobnicate/],
  [["ws://127.0.0.1:1/", "ws://127.0.0.1:2/"], /ws:\/\/127\.0\.0\.1:2\//]
]

describe("the command line", () => {
  for (const [args, message] of mistakes) {
    it.effect(`says what is wrong with ${args.length === 0 ? "nothing" : args.join(" ")}`, () =>
      Effect.gen(function* () {
        const { err, out, status } = yield* run(...args)
        assert.match(err.trim(), message)
        assert.strictEqual(err.trim().split("\n").length, 1, err)
        assert.deepStrictEqual([out, status], ["", 2])
      })
    )
  }

  it.effect("lists the cases of a group, of both roles", () =>
    Effect.gen(function* () {
      const { err, out, status } = yield* run("--list", "--group", "limits")
      assert.deepStrictEqual(cases(out), Cases.byGroup.limits)
      assert.deepStrictEqual([err, status], ["", 0])
    })
  )

  it.effect("lists the cases for a client", () =>
    Effect.gen(function* () {
      const { out } = yield* run("--list", "--client", "--case", "close/")
      assert.deepStrictEqual(cases(out), Cases.select({ role: "client", group: "close" }))
    })
  )

  it.effect("knows its version", () =>
    Effect.gen(function* () {
      const { out, status } = yield* run("--version")
      assert.strictEqual(out.trim(), "1.2.3")
      assert.strictEqual(status, 0)
    })
  )

  it.effect("helps", () =>
    Effect.gen(function* () {
      const { out, status } = yield* run("--help")
      for (const option of ["group", "case", "json", "concurrency", "timeout", "list", "client", "port"]) {
        assert.include(out, `--${option}`)
      }
      assert.strictEqual(status, 0)
    })
  )
})
