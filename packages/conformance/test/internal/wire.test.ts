/** The wire as the runner writes and reads it, against the text of the RFC, the platform, and sluice. */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { Frame as SluiceFrame } from "sluice"
import { concat, hex, pattern, toHex, utf8 } from "../../../sluice/test/support/bytes.js"
import * as Utf8Cases from "../../../sluice/test/support/utf8Cases.js"
import { raw } from "../../../sluice/test/support/wire.js"
import type { Frame } from "../../src/Case.js"
import { acceptKey } from "../../src/internal/acceptKey.js"
import { toBytes } from "../../src/internal/bytes.js"
import * as Chunks from "../../src/internal/chunks.js"
import { FrameReader } from "../../src/internal/frameReader.js"
import { writeFrame } from "../../src/internal/frameWriter.js"
import * as Heads from "../../src/internal/heads.js"
import { showHeard } from "../../src/internal/show.js"
import { isUtf8 } from "../../src/internal/utf8.js"

const key = hex("37fa213d")
const write = (frame: Frame, masked = false) => toHex(writeFrame(frame, masked, () => key))

describe("toBytes", () => {
  it("makes the bytes that a case means", () => {
    assert.strictEqual(toHex(toBytes("é")), "c3a9")
    assert.strictEqual(toHex(toBytes({ hex: "00 FF" })), "00ff")
    assert.strictEqual(toHex(toBytes({ repeat: { hex: "0102" }, times: 5 })), "01020102010201020102")
    assert.strictEqual(toHex(toBytes({ repeat: "", times: 5 })), "")
    assert.strictEqual(toHex(toBytes({ repeat: "a", times: 0 })), "")
    assert.strictEqual(toHex(toBytes(["a", [{ hex: "" }, "b"], { repeat: ["c", "d"], times: 2 }])), "616263646364")
  })
})

describe("writeFrame", () => {
  it("writes the examples of RFC 6455 §5.7", () => {
    assert.strictEqual(write({ opcode: 1, payload: "Hello" }), "810548656c6c6f")
    assert.strictEqual(write({ opcode: 1, payload: "Hello" }, true), "818537fa213d7f9f4d5158")
    assert.strictEqual(write({ opcode: 1, fin: false, payload: "Hel" }), "010348656c")
    assert.strictEqual(write({ opcode: 0, payload: "lo" }), "80026c6f")
    assert.strictEqual(write({ opcode: 9, payload: "Hello" }), "890548656c6c6f")
    assert.strictEqual(write({ opcode: 10, payload: "Hello" }, true), "8a8537fa213d7f9f4d5158")
    const long = (times: number) => write({ opcode: 2, payload: { repeat: { hex: "00" }, times } })
    assert.strictEqual(long(256).slice(0, 8), "827e0100")
    assert.strictEqual(long(65_536).slice(0, 20), "827f0000000000010000")
  })

  it("writes what is wrong as it is said", () => {
    assert.strictEqual(write({ opcode: 15, rsv: 5 }), "df00")
    assert.strictEqual(write({ opcode: 1, masked: true, key: "00000000", payload: "a" }), "81810000000061")
    assert.strictEqual(write({ opcode: 1, masked: false, payload: "a" }, true), "810161")
    assert.strictEqual(write({ opcode: 2, form: 16, payload: "a" }), "827e000161")
    assert.strictEqual(write({ opcode: 2, form: 64, payload: "a" }), "827f000000000000000161")
    assert.strictEqual(write({ opcode: 2, length: "18446744073709551615" }), "827fffffffffffffffff")
    assert.strictEqual(write({ opcode: 2, payload: "Hello", cut: 3 }), "820548")
  })
})

/** What the reader says of bytes, whole and byte by byte. */
const read = (role: "client" | "server", bytes: Uint8Array): ReadonlyArray<string> => {
  const all = (chunks: ReadonlyArray<Uint8Array>) => {
    const reader = new FrameReader(role)
    return chunks.flatMap((chunk) => {
      reader.push(chunk)
      const heard: Array<string> = []
      for (let next = reader.next(); next !== undefined; next = reader.next()) heard.push(showHeard(next))
      return heard
    })
  }
  const heard = all([bytes])
  const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte))
  assert.deepStrictEqual(all(pieces), heard)
  return heard
}

const frames = (role: "client" | "server", ...frames: ReadonlyArray<Frame>): Uint8Array => {
  let drawn = 0
  return concat(frames.map((frame) => writeFrame(frame, role === "client", () => Uint8Array.of(1, 2, 3, ++drawn))))
}

describe("FrameReader", () => {
  for (const role of ["client", "server"] as const) {
    it(`reads what a ${role} sends`, () => {
      const bytes = frames(
        role,
        { opcode: 1, payload: "Hello" },
        { opcode: 2, fin: false, payload: { hex: "00" } },
        { opcode: 9, payload: "a" },
        { opcode: 0, fin: false },
        { opcode: 0, payload: { hex: "ff" } },
        { opcode: 1, payload: "" },
        { opcode: 10, payload: "b" },
        { opcode: 2, payload: { repeat: { hex: "01" }, times: 70_000 } },
        { opcode: 8, payload: [{ hex: "03e8" }, "bye"] },
        { opcode: 9, payload: "late" }
      )
      assert.deepStrictEqual(read(role, bytes), [
        'Text "Hello"',
        "Ping 61",
        "Binary 00ff",
        'Text ""',
        "Pong 62",
        `Binary ${"01".repeat(24)}... (70000 bytes)`,
        'Close 1000 "bye"',
        "Ping 6c617465"
      ])
    })

    /** What is wrong, what comes, and what is said of the last of it. */
    const wrong: ReadonlyArray<readonly [name: string, frames: ReadonlyArray<Frame>, seen: string]> = [
      ["a reserved bit", [{ opcode: 1, rsv: 4 }], "RSV bits 100"],
      ["a reserved opcode", [{ opcode: 3 }], "opcode 3"],
      ["a reserved control opcode", [{ opcode: 11 }], "opcode 11"],
      ["a Ping in fragments", [{ opcode: 9, fin: false }], "opcode 9 without FIN"],
      ["a long Pong", [{ opcode: 10, payload: { repeat: "a", times: 126 } }], "opcode 10 with more"],
      ["too wide a length", [{ opcode: 2, payload: "a", form: 16 }], "1 in 16 bits"],
      ["much too wide a length", [{ opcode: 2, payload: "a", form: 64 }], "1 in 64 bits"],
      ["the top bit of a length", [{ opcode: 2, length: String(2n ** 63n) }], "one that is set"],
      ["a fragment of nothing", [{ opcode: 0 }], "one where there is no message to continue"],
      ["a message in a message", [{ opcode: 1, fin: false }, { opcode: 2 }], "a new message inside an unfinished one"],
      ["bad UTF-8", [{ opcode: 1, payload: { hex: "ff" } }], "a text that is not"],
      [
        "bad UTF-8 in fragments",
        [
          { opcode: 1, fin: false, payload: { hex: "c3" } },
          { opcode: 0, payload: "" }
        ],
        "a text that is not"
      ],
      ["half a code", [{ opcode: 8, payload: "a" }], "one byte"],
      ...[0, 999, 1004, 1005, 1006, 1015, 5000].map(
        (code) =>
          [
            `the code ${code}`,
            [{ opcode: 8, payload: { hex: code.toString(16).padStart(4, "0") } }],
            `${code}`
          ] as const
      ),
      ["a bad reason", [{ opcode: 8, payload: { hex: "03e8ff" } }], "one that is not"],
      ["a second Close", [{ opcode: 8 }, { opcode: 8 }], "a second one"],
      ["data after a Close", [{ opcode: 8 }, { opcode: 1 }], "opcode 1 after it"]
    ]
    for (const [name, bad, seen] of wrong) {
      it(`sees ${name} of a ${role}, and reads nothing more`, () => {
        const heard = read(role, frames(role, ...bad, { opcode: 1, payload: "late" }))
        assert.strictEqual(heard.at(-1), seen)
        assert.isFalse(heard.includes('Text "late"'))
      })
    }

    it(`sees that the masking of a ${role} is wrong`, () => {
      const other = role === "client" ? "server" : "client"
      assert.deepStrictEqual(read(role, frames(other, { opcode: 1, payload: "a" })), [
        role === "client" ? "a frame that is not masked" : "a masked frame"
      ])
    })
  }

  it("sees a key that is used again and again", () => {
    const same = concat(Array.from({ length: 4 }, () => writeFrame({ opcode: 1, key: "01020304" }, true, () => key)))
    assert.strictEqual(read("client", same).at(-1), "the same key four times in a row")
  })

  it.prop(
    "reads what sluice writes",
    [FastCheck.array(FastCheck.uint8Array({ maxLength: 300 }), { maxLength: 5 }), FastCheck.boolean()],
    ([payloads, masked]) => {
      const bytes = concat(
        payloads.map((payload, i) =>
          SluiceFrame.toBytes(
            SluiceFrame.make(SluiceFrame.Opcode.Binary, payload, { maskingKey: masked ? i : undefined })
          )
        )
      )
      const heard = read(masked ? "client" : "server", bytes)
      assert.deepStrictEqual(
        heard,
        payloads.map((payload) => showHeard({ _tag: "Message", type: "binary", payload }))
      )
    }
  )

  it.prop("writes what the tests of sluice write", [FastCheck.uint8Array({ maxLength: 200 })], ([payload]) => {
    const ours = write({ opcode: 2, payload: { hex: toHex(payload) } }, true)
    assert.strictEqual(ours, toHex(raw({ opcode: 2, payload, key: 0x37fa213d })))
  })
})

describe("isUtf8", () => {
  it("knows the boundaries", () => {
    for (const [name, bytes] of Utf8Cases.boundaries) assert.isTrue(isUtf8(hex(bytes)), name)
    for (const [name, bytes] of Utf8Cases.invalid) assert.isFalse(isUtf8(hex(bytes)), name)
    for (const bytes of Utf8Cases.incomplete) assert.isFalse(isUtf8(hex(bytes)), bytes)
  })

  it.prop("says what the platform says", [Utf8Cases.bytes], ([bytes]) => {
    assert.strictEqual(isUtf8(bytes), Utf8Cases.isValid(bytes))
  })
})

describe("acceptKey", () => {
  it("answers the key of RFC 6455 §1.3", () => {
    assert.strictEqual(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  })

  it.prop("says what the platform says", [FastCheck.string({ maxLength: 200 })], ([key]) => {
    const sha1 = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64")
    assert.strictEqual(acceptKey(key), sha1)
  })
})

describe("chunks", () => {
  for (const [name, cut] of [
    ["whole", Chunks.whole],
    ["bytes", Chunks.bytes],
    ["random", Chunks.random("a seed")]
  ] as const) {
    it.effect(`${name} are all the bytes, none of them empty`, () =>
      Effect.gen(function* () {
        for (const length of [1, 2, 64, 128, 2048, 2049, 5000, 70_000]) {
          const bytes = pattern(length)
          const chunks = yield* cut(bytes)
          assert.strictEqual(toHex(concat(chunks)), toHex(bytes))
          assert.isTrue(chunks.every((chunk) => chunk.length > 0))
          if (name === "whole") assert.strictEqual(chunks.length, 1)
          if (name === "bytes" && length <= 2048) assert.strictEqual(chunks.length, length)
          if (name === "bytes" && length > 2048) {
            assert.isTrue(chunks.slice(0, 64).every((chunk) => chunk.length === 1))
            assert.isTrue(chunks.slice(-64).every((chunk) => chunk.length === 1))
          }
        }
      })
    )
  }

  it.effect("are the same for the same seed, and others for another", () =>
    Effect.gen(function* () {
      const sizes = (seed: string) =>
        Effect.map(Chunks.random(seed)(pattern(1000)), (chunks) => chunks.map(({ length }) => length))
      assert.deepStrictEqual(yield* sizes("a"), yield* sizes("a"))
      assert.notDeepEqual(yield* sizes("a"), yield* sizes("b"))
    })
  )
})

describe("heads", () => {
  const head = Heads.parseHead(
    ["HTTP/1.1 101 Switching Protocols", "Connection: keep-alive", "connection:  upgrade", "X: a,b", "", ""].join(
      "\r\n"
    )
  )

  it("are compared as RFC 6455 compares them", () => {
    assert.strictEqual(Heads.statusOf(head), 101)
    assert.strictEqual(Heads.unlike(head, { Connection: "Upgrade", X: "a, b" }, ["Y"]), undefined)
    assert.strictEqual(Heads.unlike(head, { X: null }, []), undefined)
    assert.strictEqual(Heads.unlike(head, { X: "A, b" }, []), "X: a,b")
    assert.strictEqual(Heads.unlike(head, { Y: null }, []), "no Y")
    assert.strictEqual(Heads.unlike(head, {}, ["x"]), "x: a,b")
  })

  it("have the key as it was sent", () => {
    assert.strictEqual(Heads.keyIn("GET / HTTP/1.1\r\nsec-websocket-key: \tabc== \r\nX: 1\r\n\r\n"), "abc==")
    assert.strictEqual(Heads.keyIn("GET / HTTP/1.1\r\n\r\n"), undefined)
  })

  it("are filled with what the runner knows, wherever it stands", () => {
    const known = { host: "h:1", path: "/p", key: "dGhlIHNhbXBsZSBub25jZQ==", subprotocols: "one, two" }
    const filled = Heads.fill(
      ["{path} {host}", { repeat: "{subprotocol}", times: 2 }, " {accept}", { hex: "7b7d" }],
      known
    )
    const text = new TextDecoder().decode(toBytes(filled))
    assert.strictEqual(text, "/p h:1oneone s3pPLMBiTxaQ9kYGzzhZRbK+xOo={}")
    assert.deepStrictEqual(toBytes("é"), utf8("é"))
  })
})
