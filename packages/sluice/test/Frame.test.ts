import { assert, describe, it } from "@effect/vitest"
import { Channel, Chunk, Effect, Either, FastCheck, Stream } from "effect"
import * as Frame from "../src/Frame.js"
import * as Accumulator from "../src/internal/accumulator.js"
import type * as Limits from "../src/Limits.js"
import { assertBytes, byteByByte, concat, cut, cuts, hex, pattern, toHex, utf8 } from "./support/bytes.js"
import * as Wire from "./support/wire.js"

const { Opcode } = Frame
const assigned: ReadonlyArray<number> = Object.values(Opcode)

interface Result {
  readonly frames: ReadonlyArray<Frame.Frame>
  readonly error: Frame.FrameError | undefined
}

/** All that comes out of some chunks and the end after them, by the pure step. */
const decodeAll = (chunks: Iterable<Uint8Array>, options?: Frame.DecodeOptions): Result => {
  const frames: Array<Frame.Frame> = []
  let decoder = Frame.decoder(options)
  for (const chunk of chunks) {
    const decoded = Frame.decodeChunk(decoder, chunk)
    frames.push(...decoded.frames)
    if (decoded.error !== undefined) return { frames, error: decoded.error }
    decoder = decoded.decoder
  }
  return { frames, error: Frame.decodeEnd(decoder) }
}

/** The reason for which one chunk is refused, without the end after it. */
const refusal = (chunk: Uint8Array, options?: Frame.DecodeOptions): Frame.FrameError["reason"] | undefined =>
  Frame.decodeChunk(Frame.decoder(options), chunk).error?.reason

/** As text, so that what is compared is also what is shown. */
const show = ({ error, frames }: Result): ReadonlyArray<string> => [
  ...frames.map((frame) => {
    const bits = [frame.fin, frame.rsv1, frame.rsv2, frame.rsv3].map(Number).join("")
    return `${bits} ${frame.opcode} ${frame.maskingKey} ${toHex(frame.payload)}`
  }),
  String(error?.message)
]

const runStream = <E>(stream: Stream.Stream<Frame.Frame, E>) =>
  Effect.gen(function* () {
    const frames: Array<Frame.Frame> = []
    const end = yield* Effect.either(Stream.runForEach(stream, (frame) => Effect.sync(() => frames.push(frame))))
    return { frames, error: Either.isLeft(end) ? end.left : undefined }
  })

const hello = utf8("Hello")
const key = 0x37fa213d

describe("the examples of RFC 6455 §5.7, byte for byte", () => {
  const bytes256 = pattern(256)
  const bytes64Ki = pattern(65536)
  const examples: ReadonlyArray<readonly [name: string, bytes: Uint8Array, frame: Frame.Frame]> = [
    ["A single-frame unmasked text message", hex("81 05 48 65 6c 6c 6f"), Frame.make(Opcode.Text, hello)],
    [
      "A single-frame masked text message",
      hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"),
      Frame.make(Opcode.Text, hello, { maskingKey: key })
    ],
    [
      "A fragmented unmasked text message, first",
      hex("01 03 48 65 6c"),
      Frame.make(Opcode.Text, utf8("Hel"), { fin: false })
    ],
    ["A fragmented unmasked text message, last", hex("80 02 6c 6f"), Frame.make(Opcode.Continuation, utf8("lo"))],
    ["Unmasked Ping request", hex("89 05 48 65 6c 6c 6f"), Frame.make(Opcode.Ping, hello)],
    [
      "masked Ping response",
      hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
      Frame.make(Opcode.Pong, hello, { maskingKey: key })
    ],
    [
      "256 bytes binary message in a single unmasked frame",
      concat([hex("82 7e 0100"), bytes256]),
      Frame.make(Opcode.Binary, bytes256)
    ],
    [
      "64KiB binary message in a single unmasked frame",
      concat([hex("82 7f 0000000000010000"), bytes64Ki]),
      Frame.make(Opcode.Binary, bytes64Ki)
    ]
  ]

  it.each(examples)("%s", (_, bytes, frame) => {
    assertBytes(Frame.toBytes(frame), bytes)
    assert.deepStrictEqual(show(decodeAll([bytes])), show({ frames: [frame], error: undefined }))
  })

  it("all of them in one stream of bytes", () => {
    const all = concat(examples.map(([, bytes]) => bytes))
    const frames = examples.map(([, , frame]) => frame)
    assert.deepStrictEqual(show(decodeAll([all])), show({ frames, error: undefined }))
  })
})

describe("golden headers (RFC 6455 §5.2)", () => {
  const sizes: ReadonlyArray<readonly [size: number, unmasked: string, masked: string]> = [
    [0, "82 00", "82 80 37fa213d"],
    [1, "82 01", "82 81 37fa213d"],
    [124, "82 7c", "82 fc 37fa213d"],
    [125, "82 7d", "82 fd 37fa213d"],
    [126, "82 7e 007e", "82 fe 007e 37fa213d"],
    [127, "82 7e 007f", "82 fe 007f 37fa213d"],
    [65534, "82 7e fffe", "82 fe fffe 37fa213d"],
    [65535, "82 7e ffff", "82 fe ffff 37fa213d"],
    [65536, "82 7f 0000000000010000", "82 ff 0000000000010000 37fa213d"],
    [65537, "82 7f 0000000000010001", "82 ff 0000000000010001 37fa213d"],
    [1024 * 1024, "82 7f 0000000000100000", "82 ff 0000000000100000 37fa213d"]
  ]
  const cases = sizes.flatMap(([size, unmasked, masked]) => [
    { size, role: "client" as const, header: hex(unmasked), maskingKey: undefined },
    { size, role: "server" as const, header: hex(masked), maskingKey: key }
  ])

  it.each(cases)("a payload of $size bytes to a $role, whole and cut around its header", (row) => {
    const payload = pattern(row.size)
    const frame = Frame.make(Opcode.Binary, payload, { maskingKey: row.maskingKey })
    const bytes = Frame.toBytes(frame)
    assertBytes(bytes.subarray(0, row.header.length), row.header, "header")
    assertBytes(bytes, Wire.raw({ opcode: 2, key: row.maskingKey, payload }), "frame")
    const next = Frame.toBytes(Frame.make(Opcode.Pong, hello, { maskingKey: row.maskingKey }))
    const all = concat([bytes, next])
    const edges = Array.from({ length: row.header.length + 2 }, (_, i) => i)
    const cuttings = [
      [],
      [...edges],
      ...edges.map((at) => [at]),
      [bytes.length - 1],
      [bytes.length],
      [bytes.length + 1]
    ]
    for (const at of cuttings) {
      for (const role of [row.role, undefined]) {
        const { error, frames } = decodeAll(cut(all, at), { role })
        assert.isUndefined(error)
        assert.strictEqual(frames.length, 2)
        assertBytes(frames[0].payload, payload, `cut at ${at}`)
        assertBytes(frames[1].payload, hello)
        assert.strictEqual(frames[0].maskingKey, row.maskingKey)
      }
    }
  })

  it.each([0, 1, 124, 125])("a Ping of %i bytes (§5.5)", (size) => {
    for (const maskingKey of [undefined, key]) {
      const frame = Frame.make(Opcode.Ping, pattern(size), { maskingKey })
      const bytes = Frame.toBytes(frame)
      assertBytes(bytes, Wire.raw({ opcode: 9, key: maskingKey, payload: pattern(size) }))
      assert.deepStrictEqual(show(decodeAll(byteByByte(bytes))), show({ frames: [frame], error: undefined }))
    }
  })

  it("FIN, RSV1, RSV2, RSV3 and the opcode are the first byte, from its most significant bit on", () => {
    const firstByte = (frame: Frame.Frame) => Frame.toBytes(frame)[0].toString(2).padStart(8, "0")
    const empty = new Uint8Array(0)
    assert.strictEqual(firstByte(Frame.make(Opcode.Continuation, empty, { fin: false })), "00000000")
    assert.strictEqual(firstByte(Frame.make(Opcode.Text, empty, { fin: false, rsv1: true })), "01000001")
    assert.strictEqual(firstByte(Frame.make(Opcode.Binary, empty, { fin: false, rsv2: true })), "00100010")
    assert.strictEqual(firstByte(Frame.make(Opcode.Binary, empty, { fin: false, rsv3: true })), "00010010")
    assert.strictEqual(firstByte(Frame.make(Opcode.Close, empty)), "10001000")
    assert.strictEqual(firstByte(Frame.make(Opcode.Pong, empty, { rsv1: true, rsv2: true, rsv3: true })), "11111010")
  })

  it("toBytes leaves the payload of the frame as it is, and keeps no view of it", () => {
    const payload = pattern(100)
    const bytes = Frame.toBytes(Frame.make(Opcode.Binary, payload, { maskingKey: key }))
    assertBytes(payload, pattern(100))
    payload.fill(0)
    assertBytes(bytes, Wire.raw({ opcode: 2, key, payload: pattern(100) }))
  })
})

const frame: FastCheck.Arbitrary<Frame.Frame> = FastCheck.record({
  fin: FastCheck.boolean(),
  rsv1: FastCheck.boolean(),
  rsv2: FastCheck.boolean(),
  rsv3: FastCheck.boolean(),
  opcode: FastCheck.constantFrom(...Object.values(Opcode)),
  maskingKey: FastCheck.option(Wire.anyKey, { nil: undefined }),
  payload: FastCheck.oneof(
    FastCheck.uint8Array({ maxLength: 125 }),
    FastCheck.constantFrom(...[0, 124, 125, 126, 127, 700, 65535, 65536].map(pattern))
  )
}).map(({ fin, opcode, payload, ...bits }) =>
  // A control frame is whole and short (§5.5).
  opcode >= 8 ? Frame.make(opcode, payload.subarray(0, 125), bits) : Frame.make(opcode, payload, { fin, ...bits })
)

const allBits = ["rsv1", "rsv2", "rsv3"] as const

describe("encode and decode", () => {
  it.prop(
    "decode after encode is the identity, also at random cuts",
    [FastCheck.array(frame, { maxLength: 5 }), cuts],
    ([frames, at]) => {
      const bytes = concat(frames.map(Frame.toBytes))
      const expected = show({ frames, error: undefined })
      assert.deepStrictEqual(show(decodeAll([bytes], { reserved: allBits })), expected)
      assert.deepStrictEqual(show(decodeAll(cut(bytes, at), { reserved: allBits })), expected)
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.prop(
    "encode after decode is the identity on legal bytes",
    [Wire.legal("server")],
    ([bytes]) => {
      const { error, frames } = decodeAll([bytes], { role: "server" })
      assert.isUndefined(error)
      assertBytes(concat(frames.map(Frame.toBytes)), bytes)
    },
    { fastCheck: { numRuns: 200 } }
  )
})

describe("the minimal number of bytes MUST be used to encode the length (RFC 6455 §5.2)", () => {
  it("every length below 126 in 16 and in 64 bits, below 65536 in 64 bits", () => {
    const short = Array.from({ length: 126 }, (_, length) => length)
    const cases = [
      ...short.map((length) => ({ length, form: 16 as const })),
      ...[...short, 126, 127, 128, 255, 256, 32767, 32768, 65534, 65535].map((length) => ({
        length,
        form: 64 as const
      }))
    ]
    for (const { form, length } of cases) {
      for (const opcode of [0, 1, 2]) {
        for (const maskingKey of [undefined, key]) {
          const bytes = Wire.raw({ opcode, length, form, key: maskingKey })
          const { error } = Frame.decodeChunk(Frame.decoder(), bytes)
          assert.strictEqual(error?.reason, "NonMinimalLength", `${length} in ${form} bits`)
          assert.include(error?.detail, `${length} bytes`)
          assert.include(error?.detail, `${form}-bit`)
          assert.strictEqual(error?.closeCode, 1002)
        }
      }
    }
  })

  it.each([
    [126, 16],
    [65535, 16],
    [65536, 64]
  ] as const)("%i in %i bits is minimal", (length, form) => {
    const bytes = Wire.raw({ opcode: 2, payload: pattern(length), form })
    assert.deepStrictEqual(
      show(decodeAll([bytes])),
      show({ frames: [Frame.make(2, pattern(length))], error: undefined })
    )
  })
})

describe("huge lengths (RFC 6455 §5.2)", () => {
  const cases: ReadonlyArray<
    readonly [
      name: string,
      length: bigint,
      limited: Frame.FrameError["reason"],
      unbounded: Frame.FrameError["reason"] | undefined
    ]
  > = [
    ["2^31 - 1", (1n << 31n) - 1n, "FrameTooBig", undefined],
    ["2^31", 1n << 31n, "FrameTooBig", undefined],
    ["2^32 - 1", (1n << 32n) - 1n, "FrameTooBig", undefined],
    ["2^32", 1n << 32n, "FrameTooBig", undefined],
    ["2^32 + 5", (1n << 32n) + 5n, "FrameTooBig", undefined],
    ["2^53 - 1", (1n << 53n) - 1n, "FrameTooBig", undefined],
    ["2^53", 1n << 53n, "FrameTooBig", "FrameTooBig"],
    ["2^53 + 1", (1n << 53n) + 1n, "FrameTooBig", "FrameTooBig"],
    ["2^63 - 1", (1n << 63n) - 1n, "FrameTooBig", "FrameTooBig"],
    ["2^63", 1n << 63n, "LengthOverflow", "LengthOverflow"],
    ["2^63 + 5", (1n << 63n) + 5n, "LengthOverflow", "LengthOverflow"],
    ["2^64 - 1", (1n << 64n) - 1n, "LengthOverflow", "LengthOverflow"]
  ]

  it.each(cases)("%s", (_, length, limited, unbounded) => {
    for (const maskingKey of [undefined, key]) {
      const header = Wire.raw({ opcode: 2, length, key: maskingKey })
      for (const chunks of [[header], byteByByte(header)]) {
        assert.strictEqual(decodeAll(chunks).error?.reason, limited)
        assert.strictEqual(
          decodeAll(chunks, { maxFramePayload: "unbounded" }).error?.reason,
          // Not refused, and so not whole.
          unbounded ?? "UnexpectedEnd"
        )
      }
    }
  })

  it("a length announced is not memory: 2^53 - 1 bytes announced, 10 come", () => {
    const decoder = Frame.decoder({ maxFramePayload: "unbounded" })
    const header = Wire.raw({ opcode: 2, length: Number.MAX_SAFE_INTEGER })
    const { decoder: next, error } = Frame.decodeChunk(decoder, concat([header, pattern(10)]))
    assert.isUndefined(error)
    assert.isAtMost(Accumulator.pinned(next.payload), 64)
    assert.strictEqual(
      Frame.decodeEnd(next)?.detail,
      `the bytes end after 10 of the ${Number.MAX_SAFE_INTEGER} payload bytes of a frame`
    )
  })
})

describe("maxFramePayload is checked on the header, before one payload byte", () => {
  const limits: ReadonlyArray<readonly [limit: Limits.Limit | undefined, over: number]> = [
    [0, 1],
    [1, 2],
    [125, 126],
    [126, 127],
    [65535, 65536],
    [65536, 65537],
    [undefined, 1024 * 1024 + 1]
  ]

  it.each(limits)("limit %s: %i is over", (maxFramePayload, over) => {
    for (const opcode of [0, 1, 2]) {
      for (const maskingKey of [undefined, key]) {
        const header = Wire.raw({ opcode, length: over, key: maskingKey })
        // The masking key is not needed to know it.
        const withoutKey = header.subarray(0, header.length - (maskingKey === undefined ? 0 : 4))
        const { error } = Frame.decodeChunk(Frame.decoder({ maxFramePayload }), withoutKey)
        assert.strictEqual(error?.reason, "FrameTooBig")
        assert.strictEqual(error?.detail, `a payload of ${over} bytes, the limit is ${over - 1}`)
        assert.strictEqual(error?.closeCode, 1009)
        assert.isUndefined(refusal(withoutKey.subarray(0, -1), { maxFramePayload }))
        assert.isUndefined(refusal(Wire.raw({ opcode, length: over - 1, key: maskingKey }), { maxFramePayload }))
      }
    }
  })

  it("a control frame counts, too", () => {
    assert.strictEqual(refusal(Wire.raw({ opcode: 9, length: 11 }), { maxFramePayload: 10 }), "FrameTooBig")
  })
})

describe("reserved bits and opcodes (RFC 6455 §5.2)", () => {
  const subsets = Array.from({ length: 8 }, (_, bits) => ({
    bits,
    reserved: allBits.filter((_, i) => (bits & (4 >> i)) !== 0)
  }))

  it.each(subsets)(
    "RSV bits when $reserved were negotiated: each combination with each opcode",
    ({ bits, reserved }) => {
      for (let rsv = 0; rsv < 8; rsv++) {
        for (let opcode = 0; opcode < 16; opcode++) {
          const { error, frames } = decodeAll([Wire.raw({ opcode, rsv })], { reserved })
          const expected =
            (rsv & ~bits) !== 0 ? "ReservedBit" : assigned.includes(opcode) ? undefined : "ReservedOpcode"
          assert.strictEqual(error?.reason, expected, `RSV ${rsv.toString(2)}, opcode ${opcode}`)
          if (expected !== undefined) assert.deepStrictEqual(frames, [])
          else {
            const [{ rsv1, rsv2, rsv3 }] = frames
            assert.deepStrictEqual([rsv1, rsv2, rsv3], [(rsv & 4) !== 0, (rsv & 2) !== 0, (rsv & 1) !== 0])
            assert.strictEqual(frames[0].opcode, opcode)
          }
        }
      }
    }
  )

  it.each([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])(
    "opcode %i is refused at its byte, before a length or a payload",
    (opcode) => {
      for (const fin of [true, false]) {
        const first = Wire.raw({ opcode, fin }).subarray(0, 1)
        const { error } = Frame.decodeChunk(Frame.decoder(), first)
        assert.strictEqual(error?.reason, "ReservedOpcode")
        assert.include(error?.detail, String(opcode))
        assert.strictEqual(error?.closeCode, 1002)
      }
    }
  )

  it.each([1, 2, 3, 4, 5, 6, 7])("RSV bits %i are refused at their byte", (rsv) => {
    const { error } = Frame.decodeChunk(Frame.decoder(), Wire.raw({ opcode: 1, rsv }).subarray(0, 1))
    assert.strictEqual(error?.reason, "ReservedBit")
    assert.include(error?.detail, rsv.toString(2).padStart(3, "0"))
    assert.strictEqual(error?.closeCode, 1002)
  })
})

describe("control frames (RFC 6455 §5.5)", () => {
  it.each([8, 9, 10])("opcode %i MUST NOT be fragmented", (opcode) => {
    const bytes = Wire.raw({ opcode, fin: false })
    assert.strictEqual(refusal(bytes.subarray(0, 1)), "FragmentedControlFrame")
    assert.strictEqual(refusal(bytes), "FragmentedControlFrame")
  })

  it.each([8, 9, 10])("opcode %i MUST have a payload length of 125 bytes or less", (opcode) => {
    for (const maskingKey of [undefined, key]) {
      for (const length of [126, 127, 65535, 65536]) {
        const header = Wire.raw({ opcode, length, key: maskingKey })
        // Its second byte says enough.
        assert.strictEqual(refusal(header.subarray(0, 2)), "ControlFrameTooLong", `${length} bytes`)
        assert.isUndefined(refusal(header.subarray(0, 1)))
      }
      // Also where the length is not minimal, it is more than 125 that the second byte announces.
      assert.strictEqual(refusal(Wire.raw({ opcode, length: 5, form: 16, key: maskingKey })), "ControlFrameTooLong")
      const frame = Wire.raw({ opcode, payload: pattern(125), key: maskingKey })
      assert.strictEqual(decodeAll([frame]).frames.length, 1)
    }
  })

  it("are handed out between the fragments of a message", () => {
    const frames = [
      Frame.make(Opcode.Text, hello, { fin: false }),
      Frame.make(Opcode.Ping, hello),
      Frame.make(Opcode.Continuation, hello, { fin: false }),
      Frame.make(Opcode.Close, new Uint8Array(0)),
      Frame.make(Opcode.Continuation, hello)
    ]
    assert.deepStrictEqual(
      show(decodeAll(byteByByte(concat(frames.map(Frame.toBytes))))),
      show({ frames, error: undefined })
    )
  })
})

describe("the mask bit by role (RFC 6455 §5.1)", () => {
  const cases: ReadonlyArray<{
    readonly role: "client" | "server" | undefined
    readonly masked: boolean
    readonly reason: Frame.FrameError["reason"] | undefined
  }> = [
    { role: "server", masked: true, reason: undefined },
    { role: "server", masked: false, reason: "UnmaskedFrame" },
    { role: "client", masked: true, reason: "MaskedFrame" },
    { role: "client", masked: false, reason: undefined },
    { role: undefined, masked: true, reason: undefined },
    { role: undefined, masked: false, reason: undefined }
  ]

  it.each(cases)("role $role, masked $masked: $reason", ({ masked, reason, role }) => {
    for (const opcode of assigned) {
      for (const maskingKey of masked ? [key, 0] : [undefined]) {
        const bytes = Wire.raw({ opcode, key: maskingKey, payload: hello })
        assert.strictEqual(refusal(bytes, { role }), reason)
        // The second byte is enough, the first is not.
        assert.strictEqual(refusal(bytes.subarray(0, 2), { role }), reason)
        assert.isUndefined(refusal(bytes.subarray(0, 1), { role }))
        if (reason === undefined) assert.strictEqual(decodeAll([bytes], { role }).frames[0].maskingKey, maskingKey)
      }
    }
  })
})

describe("the end", () => {
  it.each([
    ["unmasked", undefined],
    ["masked", key]
  ] as const)("UnexpectedEnd after each byte of a frame but its last, %s", (_, maskingKey) => {
    const samples = [
      { opcode: 1, payload: hello },
      { opcode: 2, payload: pattern(130) },
      { opcode: 2, payload: pattern(65536) },
      { opcode: 0, payload: new Uint8Array(0) },
      { opcode: 9, payload: hello }
    ]
    for (const sample of samples) {
      const bytes = Wire.raw({ ...sample, key: maskingKey })
      const ends = Array.from({ length: Math.min(bytes.length, 140) + 1 }, (_, i) => i)
      for (const end of [...ends, bytes.length - 1, bytes.length]) {
        const { decoder, error, frames } = Frame.decodeChunk(Frame.decoder(), bytes.subarray(0, end))
        assert.isUndefined(error)
        const inside = end > 0 && end < bytes.length
        assert.strictEqual(Frame.decodeEnd(decoder)?.reason, inside ? "UnexpectedEnd" : undefined, `after ${end}`)
        assert.strictEqual(frames.length, end === bytes.length ? 1 : 0)
      }
    }
  })

  it("says how far it came, in the header and in the payload", () => {
    const bytes = Wire.raw({ opcode: 2, key, payload: pattern(200) })
    const detail = (end: number) => decodeAll([bytes.subarray(0, end)]).error?.detail
    assert.strictEqual(detail(7), "the bytes end 7 bytes into a frame")
    assert.strictEqual(detail(8), "the bytes end after 0 of the 200 payload bytes of a frame")
    assert.strictEqual(detail(8 + 120), "the bytes end after 120 of the 200 payload bytes of a frame")
  })

  it("after a fault, tells of the frame that was refused and not of those before it", () => {
    const { decoder } = Frame.decodeChunk(
      Frame.decoder(),
      concat([Wire.raw({ opcode: 1, payload: hello }), hex("83 00")])
    )
    assert.strictEqual(Frame.decodeEnd(decoder)?.detail, "the bytes end 2 bytes into a frame")
  })

  it("an error comes after the whole frames before it, and stays", () => {
    const good = Frame.make(Opcode.Text, hello)
    const bytes = concat([Frame.toBytes(good), Frame.toBytes(good), Wire.raw({ opcode: 3 }), Frame.toBytes(good)])
    const decoded = Frame.decodeChunk(Frame.decoder(), bytes)
    assert.deepStrictEqual(show(decoded), [
      ...show({ frames: [good, good], error: undefined }).slice(0, 2),
      String(decoded.error?.message)
    ])
    assert.strictEqual(decoded.error?.reason, "ReservedOpcode")
    const later = Frame.decodeChunk(decoded.decoder, Frame.toBytes(good))
    assert.strictEqual(later.error?.reason, "ReservedOpcode")
    assert.deepStrictEqual(later.frames, [])
  })
})

describe("chunk invariance (law 1)", () => {
  const options = (role: Wire.Role): Frame.DecodeOptions => ({ role, maxFramePayload: 200 })

  it.prop(
    "decodeChunk: whole, byte by byte, cut at random and with the next frame behind, the same frames and the same error",
    [Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.stream(role), Wire.stream(role))), cuts],
    ([[role, bytes, trailing], at]) => {
      const whole = decodeAll([bytes], options(role))
      const expected = show(whole)
      assert.deepStrictEqual(show(decodeAll(byteByByte(bytes), options(role))), expected, "byte by byte")
      assert.deepStrictEqual(show(decodeAll(cut(bytes, at), options(role))), expected, "cut")
      const longer = show(decodeAll([concat([bytes, trailing])], options(role)))
      if (whole.error === undefined) assert.deepStrictEqual(longer.slice(0, whole.frames.length), expected.slice(0, -1))
      else if (whole.error.reason !== "UnexpectedEnd") assert.deepStrictEqual(longer, expected)
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.prop(
    "the chunks are never changed, and the payloads of unmasked frames within one are views of it",
    [Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.stream(role))), cuts],
    ([[role, bytes], at]) => {
      const chunks = cut(bytes, at)
      const before = chunks.map((chunk) => chunk.slice())
      const { frames } = decodeAll(chunks, options(role))
      for (const [i, chunk] of chunks.entries()) assertBytes(chunk, before[i])
      const buffers = new Set(chunks.map((chunk) => chunk.buffer))
      for (const { maskingKey, payload } of frames) {
        // What was unmasked is our own.
        if (maskingKey !== undefined && maskingKey !== 0 && payload.length > 0)
          assert.isFalse(buffers.has(payload.buffer as ArrayBuffer))
      }
      const [whole] = cut(bytes, [])
      const unmasked = decodeAll([whole], options("client")).frames
      for (const { payload } of unmasked) assert.strictEqual(payload.buffer, whole.buffer)
    },
    { fastCheck: { numRuns: 200 } }
  )

  it("a masking key of 0 changes nothing, so that the payload is a view here, too", () => {
    const chunk = Wire.raw({ opcode: 2, key: 0, payload: hello })
    const [{ payload }] = Frame.decodeChunk(Frame.decoder(), chunk).frames
    assertBytes(payload, hello)
    assert.strictEqual(payload.buffer, chunk.buffer)
  })

  it("a decoder keeps nothing of a chunk that ends with a frame or with a part of a payload", () => {
    for (const end of [7, 5]) {
      const { decoder } = Frame.decodeChunk(Frame.decoder(), Wire.raw({ opcode: 2, payload: hello }).subarray(0, end))
      assert.strictEqual(decoder.input.bytes.buffer.byteLength, 0)
    }
  })

  it.prop(
    "the Stream face, in chunks of chunks: the same frames, then the same error",
    [
      Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.stream(role))),
      cuts,
      FastCheck.integer({ min: 1, max: 4 })
    ],
    ([[role, bytes], at, size]) => {
      const source = Stream.fromIterable(cut(bytes, at)).pipe(Stream.rechunk(size))
      const result = Effect.runSync(runStream(Frame.decode(options(role))(source)))
      assert.deepStrictEqual(show(result), show(decodeAll([bytes], options(role))))
    },
    { fastCheck: { numRuns: 60 } }
  )

  it.prop(
    "a decoder is a value: continued twice with different bytes, neither sees the other",
    [Wire.stream("server"), Wire.stream("server"), FastCheck.nat(), cuts],
    ([bytes, other, index, at]) => {
      const end = index % (bytes.length + 1)
      const { decoder, error } = Frame.decodeChunk(Frame.decoder(options("server")), bytes.slice(0, end))
      if (error !== undefined) return
      const resume = (rest: Uint8Array) => {
        const frames: Array<Frame.Frame> = []
        let next = decoder
        for (const chunk of cut(rest, at)) {
          const decoded = Frame.decodeChunk(next, chunk)
          frames.push(...decoded.frames)
          if (decoded.error !== undefined) return { frames, error: decoded.error }
          next = decoded.decoder
        }
        return { frames, error: Frame.decodeEnd(next) }
      }
      const results = [bytes.subarray(end), other, bytes.subarray(end)].map(resume)
      const alone = [bytes.subarray(end), other].map((rest) =>
        show(decodeAll([concat([bytes.subarray(0, end), rest])], options("server")))
      )
      const before = show(decodeAll([bytes.subarray(0, end)], options("server"))).slice(0, -1)
      const shown = results.map((result) => [...before, ...show(result)])
      assert.deepStrictEqual(shown, [alone[0], alone[1], alone[0]])
    },
    { fastCheck: { numRuns: 300 } }
  )
})

describe("the faces", () => {
  const bytes = concat([Frame.toBytes(Frame.make(Opcode.Text, hello)), Frame.toBytes(Frame.make(Opcode.Ping, hello))])
  const expected = show(decodeAll([bytes]))

  it.effect("one stream value, run twice and at the same time, gives the same (state is not in the closure)", () =>
    Effect.gen(function* () {
      const chunks = byteByByte(bytes)
      const decode = Frame.decode({ role: "client" })
      const stream = Stream.fromIterable(chunks).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.yieldNow()),
        decode
      )
      assert.deepStrictEqual(show(yield* runStream(stream)), expected)
      assert.deepStrictEqual(show(yield* runStream(stream)), expected)
      const both = yield* Effect.all([runStream(stream), runStream(stream)], { concurrency: 2 })
      assert.deepStrictEqual(both.map(show), [expected, expected])
    })
  )

  it.effect("one channel value, run twice, gives the same", () =>
    Effect.gen(function* () {
      const channel = Frame.decodeChannel<never, string>({ role: "client" })
      const source = Channel.writeAll(...byteByByte(bytes).map(Chunk.of)).pipe(Channel.as("done"))
      for (let run = 0; run < 2; run++) {
        const [chunks, done] = yield* Channel.runCollect(Channel.pipeTo(source, channel))
        const frames = [...Chunk.flatten(chunks)]
        assert.deepStrictEqual(show({ frames, error: undefined }), expected)
        assert.strictEqual(done, "done")
      }
    })
  )

  it.effect("decode ends with UnexpectedEnd when the bytes end inside a frame", () =>
    Effect.gen(function* () {
      for (let end = 1; end < bytes.length; end++) {
        const { error, frames } = yield* runStream(Frame.decode()(Stream.make(bytes.slice(0, end))))
        const whole = end >= 7 ? 1 : 0
        assert.strictEqual(frames.length, whole)
        assert.strictEqual(error?.reason, end === 7 ? undefined : "UnexpectedEnd")
      }
    })
  )

  it.effect("a failure of the bytes passes through, after the frames before it", () =>
    Effect.gen(function* () {
      const source = Stream.concat(Stream.make(bytes, bytes.slice(0, 3)), Stream.fail("broken" as const))
      const { error, frames } = yield* runStream(Frame.decode({ role: "client" })(source))
      assert.strictEqual(frames.length, 2)
      assert.strictEqual(error, "broken")
    })
  )

  it.effect("nothing is pulled after a fault", () =>
    Effect.gen(function* () {
      let pulled = 0
      const source = Stream.make(bytes, hex("83 00"), bytes).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sync(() => pulled++))
      )
      const { error, frames } = yield* runStream(Frame.decode()(source))
      assert.strictEqual(error?.reason, "ReservedOpcode")
      assert.strictEqual(frames.length, 2)
      assert.strictEqual(pulled, 2)
    })
  )

  it.effect("encode: one chunk a frame, the value run twice; failures pass through", () =>
    Effect.gen(function* () {
      const frames = decodeAll([bytes]).frames
      const stream = Frame.encode(Stream.fromIterable(frames))
      for (let run = 0; run < 2; run++) {
        const chunks = yield* Stream.runCollect(stream)
        assert.deepStrictEqual(
          [...chunks].map(toHex),
          frames.map((frame) => toHex(Frame.toBytes(frame)))
        )
      }
      const failing = Frame.encode(Stream.concat(Stream.fromIterable(frames), Stream.fail("broken")))
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(failing)), "broken")
      const source = Channel.write(Chunk.fromIterable(frames)).pipe(Channel.as("done"))
      const [written, done] = yield* Channel.runCollect(Channel.pipeTo(source, Frame.encodeChannel<never, string>()))
      assertBytes(concat(Chunk.flatten(written)), bytes)
      assert.strictEqual(done, "done")
    })
  )
})

describe("frames", () => {
  it("make: FIN set, no reserved bit, no masking key", () => {
    assert.deepStrictEqual(Frame.make(Opcode.Text, hello), {
      _tag: "Frame",
      fin: true,
      rsv1: false,
      rsv2: false,
      rsv3: false,
      opcode: 1,
      maskingKey: undefined,
      payload: hello
    })
  })

  it("§5.5, §5.6: an opcode with its most significant bit set is a control frame, else a data frame", () => {
    const kinds = Object.entries(Opcode).map(([name, opcode]) => {
      const frame = Frame.make(opcode, hello)
      return [name, opcode, Frame.isControl(frame), Frame.isData(frame)]
    })
    assert.deepStrictEqual(kinds, [
      ["Continuation", 0x0, false, true],
      ["Text", 0x1, false, true],
      ["Binary", 0x2, false, true],
      ["Close", 0x8, true, false],
      ["Ping", 0x9, true, false],
      ["Pong", 0xa, true, false]
    ])
  })

  it("a decoder is tagged, before and after a chunk", () => {
    const decoder = Frame.decoder()
    assert.strictEqual(decoder._tag, "Decoder")
    assert.strictEqual(Frame.decodeChunk(decoder, hex("81")).decoder._tag, "Decoder")
  })

  const faults: ReadonlyArray<readonly [bytes: string, role: Wire.Role | undefined, message: string]> = [
    ["c1 00", undefined, "ReservedBit: RSV bits 100 are set (close code 1002)"],
    ["8f 00", undefined, "ReservedOpcode: opcode 15 is not assigned (close code 1002)"],
    ["09 00", undefined, "FragmentedControlFrame: opcode 9 without FIN (close code 1002)"],
    ["8a 7e", undefined, "ControlFrameTooLong: opcode 10 with more than 125 bytes (close code 1002)"],
    ["81 80", "client", "MaskedFrame: a server must not mask its frames (close code 1002)"],
    ["81 00", "server", "UnmaskedFrame: a client must mask its frames (close code 1002)"],
    ["82 7e 007d", undefined, "NonMinimalLength: 125 bytes announced with a 16-bit length (close code 1002)"],
    [
      "82 7f 8000000000000000",
      undefined,
      "LengthOverflow: the most significant bit of a 64-bit length is set (close code 1002)"
    ],
    [
      "82 7f 0000000000100001",
      undefined,
      "FrameTooBig: a payload of 1048577 bytes, the limit is 1048576 (close code 1009)"
    ]
  ]

  it.each(faults)("%s to a %s: %s", (bytes, role, message) => {
    assert.strictEqual(Frame.decodeChunk(Frame.decoder({ role }), hex(bytes)).error?.message, message)
  })

  it("a FrameError says in one line what was wrong and which close code answers it", () => {
    const { error } = Frame.decodeChunk(Frame.decoder(), hex("83"))
    assert.strictEqual(error?.message, "ReservedOpcode: opcode 3 is not assigned (close code 1002)")
    assert.strictEqual(error?._tag, "FrameError")
  })
})
