import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck } from "effect"
import type * as Network from "../src/Network.js"
import * as ProxyProtocol from "../src/ProxyProtocol.js"
import { byteByByte, concat, cut, cuts, hex, pattern, toHex, utf8 } from "./support/bytes.js"
import { latin1 } from "./support/http.js"

type Result = Either.Either<ProxyProtocol.Received | "More", ProxyProtocol.ProxyHeaderError>

const receiveAll = (
  chunks: Iterable<Uint8Array>,
  options?: Parameters<typeof ProxyProtocol.awaitingHeader>[0]
): Result => {
  let state = ProxyProtocol.awaitingHeader(options)
  const behind: Array<Uint8Array> = []
  let received: ProxyProtocol.Received | undefined
  for (const chunk of chunks) {
    if (received !== undefined) behind.push(chunk)
    else {
      const next = ProxyProtocol.receive(state, chunk)
      if (Either.isLeft(next)) return Either.left(next.left)
      if (next.right._tag === "Received") received = next.right
      else state = next.right
    }
  }
  return Either.right(received === undefined ? "More" : { ...received, rest: concat([received.rest, ...behind]) })
}

const receive = (bytes: Uint8Array, options?: Parameters<typeof ProxyProtocol.awaitingHeader>[0]): Result =>
  receiveAll([bytes], options)

const signature = "0d0a0d0a000d0a515549540a"
const endpoint = (host: string, port: number): Network.Address => ({ host, port })
const unix = (path: string): Network.Address => ({ host: "", port: 0, path })
const v1 = { version: 1 } as const
const path = (text: string) => toHex(utf8(text)).padEnd(216, "0")
const inet = "c0a80001 c0a8000b dc04 01bb"
const ends = [endpoint("192.168.0.1", 56324), endpoint("192.168.0.11", 443)] as const

/** Everything that is a header, and what it says. */
const headers: ReadonlyArray<readonly [what: string, bytes: Uint8Array, header: ProxyProtocol.Header]> = [
  ["that of §2.1", latin1("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), ProxyProtocol.proxied(...ends, v1)],
  [
    "the longest of TCP4",
    latin1("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    ProxyProtocol.proxied(endpoint("255.255.255.255", 65535), endpoint("255.255.255.255", 65535), v1)
  ],
  [
    "TCP6, in one spelling",
    latin1("PROXY TCP6 2001:DB8:0:0::1 ::ffff:1.2.3.4 0 1\r\n"),
    ProxyProtocol.proxied(endpoint("2001:db8::1", 0), endpoint("::ffff:1.2.3.4", 1), v1)
  ],
  [
    "the longest of TCP6",
    latin1(`PROXY TCP6 ${Array(8).fill("ffff").join(":")} ${Array(8).fill("ffff").join(":")} 65535 65535\r\n`),
    ProxyProtocol.proxied(
      endpoint(Array(8).fill("ffff").join(":"), 65535),
      endpoint(Array(8).fill("ffff").join(":"), 65535),
      v1
    )
  ],
  ["UNKNOWN", latin1("PROXY UNKNOWN\r\n"), { _tag: "Unknown", version: 1 }],
  ["UNKNOWN with more", latin1("PROXY UNKNOWN x \0\x80  y\r\n"), { _tag: "Unknown", version: 1 }],
  ["107 bytes", latin1(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`), { _tag: "Unknown", version: 1 }],
  ["TCP over IPv4", hex(`${signature} 21 11 000c ${inet}`), ProxyProtocol.proxied(...ends)],
  [
    "TCP over IPv6",
    hex(`${signature} 21 21 0024 20010db8000000000000000000000001 ${"00".repeat(15)}01 0001 ffff`),
    ProxyProtocol.proxied(endpoint("2001:db8::1", 1), endpoint("::1", 65535))
  ],
  [
    "a unix socket",
    hex(`${signature} 21 31 00d8 ${path("/run/a.sock")} ${path("")}`),
    ProxyProtocol.proxied(unix("/run/a.sock"), unix(""))
  ],
  [
    "paths to the last byte, and an abstract one",
    hex(`${signature} 21 31 00d8 ${path("x".repeat(108))} ${path("\0abstract")}`),
    ProxyProtocol.proxied(unix("x".repeat(108)), unix("\0abstract"))
  ],
  [
    "what is behind the NUL of a path",
    hex(`${signature} 21 31 00d8 ${path("/a\0b")} ${path("/c")}`),
    ProxyProtocol.proxied(unix("/a"), unix("/c"))
  ],
  [
    "TLVs, without that which is to be ignored",
    hex(`${signature} 21 11 001a ${inet} 02 0003 612e62 04 0001 00 ea 0001 01`),
    ProxyProtocol.proxied(...ends, {
      tlvs: [
        { type: ProxyProtocol.TlvType.Authority, value: utf8("a.b") },
        { type: 0xea, value: Uint8Array.of(1) }
      ]
    })
  ],
  ["LOCAL", hex(`${signature} 20 00 0000`), ProxyProtocol.local],
  [
    "LOCAL with what is ignored: a family that is none, and bytes",
    hex(`${signature} 20 f7 0003 ffffff`),
    ProxyProtocol.local
  ],
  ["UNSPEC", hex(`${signature} 21 00 0000`), { _tag: "Unknown", version: 2 }],
  ["UNSPEC with bytes", hex(`${signature} 21 00 0002 ffff`), { _tag: "Unknown", version: 2 }],
  ["a family without a transport", hex(`${signature} 21 10 0000`), { _tag: "Unknown", version: 2 }],
  ["datagrams", hex(`${signature} 21 12 000c ${inet}`), { _tag: "Unknown", version: 2 }],
  ["datagrams of a unix socket", hex(`${signature} 21 32 0000`), { _tag: "Unknown", version: 2 }]
]

describe("ProxyProtocol.receive", () => {
  const rest = utf8("GET / HTTP/1.1\r\n\r\n")

  for (const [what, bytes, header] of headers) {
    const expected = Either.right({ _tag: "Received" as const, header, rest })

    it(`reads ${what}`, () => {
      assert.deepStrictEqual(receive(concat([bytes, rest])), expected)
    })

    it(`reads ${what}, cut anywhere`, () => {
      const all = concat([bytes, rest])
      assert.deepStrictEqual(receiveAll(byteByByte(all)), expected)
      for (let at = 0; at <= all.length; at++) assert.deepStrictEqual(receiveAll(cut(all, [at])), expected, `at ${at}`)
    })

    it(`waits for all of ${what}`, () => {
      for (let length = 0; length < bytes.length; length++) {
        assert.deepStrictEqual(receive(bytes.subarray(0, length)), Either.right("More"), `${length} bytes`)
      }
    })
  }

  type Reason = ProxyProtocol.ProxyHeaderError["reason"]
  const line = (text: string) => latin1(`PROXY ${text}\r\n`)
  const crc = `${signature} 21 11 0013 ${inet} 03 0004`
  const refusals: ReadonlyArray<readonly [what: string, bytes: Uint8Array, reason: Reason, offset: number]> = [
    ["a request", latin1("GET / HTTP/1.1\r\n"), "Signature", 0],
    ["another case", latin1("proxy TCP4"), "Signature", 0],
    ["a tab", latin1("PROXY\tTCP4"), "Signature", 5],
    ["a signature that goes on in another way", hex("0d0a0d0a000d0a515549540b"), "Signature", 11],
    ["an empty line before a request", latin1("\r\nGET / HTTP/1.1"), "Signature", 2],
    ["no family", line(""), "Family", 6],
    ["a family in lowercase", line("tcp4 1.2.3.4 1.2.3.4 1 1"), "Family", 6],
    ["a family that is only begun with", line("UNKNOWNS"), "Family", 6],
    ["UDP4", line("UDP4 1.2.3.4 1.2.3.4 1 1"), "Family", 6],
    ["two spaces", line(" TCP4 1.2.3.4 1.2.3.4 1 1"), "Family", 6],
    ["two spaces before an address", line("TCP4  1.2.3.4 1.2.3.4 1 1"), "Address", 11],
    ["an address of the other family", line("TCP4 ::1 ::1 1 1"), "Address", 11],
    ["an address of the other family for TCP6", line("TCP6 ::1 1.2.3.4 1 1"), "Address", 15],
    ["heading zeros in an address", line("TCP4 1.2.3.4 01.2.3.4 1 1"), "Address", 19],
    ["a number of an address above 255", line("TCP4 1.2.3.256 1.2.3.4 1 1"), "Address", 11],
    ["a name", line("TCP4 localhost 1.2.3.4 1 1"), "Address", 11],
    ["a tab between", line("TCP4 1.2.3.4\t1.2.3.4 1 1"), "Address", 11],
    ["a port above 65535", line("TCP4 1.2.3.4 1.2.3.4 65536 1"), "Port", 27],
    ["heading zeros in a port", line("TCP4 1.2.3.4 1.2.3.4 1 01"), "Port", 29],
    ["a sign", line("TCP4 1.2.3.4 1.2.3.4 +1 1"), "Port", 27],
    ["no destination port", line("TCP4 1.2.3.4 1.2.3.4 1"), "Line", 28],
    ["no addresses", line("TCP4"), "Line", 10],
    ["a space at the end", line("TCP4 1.2.3.4 1.2.3.4 1 1 "), "Line", 30],
    ["a word more", line("TCP4 1.2.3.4 1.2.3.4 1 1 x"), "Line", 30],
    ["an LF alone", latin1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n"), "Line", 30],
    ["a CR alone", latin1("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rG"), "Line", 31],
    ["an LF alone behind UNKNOWN", latin1("PROXY UNKNOWN\nGET / HTTP/1.1\r\n"), "Line", 13],
    ["two CRs", latin1("PROXY UNKNOWN\r\r\n"), "Line", 14],
    ["108 bytes", latin1(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`), "TooLong", 106],
    ["version 1 of the binary header", hex(`${signature} 11`), "Version", 12],
    ["version 3", hex(`${signature} 31`), "Version", 12],
    ["command 2", hex(`${signature} 22`), "Command", 12],
    ["family 4", hex(`${signature} 21 41`), "Family", 13],
    ["transport 3", hex(`${signature} 21 13`), "Family", 13],
    ["no room for the addresses", hex(`${signature} 21 11 000b`), "TooShort", 14],
    ["no room for those of IPv6", hex(`${signature} 21 21 0023`), "TooShort", 14],
    ["no room for those of a unix socket", hex(`${signature} 21 31 00d7`), "TooShort", 14],
    ["more than the limit", hex(`${signature} 21 00 0ff1`), "TooLong", 14],
    ["two bytes that are no TLV", hex(`${signature} 21 11 000e ${inet} 0100`), "Tlv", 28],
    ["a TLV that goes beyond the header", hex(`${signature} 21 11 0010 ${inet} 01 0002 00`), "Tlv", 29],
    ["a checksum of three bytes", hex(`${signature} 21 11 0012 ${inet} 03 0003 000000`), "Tlv", 29],
    ["another checksum", hex(`${crc} 00000000`), "Checksum", 31],
    ["two checksums", hex(`${signature} 21 11 001a ${inet} 03 0004 00000000 03 0004 00000000`), "Checksum", 35]
  ]

  for (const [what, bytes, reason, offset] of refusals) {
    it(`refuses ${what}, however it is cut`, () => {
      for (const chunks of [[bytes], byteByByte(bytes), cut(bytes, [bytes.length / 2]), [concat([bytes, rest])]]) {
        const error = Effect.runSync(Effect.flip(receiveAll(chunks)))
        assert.deepStrictEqual([error.reason, error.offset], [reason, offset])
      }
    })
  }

  it.prop(
    "any cutting of any bytes gives the same",
    [FastCheck.constantFrom(...headers), FastCheck.nat(), FastCheck.nat(), cuts],
    ([[, bytes], at, byte, cuts]) => {
      const broken = concat([bytes, rest])
      broken[at % broken.length] = byte
      const show = (result: Result) => Either.mapLeft(result, (error) => ({ ...error }))
      assert.deepStrictEqual(show(receiveAll(cut(broken, cuts))), show(receive(broken)))
    }
  )

  it("a header as long as the limit is taken, one byte more is refused with both numbers", () => {
    const bytes = hex(`${signature} 21 00 0004 00000000`)
    assert.isTrue(Either.isRight(receive(bytes, { maxHeaderSize: 20 })))
    const error = Effect.runSync(Effect.flip(receive(bytes, { maxHeaderSize: 19 })))
    assert.deepStrictEqual([error.reason, error.limit, error.seen], ["TooLong", 19, 20])
    const longest = concat([hex(`${signature} 20 00 ffff`), new Uint8Array(0xffff)])
    assert.isTrue(Either.isLeft(receive(longest)))
    assert.deepStrictEqual(
      receive(longest, { maxHeaderSize: "unbounded" }),
      Either.right({ _tag: "Received" as const, header: ProxyProtocol.local, rest: new Uint8Array(0) })
    )
  })

  it("the limit is that of version 2 only", () => {
    assert.isTrue(Either.isRight(receive(headers[0]![1], { maxHeaderSize: 16 })))
  })

  it("a state may be continued twice, and its chunks changed", () => {
    const [first, second] = [hex(`${signature} 21 11 000c c0a80001`), hex("c0a8000b dc04 01bb")]
    const state = ProxyProtocol.receive(ProxyProtocol.awaitingHeader(), first)
    first.fill(0xff)
    const other = hex("0a000001 0001 0002")
    for (const [bytes, destination] of [
      [second, "192.168.0.11"],
      [other, "10.0.0.1"]
    ] as const) {
      const received = Either.flatMap(state, (state) =>
        state._tag === "AwaitingHeader" ? ProxyProtocol.receive(state, bytes) : Either.right(state)
      )
      const header = Either.getOrThrow(received)
      assert.isTrue(header._tag === "Received" && header.header._tag === "Proxied")
      if (header._tag === "Received" && header.header._tag === "Proxied") {
        assert.deepStrictEqual(header.header.source.host, "192.168.0.1")
        assert.deepStrictEqual(header.header.destination.host, destination)
      }
    }
  })

  it("an error says what and where", () => {
    const error = Effect.runSync(Effect.flip(receive(line("TCP4 1.2.3.4 1.2.3.4 1 \x1b[31m"))))
    assert.strictEqual(
      error.message,
      'the destination port "\\x1b[31m" is no number from 0 to 65535 without heading zeros (byte 29 of the PROXY header)'
    )
  })
})

describe("ProxyProtocol.encode", () => {
  const port = FastCheck.integer({ min: 0, max: 65535 })
  const pathText = FastCheck.string({ unit: "grapheme", maxLength: 27 }).filter(
    (text) => !text.includes("\0") && utf8(text).length <= 107 && new TextDecoder().decode(utf8(text)) === text
  )
  const tlvs = FastCheck.array(
    FastCheck.record({
      type: FastCheck.integer({ min: 0, max: 255 }).filter((type) => type !== 3 && type !== 4),
      value: FastCheck.uint8Array({ maxLength: 40 })
    }),
    { maxLength: 5 }
  )
  const canonical = (family: "v4" | "v6") =>
    FastCheck.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
      const text =
        family === "v4"
          ? bytes.subarray(0, 4).join(".")
          : Array.from({ length: 8 }, (_, at) => (256 * bytes[2 * at]! + bytes[2 * at + 1]!).toString(16)).join(":")
      return text
    })
  const inetEnds = FastCheck.constantFrom("v4" as const, "v6" as const).chain((family) =>
    FastCheck.tuple(
      FastCheck.record({ host: canonical(family), port }),
      FastCheck.record({ host: canonical(family), port })
    )
  )
  const unixEnds = FastCheck.tuple(
    pathText.map(unix),
    FastCheck.oneof(
      pathText,
      pathText.filter((text) => text !== "").map((text) => `\0${text}`)
    ).map(unix)
  )
  const header: FastCheck.Arbitrary<ProxyProtocol.Header> = FastCheck.oneof(
    FastCheck.constantFrom<ProxyProtocol.Header>(
      ProxyProtocol.local,
      { _tag: "Unknown", version: 1 },
      { _tag: "Unknown", version: 2 }
    ),
    inetEnds.map((ends) => ProxyProtocol.proxied(...ends, v1)),
    FastCheck.tuple(FastCheck.oneof(inetEnds, unixEnds), tlvs).map(([ends, tlvs]) =>
      ProxyProtocol.proxied(ends[0], ends[1], { tlvs })
    )
  )

  /** Hosts as numbers, since an address has many spellings. */
  const numbers = (header: ProxyProtocol.Header): unknown => {
    if (header._tag !== "Proxied") return header
    const ofEnd = ({ host, port, path }: Network.Address) => ({
      address: host === "" ? path : new URL(`http://${host.includes(":") ? `[${host}]` : host}/`).hostname,
      port
    })
    return { ...header, source: ofEnd(header.source), destination: ofEnd(header.destination) }
  }

  it.prop(
    "is read as what was written",
    [header, FastCheck.boolean(), FastCheck.uint8Array()],
    ([header, checksum, rest]) => {
      const bytes = Either.getOrThrow(ProxyProtocol.encode(header, { checksum: checksum && header.version === 2 }))
      const received = Either.getOrThrow(receive(concat([bytes, rest])))
      assert.isTrue(received !== "More")
      if (received === "More") return
      assert.deepStrictEqual(numbers(received.header), numbers(header))
      assert.strictEqual(toHex(received.rest), toHex(rest))
      // What is read is written as it was.
      if (checksum) return
      assert.strictEqual(toHex(Either.getOrThrow(ProxyProtocol.encode(received.header))), toHex(bytes))
    }
  )

  it.prop("a bit that is flipped is seen, with a checksum", [inetEnds, FastCheck.nat()], ([ends, at]) => {
    const bytes = Either.getOrThrow(ProxyProtocol.encode(ProxyProtocol.proxied(...ends), { checksum: true }))
    const bit = at % (8 * (bytes.length - 16))
    bytes[16 + (bit >> 3)]! ^= 1 << (bit & 7)
    assert.isTrue(Either.isLeft(receive(bytes)) || bit >> 3 === bytes.length - 16 - 7, `bit ${bit}`)
  })

  for (const [what, bytes, header] of headers.filter(([what]) =>
    ["that of §2.1", "the longest of TCP6", "UNKNOWN", "TCP over IPv4", "TCP over IPv6", "LOCAL", "UNSPEC"].includes(
      what
    )
  )) {
    it(`writes ${what}`, () => {
      assert.strictEqual(toHex(Either.getOrThrow(ProxyProtocol.encode(header))), toHex(bytes))
    })
  }

  type Reason = ProxyProtocol.ProxyEncodeError["reason"]
  const tlv = (type: number, size: number) => ({ tlvs: [{ type, value: pattern(size) }] })
  const refusals: ReadonlyArray<readonly [what: string, header: ProxyProtocol.Header, reason: Reason]> = [
    ["a name", ProxyProtocol.proxied(endpoint("localhost", 1), ends[1]), "Address"],
    ["a zone", ProxyProtocol.proxied(endpoint("fe80::1%eth0", 1), endpoint("::1", 1)), "Address"],
    ["an empty host", ProxyProtocol.proxied(ends[0], endpoint("", 1)), "Address"],
    ["a path of 109 bytes", ProxyProtocol.proxied(unix("x".repeat(109)), unix("")), "Address"],
    ["port 65536", ProxyProtocol.proxied(endpoint("1.2.3.4", 65536), ends[1]), "Port"],
    ["half a port", ProxyProtocol.proxied(ends[0], endpoint("1.2.3.4", 0.5)), "Port"],
    ["two families", ProxyProtocol.proxied(ends[0], endpoint("::1", 1)), "Family"],
    ["a unix socket in version 1", ProxyProtocol.proxied(unix("/a"), unix("/b"), v1), "Version"],
    ["TLVs in version 1", ProxyProtocol.proxied(...ends, { ...v1, ...tlv(1, 1) }), "Version"],
    ["type 256", ProxyProtocol.proxied(...ends, tlv(256, 1)), "Tlv"],
    ["a checksum of the caller", ProxyProtocol.proxied(...ends, tlv(3, 4)), "Tlv"],
    ["65,536 bytes", ProxyProtocol.proxied(...ends, tlv(1, 65536 - 12 - 3)), "TooLong"]
  ]
  for (const [what, header, reason] of refusals) {
    it(`refuses ${what}`, () => {
      assert.strictEqual(Effect.runSync(Effect.flip(ProxyProtocol.encode(header))).reason, reason)
    })
  }

  it("takes what is at the edge", () => {
    const longest = Either.getOrThrow(ProxyProtocol.encode(ProxyProtocol.proxied(...ends, tlv(1, 65535 - 12 - 3))))
    assert.strictEqual(longest.length, 16 + 65535)
    assert.isTrue(Either.isRight(receive(longest, { maxHeaderSize: 16 + 65535 })))
    assert.isTrue(Either.isRight(ProxyProtocol.encode(ProxyProtocol.proxied(unix("x".repeat(108)), unix("")))))
  })

  it("version 1 has no checksum", () => {
    for (const header of [ProxyProtocol.proxied(...ends, v1), { _tag: "Unknown", version: 1 } as const]) {
      assert.strictEqual(
        Effect.runSync(Effect.flip(ProxyProtocol.encode(header, { checksum: true }))).reason,
        "Version"
      )
    }
  })
})

describe("ProxyProtocol.isAmong", () => {
  const isAmong = ProxyProtocol.isAmong(["10.0.0.0/8", "192.0.2.7", "2001:db8::/33", "::1", "::ffff:198.51.100.0/120"])
  const cases: ReadonlyArray<readonly [host: string, expected: boolean]> = [
    ["10.0.0.0", true],
    ["10.255.255.255", true],
    ["11.0.0.0", false],
    ["9.255.255.255", false],
    ["::ffff:10.1.2.3", true],
    ["::ffff:0b01:0203", false],
    ["192.0.2.7", true],
    ["192.0.2.6", false],
    ["2001:db8:7fff::1", true],
    ["2001:db8:8000::", false],
    ["2001:DB8::", true],
    ["::1", true],
    ["::2", false],
    ["198.51.100.9", true],
    ["198.51.101.9", false],
    ["0.0.0.1", false],
    ["", false],
    ["localhost", false]
  ]
  for (const [host, expected] of cases) {
    it(`${JSON.stringify(host)} is ${expected ? "" : "not "}among them`, () => {
      assert.strictEqual(isAmong({ host, port: 1 }), expected)
    })
  }

  it("a network of IPv6 has no address of IPv4, and nothing is among none", () => {
    assert.isFalse(ProxyProtocol.isAmong(["::/0"])({ host: "::ffff:1.2.3.4", port: 1 }))
    assert.isTrue(ProxyProtocol.isAmong(["::/0"])({ host: "1::", port: 1 }))
    assert.isTrue(ProxyProtocol.isAmong(["0.0.0.0/0"])({ host: "1.2.3.4", port: 1 }))
    assert.isFalse(ProxyProtocol.isAmong([])({ host: "1.2.3.4", port: 1 }))
  })

  const wrong: ReadonlyArray<readonly [entry: string, message: RegExp]> = [
    ["localhost", /^"localhost" is neither an IP address nor a network/],
    ["", /^"" is neither/],
    ["10.0.0/8", /is neither/],
    ["10.0.0.0/", /has no prefix length from 0 to 32/],
    ["10.0.0.0/33", /has no prefix length from 0 to 32/],
    ["::/129", /has no prefix length from 0 to 128/],
    ["10.0.0.0/-1", /has no prefix length/],
    ["10.0.0.0/8/8", /has no prefix length/],
    ["10.1.0.0/8", /has bits behind its prefix; its network is 10\.0\.0\.0\/8$/],
    ["2001:db8::1/64", /its network is 2001:db8::\/64$/]
  ]
  for (const [entry, message] of wrong) {
    it(`${JSON.stringify(entry)} is refused`, () => {
      assert.throws(() => ProxyProtocol.isAmong(["::1", entry]), message)
    })
  }
})
