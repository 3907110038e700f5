/** What finds faults must find those that are planted. */
import { assert, describe, it } from "@effect/vitest"
import { utf8 } from "../support/bytes.js"
import { Branches, Coverage, counters } from "./coverage.js"
import { cover, fuzz, type Options } from "./fuzzing.js"
import { instrument } from "./instrument.js"
import { mutate } from "./mutation.js"
import { Random } from "./random.js"
import { shrink } from "./shrink.js"
import { must, type Target } from "./target.js"

const target = (run: Target["run"], options: Partial<Target> = {}): Target => ({
  name: "planted",
  seeds: () => [utf8("seed")],
  words: [],
  maxSize: 100,
  outcomes: [],
  run,
  ...options
})

const options = (inputs: number, more: Partial<Options> = {}): Options => ({ seed: 1, inputs, corpus: [], ...more })

/** How many bytes of a word an input begins with, each a branch of its own. */
const password = utf8("key")
const stepsInto = (input: Uint8Array, branches: Branches): number => {
  let at = 0
  while (at < password.length && input[at] === password[at]) branches[at++]++
  return at
}

const secret = (branches: Branches): Target =>
  target((input) => {
    must(stepsInto(input, branches) < password.length, "nobody finds it")
    return "outside"
  })

const branchesOf = (count: number): Branches => {
  const branches = new Branches(count)
  branches.claim(count)
  return branches
}

describe("fuzz", () => {
  it("finds a planted fault, once for its law, and makes it as small as it can be", () => {
    const planted = target((input) => {
      must(!input.includes(0x0d) || !input.includes(0x0a), "no line ends", () => "here")
      return "no line"
    })
    const { findings } = fuzz(planted, options(20_000))
    assert.strictEqual(findings.length, 1)
    const [{ at, error, input, law }] = findings
    assert.strictEqual(law, "no line ends")
    assert.strictEqual(String(error), "Error: no line ends: here")
    assert.isAbove(at, 0)
    assert.deepStrictEqual([...input].sort(), [0x0a, 0x0d])
  })

  it("takes for a fault what the library throws", () => {
    const { findings } = fuzz(
      target((input) => {
        if (input.length > 4) throw new TypeError("not a function")
        return "short"
      }),
      options(100)
    )
    assert.deepStrictEqual(
      findings.map(({ law, input }) => [law, input.length]),
      [["throws TypeError", 5]]
    )
  })

  it("a target that is not a function of its input is told so", () => {
    let calls = 0
    const { findings } = fuzz(
      target(() => {
        must(++calls !== 3, "it is not the third")
        return ""
      }),
      options(10)
    )
    assert.match(String(findings[0].error), /not twice/)
  })

  it("a run is a function of its seed", () => {
    const see = (seed: number): ReadonlyArray<string> => {
      const seen: Array<string> = []
      fuzz(
        target((input) => {
          seen.push(String(input))
          return String(input.length)
        }),
        options(500, { seed })
      )
      return seen
    }
    assert.deepStrictEqual(see(7), see(7))
    assert.notDeepEqual(see(7), see(8))
  })

  it("coverage leads to what chance does not", () => {
    const blind = fuzz(secret(branchesOf(8)), options(100_000))
    assert.deepStrictEqual(blind.findings, [])
    const branches = branchesOf(8)
    const { findings } = fuzz(secret(branches), options(100_000, { coverage: new Coverage(branches) }))
    assert.deepStrictEqual(
      findings.map(({ input }) => new TextDecoder().decode(input)),
      ["key"]
    )
  })

  it("work that is not linear is a fault", () => {
    const branches = branchesOf(1)
    const quadratic = target(
      (input) => {
        branches[0] += input.length ** 2
        return ""
      },
      { mostWork: (size) => 10 * size }
    )
    const { findings } = fuzz(quadratic, options(1000, { coverage: new Coverage(branches) }))
    assert.deepStrictEqual(
      findings.map(({ law, input }) => [law, input.length]),
      [["linear work", 11]]
    )
  })

  it("structure is used where a target has it", () => {
    const made = new Set<string>()
    fuzz(
      target((input) => String(made.add(new TextDecoder().decode(input)).size), {
        make: () => utf8("made"),
        change: () => utf8("changed")
      }),
      options(200)
    )
    assert.isTrue(made.has("made") && made.has("changed"))
  })
})

describe("cover", () => {
  it("keeps what is needed to take each branch and to end in each way, and small ones rather", () => {
    const branches = branchesOf(8)
    const planted = target((input) => `${stepsInto(input, branches) > 2}${input.length > 5}`)
    const inputs = ["k", "ke", "key", "key and more", "x", "a long one", "another long one"].map(utf8)
    const covering = cover(planted, inputs, () => new Coverage(branches, "taken"))
    assert.sameMembers(
      covering.map((input) => new TextDecoder().decode(input)),
      ["key", "key and more", "a long one", "ke"]
    )
  })
})

describe("shrink", () => {
  it("takes away what is not needed, and makes the rest plain", () => {
    const holds = (input: Uint8Array) => input.includes(7) && input.length >= 3
    const shrunk = shrink(
      new Random(1).bytes(500).map((byte, i) => (i === 300 ? 7 : byte === 7 ? 8 : byte)),
      holds
    )
    assert.deepStrictEqual([...shrunk].sort(), [0, 0, 7])
  })
})

describe("mutate", () => {
  it("changes most inputs in many ways, none beyond the longest, and never the input itself", () => {
    const random = new Random(1)
    const input = utf8("GET / HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
    const before = input.slice()
    const all = Array.from({ length: 2000 }, () =>
      mutate(input, random, { words: [utf8("word")], other: () => utf8("other\r\nline"), maxSize: 300 })
    )
    assert.deepStrictEqual(input, before)
    assert.isAtMost(Math.max(...all.map(({ length }) => length)), 300)
    const texts = new Set(all.map((bytes) => Buffer.from(bytes).toString("latin1")))
    assert.isAbove(texts.size, 1000)
    for (const part of ["word", "other", "65536", "GET / HTTP/1.1\r\nGET /"]) {
      assert.isTrue(
        [...texts].some((text) => text.includes(part)),
        part
      )
    }
  })
})

describe("instrument", () => {
  const source = `
    class Box {
      constructor(value) { this.value = value }
      twice(): number { return this.value * 2 }
    }
    function pick(n: number): string {
      switch (n) {
        case 0: return "none"
        default: return n > 1 ? "many" : "one"
      }
    }
    const either = (a: unknown, b: unknown) => (a ?? b) || "neither"
    const sum = (all: ReadonlyArray<number>) => {
      let total = 0
      for (const one of all) total += one
      for (let i = 0; i < 2; i++) total++
      while (total > 100) total -= 100
      if (total === 5) total = -total
      return total
    }
    return [new Box(4).twice(), pick(0), pick(1), pick(2), either(null, 0), either(1, 2), sum([1, 2]), sum([100, 50])]
  `
  // `new Function`, since what is evaluated is a body.
  const evaluate = (code: string): unknown => new Function(code)()

  it("changes nothing but to count", () => {
    const first = 3
    const { code, count } = instrument(source, "box.ts", first)
    const branches = new Branches(64)
    Object.assign(globalThis, { [counters]: branches })
    try {
      assert.deepStrictEqual(evaluate(code), [8, "none", "one", "many", "neither", 1, -5, 52])
    } finally {
      Reflect.deleteProperty(globalThis, counters)
    }
    assert.strictEqual(branches.used, first + count)
    const counts = [...branches.subarray(0, branches.used)]
    assert.deepStrictEqual(counts.slice(0, first), [0, 0, 0])
    assert.isTrue(
      counts.slice(first).every((times) => times > 0),
      `each branch of the source is taken: ${counts}`
    )
    assert.isAtLeast(count, 14)
    assert.deepStrictEqual(
      [...branches.subarray(first + count)].filter((times) => times > 0),
      []
    )
  })
})
