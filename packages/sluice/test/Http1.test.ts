import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as Http1 from "../src/Http1.js"
import { byteByByte, concat, cut, cuts } from "./support/bytes.js"
import { fields, head, latin1, tokens, toLatin1, values } from "./support/http.js"
import { countCharacters, countReads } from "./support/steps.js"

type Read = Either.Either<
  Http1.AwaitingRequest | Http1.AwaitingResponse | Http1.Complete<Http1.RequestHead | Http1.ResponseHead>,
  Http1.HeadError
>

type Kind = "request" | "response"

/** Feeds chunks until the head is whole or wrong; what was not taken is added to the rest. */
const readAll = (kind: Kind, chunks: ReadonlyArray<Uint8Array>, options?: Http1.Options): Read => {
  let state: Http1.AwaitingRequest | Http1.AwaitingResponse =
    kind === "request" ? Http1.request(options) : Http1.response(options)
  for (const [index, chunk] of chunks.entries()) {
    const read: Read = state._tag === "AwaitingRequest" ? Http1.receive(state, chunk) : Http1.receive(state, chunk)
    if (Either.isLeft(read)) return read
    if (read.right._tag === "Complete") {
      const rest = concat([read.right.rest, ...chunks.slice(index + 1)])
      return Either.right({ ...read.right, rest })
    }
    state = read.right
  }
  return Either.right(state)
}

/** As text, so that what is compared is also what is shown. */
const show = (read: Read): unknown =>
  Either.match(read, {
    onLeft: ({ limit, message, offset, reason, seen }) => ({ reason, message, offset, limit, seen }),
    onRight: (read) =>
      read._tag === "Complete"
        ? { head: { ...read.head, fields: [...read.head.fields] }, rest: toLatin1(read.rest) }
        : "more"
  })

const readRequest = (text: string, options?: Http1.Options): Read => readAll("request", [latin1(text)], options)
const readResponse = (text: string, options?: Http1.Options): Read => readAll("response", [latin1(text)], options)

const headOf = (read: Read): Http1.RequestHead | Http1.ResponseHead => {
  const right = Either.getOrThrowWith(read, (error) => error)
  return right._tag === "Complete" ? right.head : assert.fail("the head is not complete")
}

const errorOf = (read: Read): Http1.HeadError => Either.getOrThrow(Either.flip(read))

/** Heads that are right: kind, bytes, what is read. */
const good: ReadonlyArray<readonly [id: string, kind: Kind, text: string, expected: Record<string, unknown>]> = [
  [
    "a request",
    "request",
    head("GET /chat?x=1 HTTP/1.1", "Host: a"),
    {
      method: "GET",
      target: "/chat?x=1",
      version: "1.1",
      fields: [["Host", "a"]]
    }
  ],
  [
    "a request without fields",
    "request",
    head("OPTIONS * HTTP/1.0"),
    {
      method: "OPTIONS",
      target: "*",
      version: "1.0",
      fields: []
    }
  ],
  [
    "one empty line before the request (RFC 9112 §2.2)",
    "request",
    head("", "GET / HTTP/1.1", "A: b"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [["A", "b"]]
    }
  ],
  [
    "another version, another method",
    "request",
    head("m~x h HTTP/9.9"),
    {
      method: "m~x",
      target: "h",
      version: "9.9",
      fields: []
    }
  ],
  [
    "white space around values",
    "request",
    head("GET / HTTP/1.1", "A:", "B:x", "C: \t x \t y\t ", "D: \t"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [
        ["A", ""],
        ["B", "x"],
        ["C", "x \t y"],
        ["D", ""]
      ]
    }
  ],
  [
    "duplicates and case",
    "request",
    head("GET / HTTP/1.1", "a: 1", "A: 2", "a: 1"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [
        ["a", "1"],
        ["A", "2"],
        ["a", "1"]
      ]
    }
  ],
  [
    "colons in a value",
    "request",
    head("GET / HTTP/1.1", "A: b: c::"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [["A", "b: c::"]]
    }
  ],
  [
    "obs-text is ISO-8859-1",
    "request",
    head("GET / HTTP/1.1", "A: caf\u00e9 \u0080\u0091\u00ff", "B: \u00a0x\u00a0"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [
        ["A", "caf\u00e9 \u0080\u0091\u00ff"],
        ["B", "\u00a0x\u00a0"]
      ]
    }
  ],
  [
    "hostile names",
    "request",
    head("GET / HTTP/1.1", "__proto__: x", "constructor: y", "toString:"),
    {
      method: "GET",
      target: "/",
      version: "1.1",
      fields: [
        ["__proto__", "x"],
        ["constructor", "y"],
        ["toString", ""]
      ]
    }
  ],
  [
    "a response",
    "response",
    head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"),
    {
      version: "1.1",
      status: 101,
      reason: "Switching Protocols",
      fields: [["Upgrade", "websocket"]]
    }
  ],
  [
    "an empty reason phrase",
    "response",
    head("HTTP/1.0 999 "),
    {
      version: "1.0",
      status: 999,
      reason: "",
      fields: []
    }
  ],
  [
    "a reason phrase is kept as it is",
    "response",
    head("HTTP/1.1 404  n\u00f3 \tt "),
    {
      version: "1.1",
      status: 404,
      reason: " n\u00f3 \tt ",
      fields: []
    }
  ],
  [
    "folded lines in a response are joined (RFC 9112 §5.2)",
    "response",
    head("HTTP/1.1 200 ", "A: b", " \tc", "\td ", "B:", " ", "  e", "C: f"),
    {
      version: "1.1",
      status: 200,
      reason: "",
      fields: [
        ["A", "b c d"],
        ["B", "e"],
        ["C", "f"]
      ]
    }
  ]
]

/** Heads that are wrong: kind, bytes, the reason and the byte at which it is known. */
const bad: ReadonlyArray<
  readonly [id: string, kind: Kind, text: string, reason: Http1.HeadError["reason"], offset: number]
> = [
  ["two empty lines before the request", "request", "\r\n\r\nGET", "StartLine", 2],
  ["an empty line that is half", "request", "\rGET", "BareCarriageReturn", 1],
  ["a bare LF before the request", "request", "\nGET", "BareLineFeed", 0],
  ["white space before the method", "request", " GET / HTTP/1.1", "StartLine", 0],
  ["no method", "request", "\u00e9", "StartLine", 0],
  ["a method that is not a token", "request", "G@T /", "StartLine", 1],
  ["a line of the method only", "request", "GET\r\n", "StartLine", 3],
  ["a simple request of HTTP/0.9", "request", "GET /\r\n", "StartLine", 5],
  ["two spaces before the target", "request", "GET  / HTTP/1.1", "StartLine", 4],
  ["a tab before the target", "request", "GET\t/ HTTP/1.1", "StartLine", 3],
  ["two spaces before the version", "request", "GET /  HTTP/1.1", "Version", 6],
  ["a space in the target", "request", "GET /a b HTTP/1.1", "Version", 7],
  ["a letter above ASCII in the target", "request", "GET /\u00e9 HTTP/1.1", "StartLine", 5],
  ["a control character in the target", "request", "GET /\u0007 HTTP/1.1", "ControlCharacter", 5],
  ["a NUL in the target", "request", "GET /\0 HTTP/1.1", "ControlCharacter", 5],
  ["a TLS ClientHello", "request", "\u0016\u0003\u0001", "ControlCharacter", 0],
  ["a version in lower case", "request", "GET / http/1.1\r\n", "Version", 6],
  ["another protocol", "request", "GET / ICY/1.1\r\n", "Version", 6],
  ["a version without minor", "request", "GET / HTTP/1\r\n", "Version", 12],
  ["a version of two digits", "request", "GET / HTTP/1.10\r\n", "Version", 14],
  ["white space after the version", "request", "GET / HTTP/1.1 \r\n", "Version", 14],
  ["a bare LF after the version", "request", "GET / HTTP/1.1\nHost: a\n\n", "BareLineFeed", 14],
  ["a bare CR after the version", "request", "GET / HTTP/1.1\rHost: a", "BareCarriageReturn", 15],
  [
    "white space before the first field (RFC 9112 §2.2)",
    "request",
    "GET / HTTP/1.1\r\n A: b",
    "ObsoleteLineFolding",
    16
  ],
  ["a folded line", "request", "GET / HTTP/1.1\r\nA: b\r\n c", "ObsoleteLineFolding", 22],
  ["a line folded with a tab", "request", "GET / HTTP/1.1\r\nA: b\r\n\tc", "ObsoleteLineFolding", 22],
  ["a space before the colon", "request", "GET / HTTP/1.1\r\nA : b", "SpaceBeforeColon", 17],
  ["a tab before the colon", "request", "GET / HTTP/1.1\r\nA\t: b", "SpaceBeforeColon", 17],
  ["a space in a name", "request", "GET / HTTP/1.1\r\nA B: c", "SpaceBeforeColon", 17],
  ["no name", "request", "GET / HTTP/1.1\r\n: b", "FieldLine", 16],
  ["no colon", "request", "GET / HTTP/1.1\r\nAb\r\n", "FieldLine", 18],
  ["a NUL in a name", "request", "GET / HTTP/1.1\r\nA\0: b", "ControlCharacter", 17],
  ["a letter above ASCII in a name", "request", "GET / HTTP/1.1\r\n\u00c4: b", "FieldLine", 16],
  ["a parenthesis in a name", "request", "GET / HTTP/1.1\r\nA(b): c", "FieldLine", 17],
  ["a NUL in a value", "request", "GET / HTTP/1.1\r\nA: b\0c", "ControlCharacter", 20],
  ["an escape in a value", "request", "GET / HTTP/1.1\r\nA: \u001b", "ControlCharacter", 19],
  ["a DEL in a value", "request", "GET / HTTP/1.1\r\nA: \u007f", "ControlCharacter", 19],
  ["a bare LF after a value", "request", "GET / HTTP/1.1\r\nA: b\nC: d", "BareLineFeed", 20],
  ["a bare LF in a name", "request", "GET / HTTP/1.1\r\nA\nB: c", "BareLineFeed", 17],
  ["a bare CR in a value", "request", "GET / HTTP/1.1\r\nA: b\rc", "BareCarriageReturn", 21],
  ["two CR at the end of a line", "request", "GET / HTTP/1.1\r\nA: b\r\r\n", "BareCarriageReturn", 21],
  ["a bare LF at the end", "request", "GET / HTTP/1.1\r\nA: b\r\n\n", "BareLineFeed", 22],
  ["a bare CR at the end", "request", "GET / HTTP/1.1\r\nA: b\r\n\rx", "BareCarriageReturn", 23],
  ["a response where a request is expected", "request", "HTTP/1.1 200 OK\r\n", "StartLine", 4],
  ["a request where a response is expected", "response", "GET / HTTP/1.1\r\n", "Version", 0],
  ["an empty line before a response", "response", "\r\nHTTP/1.1 200 OK", "Version", 0],
  ["no space before the status", "response", "HTTP/1.1\r\n", "Version", 8],
  ["a status of two digits", "response", "HTTP/1.1 20 OK", "StartLine", 11],
  ["a status of four digits", "response", "HTTP/1.1 2000", "StartLine", 12],
  ["a status with a letter", "response", "HTTP/1.1 20x", "StartLine", 11],
  ["a status of no class", "response", "HTTP/1.1 099", "StartLine", 9],
  ["no space after the status (RFC 9112 §4)", "response", "HTTP/1.1 200\r\n", "StartLine", 12],
  ["a control character in the reason phrase", "response", "HTTP/1.1 200 O\u0000K", "ControlCharacter", 14],
  ["a bare LF after the reason phrase", "response", "HTTP/1.1 200 OK\n", "BareLineFeed", 15],
  ["a fold before the first field of a response", "response", "HTTP/1.1 200 OK\r\n A: b", "ObsoleteLineFolding", 17],
  ["an SSH banner", "response", "SSH-2.0-OpenSSH_9.6\r\n", "Version", 0]
]

describe("heads that are right", () => {
  for (const [id, kind, text, expected] of good) {
    it(`${kind}: ${id}`, () => {
      const read = readAll(kind, [latin1(`${text}rest`)])
      assert.deepStrictEqual(show(read), { head: expected, rest: "rest" })
      assert.deepStrictEqual(show(readAll(kind, byteByByte(latin1(`${text}rest`)))), show(read))
      assert.strictEqual(show(readAll(kind, [latin1(text.slice(0, -1))])), "more")
    })
  }
})

describe("heads that are wrong, at the byte at which it is known", () => {
  for (const [id, kind, text, reason, offset] of bad) {
    it(`${reason}: ${id}`, () => {
      const error = errorOf(readAll(kind, [latin1(text)]))
      assert.deepStrictEqual([error.reason, error.offset], [reason, offset])
      assert.match(error.message, new RegExp(`^[ -~]+ \\(byte ${offset} of the head\\)$`))
      // not before that byte, and whatever comes after it
      assert.strictEqual(show(readAll(kind, [latin1(text.slice(0, offset))])), "more")
      assert.deepStrictEqual(show(readAll(kind, byteByByte(latin1(text)))), show(Either.left(error)))
      assert.deepStrictEqual(show(readAll(kind, [latin1(`${text}\r\n\r\n`)])), show(Either.left(error)))
    })
  }

  it("each reason of the grammar is among them", () => {
    const reasons = new Set(bad.map(([, , , reason]) => reason))
    assert.deepStrictEqual([...reasons].sort(), [
      "BareCarriageReturn",
      "BareLineFeed",
      "ControlCharacter",
      "FieldLine",
      "ObsoleteLineFolding",
      "SpaceBeforeColon",
      "StartLine",
      "Version"
    ])
  })
})

describe("limits", () => {
  const limitOf = (read: Read) => {
    const { limit, offset, reason, seen } = errorOf(read)
    return { reason, offset, limit, seen }
  }

  it("maxTarget is known before the line ends", () => {
    assert.strictEqual(show(readRequest(`GET /${"a".repeat(99)}`, { maxTarget: 100 })), "more")
    assert.strictEqual(
      headOf(readRequest(head(`GET /${"a".repeat(99)} HTTP/1.1`), { maxTarget: 100 })).fields.length,
      0
    )
    assert.deepStrictEqual(limitOf(readRequest(`GET /${"a".repeat(100)}`, { maxTarget: 100 })), {
      reason: "TargetTooLong",
      offset: 104,
      limit: 100,
      seen: 101
    })
    assert.strictEqual(errorOf(readRequest(`GET /${"a".repeat(8 * 1024)}`)).limit, 8 * 1024)
  })

  it("maxFields is known at the first byte of the field too many", () => {
    const lines = Array.from({ length: 128 }, (_, index) => `A${index}: b`)
    assert.strictEqual(headOf(readRequest(head("GET / HTTP/1.1", ...lines))).fields.length, 128)
    const before = ["GET / HTTP/1.1", ...lines, ""].join("\r\n")
    assert.deepStrictEqual(limitOf(readRequest(`${before}X`)), {
      reason: "TooManyFields",
      offset: before.length,
      limit: 128,
      seen: 129
    })
    assert.strictEqual(show(readRequest(before)), "more")
  })

  it("maxHeadSize counts the whole head, to the byte", () => {
    const text = head("GET / HTTP/1.1", "A: b")
    assert.strictEqual(headOf(readRequest(text, { maxHeadSize: text.length })).fields.length, 1)
    assert.deepStrictEqual(limitOf(readRequest(text, { maxHeadSize: text.length - 1 })), {
      reason: "HeadTooLarge",
      offset: text.length - 1,
      limit: text.length - 1,
      seen: text.length
    })
    assert.strictEqual(errorOf(readRequest(`GET / HTTP/1.1\r\nA: ${"a".repeat(16 * 1024)}`)).limit, 16 * 1024)
    assert.strictEqual(show(readRequest("GET", { maxHeadSize: 3 })), "more")
    assert.strictEqual(errorOf(readRequest("GET ", { maxHeadSize: 3 })).reason, "HeadTooLarge")
    assert.strictEqual(errorOf(readRequest("G", { maxHeadSize: 0 })).reason, "HeadTooLarge")
  })

  it("unbounded means so", () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `A${index}: ${"b".repeat(20)}`)
    const text = head(`GET /${"a".repeat(100_000)} HTTP/1.1`, ...lines)
    const unbounded = { maxHeadSize: "unbounded", maxFields: "unbounded", maxTarget: "unbounded" } as const
    assert.strictEqual(headOf(readRequest(text, unbounded)).fields.length, 5000)
  })

  it("5,000 fields are too many, and known at the 129th", () => {
    const lines = Array.from({ length: 5000 }, () => "A:")
    assert.deepStrictEqual(limitOf(readRequest(head("GET / HTTP/1.1", ...lines))), {
      reason: "TooManyFields",
      offset: 16 + 128 * 4,
      limit: 128,
      seen: 129
    })
  })

  it("the first fault counts, also when a limit is broken later in the same chunk", () => {
    assert.strictEqual(errorOf(readRequest(`GET /\0${"a".repeat(9000)}`)).reason, "ControlCharacter")
    assert.strictEqual(errorOf(readRequest(`GET / HTTP/1.1\r\nA : ${"a".repeat(20_000)}`)).reason, "SpaceBeforeColon")
    assert.strictEqual(errorOf(readRequest(`GET / HTTP/1.1\r\nA: ${"a".repeat(20_000)}\0`)).reason, "HeadTooLarge")
  })

  it("hold for responses too", () => {
    assert.strictEqual(errorOf(readResponse(`HTTP/1.1 200 ${"a".repeat(20_000)}`)).reason, "HeadTooLarge")
    assert.strictEqual(
      errorOf(readResponse(head("HTTP/1.1 200 ", "A:", "B:"), { maxFields: 1 })).reason,
      "TooManyFields"
    )
  })
})

describe("chunks", () => {
  const texts = FastCheck.constantFrom(
    ...good.map(([, kind, text]) => [kind, `${text}rest`] as const),
    ...bad.map(([, kind, text]) => [kind, text] as const)
  )

  it.prop("do not matter", [texts, cuts], ([[kind, text], at]) => {
    const bytes = latin1(text)
    assert.deepStrictEqual(show(readAll(kind, cut(bytes, at))), show(readAll(kind, [bytes])))
  })

  it.prop("do not matter to limits", [FastCheck.nat(40), FastCheck.nat(8), FastCheck.nat(3), cuts], (input) => {
    const [maxHeadSize, maxTarget, maxFields, at] = input
    const bytes = latin1(head("GET /abc HTTP/1.1", "A: b", "C: d"))
    const options = { maxHeadSize, maxTarget, maxFields }
    assert.deepStrictEqual(
      show(readAll("request", cut(bytes, at), options)),
      show(readAll("request", [bytes], options))
    )
  })

  it.prop(
    "do not matter to noise, on which nothing throws",
    [FastCheck.uint8Array({ maxLength: 64 }), cuts],
    ([noise, at]) => {
      for (const kind of ["request", "response"] as const) {
        assert.deepStrictEqual(show(readAll(kind, cut(noise, at))), show(readAll(kind, [noise])))
      }
    }
  )

  it.prop(
    "do not matter to requests of which some bytes were changed",
    [FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat(255)), { maxLength: 4 }), cuts],
    ([changes, at]) => {
      const bytes = latin1(`${head("GET /abc HTTP/1.1", "Host: example.com", "A: \u00e9")}rest`)
      for (const [index, byte] of changes) bytes[index % bytes.length] = byte
      assert.deepStrictEqual(show(readAll("request", cut(bytes, at))), show(readAll("request", [bytes])))
    }
  )

  it("the rest is a view of the chunk, and a head in one chunk is not copied", () => {
    const chunk = latin1(`${head("GET / HTTP/1.1", "A: b")}rest`)
    const set = Uint8Array.prototype.set
    let copies = 0
    Uint8Array.prototype.set = function (...args) {
      copies++
      return set.apply(this, args)
    }
    try {
      const read = Either.getOrThrow(Http1.receive(Http1.request(), chunk))
      assert.strictEqual(read._tag === "Complete" && read.rest.buffer === chunk.buffer && read.rest.length === 4, true)
    } finally {
      Uint8Array.prototype.set = set
    }
    assert.strictEqual(copies, 0)
  })

  it("a chunk may be used again when it was taken", () => {
    const chunk = latin1("GET / HTTP/1.1\r\nA: b")
    const state = Either.getOrThrow(Http1.receive(Http1.request(), chunk))
    chunk.fill(0)
    const read = state._tag === "AwaitingRequest" ? Http1.receive(state, latin1("c\r\n\r\n")) : assert.fail()
    assert.deepStrictEqual([...headOf(read).fields], [["A", "bc"]])
  })

  it("a state may be continued twice", () => {
    const state = Either.getOrThrow(Http1.receive(Http1.request(), latin1("GET /a")))
    if (state._tag === "Complete") assert.fail()
    const further = Either.getOrThrow(Http1.receive(state, latin1("bc")))
    if (further._tag === "Complete") assert.fail()
    const ends = [state, further, state].map((from, index) =>
      headOf(Http1.receive(from, latin1(head(`${index} HTTP/1.1`, `X: ${index}`))))
    )
    assert.deepStrictEqual(
      ends.map((head) => "target" in head && [head.target, ...head.fields]),
      [
        ["/a0", ["X", "0"]],
        ["/abc1", ["X", "1"]],
        ["/a2", ["X", "2"]]
      ]
    )
  })
})

describe("every byte is looked at a bounded number of times", () => {
  const unbounded = { maxHeadSize: "unbounded", maxFields: "unbounded", maxTarget: "unbounded" } as const
  const hostile: ReadonlyArray<readonly [id: string, before: string, unit: string]> = [
    ["a long method", "", "A"],
    ["a long target", "GET ", "/"],
    ["a long name", "GET / HTTP/1.1\r\n", "A"],
    ["white space", "GET / HTTP/1.1\r\nA:", " "],
    ["a long value", "GET / HTTP/1.1\r\nA:", "b"],
    ["obs-text", "GET / HTTP/1.1\r\nA:", "\u00e9"],
    ["fields", "GET / HTTP/1.1\r\n", "A:\r\n"],
    ["quotes", "GET / HTTP/1.1\r\nA:", '"'],
    ["colons", "GET / HTTP/1.1\r\nA:", ":"]
  ]
  for (const [id, before, unit] of hostile) {
    it(`${id}, whole and in chunks of 1, 7 and 1024 bytes`, () => {
      const bytes = latin1(before + unit.repeat(16 * 1024))
      for (const size of [bytes.length, 1, 7, 1024]) {
        let reads = 0
        let state = Http1.request(unbounded)
        for (let at = 0; at < bytes.length; at += size) {
          const counted = countReads(bytes.slice(at, at + size))
          const next = Either.getOrThrow(Http1.receive(state, counted.bytes))
          if (next._tag === "Complete") assert.fail()
          state = next
          reads += counted.reads()
        }
        // to look for the class of a byte, for obs-text, for the end of an element, and to keep it
        assert.isAtMost(reads, 6 * bytes.length)
        assert.isAtLeast(reads, bytes.length)
      }
    })
  }

  it("folded lines are joined in linear time", () => {
    const work = (lines: number): number => {
      const text = head("HTTP/1.1 200 ", "A: b", ...Array.from({ length: lines }, () => " c"))
      return countCharacters(() => headOf(readResponse(text, unbounded)))
    }
    assert.isAtMost(work(16_000), 17 * work(1000))
    assert.isAbove(work(16_000), 16_000)
  })

  it("fields are cut in linear time", () => {
    const work = (lines: number): number => {
      const text = head("GET / HTTP/1.1", ...Array.from({ length: lines }, () => "A:  b  "))
      return countCharacters(() => headOf(readRequest(text, unbounded)))
    }
    assert.isAtMost(work(16_000), 17 * work(1000))
    assert.isAbove(work(16_000), 16_000)
  })
})

describe("targetForm (RFC 9112 §3.2)", () => {
  const cases: ReadonlyArray<readonly [method: string, target: string, expected: ReturnType<typeof Http1.targetForm>]> =
    [
      ["GET", "/", "origin"],
      ["GET", "/a/b?c=d&e={f}|[]", "origin"],
      ["GET", "//a", "origin"],
      ["GET", "", undefined],
      ["GET", "*", undefined],
      ["OPTIONS", "*", "asterisk"],
      ["OPTIONS", "/", "origin"],
      ["GET", "a", undefined],
      ["GET", "?a", undefined],
      ["GET", "/#a", undefined],
      ["GET", "/a b", undefined],
      ["GET", "/\u00e9", undefined],
      ["GET", "/\r\n", undefined],
      ["GET", "http://a", "absolute"],
      ["GET", "HTTPS://a:1/b?c", "absolute"],
      ["GET", "http://[::1]:80/", "absolute"],
      ["GET", "http://a?b", "absolute"],
      ["GET", "ws://a/", undefined],
      ["GET", "ftp://a/", undefined],
      ["GET", "http:///", undefined],
      ["GET", "http://:80/", undefined],
      ["GET", "http://user@a/", undefined],
      ["GET", "http://a:70000/", undefined],
      ["GET", "http:/a", undefined],
      ["GET", "://a", undefined],
      ["GET", "a:80", undefined],
      ["CONNECT", "a:80", "authority"],
      ["CONNECT", "[::1]:80", "authority"],
      ["CONNECT", "a", undefined],
      ["CONNECT", "/", undefined]
    ]
  for (const [method, target, expected] of cases) {
    it(`${method} ${JSON.stringify(target)}: ${expected}`, () =>
      assert.strictEqual(Http1.targetForm(method, target), expected))
  }
})

describe("encode", () => {
  const entries = FastCheck.array(FastCheck.tuple(tokens, values), { maxLength: 8 })
  const targets = FastCheck.stringMatching(/^\/[!-"$-~]{0,20}$/)

  it.prop("a request is read back", [tokens, targets, entries], ([method, target, entries]) => {
    const written: Http1.RequestHead = {
      method: method === "CONNECT" ? "GET" : method,
      target,
      version: "1.1",
      fields: fields(...entries)
    }
    const bytes = Either.getOrThrow(Http1.encodeRequest(written))
    assert.deepStrictEqual(headOf(readAll("request", [bytes])), written)
  })

  it.prop(
    "a response is read back",
    [FastCheck.integer({ min: 100, max: 999 }).filter((status) => status !== 101), values, entries],
    ([status, reason, entries]) => {
      const written: Http1.ResponseHead = { version: "1.1", status, reason, fields: fields(...entries) }
      const bytes = Either.getOrThrow(Http1.encodeResponse(written))
      assert.deepStrictEqual(headOf(readAll("response", [bytes])), written)
    }
  )

  const request: Http1.RequestHead = { method: "GET", target: "/", version: "1.1", fields: fields() }
  const response: Http1.ResponseHead = { version: "1.1", status: 200, reason: "OK", fields: fields() }
  const broken: ReadonlyArray<readonly [id: string, Either.Either<Uint8Array, Http1.HeadError>]> = [
    ["CRLF in the method", Http1.encodeRequest({ ...request, method: "GET / HTTP/1.1\r\nA: b\r\n\r\nGET" })],
    ["an empty method", Http1.encodeRequest({ ...request, method: "" })],
    ["CRLF in the target", Http1.encodeRequest({ ...request, target: "/ HTTP/1.1\r\nA: b" })],
    ["LF in the target", Http1.encodeRequest({ ...request, target: "/\n" })],
    ["NUL in the target", Http1.encodeRequest({ ...request, target: "/\0" })],
    ["a space in the target", Http1.encodeRequest({ ...request, target: "/ " })],
    ["U+010A in the target", Http1.encodeRequest({ ...request, target: "/\u010a" })],
    ["an empty target", Http1.encodeRequest({ ...request, target: "" })],
    ["a version with CRLF", Http1.encodeRequest({ ...request, version: "1.1\r\n" })],
    ["no version", Http1.encodeRequest({ ...request, version: "" })],
    ["CRLF in the reason phrase", Http1.encodeResponse({ ...response, reason: "OK\r\nA: b" })],
    ["NUL in the reason phrase", Http1.encodeResponse({ ...response, reason: "\0" })],
    ["U+010D in the reason phrase", Http1.encodeResponse({ ...response, reason: "\u010d" })],
    ["a version with LF", Http1.encodeResponse({ ...response, version: "1\n1" })],
    ["a status of two digits", Http1.encodeResponse({ ...response, status: 99 })],
    ["a status of four digits", Http1.encodeResponse({ ...response, status: 1000 })],
    ["a status that is no integer", Http1.encodeResponse({ ...response, status: 200.5 })],
    ["a status that is no number", Http1.encodeResponse({ ...response, status: Number.NaN })],
    ["a 101, which only an accepted upgrade has", Http1.encodeResponse({ ...response, status: 101 })]
  ]
  for (const [id, result] of broken) {
    it(`is a typed error: ${id}`, () => {
      const error = Either.getOrThrow(Either.flip(result))
      assert.include(["StartLine", "Version"], error.reason)
      assert.match(error.message, /^[ -~]+$/)
    })
  }
})
