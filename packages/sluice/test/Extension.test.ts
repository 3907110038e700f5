import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Option } from "effect"
import * as Extension from "../src/Extension.js"
import { tokens } from "./support/http.js"
import { countCharacters } from "./support/steps.js"

/** `name; parameter; parameter=value`, as it is read. */
const offer = (
  name: string,
  ...parameters: ReadonlyArray<readonly [name: string, value?: string]>
): Extension.Offer => ({
  name,
  parameters: parameters.map(([name, value]) => ({ name, value }))
})

const reasonOf = <A>(result: Either.Either<A, Extension.ExtensionError>): string =>
  Either.match(result, { onLeft: ({ reason }) => reason, onRight: () => "Right" })

describe("parse (RFC 6455 §9.1)", () => {
  const good: ReadonlyArray<
    readonly [id: string, values: ReadonlyArray<string>, expected: ReadonlyArray<Extension.Offer>]
  > = [
    ["no field", [], []],
    ["an example of the RFC: one", ["deflate-stream"], [offer("deflate-stream")]],
    [
      "an example of the RFC: several",
      ["mux; max-channels=4; flow-control,  deflate-stream"],
      [offer("mux", ["max-channels", "4"], ["flow-control"]), offer("deflate-stream")]
    ],
    ["an example of the RFC: split", ["foo", "bar; baz=2"], [offer("foo"), offer("bar", ["baz", "2"])]],
    ["an example of the RFC: joined", ["foo, bar; baz=2"], [offer("foo"), offer("bar", ["baz", "2"])]],
    ["a quoted value", ['a; b="c"'], [offer("a", ["b", "c"])]],
    ["a quoted value with escapes that is a token", ['a; b="\\c\\d"'], [offer("a", ["b", "cd"])]],
    ["white space everywhere (implied *LWS)", ["\ta \t;\tb = \t c ;d  "], [offer("a", ["b", "c"], ["d"])]],
    ["no white space", ["a;b=c;d"], [offer("a", ["b", "c"], ["d"])]],
    ["empty elements", [", a,, b ,"], [offer("a"), offer("b")]],
    ["one extension twice", ["a; x, a"], [offer("a", ["x"]), offer("a")]],
    ["one parameter twice", ["a; x=1; x=2"], [offer("a", ["x", "1"], ["x", "2"])]],
    [
      "hostile names",
      ["__proto__; constructor=toString, constructor"],
      [offer("__proto__", ["constructor", "toString"]), offer("constructor")]
    ]
  ]
  for (const [id, values, expected] of good) {
    it(id, () => assert.deepStrictEqual(Either.getOrThrow(Extension.parse(values)), expected))
  }

  const bad: ReadonlyArray<readonly [id: string, values: ReadonlyArray<string>]> = [
    ["an empty field", [""]],
    ["commas only", [" , ,"]],
    ["no name", ["; a"]],
    ["a name that is no token", ["a b"]],
    ["a slash", ["a/b"]],
    ["obs-text", ["caf\u00e9"]],
    ["a quoted name", ['"a"']],
    ["an empty parameter", ["a;"]],
    ["two semicolons", ["a;;b"]],
    ["a parameter without a name", ["a; =b"]],
    ["a parameter without a value", ["a; b="]],
    ["a value that is no token", ["a; b=c/d"]],
    ["two values", ["a; b=c d"]],
    ["an empty quoted value", ['a; b=""']],
    ["a quoted value that is no token", ['a; b="c d"']],
    ["a quoted comma", ['a; b="c,d"']],
    ["an unclosed quote", ['a; b="c']],
    ["an unclosed quote with an element after it", ['a; b="c, d']],
    ["an escape at the end", ['a; b="\\']],
    ["something after a quoted value", ['a; b="c"d']],
    ["a second line that is wrong", ["a", "b;"]]
  ]
  for (const [id, values] of bad) {
    it(`Syntax: ${id}`, () => {
      const error = Either.getOrThrow(Either.flip(Extension.parse(values)))
      assert.strictEqual(error.reason, "Syntax")
      assert.match(error.message, /^[ -~]+$/)
    })
  }

  const offers = FastCheck.array(
    FastCheck.record({
      name: tokens,
      parameters: FastCheck.array(
        FastCheck.record({ name: tokens, value: FastCheck.option(tokens, { nil: undefined }) }),
        {
          maxLength: 3
        }
      )
    }),
    { minLength: 1, maxLength: 4 }
  )

  it.prop("reads back what format wrote", [offers], ([offers]) => {
    assert.deepStrictEqual(Either.getOrThrow(Extension.parse([Extension.format(offers)])), offers)
  })

  it.prop("does not throw", [FastCheck.array(FastCheck.string({ unit: "binary" }))], ([values]) => {
    assert.include(["Right", "Syntax"], reasonOf(Extension.parse(values)))
  })

  for (const [id, unit] of [
    ["white space", " "],
    ["an unclosed quote (CVE-2020-7662, CVE-2020-7663)", "\\a"],
    ["semicolons", "; a"],
    ["commas", ", "],
    ["quotes", '"'],
    ["parameters", "; a=b"]
  ] as const) {
    it(`takes steps in proportion to the length: ${id}`, () => {
      const work = (size: number): number => {
        const value = `a; b="${unit.repeat(size / unit.length)}`
        return (
          countCharacters(() => Extension.parse([value])) +
          countCharacters(() => Extension.parse([`a${unit.repeat(size)}`]))
        )
      }
      assert.isAbove(work(64 * 1024), 64 * 1024)
      assert.isAtMost(work(64 * 1024), 17 * work(4 * 1024))
    })
  }
})

/** An extension with one parameter `level`, a number, that a server may lower. */
const leveled = (name: string, options: Partial<Extension.Extension<number>> = {}): Extension.Extension<number> => {
  const level = ({ parameters: [first, ...others] }: Extension.Offer): number =>
    first !== undefined && others.length === 0 && first.name === "level" ? Number(first.value) : Number.NaN
  return {
    name,
    reserved: ["rsv1"],
    offers: [offer(name, ["level", "9"])],
    accept: (offered) =>
      Number.isNaN(level(offered))
        ? Option.none()
        : Option.some({
            response: offer(name, ["level", String(Math.min(5, level(offered)))]),
            config: Math.min(5, level(offered))
          }),
    confirm: (response) =>
      level(response) <= 9 ? Either.right(level(response)) : Either.left("the level is not a number up to 9"),
    ...options
  }
}

const agreed = (agreements: ReadonlyArray<Extension.Agreement<number>>) =>
  agreements.map(({ config, extension, response }) => [extension.name, Extension.format([response]), config])

describe("negotiate", () => {
  const a = leveled("a")
  const b = leveled("b", { reserved: ["rsv2"] })
  const rival = leveled("rival")
  const negotiate = (value: string, ...supported: ReadonlyArray<Extension.Extension<number>>) =>
    agreed(Extension.negotiate(Either.getOrThrow(Extension.parse([value])), supported))

  it("agrees to what the extension accepts, in the order of the client", () => {
    assert.deepStrictEqual(negotiate("b; level=9, a; level=3", a, b), [
      ["b", "b; level=5", 5],
      ["a", "a; level=3", 3]
    ])
  })

  it("takes the first offer of a name that is accepted, and one only", () => {
    assert.deepStrictEqual(negotiate("a; x, a; level=3, a; level=4", a), [["a", "a; level=3", 3]])
  })

  it("declines what it does not support or know", () => {
    assert.deepStrictEqual(negotiate("c, __proto__, constructor; level=1", a), [])
    assert.deepStrictEqual(negotiate("a; level=1"), [])
    assert.deepStrictEqual(negotiate("A; level=1", a), [])
  })

  it("declines a second extension on a reserved bit", () => {
    assert.deepStrictEqual(negotiate("rival; level=1, a; level=1, b; level=1", a, b, rival), [
      ["rival", "rival; level=1", 1],
      ["b", "b; level=1", 1]
    ])
  })

  it("declines an extension whose reply could not be sent", () => {
    const replies = [
      offer("other"),
      offer("a", ["x\r\ny"]),
      offer("a", ["x", "y\r\nz"]),
      offer("a", ["x", ""]),
      offer("a", [""])
    ]
    for (const response of replies) {
      const broken = leveled("a", { accept: () => Option.some({ response, config: 0 }) })
      assert.deepStrictEqual(negotiate("a; level=1", broken), [])
    }
  })
})

describe("offers", () => {
  it("are those of all extensions, in order", () => {
    const offers = Either.getOrThrow(
      Extension.offers([leveled("b"), leveled("a", { offers: [offer("a", ["x"]), offer("a")] })])
    )
    assert.strictEqual(Extension.format(offers), "b; level=9, a; x, a")
  })

  it("hold tokens only", () => {
    for (const wrong of [offer("b"), offer("a", ["x\r\n"]), offer("a", ["x", "\r\n"]), offer("a", ["x", "y z"])]) {
      assert.strictEqual(reasonOf(Extension.offers([leveled("a", { offers: [wrong] })])), "Syntax")
    }
    assert.strictEqual(reasonOf(Extension.offers([leveled("a\r\nb")])), "Syntax")
  })
})

describe("confirm", () => {
  const a = leveled("a")
  const b = leveled("b", { reserved: ["rsv2", "rsv3"] })
  const confirm = (value: string, ...offered: ReadonlyArray<Extension.Extension<number>>) =>
    Extension.confirm(Either.getOrThrow(Extension.parse([value])), offered)

  it("reads what was agreed, in the order of the server", () => {
    assert.deepStrictEqual(agreed(Either.getOrThrow(confirm("b; level=2, a; level=1", a, b))), [
      ["b", "b; level=2", 2],
      ["a", "a; level=1", 1]
    ])
    assert.deepStrictEqual(Either.getOrThrow(Extension.confirm([], [a, b])), [])
  })

  const cases: ReadonlyArray<readonly [id: string, reason: string, result: ReturnType<typeof confirm>]> = [
    ["an extension that is not known", "NotOffered", confirm("c", a)],
    ["a name of another case", "NotOffered", confirm("A; level=1", a)],
    ["a hostile name", "NotOffered", confirm("__proto__; level=1", a)],
    ["an extension that was not offered", "NotOffered", confirm("a; level=1", leveled("a", { offers: [] }))],
    ["one extension twice", "Repeated", confirm("a; level=1, a; level=1", a)],
    ["two extensions on one bit", "ReservedBit", confirm("a; level=1, rival; level=1", a, leveled("rival"))],
    ["parameters to which the extension objects", "Parameters", confirm("a; level=10", a)],
    ["parameters that it does not know", "Parameters", confirm("a; x", a)]
  ]
  for (const [id, reason, result] of cases) {
    it(`${reason}: ${id}`, () => assert.strictEqual(reasonOf(result), reason))
  }
})
