import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Frame from "sluice/Frame"
import { type Part, WireReader } from "../../src/internal/wireReader.js"

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

const request = ascii("GET /chat HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\n\r\n")
const accepted = ascii("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
const refused = ascii("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n")

const frame = FastCheck.tuple(
  FastCheck.constantFrom(Frame.Opcode.Text, Frame.Opcode.Binary, Frame.Opcode.Ping, Frame.Opcode.Close),
  FastCheck.uint8Array({ maxLength: 120 }),
  FastCheck.option(FastCheck.integer({ min: 0, max: 0xffff_ffff }), { nil: undefined })
).map(([opcode, payload, maskingKey]) => Frame.make(opcode, payload, maskingKey === undefined ? {} : { maskingKey }))

const readAll = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Part> => {
  const reader = new WireReader()
  return chunks.flatMap((chunk) => reader.push(chunk))
}

/** Without the frames themselves: they hold views of other buffers. */
const outline = (parts: ReadonlyArray<Part>) =>
  parts.map((part) =>
    part._tag === "Head"
      ? part
      : { ...part, frame: [part.frame.opcode, part.frame.maskingKey, [...part.frame.payload]] }
  )

describe("WireReader", () => {
  it.prop(
    "finds the head and the frames with their places, however the bytes are cut",
    [
      FastCheck.constantFrom(request, accepted),
      FastCheck.array(frame, { maxLength: 6 }),
      FastCheck.array(FastCheck.nat())
    ],
    ([head, frames, cuts]) => {
      const all = [head, ...frames.map((each) => Frame.toBytes(each))]
      const wire = concat(all)
      const ends = all.map((_, i) => concat(all.slice(0, i + 1)).length)
      const at = cuts.map((cut) => cut % (wire.length + 1)).sort((a, b) => a - b)
      const chunks = [...at, wire.length].map((end, i) => wire.slice(at[i - 1] ?? 0, end))
      const parts = readAll(chunks)
      assert.deepStrictEqual(
        parts.map(({ end, start }) => [start, end]),
        ends.map((end, i) => [ends[i - 1] ?? 0, end])
      )
      assert.deepStrictEqual(outline(parts), outline(readAll([wire])))
      assert.deepStrictEqual(outline(parts), outline(readAll(Array.from(wire, (byte) => Uint8Array.of(byte)))))
      const [first, ...rest] = parts
      assert(first._tag === "Head")
      assert.strictEqual(first.startLine, head === request ? "GET /chat HTTP/1.1" : "HTTP/1.1 101 Switching Protocols")
      assert.deepStrictEqual(
        rest.map((part) => part._tag === "Frame" && [part.frame.opcode, [...part.frame.payload]]),
        frames.map(({ opcode, payload }) => [opcode, [...payload]])
      )
    },
    { fastCheck: { numRuns: 200 } }
  )

  it("the lengths of RFC 6455 §5.2 around 125 and 65535", () => {
    for (const length of [125, 126, 127, 65_535, 65_536]) {
      const bytes = Frame.toBytes(Frame.make(Frame.Opcode.Binary, new Uint8Array(length)))
      const [, part] = readAll([request, bytes])
      assert.deepStrictEqual([part.start, part.end], [request.length, request.length + bytes.length])
    }
  })

  it("what follows a response that does not switch is a body", () => {
    assert.deepStrictEqual(
      readAll([refused, Frame.toBytes(Frame.make(Frame.Opcode.Ping, new Uint8Array(0)))]).map(({ _tag }) => _tag),
      ["Head"]
    )
  })

  it("what is no HTTP stays bytes, with its first byte or its 65537th", () => {
    assert.deepStrictEqual(readAll([Uint8Array.of(0x16, 3, 1), request]), [])
    const reader = new WireReader()
    assert.deepStrictEqual(reader.push(ascii("A".repeat(64 * 1024 + 1))), [])
    assert.deepStrictEqual(reader.push(ascii("\r\n\r\n")), [])
  })

  it("after bytes that are no frame there is nothing more", () => {
    const reserved = Uint8Array.of(0x83, 0)
    const good = Frame.toBytes(Frame.make(Frame.Opcode.Ping, new Uint8Array(0)))
    assert.deepStrictEqual(
      readAll([request, good, reserved, good]).map(({ _tag }) => _tag),
      ["Head", "Frame"]
    )
  })
})
