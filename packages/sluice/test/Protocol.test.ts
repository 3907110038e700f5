import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as CloseCode from "../src/CloseCode.js"
import * as Frame from "../src/Frame.js"
import { TransportError } from "../src/internal/transportError.js"
import * as Limits from "../src/Limits.js"
import * as Message from "../src/Message.js"
import * as Protocol from "../src/Protocol.js"
import { assertBytes, byteByByte, concat, cut, cuts, hex, pattern, toHex, utf8 } from "./support/bytes.js"
import * as Utf8Cases from "./support/utf8Cases.js"
import * as Wire from "./support/wire.js"

const { Opcode } = Frame
const none = new Uint8Array(0)
const roles: ReadonlyArray<Protocol.Role> = ["client", "server"]

const open = (role: Protocol.Role, options?: Limits.Options): Protocol.Open =>
  Protocol.open({ role, limits: Limits.make(options) })

/** A frame of the peer of a role. */
const from = (role: Protocol.Role, frame: Wire.Raw): Uint8Array => Wire.raw({ ...frame, key: Wire.keyTo(role) })

const closePayload = (code: number, reason: Uint8Array | string = none): Uint8Array =>
  concat([Uint8Array.of(code >>> 8, code), typeof reason === "string" ? utf8(reason) : reason])

const strictly = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const showMessage = (type: Message.Message["_tag"], payload: Uint8Array | string): string =>
  typeof payload === "string"
    ? `${type} ${JSON.stringify(payload)}`
    : type === "Text"
      ? showMessage(type, strictly.decode(payload))
      : `${type} ${toHex(payload)}`

/** The messages that pieces make up. Each piece of a text must be a text. */
const joinPieces = (pieces: Iterable<Message.Message | Message.Piece>): ReadonlyArray<string> => {
  const messages: Array<string> = []
  let begun: Array<Message.Piece> = []
  for (const piece of pieces) {
    if (piece._tag !== "Piece") {
      messages.push(showMessage(piece._tag, piece._tag === "Text" ? piece.text : piece.bytes))
      continue
    }
    assert.strictEqual(piece.first, begun.length === 0, "the first piece says so, and no other")
    begun.push(piece)
    assert.strictEqual(piece.type, begun[0].type, "the type is that of the message")
    if (piece.type === "Text") strictly.decode(piece.bytes)
    if (!piece.last) continue
    messages.push(showMessage(piece.type, concat(begun.map(({ bytes }) => bytes))))
    begun = []
  }
  return messages
}

const showReply = ({ opcode, payload }: Frame.Frame): string =>
  opcode === Opcode.Pong
    ? `Pong ${toHex(payload)}`
    : `Close ${payload.length === 0 ? "" : (payload[0] << 8) | payload[1]} ${strictly.decode(payload.subarray(2))}`

const showState = (state: Protocol.State): string => {
  if (state._tag === "Closed") return "Closed"
  const unfinished = Protocol.isUnfinished(state) ? "..." : ""
  if (state._tag === "Open") return `Open${unfinished}`
  const cause = state.cause === undefined || state.cause === "Drain" ? state.cause : state.cause.message
  const received = state.received === undefined ? undefined : `${state.received.code} ${state.received.reason}`
  return `Closing by ${state.initiator}${unfinished} (${cause}, ${received})`
}

interface Seen {
  readonly state: Protocol.Open | Protocol.Closing
  readonly messages: ReadonlyArray<Message.Message | Message.Piece>
  readonly replies: ReadonlyArray<Frame.Frame>
  readonly pongs: ReadonlyArray<Uint8Array>
  readonly controls: number
}

/** All that comes out of some chunks; `max` are the numbers of parts after which the steps stop, in turn. */
const receiveAll = (
  start: Protocol.Open | Protocol.Closing,
  chunks: Iterable<Uint8Array>,
  max: ReadonlyArray<number> = [Number.POSITIVE_INFINITY]
): Seen => {
  const seen: Array<Seen> = []
  let state = start
  for (const chunk of chunks) {
    // The machine owns what it is given.
    let bytes = chunk.slice()
    for (;;) {
      const step = Protocol.receive(state, bytes, max[seen.length % max.length])
      seen.push(step)
      state = step.state
      if (!step.more) break
      bytes = none
    }
  }
  return together(seen, state)
}

const together = (seen: ReadonlyArray<Seen>, state: Seen["state"]): Seen => ({
  state,
  messages: seen.flatMap(({ messages }) => messages),
  replies: seen.flatMap(({ replies }) => replies),
  pongs: seen.flatMap(({ pongs }) => pongs),
  controls: seen.reduce((sum, { controls }) => sum + controls, 0)
})

/** As text, so that what is compared is also what is shown. */
const show = ({ controls, messages, pongs, replies, state }: Seen): ReadonlyArray<string> => [
  ...joinPieces(messages),
  ...replies.map(showReply),
  ...pongs.map((pong) => `pong ${toHex(pong)}`),
  `${controls} controls`,
  showState(state)
]

const cause = new TransportError({ reason: "ConnectionReset", operation: "read", detail: "as the tests want it" })

const aborted: Protocol.CloseReason = { _tag: "Aborted", cause }

const close = (
  state: Protocol.Open,
  options?: Parameters<typeof Protocol.close>[1]
): { readonly state: Protocol.Closing; readonly frame: Frame.Frame } =>
  Either.getOrThrow(Protocol.close(state, options))

describe("each kind of frame in each state, for both roles, whole and in pieces (RFC 6455 §5.5, §7.1)", () => {
  const kinds = {
    Text: { opcode: 1, payload: utf8("x") },
    TextStart: { opcode: 1, fin: false, payload: utf8("x") },
    More: { opcode: 0, fin: false, payload: utf8("y") },
    Last: { opcode: 0, payload: utf8("y") },
    Ping: { opcode: 9, payload: hex("aa") },
    Pong: { opcode: 10, payload: hex("bb") },
    Close: { opcode: 8, payload: closePayload(1001, "bye") },
    CloseEmpty: { opcode: 8 },
    Garbage: { opcode: 1, rsv: 7 }
  } satisfies Record<string, Wire.Raw>

  type Kind = keyof typeof kinds

  const begin = { opcode: 1, fin: false, payload: utf8("a") }
  const after = (state: Protocol.Open | Protocol.Closing, role: Protocol.Role, ...frames: ReadonlyArray<Wire.Raw>) =>
    receiveAll(
      state,
      frames.map((frame) => from(role, frame))
    )
  const closed = (seen: Seen, options?: Parameters<typeof Protocol.close>[1]): Seen => {
    if (seen.state._tag !== "Open") return assert.fail("only an open connection can be closed")
    return { ...seen, state: close(seen.state, options).state }
  }

  const states = {
    Open: (role, open) => after(open, role),
    "Open, inside a message": (role, open) => after(open, role, begin),
    "Closing, ours was sent": (role, open) => closed(after(open, role)),
    "Closing, ours was sent inside a message": (role, open) => closed(after(open, role, begin)),
    "Closing, for a drain": (role, open) => closed(after(open, role), { cause: "Drain" }),
    "Closing, theirs has come": (role, open) => ({ ...after(open, role, kinds.Close), replies: [], controls: 0 }),
    "Closing, both": (role, open) => ({ ...after(close(open).state, role, kinds.Close), controls: 0 }),
    failed: (role, open) => ({ ...after(open, role, kinds.Garbage), replies: [] })
  } satisfies Record<string, (role: Protocol.Role, open: Protocol.Open) => Seen>

  const unexpected = "UnexpectedContinuation: there is no message to continue (close code 1002)"
  const expected = "ExpectedContinuation: a new message inside an unfinished one (close code 1002)"
  const reserved = "ReservedBit: RSV bits 111 are set (close code 1002)"

  const nothing = (state: string): Record<Kind, ReadonlyArray<string>> => {
    const unchanged = ["0 controls", state]
    return {
      Text: unchanged,
      TextStart: unchanged,
      More: unchanged,
      Last: unchanged,
      Ping: unchanged,
      Pong: unchanged,
      Close: unchanged,
      CloseEmpty: unchanged,
      Garbage: unchanged
    }
  }

  const table: Record<keyof typeof states, Record<Kind, ReadonlyArray<string>>> = {
    Open: {
      Text: ['Text "x"', "0 controls", "Open"],
      TextStart: ["0 controls", "Open..."],
      More: ["Close 1002 UnexpectedContinuation", "0 controls", `Closing by local (${unexpected}, undefined)`],
      Last: ["Close 1002 UnexpectedContinuation", "0 controls", `Closing by local (${unexpected}, undefined)`],
      Ping: ["Pong aa", "1 controls", "Open"],
      Pong: ["pong bb", "1 controls", "Open"],
      Close: ["Close 1001 ", "1 controls", "Closing by peer (undefined, 1001 bye)"],
      CloseEmpty: ["Close  ", "1 controls", "Closing by peer (undefined, 1005 )"],
      Garbage: ["Close 1002 ReservedBit", "0 controls", `Closing by local (${reserved}, undefined)`]
    },
    "Open, inside a message": {
      Text: ["Close 1002 ExpectedContinuation", "0 controls", `Closing by local (${expected}, undefined)`],
      TextStart: ["Close 1002 ExpectedContinuation", "0 controls", `Closing by local (${expected}, undefined)`],
      More: ["0 controls", "Open..."],
      Last: ['Text "ay"', "0 controls", "Open"],
      Ping: ["Pong aa", "1 controls", "Open..."],
      Pong: ["pong bb", "1 controls", "Open..."],
      Close: ["Close 1001 ", "1 controls", "Closing by peer (undefined, 1001 bye)"],
      CloseEmpty: ["Close  ", "1 controls", "Closing by peer (undefined, 1005 )"],
      Garbage: ["Close 1002 ReservedBit", "0 controls", `Closing by local (${reserved}, undefined)`]
    },
    "Closing, ours was sent": {
      Text: ["0 controls", "Closing by local (undefined, undefined)"],
      TextStart: ["0 controls", "Closing by local... (undefined, undefined)"],
      More: ["0 controls", `Closing by local (${unexpected}, undefined)`],
      Last: ["0 controls", `Closing by local (${unexpected}, undefined)`],
      Ping: ["Pong aa", "1 controls", "Closing by local (undefined, undefined)"],
      Pong: ["pong bb", "1 controls", "Closing by local (undefined, undefined)"],
      Close: ["1 controls", "Closing by local (undefined, 1001 bye)"],
      CloseEmpty: ["1 controls", "Closing by local (undefined, 1005 )"],
      Garbage: ["0 controls", `Closing by local (${reserved}, undefined)`]
    },
    "Closing, ours was sent inside a message": {
      Text: ["0 controls", `Closing by local (${expected}, undefined)`],
      TextStart: ["0 controls", `Closing by local (${expected}, undefined)`],
      More: ["0 controls", "Closing by local... (undefined, undefined)"],
      Last: ["0 controls", "Closing by local (undefined, undefined)"],
      Ping: ["Pong aa", "1 controls", "Closing by local... (undefined, undefined)"],
      Pong: ["pong bb", "1 controls", "Closing by local... (undefined, undefined)"],
      Close: ["1 controls", "Closing by local (undefined, 1001 bye)"],
      CloseEmpty: ["1 controls", "Closing by local (undefined, 1005 )"],
      Garbage: ["0 controls", `Closing by local (${reserved}, undefined)`]
    },
    "Closing, for a drain": {
      Text: ["0 controls", "Closing by local (Drain, undefined)"],
      TextStart: ["0 controls", "Closing by local... (Drain, undefined)"],
      More: ["0 controls", `Closing by local (${unexpected}, undefined)`],
      Last: ["0 controls", `Closing by local (${unexpected}, undefined)`],
      Ping: ["Pong aa", "1 controls", "Closing by local (Drain, undefined)"],
      Pong: ["pong bb", "1 controls", "Closing by local (Drain, undefined)"],
      Close: ["1 controls", "Closing by local (Drain, 1001 bye)"],
      CloseEmpty: ["1 controls", "Closing by local (Drain, 1005 )"],
      Garbage: ["0 controls", `Closing by local (${reserved}, undefined)`]
    },
    "Closing, theirs has come": nothing("Closing by peer (undefined, 1001 bye)"),
    "Closing, both": nothing("Closing by local (undefined, 1001 bye)"),
    failed: nothing(`Closing by local (${reserved}, undefined)`)
  }

  const cells = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([kind, outcome]) => ({ state, kind, outcome }))
  )

  it.each(cells)("$state: $kind", ({ kind, outcome, state }) => {
    for (const role of roles) {
      for (const start of [open(role), Protocol.inPieces(open(role))]) {
        // The names are those of the two records. Of a message that has begun, the first piece was handed out before.
        const before = states[state as keyof typeof states](role, start)
        const bytes = from(role, kinds[kind as Kind])
        for (const chunks of [[bytes], byteByByte(bytes)]) {
          const seen = receiveAll(before.state, chunks)
          assert.deepStrictEqual(show(together([before, seen], seen.state)), outcome, role)
          const isComplete = /close code|, 10\d\d/.test(outcome[outcome.length - 1])
          assert.strictEqual(Protocol.isComplete(seen.state), isComplete)
        }
      }
    }
  })

  it("nothing is looked at after a Close: data, Pings, another Close, garbage, in the same chunk or later (§5.5.1)", () => {
    for (const role of roles) {
      for (const start of [open(role), close(open(role)).state]) {
        const all = Object.values(kinds).map((frame) => from(role, frame))
        const closing = from(role, kinds.Close)
        const alone = show(receiveAll(start, [closing]))
        assert.deepStrictEqual(show(receiveAll(start, [concat([closing, ...all, hex("ff ff ff")])])), alone)
        assert.deepStrictEqual(show(receiveAll(start, [closing, ...all, hex("ff ff ff")])), alone)
      }
    }
  })

  it("nothing is looked at after a violation, a Close of the peer neither (§7.1.7)", () => {
    for (const role of roles) {
      for (const start of [open(role), close(open(role)).state]) {
        const garbage = from(role, kinds.Garbage)
        const alone = show(receiveAll(start, [garbage]))
        const all = Object.values(kinds).map((frame) => from(role, frame))
        assert.deepStrictEqual(show(receiveAll(start, [concat([garbage, ...all])])), alone)
        assert.deepStrictEqual(show(receiveAll(start, [garbage, ...all])), alone)
      }
    }
  })

  it("what came before a Close or a violation in the same chunk is handed out, and answered before it", () => {
    for (const [last, reply] of [
      ["Close", "Close 1001 "],
      ["Garbage", "Close 1002 ReservedBit"]
    ] as const) {
      const bytes = concat([kinds.Ping, kinds.Text, kinds.Pong, kinds[last]].map((frame) => from("server", frame)))
      const seen = show(receiveAll(open("server"), [bytes]))
      assert.deepStrictEqual(seen.slice(0, 4), ['Text "x"', "Pong aa", reply, "pong bb"])
    }
  })
})

describe("Ping and Pong (RFC 6455 §5.5.2, §5.5.3)", () => {
  it.each([0, 1, 124, 125])("a Ping of %i bytes is answered with the same bytes", (size) => {
    for (const role of roles) {
      for (const start of [open(role), close(open(role)).state]) {
        const bytes = from(role, { opcode: 9, payload: pattern(size) })
        for (const chunks of [[bytes], byteByByte(bytes)]) {
          const { replies } = receiveAll(start, chunks)
          assert.deepStrictEqual(replies, [Frame.make(Opcode.Pong, pattern(size))])
        }
      }
    }
  })

  it("each Ping is answered, in order; a Pong is reported and not answered", () => {
    const frames = [1, 2, 3].flatMap(
      (i): ReadonlyArray<Wire.Raw> => [
        { opcode: 9, payload: Uint8Array.of(i) },
        { opcode: 10, payload: Uint8Array.of(16 + i) }
      ]
    )
    const seen = show(receiveAll(open("server"), [concat(frames.map((frame) => from("server", frame)))]))
    assert.deepStrictEqual(seen, [
      "Pong 01",
      "Pong 02",
      "Pong 03",
      "pong 11",
      "pong 12",
      "pong 13",
      "6 controls",
      "Open"
    ])
  })
})

describe("the codes of Close frames (RFC 6455 §7.4)", () => {
  const codes: ReadonlyArray<readonly [code: number, allowed: boolean]> = [
    [0, false],
    [999, false],
    [1000, true],
    [1001, true],
    [1002, true],
    [1003, true],
    [1004, false],
    [1005, false],
    [1006, false],
    [1007, true],
    [1008, true],
    [1009, true],
    [1010, true],
    [1011, true],
    [1012, true],
    [1013, true],
    [1014, true],
    [1015, false],
    [1016, false],
    [1100, false],
    [1999, false],
    [2000, false],
    [2999, false],
    [3000, true],
    [3999, true],
    [4000, true],
    [4999, true],
    [5000, false],
    [65535, false]
  ]

  it.each(codes)("%i from the peer: %s", (code, allowed) => {
    for (const role of roles) {
      for (const ours of [false, true]) {
        const start = ours ? close(open(role), { code: 4321 }).state : open(role)
        const bytes = from(role, { opcode: 8, payload: closePayload(code, "bye") })
        const { replies, state } = receiveAll(start, [bytes])
        const { reason } = Protocol.end(state, cause)
        assert.isTrue(Protocol.isComplete(state))
        if (allowed) {
          // §5.5.1: "the endpoint typically echos the status code it received"
          const echo = [Frame.make(Opcode.Close, closePayload(code))]
          assert.deepStrictEqual(replies, ours ? [] : echo)
          assert.deepStrictEqual(reason, { _tag: "Clean", code, reason: "bye", initiator: ours ? "local" : "peer" })
          assert.strictEqual(Protocol.codeOf(reason), code)
          assert.isTrue(Protocol.isClean(reason))
        } else {
          assert.deepStrictEqual(replies.map(showReply), ours ? [] : ["Close 1002 InvalidCloseCode"])
          assert.strictEqual(reason._tag === "Violation" && reason.error.reason, "InvalidCloseCode")
          assert.include(reason._tag === "Violation" ? reason.error.detail : "", String(code))
          assert.strictEqual(Protocol.codeOf(reason), 1002)
          assert.isFalse(Protocol.isClean(reason))
        }
      }
    }
  })

  it.each([
    ...codes,
    [1.5, false],
    [1000.5, false],
    [-1, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false]
  ] as const)("%d of ours: %s", (code, allowed) => {
    const closing = Protocol.close(open("client"), { code, reason: "bye" })
    if (Either.isRight(closing)) {
      assert.isTrue(allowed)
      assert.deepStrictEqual(closing.right.frame, Frame.make(Opcode.Close, closePayload(code, "bye")))
    } else {
      assert.isFalse(allowed)
      assert.strictEqual(closing.left.reason, "InvalidCloseCode")
      assert.include(closing.left.message, String(code))
      assert.strictEqual(closing.left._tag, "SendError")
    }
  })

  it("an empty Close is 1005 to us, and answered by an empty one (§7.1.5)", () => {
    const { replies, state } = receiveAll(open("server"), [from("server", { opcode: 8 })])
    assert.deepStrictEqual(replies, [Frame.make(Opcode.Close, none)])
    const { reason } = Protocol.end(state, cause)
    assert.deepStrictEqual(reason, { _tag: "Clean", code: 1005, reason: "", initiator: "peer" })
    assert.strictEqual(Protocol.codeOf(reason), 1005)
    assert.isTrue(Protocol.isClean(reason))
  })
})

describe("the payload of a Close frame (RFC 6455 §5.5.1)", () => {
  const receiveClose = (payload: Uint8Array): Seen =>
    receiveAll(open("server"), [from("server", { opcode: 8, payload })])

  it.each(["00", "03", "ff"])("one byte (%s) is half a code", (byte) => {
    const { replies, state } = receiveClose(hex(byte))
    assert.deepStrictEqual(replies.map(showReply), ["Close 1002 InvalidClosePayload"])
    assert.strictEqual(Protocol.codeOf(Protocol.end(state, cause).reason), 1002)
  })

  it("a reason of 123 bytes, and one in each length of UTF-8", () => {
    for (const reason of ["", "x".repeat(123), "é".repeat(61), "€".repeat(41), "😀".repeat(30), "\ufeffBOM"]) {
      const { state } = receiveClose(closePayload(1000, reason))
      assert.deepStrictEqual(Protocol.end(state, cause).reason, {
        _tag: "Clean",
        code: 1000,
        reason,
        initiator: "peer"
      })
    }
  })

  it.each(Utf8Cases.invalid)("a reason that holds %s (%s) is not UTF-8: 1007", (_, bytes) => {
    const { replies, state } = receiveClose(closePayload(1000, concat([utf8("é"), hex(bytes), utf8("z")])))
    assert.deepStrictEqual(replies.map(showReply), ["Close 1007 InvalidCloseReason"])
    assert.strictEqual(Protocol.codeOf(Protocol.end(state, cause).reason), 1007)
  })

  it.each(Utf8Cases.incomplete)("a reason that ends with %s is not UTF-8: 1007", (bytes) => {
    const { replies } = receiveClose(closePayload(1000, concat([utf8("é"), hex(bytes)])))
    assert.deepStrictEqual(replies.map(showReply), ["Close 1007 InvalidCloseReason"])
  })

  it("the code is judged before the reason", () => {
    assert.deepStrictEqual(receiveClose(closePayload(1005, hex("ff"))).replies.map(showReply), [
      "Close 1002 InvalidCloseCode"
    ])
  })
})

describe("close (RFC 6455 §7.1.2)", () => {
  it("1000 and no reason, unless said otherwise; the frame is not masked here", () => {
    const { frame, state } = close(open("client"))
    assert.deepStrictEqual(frame, Frame.make(Opcode.Close, hex("03 e8")))
    assert.strictEqual(showState(state), "Closing by local (undefined, undefined)")
    assert.isFalse(Protocol.isComplete(state))
    assert.deepStrictEqual(close(open("client"), { code: undefined, reason: undefined }).frame, frame)
    assert.deepStrictEqual(close(open("client"), { reason: "bye" }).frame.payload, closePayload(1000, "bye"))
  })

  const reasons: ReadonlyArray<readonly [name: string, reason: string, size: number]> = [
    ["123 ASCII", "x".repeat(123), 123],
    ["124 ASCII", "x".repeat(124), 124],
    ["61 characters of 2 bytes and 1", `${"é".repeat(61)}x`, 123],
    ["62 characters of 2 bytes", "é".repeat(62), 124],
    ["41 characters of 3 bytes", "€".repeat(41), 123],
    ["42 characters of 3 bytes", "€".repeat(42), 126],
    ["30 characters of 4 bytes and 3", `${"😀".repeat(30)}xyz`, 123],
    ["31 characters of 4 bytes", "😀".repeat(31), 124],
    ["41 lone surrogates, each sent as U+FFFD", "\ud800".repeat(41), 123],
    ["42 lone surrogates", "\ud800".repeat(42), 126],
    ["very many", "x".repeat(100_000), 100_000]
  ]

  it.each(reasons)("a reason of %s", (_, reason, size) => {
    const closing = Protocol.close(open("client"), { code: 3000, reason })
    if (Either.isRight(closing)) {
      assert.strictEqual(size, 123)
      assertBytes(closing.right.frame.payload, closePayload(3000, reason))
      assert.strictEqual(closing.right.frame.payload.length, 125)
    } else {
      assert.isAbove(size, 123)
      assert.strictEqual(closing.left.reason, "CloseReasonTooLong")
      assert.strictEqual(closing.left.message, `CloseReasonTooLong: the reason has ${size} bytes, at most 123 fit`)
    }
  })

  it.prop(
    "the peer reads the code and the reason that we sent, and we the code that it echoes",
    [
      FastCheck.oneof(FastCheck.integer({ min: 3000, max: 4999 }), FastCheck.constantFrom(1000, 1001, 1011, 1014)),
      Utf8Cases.text
    ],
    ([code, text]) => {
      const reason = [...text].slice(0, 30).join("")
      const ours = close(open("client"), { code, reason })
      const toPeer = Frame.toBytes({ ...ours.frame, maskingKey: 0x01020304 })
      const peer = receiveAll(open("server"), byteByByte(toPeer))
      const atPeer = Protocol.end(peer.state, cause).reason
      assert.deepStrictEqual(atPeer, { _tag: "Clean", code, reason, initiator: "peer" })
      const toUs = concat(peer.replies.map(Frame.toBytes))
      const us = Protocol.end(receiveAll(ours.state, [toUs]).state, cause).reason
      assert.deepStrictEqual(us, { _tag: "Clean", code, reason: "", initiator: "local" })
    }
  )

  it("messages are dropped from our Close until that of the peer, but still checked", () => {
    for (const start of [open("server"), Protocol.inPieces(open("server"))]) {
      const { state } = close(start)
      const bytes = concat(
        [
          { opcode: 1, payload: utf8("late") },
          { opcode: 2, fin: false, payload: pattern(10) },
          { opcode: 9, payload: hex("aa") },
          { opcode: 0, payload: pattern(10) },
          { opcode: 8, payload: closePayload(1000) }
        ].map((frame) => from("server", frame))
      )
      const expected = ["Pong aa", "2 controls", "Closing by local (undefined, 1000 )"]
      assert.deepStrictEqual(show(receiveAll(state, [bytes])), expected)
      assert.deepStrictEqual(show(receiveAll(state, byteByByte(bytes))), expected)
      const bad = receiveAll(state, [from("server", { opcode: 1, payload: hex("ff") })])
      assert.strictEqual(Protocol.codeOf(Protocol.end(bad.state, cause).reason), 1007)
    }
  })

  it("a message that began before our Close and ends after it is not handed out", () => {
    const begun = receiveAll(open("client"), [from("client", { opcode: 1, fin: false, payload: utf8("a") })]).state
    const { state } = close(begun as Protocol.Open)
    const seen = receiveAll(state, [from("client", { opcode: 0, payload: utf8("b") })])
    assert.deepStrictEqual(show(seen), ["0 controls", "Closing by local (undefined, undefined)"])
  })
})

describe("how a connection ended (RFC 6455 §7.1.4 to §7.1.6)", () => {
  const theirs = from("client", { opcode: 8, payload: closePayload(4001, "theirs") })
  const bad = from("client", { opcode: 3 })
  const violation = new Frame.FrameError({ reason: "ReservedOpcode", detail: "opcode 3 is not assigned" })
  const ours = { code: 4000, reason: "ours" }
  const heard = (state: Protocol.Open | Protocol.Closing, ...chunks: ReadonlyArray<Uint8Array>) =>
    receiveAll(state, chunks).state

  const cases: ReadonlyArray<
    readonly [name: string, state: Protocol.State, expected: Protocol.CloseReason, code: number, clean: boolean]
  > = [
    ["no Close at all", open("client"), aborted, 1006, false],
    ["our Close is not answered", close(open("client"), ours).state, aborted, 1006, false],
    ["a drain is not answered", close(open("client"), { ...ours, cause: "Drain" }).state, aborted, 1006, false],
    [
      "the peer closed",
      heard(open("client"), theirs),
      { _tag: "Clean", code: 4001, reason: "theirs", initiator: "peer" },
      4001,
      true
    ],
    [
      "we closed, and the code is that of the peer (§7.1.5)",
      heard(close(open("client"), ours).state, theirs),
      { _tag: "Clean", code: 4001, reason: "theirs", initiator: "local" },
      4001,
      true
    ],
    [
      "we drained",
      heard(close(open("client"), { ...ours, cause: "Drain" }).state, theirs),
      { _tag: "Drained", code: 4001, reason: "theirs" },
      4001,
      true
    ],
    ["a violation", heard(open("client"), bad), { _tag: "Violation", error: violation }, 1002, false],
    [
      "a violation, and then a Close",
      heard(open("client"), bad, theirs),
      { _tag: "Violation", error: violation },
      1002,
      false
    ],
    [
      "a violation after our Close",
      heard(close(open("client"), ours).state, bad),
      { _tag: "Violation", error: violation },
      1002,
      false
    ],
    [
      "a violation while we drain",
      heard(close(open("client"), { ...ours, cause: "Drain" }).state, bad),
      { _tag: "Violation", error: violation },
      1002,
      false
    ],
    [
      "it has ended before",
      { _tag: "Closed", reason: { _tag: "HeartbeatLost", silence: 20_000 } },
      { _tag: "HeartbeatLost", silence: 20_000 },
      1006,
      false
    ]
  ]

  it.each(cases)("%s", (_, state, expected, code, clean) => {
    const closed = Protocol.end(state, cause)
    assert.strictEqual(closed._tag, "Closed")
    const { reason } = closed
    // An error has a stack of its own.
    const plain = (reason: Protocol.CloseReason) =>
      reason._tag === "Violation"
        ? { _tag: reason._tag, tag: reason.error._tag, message: reason.error.message }
        : { ...reason }
    assert.deepStrictEqual(plain(reason), plain(expected))
    assert.strictEqual(Protocol.codeOf(reason), code)
    assert.strictEqual(Protocol.isClean(reason), clean)
    assert.strictEqual(Protocol.end(closed, new TransportError({ ...cause, detail: "later" })), closed, "it ends once")
  })

  it.prop(
    "whatever the peer sends: it is clean exactly if a legal Close came, and 1006 is never clean (law 8)",
    [Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.stream(role))), FastCheck.boolean()],
    ([[role, bytes], closing]) => {
      const start = closing ? close(open(role)).state : open(role)
      const { replies, state } = receiveAll(start, [bytes])
      const { reason } = Protocol.end(state, cause)
      const failed = state._tag === "Closing" && state.cause !== undefined
      const received = state._tag === "Closing" && state.received !== undefined && !failed
      assert.strictEqual(Protocol.isClean(reason), received)
      assert.strictEqual(Protocol.codeOf(reason) === 1006, !received && !failed)
      // §5.5.1: one Close frame and no more, unless ours went before.
      const closes = replies.filter(({ opcode }) => opcode === Opcode.Close)
      assert.strictEqual(closes.length, !closing && (received || failed) ? 1 : 0)
      for (const { payload } of closes) {
        assert.isTrue(payload.length === 0 || CloseCode.isSendable((payload[0] << 8) | payload[1]))
        assert.isAtMost(payload.length, 125)
      }
    },
    { fastCheck: { numRuns: 400 } }
  )
})

/** What this machine cannot see by itself: its owner tells it with `fail`. */
const policies = [
  ["TooManyControlFrames", 1008],
  ["MessageTimeout", 1008],
  ["TooManyMessages", 1008],
  ["TooManyPinnedBytes", 1013],
  ["TooManyPendingBytes", 1013]
] as const

describe("each rule that a peer can break, and the code that it is told (RFC 6455 §7.1.7)", () => {
  interface Case {
    readonly role?: Protocol.Role
    readonly limits?: Limits.Options
    readonly frames: ReadonlyArray<Wire.Raw>
    /** Used as it is, in place of that which the role demands. */
    readonly key?: number | undefined
    readonly code: number
  }

  const start: Wire.Raw = { opcode: 2, fin: false, payload: pattern(6) }
  const table: { readonly [Reason in Exclude<keyof typeof CloseCode.forViolation, Elsewhere>]: Case } = {
    ReservedBit: { frames: [{ opcode: 1, rsv: 1 }], code: 1002 },
    ReservedOpcode: { frames: [{ opcode: 3 }], code: 1002 },
    NonMinimalLength: { frames: [{ opcode: 2, length: 5, form: 16 }], code: 1002 },
    LengthOverflow: { frames: [{ opcode: 2, length: 1n << 63n }], code: 1002 },
    UnmaskedFrame: { role: "server", frames: [{ opcode: 1 }], key: undefined, code: 1002 },
    MaskedFrame: { role: "client", frames: [{ opcode: 1 }], key: 1, code: 1002 },
    FragmentedControlFrame: { frames: [{ opcode: 9, fin: false }], code: 1002 },
    ControlFrameTooLong: { frames: [{ opcode: 9, payload: pattern(126) }], code: 1002 },
    FrameTooBig: { limits: { maxFramePayload: 10 }, frames: [{ opcode: 2, length: 11 }], code: 1009 },
    UnexpectedContinuation: { frames: [{ opcode: 0 }], code: 1002 },
    ExpectedContinuation: { frames: [start, { opcode: 2 }], code: 1002 },
    InvalidUtf8: { frames: [{ opcode: 1, payload: hex("ff") }], code: 1007 },
    MessageTooBig: { limits: { maxMessageSize: 10 }, frames: [start, { opcode: 0, length: 5 }], code: 1009 },
    TooManyFragments: { limits: { maxFragments: 1 }, frames: [start, { opcode: 0 }], code: 1008 },
    InvalidClosePayload: { frames: [{ opcode: 8, payload: hex("03") }], code: 1002 },
    InvalidCloseCode: { frames: [{ opcode: 8, payload: hex("03 ed") }], code: 1002 },
    InvalidCloseReason: { frames: [{ opcode: 8, payload: hex("03 e8 ff") }], code: 1007 }
  }

  /** `UnexpectedEnd` is for the streams of `Frame` and `Message`; here it is `Aborted`. */
  type Elsewhere = (typeof policies)[number][0] | "UnexpectedEnd"

  it("the tables are complete", () => {
    const tested = [...Object.keys(table), ...policies.map(([reason]) => reason), "UnexpectedEnd"].sort()
    assert.deepStrictEqual(tested, Object.keys(CloseCode.forViolation).sort())
  })

  it.each(Object.entries(table))("%s", (reason, { code, frames, ...row }) => {
    for (const role of row.role === undefined ? roles : [row.role]) {
      const key = "key" in row ? row.key : Wire.keyTo(role)
      const bytes = concat(frames.map((frame) => Wire.raw({ ...frame, key })))
      for (const state of [open(role, row.limits), Protocol.inPieces(open(role, row.limits))]) {
        for (const chunks of [[bytes], byteByByte(bytes)]) {
          const seen = receiveAll(state, chunks)
          assert.deepStrictEqual(seen.replies, [Frame.make(Opcode.Close, closePayload(code, reason))])
          assert.strictEqual(CloseCode.forViolation[reason as keyof typeof CloseCode.forViolation], code)
          assert.isTrue(Protocol.isComplete(seen.state))
          assert.isFalse(Protocol.isUnfinished(seen.state))
          assert.strictEqual(Protocol.pinned(seen.state), 0)
          const end = Protocol.end(seen.state, cause).reason
          assert.strictEqual<unknown>(end._tag === "Violation" && end.error.reason, reason)
          assert.strictEqual(Protocol.codeOf(end), code)
        }
        // Our Close went before: nothing more is sent, and the violation is the reason all the same.
        const late = receiveAll(close(state).state, [bytes])
        assert.deepStrictEqual(late.replies, [])
        assert.strictEqual(Protocol.codeOf(Protocol.end(late.state, cause).reason), code)
      }
    }
  })

  it.each(policies)("%s, which `fail` is told", (reason, code) => {
    const violation = new Protocol.ProtocolError({
      reason,
      detail: "2, the limit is 1"
    })
    const begun = receiveAll(open("server"), [from("server", start)]).state
    const failing = Protocol.fail(begun, violation)
    assert.deepStrictEqual(failing.frame, Frame.make(Opcode.Close, closePayload(code, reason)))
    assert.isTrue(Protocol.isComplete(failing.state))
    assert.isFalse(Protocol.isUnfinished(failing.state))
    assert.deepStrictEqual(Protocol.end(failing.state, cause).reason, { _tag: "Violation", error: violation })
    assert.strictEqual(violation.message, `${reason}: 2, the limit is 1 (close code ${code})`)
    const late = Protocol.fail(close(open("server")).state, violation)
    assert.isUndefined(late.frame)
    assert.deepStrictEqual(Protocol.end(late.state, cause).reason, { _tag: "Violation", error: violation })
  })

  it("UnexpectedEnd: 1002 in Frame and Message", () => {
    const frame = new Frame.FrameError({ reason: "UnexpectedEnd", detail: "" })
    const message = new Message.MessageError({ reason: "UnexpectedEnd", detail: "" })
    assert.deepStrictEqual([frame.closeCode, message.closeCode], [1002, 1002])
  })

  it("`fail` keeps who began the closing handshake", () => {
    const violation = new Protocol.ProtocolError({ reason: "MessageTimeout", detail: "" })
    const peer = receiveAll(open("server"), [from("server", { opcode: 8 })]).state
    assert.strictEqual(Protocol.fail(peer, violation).state.initiator, "peer")
    assert.deepStrictEqual(Protocol.fail(peer, violation).state.received, { code: 1005, reason: "" })
    assert.isUndefined(Protocol.fail(peer, violation).frame)
    assert.strictEqual(Protocol.fail(open("server"), violation).state.initiator, "local")
  })
})

describe("limits", () => {
  it("a message is refused at the header that announces too much, with no payload byte of it", () => {
    const limits = { maxMessageSize: 100, maxFramePayload: 80 }
    for (const role of roles) {
      for (const state of [open(role, limits), Protocol.inPieces(open(role, limits))]) {
        const first = from(role, { opcode: 2, fin: false, payload: pattern(60) })
        const begun = receiveAll(state, [first]).state
        assert.strictEqual(showState(receiveAll(begun, [from(role, { opcode: 0, length: 40 })]).state), "Open...")
        const { messages, state: failed } = receiveAll(begun, [from(role, { opcode: 0, length: 41 })])
        assert.deepStrictEqual(messages, [])
        assert.include(showState(failed), "MessageTooBig: a message of at least 101 bytes, the limit is 100")
        const { state: big } = receiveAll(begun, [from(role, { opcode: 0, length: 81 })])
        assert.include(showState(big), "FrameTooBig: a payload of 81 bytes, the limit is 80")
      }
    }
  })

  it("100,000 empty continuations in one chunk stop at the limit, by default 1,024 fragments", () => {
    const empty = from("client", { opcode: 0, fin: false })
    const flood = concat([from("client", { opcode: 1, fin: false }), ...new Array<Uint8Array>(100_000).fill(empty)])
    for (const state of [open("client"), Protocol.inPieces(open("client"))]) {
      const seen = receiveAll(state, [flood])
      assert.include(showState(seen.state), "TooManyFragments: a message of at least 1025 fragments, the limit is 1024")
      assert.deepStrictEqual(seen.replies.map(showReply), ["Close 1008 TooManyFragments"])
      const within = receiveAll(state, [flood.subarray(0, 2 * 1024)])
      assert.strictEqual(showState(within.state), "Open...")
    }
  })

  it("fragments of one byte, one chunk each, pin at most 4 times the payload, and are copied into few buffers", () => {
    let state: Protocol.Open | Protocol.Closing = open("server", { maxFragments: "unbounded" })
    const buffers = new Set<unknown>()
    for (let i = 1; i <= 20_000; i++) {
      state = Protocol.receive(state, from("server", { opcode: i === 1 ? 1 : 0, fin: false, payload: utf8("a") })).state
      const pinned = Protocol.pinned(state)
      if (pinned > Math.max(64, 4 * i) || pinned < i) assert.fail(`${pinned} bytes for ${i}`)
      buffers.add(state.unfinished?.kept.buffer)
    }
    assert.isAtMost(buffers.size, 20)
    const { messages, state: after } = Protocol.receive(state, from("server", { opcode: 0, payload: utf8("b") }))
    assert.deepStrictEqual(messages, [Message.text(`${"a".repeat(20_000)}b`)])
    assert.strictEqual(Protocol.pinned(after), 0)
  })

  it("a frame of 1 MiB that comes in chunks of 1 KiB pins at most 4 times what has come, 16 from 32 KiB on, and never more than itself", () => {
    const size = 1024 * 1024
    let state: Protocol.Open | Protocol.Closing = open("server")
    let come = 0
    for (const chunk of cut(
      from("server", { opcode: 2, payload: pattern(size) }),
      Array.from({ length: 1024 }, (_, i) => 14 + 1024 * i)
    )) {
      const step = Protocol.receive(state, chunk)
      state = step.state
      come += chunk.length
      const most = come * (come < 32 * 1024 ? 4 : 16)
      assert.isAtMost(Protocol.pinned(state), Math.min(size, Math.max(64, most)))
      for (const message of step.messages) {
        assert.strictEqual(message._tag, "Binary")
        if (message._tag === "Binary") assertBytes(message.bytes, pattern(size))
      }
    }
    assert.strictEqual(showState(state), "Open")
    assert.strictEqual(Protocol.pinned(state), 0)
  })

  it("a message of any size takes next to no memory in pieces, also where characters are cut", () => {
    const limits = { maxFramePayload: "unbounded", maxMessageSize: "unbounded" } as const
    const start = Protocol.inPieces(open("client", limits))
    let { state } = Protocol.receive(start, from("client", { opcode: 1, length: Number.MAX_SAFE_INTEGER }))
    const text = utf8("é€😀".repeat(1000))
    let handedOut = 0
    // 1000 is not a multiple of the 9 bytes of the three characters.
    const chunks = Array.from({ length: 500 }, (_, i) => text.slice((1000 * i) % 9, 1000 + ((1000 * i) % 9)))
    for (const [i, chunk] of chunks.entries()) {
      const step = Protocol.receive(state, chunk)
      state = step.state
      for (const piece of step.messages) {
        if (piece._tag !== "Piece") continue
        strictly.decode(piece.bytes)
        handedOut += piece.bytes.length
      }
      assert.strictEqual(showState(state), "Open...")
      assert.isAtMost(1000 * (i + 1) - handedOut, 3, "all but a part of a character is handed out")
      assert.isAtMost(Protocol.pinned(state), 64)
    }
  })
})

describe("UTF-8, as the bytes come (RFC 6455 §8.1)", () => {
  const modes = (role: Protocol.Role) => [open(role), Protocol.inPieces(open(role))]

  it.each(Utf8Cases.invalid)(
    "%s (%s) fails the connection at its byte %i, long before the frame ends",
    (_, bytes, bad) => {
      const before = utf8("é€😀")
      const payload = concat([before, hex(bytes)])
      for (const role of roles) {
        for (const start of modes(role)) {
          const frame = Wire.raw({ opcode: 1, fin: false, length: 1000, payload, key: Wire.keyTo(role) })
          const header = frame.length - payload.length
          let state: Protocol.Open | Protocol.Closing = start
          for (const [i, byte] of frame.subarray(0, header + before.length + bad).entries()) {
            state = Protocol.receive(state, Uint8Array.of(byte)).state
            assert.strictEqual(state._tag, "Open", `byte ${i}`)
          }
          const step = Protocol.receive(
            state,
            frame.slice(header + before.length + bad, header + before.length + bad + 1)
          )
          assert.deepStrictEqual(step.replies, [Frame.make(Opcode.Close, closePayload(1007, "InvalidUtf8"))])
          assert.deepStrictEqual(step.messages, [])
        }
      }
    }
  )

  it.each(Utf8Cases.invalid)("%s (%s) in two frames, and in chunks that are cut anywhere", (_, bytes) => {
    const payload = concat([utf8("a"), hex(bytes), utf8("z")])
    for (let at = 0; at <= payload.length; at++) {
      const frames = concat([
        from("server", { opcode: 1, fin: false, payload: payload.slice(0, at) }),
        from("server", { opcode: 0, payload: payload.slice(at) })
      ])
      for (const start of modes("server")) {
        const whole = receiveAll(start, [frames])
        assert.deepStrictEqual(whole.replies.map(showReply), ["Close 1007 InvalidUtf8"])
        for (let index = 0; index <= frames.length; index++) {
          assert.deepStrictEqual(show(receiveAll(start, cut(frames, [index]))), show(whole))
        }
      }
    }
  })

  it.each(Utf8Cases.incomplete)("a message that ends with %s: 1007, but only at its end", (bytes) => {
    const payload = hex(bytes)
    for (const start of modes("client")) {
      const open = receiveAll(start, [from("client", { opcode: 1, fin: false, payload })])
      assert.strictEqual(showState(open.state), "Open...")
      const ended = receiveAll(open.state, [from("client", { opcode: 0 })])
      assert.deepStrictEqual(ended.replies.map(showReply), ["Close 1007 InvalidUtf8"])
      assert.include(showState(ended.state), "a text ends inside a character")
      const atOnce = receiveAll(start, [from("client", { opcode: 1, payload })])
      assert.deepStrictEqual(show(atOnce), show(ended))
    }
  })

  it("a byte order mark is a character of the text, also cut", () => {
    const bytes = from("client", { opcode: 1, payload: utf8("\ufeffa") })
    for (const start of modes("client")) {
      assert.deepStrictEqual(joinPieces(receiveAll(start, [bytes]).messages), [showMessage("Text", "\ufeffa")])
      assert.deepStrictEqual(joinPieces(receiveAll(start, byteByByte(bytes)).messages), [
        showMessage("Text", "\ufeffa")
      ])
    }
  })

  it("a whole message that is not UTF-8 is not handed out, nor the piece with the fault", () => {
    const bytes = from("client", { opcode: 1, payload: concat([utf8("fine"), hex("ff")]) })
    for (const start of modes("client")) assert.deepStrictEqual(receiveAll(start, [bytes]).messages, [])
  })
})

describe("chunk invariance (law 1)", () => {
  const limits = { maxFramePayload: 200, maxMessageSize: 150, maxFragments: 4 }
  const start = (role: Protocol.Role, pieces: boolean, closing: boolean) => {
    const state = pieces ? Protocol.inPieces(open(role, limits)) : open(role, limits)
    return closing ? close(state).state : state
  }
  const traffic = Wire.role.chain((role) =>
    FastCheck.tuple(FastCheck.constant(role), Wire.stream(role), Wire.stream(role))
  )
  const max = FastCheck.array(FastCheck.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  const rarely = FastCheck.nat({ max: 5 }).map((n) => n === 0)

  it("the random traffic below reaches every violation, a clean close, and no violation at all", () => {
    const seen = new Set<string>()
    for (const [role, bytes] of FastCheck.sample(traffic, { numRuns: 1000, seed: 6455 })) {
      const { state } = receiveAll(start(role, false, false), [bytes])
      const { reason } = Protocol.end(state, cause)
      seen.add(reason._tag === "Violation" ? reason.error.reason : reason._tag)
    }
    const owner: ReadonlyArray<string> = ["UnexpectedEnd", ...policies.map(([reason]) => reason)]
    const expected = [...Object.keys(CloseCode.forViolation).filter((key) => !owner.includes(key)), "Aborted", "Clean"]
    assert.deepStrictEqual([...seen].sort(), expected.sort())
  })

  it.prop(
    "whole, byte by byte, cut at random, and stopped at random: the same messages, replies, Pongs and end, in both modes",
    [traffic, cuts, max, rarely],
    ([[role, bytes], at, max, closing]) => {
      const expected = show(receiveAll(start(role, false, closing), [bytes]))
      for (const pieces of [false, true]) {
        const state = start(role, pieces, closing)
        assert.deepStrictEqual(show(receiveAll(state, [bytes])), expected, "whole")
        assert.deepStrictEqual(show(receiveAll(state, byteByByte(bytes))), expected, "byte by byte")
        assert.deepStrictEqual(show(receiveAll(state, cut(bytes, at))), expected, "cut")
        assert.deepStrictEqual(show(receiveAll(state, [bytes], max)), expected, "stopped")
        assert.deepStrictEqual(show(receiveAll(state, cut(bytes, at), max)), expected, "cut and stopped")
      }
    },
    { fastCheck: { numRuns: 200 } }
  )

  it.prop(
    "bytes of a next frame behind change nothing before them",
    [traffic],
    ([[role, bytes, trailing]]) => {
      for (const pieces of [false, true]) {
        const alone = receiveAll(start(role, pieces, false), [bytes])
        const longer = receiveAll(start(role, pieces, false), [concat([bytes, trailing])])
        if (Protocol.isComplete(alone.state)) assert.deepStrictEqual(show(longer), show(alone))
        const messages = joinPieces(alone.messages)
        assert.deepStrictEqual(joinPieces(longer.messages).slice(0, messages.length), messages)
        const replies = alone.replies.map(showReply)
        assert.deepStrictEqual(longer.replies.map(showReply).slice(0, replies.length), replies)
      }
    },
    { fastCheck: { numRuns: 150 } }
  )

  it.prop(
    "bytes that come while there is more are read after it",
    [traffic, cuts, max],
    ([[role, bytes], at, max]) => {
      const expected = show(receiveAll(start(role, false, false), [bytes]))
      const seen: Array<Seen> = []
      let state: Protocol.Open | Protocol.Closing = start(role, false, false)
      for (const [i, chunk] of cut(bytes, at).entries()) {
        const step = Protocol.receive(state, chunk, max[i % max.length])
        seen.push(step)
        state = step.state
      }
      const last = receiveAll(state, [none])
      const all = together([...seen, last], last.state)
      assert.deepStrictEqual(show(all), expected)
    },
    { fastCheck: { numRuns: 150 } }
  )

  it.prop(
    "a state is a value: continued twice with different bytes, neither sees the other",
    [traffic, FastCheck.nat(), FastCheck.boolean()],
    ([[role, bytes, other], index, pieces]) => {
      const at = index % (bytes.length + 1)
      const begun = receiveAll(start(role, pieces, false), [bytes.subarray(0, at)])
      const resume = (rest: Uint8Array) => {
        const resumed = receiveAll(begun.state, byteByByte(rest))
        return show(together([begun, resumed], resumed.state))
      }
      const rest = bytes.subarray(at)
      const results = [resume(rest), resume(other), resume(rest)]
      const alone = [rest, other].map((rest) =>
        show(receiveAll(start(role, pieces, false), [concat([bytes.subarray(0, at), rest])]))
      )
      assert.deepStrictEqual(results, [alone[0], alone[1], alone[0]])
    },
    { fastCheck: { numRuns: 150 } }
  )

  it.prop(
    "legal traffic gives the messages and control frames that Frame and Message give (law 2)",
    [Wire.role.chain((role) => FastCheck.tuple(FastCheck.constant(role), Wire.legal(role))), cuts],
    ([[role, bytes], at]) => {
      const { error, frames } = Frame.decodeChunk(Frame.decoder({ role }), bytes)
      assert.isUndefined(error)
      const assembled = Message.assembleFrames(Message.assembler(), frames)
      assert.isUndefined(assembled.error)
      const isFrame = (message: Message.Message | Frame.Frame): message is Frame.Frame => message._tag === "Frame"
      const controls = assembled.messages.filter(isFrame)
      const seen = receiveAll(open(role), cut(bytes, at))
      assert.deepStrictEqual(
        joinPieces(seen.messages),
        joinPieces(assembled.messages.filter((message) => message._tag !== "Frame"))
      )
      const payloads = (opcode: number) =>
        controls.filter((frame) => frame.opcode === opcode).map(({ payload }) => payload)
      assert.deepStrictEqual(
        seen.replies.map(({ payload }) => toHex(payload)),
        payloads(Opcode.Ping).map(toHex)
      )
      assert.deepStrictEqual(seen.pongs.map(toHex), payloads(Opcode.Pong).map(toHex))
      assert.strictEqual(seen.controls, controls.length)
      assert.strictEqual(showState(seen.state), "Open")
    },
    { fastCheck: { numRuns: 200 } }
  )
})

describe("receive", () => {
  it("reads no more than `max` parts, says that there is more, and does not copy the rest for each step", () => {
    const bytes = concat(Array.from({ length: 10 }, (_, i) => from("server", { opcode: 2, payload: Uint8Array.of(i) })))
    let step = Protocol.receive(open("server"), bytes, 3)
    const counts = [step.messages.length]
    while (step.more) {
      if (step.state.input.at < step.state.input.bytes.length) {
        assert.strictEqual(step.state.input.bytes.buffer, bytes.buffer)
      }
      step = Protocol.receive(step.state, none, 3)
      counts.push(step.messages.length)
    }
    assert.deepStrictEqual(counts, [3, 3, 3, 1])
  })

  it("a part of a frame counts, too", () => {
    const bytes = concat([
      from("client", { opcode: 1 }),
      from("client", { opcode: 2, length: 10, payload: pattern(4) })
    ])
    assert.deepStrictEqual(
      [1, 2, 3].map((max) => Protocol.receive(open("client"), bytes.slice(), max).more),
      [true, true, false]
    )
  })

  it("an error behind `max` parts is found by the next step", () => {
    const bytes = concat([from("client", { opcode: 1 }), from("client", { opcode: 3 })])
    const step = Protocol.receive(open("client"), bytes, 1)
    assert.strictEqual(step.state._tag, "Open")
    assert.deepStrictEqual(Protocol.receive(step.state, none, 1).replies.map(showReply), ["Close 1002 ReservedOpcode"])
  })

  it("no bytes give nothing", () => {
    for (const state of [open("client"), close(open("client")).state]) {
      const seen = receiveAll(state, [none])
      assert.deepStrictEqual(show(seen), ["0 controls", showState(state)])
    }
  })

  it("the chunk belongs to the machine: a message within it is a view, unmasked in place", () => {
    const chunk = from("server", { opcode: 2, payload: pattern(100) })
    const [message] = Protocol.receive(open("server"), chunk).messages
    if (message._tag !== "Binary") return assert.fail(message._tag)
    assertBytes(message.bytes, pattern(100))
    assert.strictEqual(message.bytes.buffer, chunk.buffer)
  })

  it("a message of several parts is not overwritten by what comes later", () => {
    const frames = [1, 2, 3].map((i) => from("server", { opcode: 2, payload: new Uint8Array(50).fill(i) }))
    const { messages } = receiveAll(open("server"), byteByByte(concat(frames)))
    assert.deepStrictEqual(
      messages,
      [1, 2, 3].map((i) => Message.binary(new Uint8Array(50).fill(i)))
    )
  })
})

describe("inPieces", () => {
  it("a message whole in one chunk is one piece, first and last", () => {
    const seen = receiveAll(Protocol.inPieces(open("client")), [from("client", { opcode: 2, payload: pattern(5) })])
    assert.deepStrictEqual(seen.messages, [
      { _tag: "Piece", type: "Binary", first: true, last: true, bytes: pattern(5) }
    ])
  })

  it("pieces follow the bytes, not the fragments; a character that is cut waits for its end", () => {
    const bytes = concat([
      from("client", { opcode: 1, fin: false, payload: hex("61 c3") }),
      from("client", { opcode: 0, payload: hex("a9 62 63") })
    ])
    const { messages } = receiveAll(Protocol.inPieces(open("client")), cut(bytes, [bytes.length - 1]))
    assert.deepStrictEqual(messages, [
      { _tag: "Piece", type: "Text", first: true, last: false, bytes: utf8("a") },
      { _tag: "Piece", type: "Text", first: false, last: false, bytes: utf8("éb") },
      { _tag: "Piece", type: "Text", first: false, last: true, bytes: utf8("c") }
    ])
  })

  it.prop(
    "may be asked for inside a message: what was kept until then is in the first piece",
    [Wire.legal("server"), FastCheck.nat(), cuts],
    ([bytes, index, at]) => {
      const expected = joinPieces(receiveAll(open("server"), [bytes]).messages)
      const end = index % (bytes.length + 1)
      const before = receiveAll(open("server"), cut(bytes.subarray(0, end), at))
      const after = receiveAll(Protocol.inPieces(before.state), cut(bytes.subarray(end), at))
      assert.deepStrictEqual([...joinPieces(before.messages), ...joinPieces(after.messages)], expected)
      assert.isTrue(after.messages.every(({ _tag }) => _tag === "Piece"))
    },
    { fastCheck: { numRuns: 200 } }
  )

  it("keeps the state as it is", () => {
    const closing = close(open("client")).state
    assert.deepStrictEqual(Protocol.inPieces(closing), { ...closing, pieces: true })
  })
})
