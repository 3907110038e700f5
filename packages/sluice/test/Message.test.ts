import { assert, describe, it } from "@effect/vitest"
import { Channel, Chunk, Effect, Either, FastCheck, Stream } from "effect"
import * as Frame from "../src/Frame.js"
import * as Accumulator from "../src/internal/accumulator.js"
import * as Message from "../src/Message.js"
import { assertBytes, byteByByte, concat, cut, cuts, hex, pattern, toHex, utf8 } from "./support/bytes.js"
import * as Utf8Cases from "./support/utf8Cases.js"
import * as Wire from "./support/wire.js"

const { Opcode } = Frame
const none = new Uint8Array(0)

type Received = Message.Message | Frame.Frame

interface Result {
  readonly messages: ReadonlyArray<Received>
  readonly error: Message.MessageError | Frame.FrameError | undefined
}

/** As text, so that what is compared is also what is shown. */
const showOne = (message: Received): string =>
  message._tag === "Text"
    ? `Text ${JSON.stringify(message.text)}`
    : message._tag === "Binary"
      ? `Binary ${toHex(message.bytes)}`
      : `Frame ${message.opcode} ${toHex(message.payload)}`

const show = ({ error, messages }: Result): ReadonlyArray<string> => [...messages.map(showOne), String(error?.message)]

/** By the pure step, the frames in batches of some size. */
const assembleAll = (
  frames: ReadonlyArray<Frame.Frame>,
  options?: Message.AssembleOptions,
  batch: number = Number.POSITIVE_INFINITY
): Result => {
  const messages: Array<Received> = []
  let assembler = Message.assembler(options)
  for (let at = 0; at < frames.length; at += batch) {
    const assembled = Message.assembleFrames(assembler, frames.slice(at, at + batch))
    messages.push(...assembled.messages)
    if (assembled.error !== undefined) return { messages, error: assembled.error }
    assembler = assembled.assembler
  }
  return { messages, error: undefined }
}

const runStream = <E>(stream: Stream.Stream<Received, E>) =>
  Effect.gen(function* () {
    const messages: Array<Received> = []
    const end = yield* Effect.either(Stream.runForEach(stream, (message) => Effect.sync(() => messages.push(message))))
    return { messages, error: Either.isLeft(end) ? end.left : undefined }
  })

const fragment = (opcode: Frame.Opcode, payload: Uint8Array | string, fin = false): Frame.Frame =>
  Frame.make(opcode, typeof payload === "string" ? utf8(payload) : payload, { fin })

const first = (payload: Uint8Array | string) => fragment(Opcode.Text, payload)
const more = (payload: Uint8Array | string) => fragment(Opcode.Continuation, payload)
const last = (payload: Uint8Array | string) => fragment(Opcode.Continuation, payload, true)

describe("messages", () => {
  it("text and binary, and their guards", () => {
    const bytes = pattern(3)
    assert.deepStrictEqual(Message.text("é"), { _tag: "Text", text: "é" })
    assert.strictEqual(Message.binary(bytes).bytes, bytes)
    assert.isTrue(Message.isText(Message.text("")))
    assert.isFalse(Message.isText(Message.binary(bytes)))
    assert.isTrue(Message.isBinary(Message.binary(bytes)))
    assert.isFalse(Message.isBinary(Message.text("")))
  })

  it("payload is the bytes, or the text in UTF-8, a lone surrogate as U+FFFD", () => {
    const bytes = pattern(3)
    assert.strictEqual(Message.payload(Message.binary(bytes)), bytes)
    assertBytes(Message.payload(Message.text("é€😀")), hex("c3a9 e282ac f09f9880"))
    assertBytes(Message.payload(Message.text("a\ud800b")), hex("61 efbfbd 62"))
  })

  it("encode keeps the payload for clients and the one frame of a server (RFC 6455 §5.7)", () => {
    const text = Message.encode(Message.text("Hello"))
    assertBytes(text.frame, hex("81 05 48 65 6c 6c 6f"))
    assertBytes(text.payload, utf8("Hello"))
    assert.strictEqual(text.type, "Text")
    assert.strictEqual(text._tag, "Encoded")
    const binary = Message.encode(Message.binary(pattern(256)))
    assertBytes(binary.frame, concat([hex("82 7e 0100"), pattern(256)]))
    assert.strictEqual(binary.type, "Binary")
  })
})

describe("the order of fragments (RFC 6455 §5.4)", () => {
  const cases: ReadonlyArray<
    readonly [name: string, frames: ReadonlyArray<Frame.Frame>, expected: ReadonlyArray<string>]
  > = [
    ["an unfragmented message", [fragment(Opcode.Text, "Hello", true)], ['Text "Hello"', "undefined"]],
    ["§5.7: Hel, lo", [first("Hel"), last("lo")], ['Text "Hello"', "undefined"]],
    ["three fragments", [first("a"), more("b"), last("c")], ['Text "abc"', "undefined"]],
    ["binary fragments", [fragment(Opcode.Binary, hex("ff")), last(hex("fe"))], ["Binary fffe", "undefined"]],
    ["an empty text", [fragment(Opcode.Text, none, true)], ['Text ""', "undefined"]],
    ["an empty binary message", [fragment(Opcode.Binary, none, true)], ["Binary ", "undefined"]],
    ["empty fragments only", [first(none), more(none), last(none)], ['Text ""', "undefined"]],
    ["empty fragments around others", [first(none), more("a"), more(none), last("b")], ['Text "ab"', "undefined"]],
    [
      "control frames between fragments are handed out where they come",
      [first("a"), Frame.make(Opcode.Ping, hex("01")), more("b"), Frame.make(Opcode.Pong, hex("02")), last("c")],
      ["Frame 9 01", "Frame 10 02", 'Text "abc"', "undefined"]
    ],
    [
      "a Close between fragments is the business of others",
      [first("a"), Frame.make(Opcode.Close, none), last("b")],
      ["Frame 8 ", 'Text "ab"', "undefined"]
    ],
    [
      "one message after the other",
      [first("a"), last("b"), fragment(Opcode.Binary, hex("ff")), last(hex("80"))],
      ['Text "ab"', "Binary ff80", "undefined"]
    ]
  ]

  it.each(cases)("%s", (_, frames, expected) => {
    assert.deepStrictEqual(show(assembleAll(frames)), expected)
    assert.deepStrictEqual(show(assembleAll(frames, {}, 1)), expected)
  })

  const done = fragment(Opcode.Text, "done", true)
  const faults: ReadonlyArray<
    readonly [name: string, frames: ReadonlyArray<Frame.Frame>, reason: Message.MessageError["reason"], before: number]
  > = [
    ["a continuation first", [last("a")], "UnexpectedContinuation", 0],
    ["an open continuation first", [more("a")], "UnexpectedContinuation", 0],
    ["a continuation after a whole message", [done, last("a")], "UnexpectedContinuation", 1],
    ["a continuation after the last fragment", [first("a"), last("b"), more("c")], "UnexpectedContinuation", 1],
    ["a whole text inside a text", [first("a"), done], "ExpectedContinuation", 0],
    ["a whole binary inside a text", [first("a"), fragment(Opcode.Binary, none, true)], "ExpectedContinuation", 0],
    ["a fragment of another text inside a text", [first("a"), more("b"), first("c")], "ExpectedContinuation", 0],
    ["after an empty first fragment", [first(none), done], "ExpectedContinuation", 0],
    ["with a Ping between", [first("a"), Frame.make(Opcode.Ping, none), done], "ExpectedContinuation", 1]
  ]

  it.each(faults)("%s", (_, frames, reason, before) => {
    for (const batch of [1, 2, 10]) {
      const { error, messages } = assembleAll(frames, {}, batch)
      assert.strictEqual(error?.reason, reason)
      assert.strictEqual(error?.closeCode, 1002)
      assert.strictEqual(messages.length, before, "what was whole before the fault is not lost")
    }
  })

  it("after a fault the assembler stands where it stood before the frame that was refused", () => {
    const { assembler } = Message.assembleFrames(Message.assembler(), [first("a")])
    assert.strictEqual(assembler._tag, "Assembler")
    const refused = Message.assembleFrames(assembler, [more("b"), done])
    assert.strictEqual(refused.error?.reason, "ExpectedContinuation")
    assert.deepStrictEqual(Message.assembleFrames(refused.assembler, [last("c")]).messages, [Message.text("abc")])
  })

  it("a MessageError says in one line what was wrong and which close code answers it", () => {
    const { error } = assembleAll([last("a")])
    assert.strictEqual(error?.message, "UnexpectedContinuation: there is no message to continue (close code 1002)")
    assert.strictEqual(error?._tag, "MessageError")
  })
})

describe("limits", () => {
  const repeat = (count: number, make: (i: number) => Frame.Frame) => Array.from({ length: count }, (_, i) => make(i))

  it("maxFragments at its edge, by default 1,024: empty fragments count", () => {
    for (const [options, limit] of [
      [{}, 1024],
      [{ maxFragments: 3 }, 3],
      [{ maxFragments: 1 }, 1]
    ] as const) {
      const fragments = (count: number) =>
        repeat(count, (i) => (i === 0 ? first(none) : i === count - 1 ? last(none) : more(none)))
      const whole = limit === 1 ? [fragment(Opcode.Text, none, true)] : fragments(limit)
      assert.deepStrictEqual(show(assembleAll(whole, options)), ['Text ""', "undefined"])
      // It is the fragment above the limit that is refused, whether or not it is the last.
      const { error, messages } = assembleAll([...whole, ...fragments(limit + 1)], options)
      assert.strictEqual(messages.length, 1)
      assert.strictEqual(error?.reason, "TooManyFragments")
      assert.strictEqual(error?.detail, `a message of at least ${limit + 1} fragments, the limit is ${limit}`)
      assert.strictEqual(error?.closeCode, 1008)
    }
  })

  it("control frames between the fragments do not count", () => {
    const frames = [first("a"), ...repeat(50, () => Frame.make(Opcode.Ping, none)), last("b")]
    assert.isUndefined(assembleAll(frames, { maxFragments: 2 }).error)
  })

  it("100,000 empty continuations stop at the limit (CVE-2026-12151, ws#2329)", () => {
    let assembler = Message.assembler()
    let taken = 0
    let error: Message.MessageError | undefined
    for (const frame of [first(none), ...repeat(100_000, () => more(none))]) {
      const assembled = Message.assembleFrames(assembler, [frame])
      error = assembled.error
      if (error !== undefined) break
      assembler = assembled.assembler
      taken++
    }
    assert.strictEqual(taken, 1024)
    assert.strictEqual(error?.reason, "TooManyFragments")
  })

  it("maxMessageSize at its edge: all fragments together, and each may be within it (CVE-2026-12151)", () => {
    const options = { maxMessageSize: 10 }
    const sized = (...sizes: ReadonlyArray<number>) =>
      sizes.map((size, i) => {
        const opcode = i === 0 ? Opcode.Binary : Opcode.Continuation
        return Frame.make(opcode, pattern(size), { fin: i === sizes.length - 1 })
      })
    const cases: ReadonlyArray<readonly [sizes: ReadonlyArray<number>, seen: number | undefined]> = [
      [[10], undefined],
      [[11], 11],
      [[5, 5], undefined],
      [[5, 6], 11],
      [[9, 0, 1], undefined],
      [[9, 0, 2], 11],
      [[10, 0], undefined],
      [[10, 1], 11],
      [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], undefined],
      [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 11]
    ]
    for (const [sizes, seen] of cases) {
      const { error, messages } = assembleAll(sized(...sizes), options)
      assert.strictEqual(error?.reason, seen === undefined ? undefined : "MessageTooBig", sizes.join())
      assert.strictEqual(messages.length, seen === undefined ? 1 : 0)
      if (seen === undefined) continue
      assert.strictEqual(error?.detail, `a message of at least ${seen} bytes, the limit is 10`)
      assert.strictEqual(error?.closeCode, 1009)
    }
    // The count begins anew with each message.
    assert.isUndefined(assembleAll([...sized(10), ...sized(5, 5), ...sized(10)], options).error)
  })

  it("the default for the size is 1 MiB; unbounded is no limit", () => {
    const mebibyte = 1024 * 1024
    const sizes = (payload: Uint8Array) => [Frame.make(Opcode.Binary, payload, { fin: false }), last(hex("00"))]
    assert.isUndefined(assembleAll(sizes(new Uint8Array(mebibyte - 1))).error)
    assert.strictEqual(assembleAll(sizes(new Uint8Array(mebibyte))).error?.reason, "MessageTooBig")
    const unbounded = { maxMessageSize: "unbounded", maxFragments: "unbounded" } as const
    assert.isUndefined(assembleAll(sizes(new Uint8Array(mebibyte)), unbounded).error)
    const fragments = [first("a"), ...repeat(3000, () => more("b")), last("c")]
    assert.isUndefined(assembleAll(fragments, unbounded).error)
  })

  it("fragments of one byte are copied into a few buffers, which pin at most 4 times the payload (CVE-2026-48779)", () => {
    let assembler = Message.assembler({ maxFragments: "unbounded" })
    const buffers = new Set<unknown>()
    for (let i = 1; i <= 20_000; i++) {
      assembler = Message.assembleFrames(assembler, [i === 1 ? first("a") : more("a")]).assembler
      const kept = assembler.unfinished?.kept ?? Accumulator.empty
      assert.strictEqual(kept.length, i)
      if (Accumulator.pinned(kept) > Math.max(64, 4 * i)) assert.fail(`${Accumulator.pinned(kept)} for ${i}`)
      buffers.add(kept.buffer)
    }
    assert.isAtMost(buffers.size, 20)
  })

  it("a buffer is filled to its last byte before another is taken", () => {
    const pinned = (...sizes: ReadonlyArray<number>): number => {
      const frames = sizes.map((size, i) => (i === 0 ? first("a".repeat(size)) : more("a".repeat(size))))
      const { unfinished } = Message.assembleFrames(Message.assembler(), frames).assembler
      return Accumulator.pinned(unfinished?.kept ?? Accumulator.empty)
    }
    assert.strictEqual(pinned(1), 64)
    assert.strictEqual(pinned(1, 63), 64)
    assert.isAbove(pinned(1, 64), 64)
  })

  it("the last fragment tells how long the message is: no more memory is taken than that", () => {
    const frames = [fragment(Opcode.Binary, pattern(100)), last(pattern(150))]
    const [message] = assembleAll(frames).messages
    assert.isTrue(message._tag === "Binary" && message.bytes.buffer.byteLength === 250)
  })
})

describe("UTF-8 (RFC 6455 §5.6, §8.1)", () => {
  /** Two frames cut at each index, and one frame a byte. */
  const cuttings = (bytes: Uint8Array): ReadonlyArray<ReadonlyArray<Frame.Frame>> =>
    [...Array.from({ length: bytes.length + 1 }, (_, at) => cut(bytes, [at])), byteByByte(bytes)].map((payloads) =>
      payloads.map((payload, i) =>
        Frame.make(i === 0 ? Opcode.Text : Opcode.Continuation, payload, { fin: i === payloads.length - 1 })
      )
    )

  it.each(Utf8Cases.invalid)(
    "%s (%s): InvalidUtf8 at the frame that holds its byte %i, wherever the frames are cut",
    (_, bytes, bad) => {
      const before = utf8("aé€😀")
      const all = concat([before, hex(bytes), utf8("zzz")])
      for (const frames of cuttings(all)) {
        let seen = 0
        let assembler = Message.assembler()
        for (const frame of frames) {
          const { assembler: next, error, messages } = Message.assembleFrames(assembler, [frame])
          seen += frame.payload.length
          assert.deepStrictEqual(messages, [])
          assert.strictEqual(error?.reason, seen > before.length + bad ? "InvalidUtf8" : undefined)
          if (error === undefined) {
            assembler = next
            continue
          }
          assert.strictEqual(error.detail, "a text is not valid UTF-8")
          assert.strictEqual(error.closeCode, 1007)
          break
        }
      }
    }
  )

  it("a byte that begins no character is refused at once, whatever comes after it", () => {
    for (const next of ["00", "7f", "80", "bf", "c0", "ff"]) {
      const { error } = assembleAll([first(hex(`c0 ${next}`))])
      assert.strictEqual(error?.message, "InvalidUtf8: a text is not valid UTF-8 (close code 1007)", next)
    }
  })

  it.each(Utf8Cases.incomplete)("a text that ends with %s is refused at its end, not before", (bytes) => {
    for (const frames of cuttings(concat([utf8("é"), hex(bytes)]))) {
      for (let count = 1; count <= frames.length; count++) {
        const { error } = assembleAll(frames.slice(0, count))
        assert.strictEqual(error?.reason, count === frames.length ? "InvalidUtf8" : undefined)
        if (error !== undefined) assert.strictEqual(error.detail, "a text ends inside a character")
      }
    }
  })

  it.each(Utf8Cases.boundaries)("U+%s may be cut at each byte", (codePoint, bytes) => {
    const character = String.fromCodePoint(Number.parseInt(codePoint, 16))
    for (const frames of cuttings(hex(bytes))) {
      assert.deepStrictEqual(show(assembleAll(frames)), [`Text ${JSON.stringify(character)}`, "undefined"])
    }
  })

  it("an empty last fragment ends inside a character, too", () => {
    const { error } = assembleAll([first(hex("c3")), last(none)])
    assert.strictEqual(error?.reason, "InvalidUtf8")
  })

  it("a byte order mark is a character of the text", () => {
    const { messages } = assembleAll([fragment(Opcode.Text, hex("ef bb bf 61"), true)])
    assert.deepStrictEqual(messages, [{ _tag: "Text", text: "\ufeffa" }])
    const fragments = assembleAll([first(hex("ef bb")), last(hex("bf 61"))])
    assert.deepStrictEqual(fragments.messages, [{ _tag: "Text", text: "\ufeffa" }])
  })

  it("binary messages hold any bytes", () => {
    for (const [, bytes] of Utf8Cases.invalid) {
      const frames = [fragment(Opcode.Binary, hex(bytes)), last(hex(bytes))]
      assert.deepStrictEqual(show(assembleAll(frames)), [
        `Binary ${toHex(hex(bytes))}${toHex(hex(bytes))}`,
        "undefined"
      ])
    }
  })

  it("the check begins anew with each message", () => {
    const texts = [first(hex("c3")), last(hex("a9")), fragment(Opcode.Text, hex("a9"), true)]
    const { error, messages } = assembleAll(texts)
    assert.deepStrictEqual(messages, [{ _tag: "Text", text: "é" }])
    assert.strictEqual(error?.reason, "InvalidUtf8")
  })

  it.prop(
    "a text arrives exactly if the platform calls its bytes valid",
    [Utf8Cases.bytes, cuts],
    ([bytes, at]) => {
      const payloads = cut(bytes, at)
      const frames = payloads.map((payload, i) =>
        Frame.make(i === 0 ? Opcode.Text : Opcode.Continuation, payload, { fin: i === payloads.length - 1 })
      )
      const { error, messages } = assembleAll(frames)
      const expected = Utf8Cases.isValid(bytes)
        ? [{ _tag: "Text", text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) }]
        : []
      assert.deepStrictEqual(messages, expected as ReadonlyArray<Received>)
      assert.strictEqual(error?.reason, Utf8Cases.isValid(bytes) ? undefined : "InvalidUtf8")
    },
    { fastCheck: { numRuns: 400 } }
  )
})

const message: FastCheck.Arbitrary<Message.Message> = FastCheck.oneof(
  Utf8Cases.text.map(Message.text),
  FastCheck.uint8Array({ maxLength: 60 }).map(Message.binary)
)

describe("fragment (RFC 6455 §5.4)", () => {
  const framesOf = (message: Message.Message, maxFramePayload?: number) =>
    Message.toFrames(message, { maxFramePayload }).map(
      ({ fin, maskingKey, opcode, payload }) => `${fin} ${opcode} ${maskingKey} ${toHex(payload)}`
    )

  it("the first frame has the opcode, the others are continuations, FIN is on the last; no frame is masked", () => {
    assert.deepStrictEqual(framesOf(Message.text("Hello"), 2), [
      "false 1 undefined 4865",
      "false 0 undefined 6c6c",
      "true 0 undefined 6f"
    ])
    assert.deepStrictEqual(framesOf(Message.binary(hex("01 02 03 04")), 2), [
      "false 2 undefined 0102",
      "true 0 undefined 0304"
    ])
    assert.deepStrictEqual(framesOf(Message.binary(hex("01 02")), 2), ["true 2 undefined 0102"])
  })

  it("one frame by default, and for an empty message; at least a byte a frame", () => {
    assert.deepStrictEqual(framesOf(Message.text("Hello")), ["true 1 undefined 48656c6c6f"])
    assert.deepStrictEqual(framesOf(Message.text("")), ["true 1 undefined "])
    assert.deepStrictEqual(framesOf(Message.binary(none), 5), ["true 2 undefined "])
    assert.deepStrictEqual(framesOf(Message.text("ab"), 0), ["false 1 undefined 61", "true 0 undefined 62"])
  })

  it.prop(
    "assemble after fragment is the identity, and no frame is larger than asked for",
    [FastCheck.array(message), FastCheck.integer({ min: 1, max: 20 })],
    ([messages, maxFramePayload]) => {
      const frames = messages.flatMap((message) => Message.toFrames(message, { maxFramePayload }))
      for (const { payload } of frames) assert.isAtMost(payload.length, maxFramePayload)
      assert.deepStrictEqual(show(assembleAll(frames)), show({ messages, error: undefined }))
    },
    { fastCheck: { numRuns: 300 } }
  )

  it.effect("the Stream and the Channel face give the frames of each message, each time they are run", () =>
    Effect.gen(function* () {
      const messages = [Message.text("Hello"), Message.binary(hex("0102"))]
      const expected = messages.flatMap((message) => Message.toFrames(message, { maxFramePayload: 2 }))
      const stream = Stream.fromIterable(messages).pipe(Message.fragment({ maxFramePayload: 2 }))
      assert.deepStrictEqual([...(yield* Stream.runCollect(stream))], expected)
      assert.deepStrictEqual([...(yield* Stream.runCollect(stream))], expected)
      const channel = Message.fragmentChannel<never, string>({ maxFramePayload: 2 })
      const source = Channel.write(Chunk.fromIterable(messages)).pipe(Channel.as("done"))
      const [frames, done] = yield* Channel.runCollect(Channel.pipeTo(source, channel))
      assert.deepStrictEqual([...Chunk.flatten(frames)], expected)
      assert.strictEqual(done, "done")
      const failing = Stream.concat(Stream.fromIterable(messages), Stream.fail("broken")).pipe(Message.fragment())
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(failing)), "broken")
    })
  )
})

describe("assemble: chunk invariance (law 1) and the faces", () => {
  const limits = { maxMessageSize: 150, maxFragments: 4 }

  const decodeAndAssemble = (chunks: ReadonlyArray<Uint8Array>, role: Wire.Role, size: number): Result =>
    Effect.runSync(
      runStream(
        Stream.fromIterable(chunks).pipe(
          Stream.rechunk(size),
          Frame.decode({ role, maxFramePayload: 200 }),
          Message.assemble(limits)
        )
      )
    )

  it.prop(
    "the same bytes in other chunks, the same messages and the same error",
    [
      Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.stream(role))),
      cuts,
      FastCheck.integer({ min: 1, max: 5 })
    ],
    ([[role, bytes], at, size]) => {
      const expected = show(decodeAndAssemble([bytes.slice()], role, 1))
      assert.deepStrictEqual(show(decodeAndAssemble(cut(bytes, at), role, size)), expected)
      assert.deepStrictEqual(show(decodeAndAssemble(byteByByte(bytes), role, size)), expected)
    },
    { fastCheck: { numRuns: 60 } }
  )

  it.prop(
    "the pure step in batches of any size, and the Stream face: the same messages and the same error",
    [Wire.stream("client"), FastCheck.integer({ min: 1, max: 5 })],
    ([bytes, batch]) => {
      const { frames } = Frame.decodeChunk(Frame.decoder({ maxFramePayload: 200 }), bytes)
      const whole = assembleAll(frames, limits)
      assert.deepStrictEqual(show(assembleAll(frames, limits, batch)), show(whole))
      const face = Effect.runSync(runStream(Stream.fromIterable(frames).pipe(Message.assemble(limits))))
      if (face.error?.reason !== "UnexpectedEnd") assert.deepStrictEqual(show(face), show(whole))
      else {
        assert.isUndefined(whole.error)
        assert.deepStrictEqual(face.messages, whole.messages)
      }
    },
    { fastCheck: { numRuns: 150 } }
  )

  it.prop(
    "an assembler is a value: continued twice with different frames, neither sees the other",
    [
      FastCheck.array(FastCheck.uint8Array({ maxLength: 20 }), { maxLength: 4 }),
      FastCheck.uint8Array(),
      FastCheck.uint8Array()
    ],
    ([begun, one, other]) => {
      const start = [Frame.make(Opcode.Binary, none, { fin: false }), ...begun.map((payload) => more(payload))]
      const { assembler } = Message.assembleFrames(Message.assembler(), start)
      // Each in two fragments, so that there is something kept by each.
      const resume = (payload: Uint8Array) => {
        const next = Message.assembleFrames(assembler, [more(payload)]).assembler
        return () => Message.assembleFrames(next, [last(payload)])
      }
      const results = [resume(one), resume(other), resume(one)].map((finish) => show(finish()))
      const expected = (payload: Uint8Array) =>
        show({ messages: [Message.binary(concat([...begun, payload, payload]))], error: undefined })
      assert.deepStrictEqual(results, [expected(one), expected(other), expected(one)])
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.effect("one stream value, run twice and at the same time, gives the same", () =>
    Effect.gen(function* () {
      const frames = [first("a"), Frame.make(Opcode.Ping, none), last("b"), first("c"), last("d")]
      const stream = Stream.fromIterable(frames).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.yieldNow()),
        Message.assemble()
      )
      const expected = ["Frame 9 ", 'Text "ab"', 'Text "cd"', "undefined"]
      assert.deepStrictEqual(show(yield* runStream(stream)), expected)
      assert.deepStrictEqual(show(yield* runStream(stream)), expected)
      const both = yield* Effect.all([runStream(stream), runStream(stream)], { concurrency: 2 })
      assert.deepStrictEqual(both.map(show), [expected, expected])
    })
  )

  it.effect("one channel value, run twice, gives the same, and what its input ends with", () =>
    Effect.gen(function* () {
      const channel = Message.assembleChannel<never, string>()
      const source = Channel.writeAll(Chunk.of(first("a")), Chunk.of(last("b"))).pipe(Channel.as("done"))
      for (let run = 0; run < 2; run++) {
        const [messages, done] = yield* Channel.runCollect(Channel.pipeTo(source, channel))
        assert.deepStrictEqual([...Chunk.flatten(messages)], [Message.text("ab")])
        assert.strictEqual(done, "done")
      }
    })
  )

  it.effect("UnexpectedEnd when the frames end inside a message, after the messages before it", () =>
    Effect.gen(function* () {
      const frames = [fragment(Opcode.Text, "a", true), first("b"), Frame.make(Opcode.Ping, none)]
      const { error, messages } = yield* runStream(Stream.fromIterable(frames).pipe(Message.assemble()))
      assert.deepStrictEqual(messages.map(showOne), ['Text "a"', "Frame 9 "])
      assert.strictEqual(error?.reason, "UnexpectedEnd")
      assert.strictEqual(error?.closeCode, 1002)
      assert.strictEqual((error as Message.MessageError).detail, "the frames end inside a message")
      // An empty fragment is a beginning, too.
      const empty = yield* runStream(Stream.make(first(none)).pipe(Message.assemble()))
      assert.strictEqual(empty.error?.reason, "UnexpectedEnd")
    })
  )

  it.effect("messages before a fault come first; a failure of the frames passes through", () =>
    Effect.gen(function* () {
      const good = fragment(Opcode.Text, "a", true)
      const fault = yield* runStream(Stream.make(good, last("b"), good).pipe(Message.assemble()))
      assert.deepStrictEqual(show(fault).slice(0, -1), ['Text "a"'])
      assert.strictEqual(fault.error?.reason, "UnexpectedContinuation")
      const failing = Stream.concat(Stream.make(good, first("b")), Stream.fail("broken" as const))
      const passed = yield* runStream(failing.pipe(Message.assemble()))
      assert.deepStrictEqual(passed.messages.map(showOne), ['Text "a"'])
      assert.strictEqual(passed.error, "broken")
    })
  )
})
