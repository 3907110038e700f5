/** The same seed gives the same run: twice in one process, in another, and on another runtime. */
import { execFile } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { hashOf } from "./support/chatUnderChaos.js"

const seeds = 200
const root = fileURLToPath(new URL("../../", import.meta.url))

/** The program of Bun from its npm package, which lies where npm put it: its install script is not run here. */
const bun = (() => {
  const folder = `${root}node_modules/@oven`
  const builds = existsSync(folder) ? readdirSync(folder) : []
  return builds.map((build) => `${folder}/${build}/bin/bun`).find(existsSync)
})()

/** The hashes of the seeds from 1 on, from a process of its own. */
const hashesFrom = (command: string, ...args: ReadonlyArray<string>) =>
  Effect.async<ReadonlyArray<string>, Error>((resume) => {
    const program = ["--conditions=source", "examples/test/support/chatUnderChaos.ts", "1", `${seeds}`]
    const child = execFile(command, [...args, ...program], { cwd: root }, (error, output) =>
      resume(error === null ? Effect.succeed(output.trim().split("\n")) : Effect.fail(error))
    )
    return Effect.sync(() => child.kill())
  })

// With a turn of the event loop before each, which the processes and the test runner need meanwhile.
const here = Effect.forEach(
  Array.from({ length: seeds }, (_, i) => i + 1),
  (seed) => Effect.as(Effect.sleep(0), seed).pipe(Effect.map(hashOf))
)

describe("the chat under chaos", () => {
  it.live(
    `is the same for each of ${seeds} seeds, in this process, in another one, and on Bun`,
    () =>
      Effect.gen(function* () {
        assert.isDefined(bun, "the npm package bun is a development dependency; npm ci installs it")
        const others = yield* Effect.fork(
          Effect.all([hashesFrom(process.execPath, "--import", "tsx"), hashesFrom(bun ?? "bun")], { concurrency: 2 })
        )
        const first = yield* here
        assert.strictEqual(new Set(first).size, seeds, "other seeds are other runs")
        assert.isEmpty(
          first.filter((hash) => hash.includes(" ")),
          "nothing fails"
        )
        assert.deepStrictEqual(yield* here, first, "again in this process")
        const [node, onBun] = yield* others.await.pipe(Effect.flatten)
        assert.deepStrictEqual(node, first, "in another process")
        assert.deepStrictEqual(onBun, first, "on Bun")
      }),
    300_000
  )
})
