import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Schema } from "effect"
import * as Fault from "../../src/Fault.js"
import { Draw, Stream } from "../../src/internal/draw.js"
import * as Replay from "../../src/internal/replay.js"

const read = Schema.decodeUnknownEither(Replay.Replay)

const replay = FastCheck.record(
  {
    seed: FastCheck.maxSafeInteger(),
    peers: FastCheck.integer({ min: 1, max: 9 }),
    faults: FastCheck.tuple(FastCheck.nat(), FastCheck.string()).map(([seed, host]) =>
      Fault.drawAll([Fault.chaos({ hosts: [host] }), Fault.stall({ from: host })], new Draw(seed, Stream.Faults))
    )
  },
  { requiredKeys: ["seed"] }
)

describe("Replay", () => {
  it.prop("what was written is read", [replay], ([replay]) => {
    assert.deepStrictEqual(read(Replay.format(replay)), Either.right(replay))
  })

  it("a seed alone is a number", () => {
    assert.strictEqual(Replay.format({ seed: 12 }), "12")
    assert.strictEqual(Replay.format({ seed: 12, peers: 1 }), '{"seed":12,"peers":1}')
  })

  it("nothing else is read", () => {
    for (const text of [
      "",
      "x",
      "1.5",
      "null",
      "[]",
      "{}",
      '{"seed":"1"}',
      '{"seed":1,"peers":-1}',
      '{"seed":1,"faults":{}}'
    ]) {
      assert.isTrue(Either.isLeft(read(text)), text)
    }
  })
})

describe("commandLine", () => {
  it("plain words stay as they are", () => {
    assert.strictEqual(
      Replay.commandLine({ seed: 3 }, ["npx", "vitest", "run", "test/a.test.ts", "--project=x", "@y"]),
      "SLUICE_SIM_REPLAY=3 npx vitest run test/a.test.ts --project=x @y"
    )
  })

  it("others are quoted", () => {
    assert.strictEqual(
      Replay.commandLine({ seed: 3 }, ["-t", "it's 100 $HOME", ""]),
      `SLUICE_SIM_REPLAY=3 -t 'it'\\''s 100 $HOME' ''`
    )
  })

  it("a shell sees the words, and the environment the replay", () => {
    const words = [
      "a b",
      "it's",
      "$HOME `x` $(y)",
      "\\n",
      "*",
      "~",
      "!",
      "",
      "#",
      "a;b|c&d<e>f",
      '"',
      "new\nline",
      "é☃"
    ]
    const replay = { seed: 5, faults: [Fault.stall({ from: 'it\'s "$HOME" `x` é' })] }
    const script = "process.stdout.write(JSON.stringify([process.env.SLUICE_SIM_REPLAY, ...process.argv.slice(1)]))"
    const line = Replay.commandLine(replay, [process.execPath, "-e", script, "--", ...words])
    const [variable, ...seen] = JSON.parse(execFileSync("sh", ["-c", line], { encoding: "utf8" }))
    assert.deepStrictEqual(seen, words)
    assert.deepStrictEqual(read(variable), Either.right(replay))
  })
})
