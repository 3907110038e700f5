import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, pipe } from "effect"
import * as Fields from "../src/Fields.js"
import * as Grammar from "../src/internal/grammar.js"
import { countCharacters } from "./support/steps.js"

const make = (...entries: ReadonlyArray<readonly [string, string]>): Fields.Fields =>
  Either.getOrThrowWith(Fields.make(entries), (error) => error)

const anyText = FastCheck.oneof(FastCheck.string(), FastCheck.string({ unit: "binary" }))

const reasonOf = (name: string, value: string): string =>
  Either.match(Fields.make([[name, value]]), { onLeft: ({ reason }) => reason, onRight: () => "Right" })

describe("make", () => {
  const cases: ReadonlyArray<readonly [id: string, name: string, value: string, expected: string]> = [
    ["a token and a text", "Set-Cookie", "a=1; Secure", "Right"],
    ["all token characters", "!#$%&'*+-.^_`|~09azAZ", "x", "Right"],
    ["an empty value", "X", "", "Right"],
    ["a tab inside", "X", "a\tb", "Right"],
    ["obs-text", "X", "caf\u00e9\u00ff\u0080", "Right"],
    ["a hostile but valid name", "__proto__", "x", "Right"],
    ["an empty name", "", "x", "InvalidName"],
    ["a space in the name", "X Y", "x", "InvalidName"],
    ["a space after the name", "X ", "x", "InvalidName"],
    ["a colon in the name", "X:", "x", "InvalidName"],
    ["CRLF in the name", "X\r\nY", "x", "InvalidName"],
    ["NUL in the name", "X\0", "x", "InvalidName"],
    ["a letter above ASCII in the name", "caf\u00e9", "x", "InvalidName"],
    ["the Kelvin sign in the name", "\u212aey", "x", "InvalidName"],
    ["CR in the value", "X", "a\rb", "InvalidValue"],
    ["LF in the value", "X", "a\nb", "InvalidValue"],
    ["CRLF at the end of the value", "X", "a\r\n", "InvalidValue"],
    ["NUL in the value", "X", "a\0b", "InvalidValue"],
    ["an escape in the value", "X", "\u001b[31m", "InvalidValue"],
    ["DEL in the value", "X", "\u007f", "InvalidValue"],
    ["a character above U+00FF", "X", "\u0100", "InvalidValue"],
    ["what becomes LF when cut to eight bits", "X", "\u010a", "InvalidValue"],
    ["an emoji", "X", "\u{1f600}", "InvalidValue"]
  ]
  for (const [id, name, value, expected] of cases) {
    it(`${expected}: ${id}`, () => assert.strictEqual(reasonOf(name, value), expected))
  }

  it("takes the white space off the ends of values, but not the NBSP of obs-text", () => {
    assert.deepStrictEqual(
      [...make(["A", " \t x y\t "], ["B", "\u00a0x\u00a0"], ["C", " \t"])],
      [
        ["A", "x y"],
        ["B", "\u00a0x\u00a0"],
        ["C", ""]
      ]
    )
  })

  it("fails with the first error, in words without control characters", () => {
    const error = Either.getOrThrow(
      Either.flip(
        Fields.make([
          ["A", "x"],
          ["B\r\n", "x"],
          ["C", "\n"]
        ])
      )
    )
    assert.strictEqual(error.reason, "InvalidName")
    assert.match(error.message, /^field "B\\x0d\\x0a": a name is/)
  })

  it.prop("accepts exactly what RFC 9110 §5.5 and §5.6.2 allow", [anyText], ([text]) => {
    assert.strictEqual(reasonOf(text, "x") === "Right", /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text))
    assert.strictEqual(reasonOf("x", text) === "Right", /^[\t\x20-\x7e\x80-\xff]*$/.test(text))
  })
})

describe("lookups", () => {
  const fields = make(["Host", "a"], ["X", "1"], ["host", "b"], ["__proto__", "p"], ["constructor", "c"])

  it("compare names without case, see duplicates, and keep the order", () => {
    assert.strictEqual(Fields.get(fields, "HOST"), "a")
    assert.deepStrictEqual(Fields.getAll(fields, "hOST"), ["a", "b"])
    assert.strictEqual(Fields.has(fields, "x"), true)
    assert.strictEqual(Fields.has(fields, "y"), false)
    assert.deepStrictEqual(
      [...Fields.omit(fields, ["HOST", "x"])],
      [
        ["__proto__", "p"],
        ["constructor", "c"]
      ]
    )
  })

  it("find hostile names only where they are", () => {
    assert.deepStrictEqual(Fields.getAll(fields, "__proto__"), ["p"])
    assert.deepStrictEqual(Fields.getAll(fields, "constructor"), ["c"])
    assert.deepStrictEqual(Fields.getAll(Fields.empty, "__proto__"), [])
    assert.strictEqual(Fields.get(Fields.empty, "toString"), undefined)
  })

  it("compare ASCII letters only: the Kelvin sign is not a k, and [ is not {", () => {
    assert.strictEqual(Fields.get(make(["Key", "x"]), "\u212aey"), undefined)
    assert.strictEqual(Grammar.equalsIgnoreCase("[]", "{}"), false)
    assert.strictEqual(Grammar.equalsIgnoreCase("@", "`"), false)
  })

  it("are dual", () => {
    assert.strictEqual(pipe(fields, Fields.get("x")), "1")
    assert.deepStrictEqual(pipe(fields, Fields.getAll("host")), ["a", "b"])
    assert.strictEqual(pipe(fields, Fields.has("x")), true)
    assert.deepStrictEqual(pipe(fields, Fields.list("x")), ["1"])
    assert.strictEqual(pipe(fields, Fields.omit(["x"])).length, 4)
    assert.deepStrictEqual(
      [...pipe(make(["A", "1"]), Fields.concat(make(["B", "2"])))],
      [
        ["A", "1"],
        ["B", "2"]
      ]
    )
  })

  it("append checks what it adds", () => {
    const added = Fields.append(make(["A", "1"]), "B", " 2 ")
    assert.deepStrictEqual(
      [...Either.getOrThrow(added)],
      [
        ["A", "1"],
        ["B", "2"]
      ]
    )
    assert.strictEqual(Either.isLeft(pipe(fields, Fields.append("B", "2\r\n"))), true)
  })
})

describe("list", () => {
  const cases: ReadonlyArray<readonly [id: string, values: ReadonlyArray<string>, expected: ReadonlyArray<string>]> = [
    ["one element", ["foo"], ["foo"]],
    ["RFC 9110 §5.6.1.2, first example", ["foo,bar"], ["foo", "bar"]],
    ["RFC 9110 §5.6.1.2, second example", ["foo ,bar,"], ["foo", "bar"]],
    ["RFC 9110 §5.6.1.2, third example", ["foo , ,bar,charlie"], ["foo", "bar", "charlie"]],
    ["RFC 9110 §5.6.1.2, no element", ["", ",", ",   ,"], []],
    ["several lines", ["a, b", "c", ", d"], ["a", "b", "c", "d"]],
    ["tabs", ["\ta\t,\tb\t"], ["a", "b"]],
    ["a comma in quotes", ['a="1, 2", b'], ['a="1, 2"', "b"]],
    ["an escaped quote", ['"a\\", b", c'], ['"a\\", b"', "c"]],
    ["an escaped backslash before the closing quote", ['"a\\\\", b'], ['"a\\\\"', "b"]],
    ["an unclosed quote is one element to the end of its line", ['a, "b, c', "d"], ["a", '"b, c', "d"]],
    ["an unclosed quote that ends in a backslash", ['a, "b\\'], ["a", '"b\\']],
    ["a lone quote", ['"'], ['"']]
  ]
  for (const [id, values, expected] of cases) {
    it(id, () =>
      assert.deepStrictEqual(Fields.list(make(...values.map((value) => ["X", value] as const)), "x"), expected)
    )
  }

  it.prop("reads back what was joined", [FastCheck.array(FastCheck.stringMatching(/^[a-z0-9-]+$/))], ([elements]) => {
    assert.deepStrictEqual(Fields.list(make(["X", elements.join(" ,\t")]), "x"), elements)
  })
})

describe("hostile values take steps in proportion to their length", () => {
  const hostile: ReadonlyArray<readonly [id: string, unit: string]> = [
    ["white space", " "],
    ["tabs and commas", "\t,"],
    ["empty elements", ","],
    ["quotes", '"'],
    ["quotes with commas", '",'],
    ["escapes in an unclosed quote", '"\\'],
    ["an unclosed quote", '"a'],
    ["parameters without names", ";"],
    ["parameters", "a;"],
    ["equal signs", "a="],
    ["unclosed values", 'a;b="'],
    ["white space around parameters", "a ; "]
  ]
  for (const [id, unit] of hostile) {
    it(id, () => {
      const work = (size: number): number => {
        const fields = make(["X", `a${unit.repeat(size / unit.length)}a`])
        return countCharacters(() => Fields.list(fields, "x").map(Grammar.parseItem))
      }
      const [small, large] = [work(4 * 1024), work(64 * 1024)]
      assert.isAbove(large, 64 * 1024)
      assert.isAtMost(large, small * 17)
      assert.isAtMost(large, 12 * 64 * 1024)
    })
  }
})

describe("isToken", () => {
  it("is RFC 9110 §5.6.2", () => {
    for (let code = 0; code < 0x200; code++) {
      const character = String.fromCharCode(code)
      assert.strictEqual(
        Fields.isToken(character),
        /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character),
        `U+${code.toString(16)}`
      )
    }
    assert.strictEqual(Fields.isToken(""), false)
  })
})
