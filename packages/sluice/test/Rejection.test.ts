import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Equal, Hash, HashSet } from "effect"
import * as Fields from "../src/Fields.js"
import * as Http1 from "../src/Http1.js"
import * as Rejection from "../src/Rejection.js"
import { utf8 } from "./support/bytes.js"
import { fields, toLatin1 } from "./support/http.js"
import { rejections } from "./support/rejections.js"

const unbounded = { maxHeadSize: "unbounded", maxFields: "unbounded" } as const

/** The parts of a reply in bytes. */
const parse = (bytes: Uint8Array): { readonly head: Http1.ResponseHead; readonly body: Uint8Array } => {
  const read = Either.getOrThrowWith(Http1.receive(Http1.response(unbounded), bytes), (error) => error)
  return read._tag === "Complete" ? { head: read.head, body: read.rest } : assert.fail("the head is not complete")
}

const bytesOf = (body: string | Uint8Array): Uint8Array => (typeof body === "string" ? utf8(body) : body)

const custom = (options: Parameters<typeof Rejection.custom>[0]): Rejection.Custom =>
  Either.getOrThrowWith(Rejection.custom(options), (error) => error)

const basic = Either.getOrThrow(Rejection.challenge('Basic realm="api", charset="UTF-8"'))

/** One of each kind, with all that it says. */
const table: ReadonlyArray<
  readonly [
    rejection: Rejection.Rejection,
    status: number,
    section: string,
    statusLine: string,
    fields: ReadonlyArray<string>,
    body: string
  ]
> = [
  [
    new Rejection.NotAnUpgrade(),
    426,
    "RFC 9110 §15.5.22",
    "426 Upgrade Required",
    ["Upgrade: websocket", "Sluice-Rejection: NotAnUpgrade"],
    'This resource speaks websocket. Ask for it with "Upgrade: websocket" and "Connection: Upgrade".\n'
  ],
  [
    new Rejection.NotAnUpgrade({ supported: ["tail/2", "h2c"] }),
    426,
    "RFC 9110 §15.5.22",
    "426 Upgrade Required",
    ["Upgrade: tail/2, h2c", "Sluice-Rejection: NotAnUpgrade"],
    'This resource speaks tail/2, h2c. Ask for it with "Upgrade: tail/2, h2c" and "Connection: Upgrade".\n'
  ],
  [
    new Rejection.UnsupportedVersion(),
    426,
    "RFC 6455 §4.2.2",
    "426 Upgrade Required",
    ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sluice-Rejection: UnsupportedVersion"],
    "Sec-WebSocket-Version is not 13, the only version spoken here (RFC 6455).\n"
  ],
  [
    new Rejection.BadRequest({ reason: "Key", detail: "no key" }),
    400,
    "RFC 6455 §4.2.1",
    "400 Bad Request",
    ["Sluice-Rejection: BadRequest; reason=Key"],
    "no key\n"
  ],
  [
    new Rejection.BadRequest({ reason: "Version", detail: "no version" }),
    400,
    "RFC 6455 §4.2.1",
    "400 Bad Request",
    ["Sec-WebSocket-Version: 13", "Sluice-Rejection: BadRequest; reason=Version"],
    "no version\n"
  ],
  [
    new Rejection.BadRequest({ reason: "Syntax", detail: "no sense" }),
    400,
    "RFC 9112 §2.2",
    "400 Bad Request",
    ["Sluice-Rejection: BadRequest; reason=Syntax"],
    "no sense\n"
  ],
  [
    new Rejection.MethodNotAllowed(),
    405,
    "RFC 9110 §15.5.6",
    "405 Method Not Allowed",
    ["Allow: GET", "Sluice-Rejection: MethodNotAllowed"],
    "The method is not GET. A WebSocket is opened with GET.\n"
  ],
  [
    new Rejection.HttpVersionNotSupported(),
    505,
    "RFC 9110 §15.6.6",
    "505 HTTP Version Not Supported",
    ["Sluice-Rejection: HttpVersionNotSupported"],
    "The request is not of HTTP/1.1, with which a WebSocket is opened here.\n"
  ],
  [
    new Rejection.Unauthorized({ challenges: [Rejection.bearer, basic] }),
    401,
    "RFC 9110 §15.5.2",
    "401 Unauthorized",
    [
      "WWW-Authenticate: Bearer",
      'WWW-Authenticate: Basic realm="api", charset="UTF-8"',
      "Sluice-Rejection: Unauthorized"
    ],
    "This resource wants credentials; WWW-Authenticate says which.\n"
  ],
  [
    new Rejection.Forbidden(),
    403,
    "RFC 9110 §15.5.4",
    "403 Forbidden",
    ["Sluice-Rejection: Forbidden"],
    "This resource is not for this client.\n"
  ],
  [
    new Rejection.ForbiddenOrigin({ origin: "https://evil.example" }),
    403,
    "RFC 6455 §10.2",
    "403 Forbidden",
    ['Sluice-Rejection: ForbiddenOrigin; origin="https://evil.example"'],
    'A page of the origin "https://evil.example" may not connect here.\n'
  ],
  [
    new Rejection.ForbiddenOrigin({ origin: undefined }),
    403,
    "RFC 6455 §10.2",
    "403 Forbidden",
    ["Sluice-Rejection: ForbiddenOrigin"],
    "A request without Origin may not connect here.\n"
  ],
  [
    new Rejection.NotFound(),
    404,
    "RFC 6455 §4.2.2",
    "404 Not Found",
    ["Sluice-Rejection: NotFound"],
    "There is no service at this target.\n"
  ],
  [
    new Rejection.NoCommonSubprotocol({ supported: ["chat.v2", "chat.v1"] }),
    400,
    "RFC 6455 §4.2.2",
    "400 Bad Request",
    ['Sluice-Rejection: NoCommonSubprotocol; supported="chat.v2, chat.v1"'],
    "Sec-WebSocket-Protocol asks for none of the subprotocols spoken here: chat.v2, chat.v1.\n"
  ],
  [
    new Rejection.NoCommonSubprotocol({ supported: [] }),
    400,
    "RFC 6455 §4.2.2",
    "400 Bad Request",
    ['Sluice-Rejection: NoCommonSubprotocol; supported=""'],
    "Sec-WebSocket-Protocol asks for a subprotocol, but none is spoken here. Leave the field out.\n"
  ],
  [
    new Rejection.TargetTooLong({ limit: 8192, seen: 8193 }),
    414,
    "RFC 9112 §3",
    "414 URI Too Long",
    ["Sluice-Rejection: TargetTooLong; limit=8192; seen=8193"],
    "The request target has 8193 bytes or more; the limit is 8192.\n"
  ],
  [
    new Rejection.HeadTooLarge({ what: "fields", limit: 128, seen: 129 }),
    431,
    "RFC 6585 §5",
    "431 Request Header Fields Too Large",
    ["Sluice-Rejection: HeadTooLarge; what=fields; limit=128; seen=129"],
    "The head of the request has 129 fields or more; the limit is 128.\n"
  ],
  [
    new Rejection.HandshakeTimeout({ timeout: 10_000 }),
    408,
    "RFC 9110 §15.5.9",
    "408 Request Timeout",
    ["Sluice-Rejection: HandshakeTimeout; timeout=10000"],
    "The handshake was not complete after 10000 ms.\n"
  ],
  [
    new Rejection.TooManyRequests({ retryAfter: 2 }),
    429,
    "RFC 6585 §4",
    "429 Too Many Requests",
    ["Retry-After: 2", "Sluice-Rejection: TooManyRequests"],
    "Too many requests; try again after 2 s.\n"
  ],
  [
    new Rejection.Unavailable({ retryAfter: 30, detail: "shutting down" }),
    503,
    "RFC 9110 §15.6.4",
    "503 Service Unavailable",
    ["Retry-After: 30", "Sluice-Rejection: Unavailable"],
    "shutting down\n"
  ],
  [
    custom({ status: 307, fields: fields(["Location", "wss://example.net/"]) }),
    307,
    "RFC 9110 §15",
    "307 Temporary Redirect",
    ["Location: wss://example.net/"],
    ""
  ],
  [
    custom({ status: 599, reason: "Odd", fields: fields(["X", "1"], ["x", "2"]), body: "caf\u00e9" }),
    599,
    "RFC 9110 §15",
    "599 Odd",
    ["X: 1", "x: 2"],
    "caf\u00e9"
  ]
]

describe("each refusal has one reply", () => {
  for (const [rejection, status, section, statusLine, ownFields, body] of table) {
    it(`${rejection._tag}: ${statusLine}, ${body.length} characters`, () => {
      assert.deepStrictEqual([rejection.status, rejection.section], [status, section])
      const text = rejection._tag === "Custom" ? [] : ["Content-Type: text/plain; charset=utf-8"]
      assert.deepStrictEqual(
        rejection.fields.map(([name, value]) => `${name}: ${value}`),
        [...ownFields, ...text]
      )
      assert.deepStrictEqual(bytesOf(rejection.body), utf8(body))
      const connection = Fields.has(rejection.fields, "Upgrade") ? "Upgrade, close" : "close"
      const expected = [
        `HTTP/1.1 ${statusLine}`,
        `Connection: ${connection}`,
        ...ownFields,
        ...text,
        `Content-Length: ${utf8(body).length}`,
        "",
        ""
      ].join("\r\n")
      const bytes = Rejection.toBytes(rejection)
      assert.strictEqual(toLatin1(bytes), expected + toLatin1(utf8(body)))
    })
  }

  it("a tag of the union that is not in the table does not compile", () => {
    const seen: Record<Rejection.Rejection["_tag"], true> = {
      NotAnUpgrade: true,
      UnsupportedVersion: true,
      BadRequest: true,
      MethodNotAllowed: true,
      HttpVersionNotSupported: true,
      Unauthorized: true,
      Forbidden: true,
      ForbiddenOrigin: true,
      NotFound: true,
      NoCommonSubprotocol: true,
      TargetTooLong: true,
      HeadTooLarge: true,
      HandshakeTimeout: true,
      TooManyRequests: true,
      Unavailable: true,
      Custom: true
    }
    assert.deepStrictEqual(new Set(table.map(([{ _tag }]) => _tag)), new Set(Object.keys(seen)))
  })
})

describe("the reply says which refusal it is", () => {
  it.prop("fromResponse gives back what toBytes wrote", [rejections], ([rejection]) => {
    const { body, head } = parse(Rejection.toBytes(rejection))
    const back = Rejection.fromResponse(head, body)
    assert.strictEqual(Equal.equals(back, rejection), true, `${back} is not ${rejection}`)
    assert.strictEqual(Hash.hash(back), Hash.hash(rejection))
    assert.deepStrictEqual(Rejection.toBytes(back), Rejection.toBytes(rejection))
  })

  it.prop("nothing in a refusal splits its reply", [rejections], ([rejection]) => {
    const { body, head } = parse(Rejection.toBytes(rejection))
    assert.strictEqual(head.status, rejection.status)
    const framing = rejection.status === 304 ? ["Connection"] : ["Connection", "Content-Length"]
    assert.deepStrictEqual([...Fields.omit(head.fields, framing)], [...rejection.fields])
    assert.deepStrictEqual(body, bytesOf(rejection.body))
    assert.strictEqual(
      Fields.get(head.fields, "Content-Length"),
      rejection.status === 304 ? undefined : `${body.length}`
    )
  })

  it.prop("two refusals are equal when their replies are", [rejections, rejections], ([self, that]) => {
    const [left, right] = [Rejection.toBytes(self), Rejection.toBytes(that)].map(toLatin1)
    assert.strictEqual(Equal.equals(self, that), left === right)
  })

  it.prop("what a gateway adds on the way does not matter", [rejections], ([rejection]) => {
    if (rejection._tag === "Custom") return
    const { body, head } = parse(Rejection.toBytes(rejection))
    const added = fields(["Server", "gateway"], ["Date", "Tue, 15 Nov 1994 08:12:31 GMT"], ["Connection", "keep-alive"])
    const passed = Fields.concat(
      added,
      Fields.concat(Fields.omit(head.fields, ["Connection"]), fields(["Via", "1.1 gw"]))
    )
    assert.strictEqual(
      Equal.equals(Rejection.fromResponse({ ...head, reason: "", fields: passed }, body), rejection),
      true
    )
  })
})

describe("a reply that is not exactly one of ours is Custom, with everything it said", () => {
  const ours = parse(Rejection.toBytes(new Rejection.BadRequest({ reason: "Key", detail: "no key" })))
  const contentType = ["Content-Type", "text/plain; charset=utf-8"] as const
  const named = (name: string) => fields(["Connection", "close"], ["Sluice-Rejection", name], contentType)
  const cases: ReadonlyArray<readonly [id: string, head: Http1.ResponseHead, body?: string]> = [
    ["no Sluice-Rejection", { ...ours.head, fields: fields(contentType) }],
    ["another field", { ...ours.head, fields: Fields.concat(ours.head.fields, fields(["X", "1"])) }],
    ["a field less", { ...ours.head, fields: Fields.omit(ours.head.fields, ["Content-Type"]) }],
    ["another status", { ...ours.head, status: 403 }],
    ["another body", ours.head, "another body"],
    ["a body without its line feed", ours.head, "no key"],
    ["no body", ours.head, ""],
    [
      "Sluice-Rejection twice",
      { ...ours.head, fields: Fields.concat(ours.head.fields, named("BadRequest; reason=Key")) }
    ],
    ["an unknown reason", { ...ours.head, fields: named("BadRequest; reason=Mood") }],
    ["a hostile reason", { ...ours.head, fields: named("BadRequest; reason=__proto__") }],
    ["no reason", { ...ours.head, fields: named("BadRequest") }],
    ["another parameter", { ...ours.head, fields: named("BadRequest; reason=Key; x=y") }],
    ["another spelling of the same", { ...ours.head, fields: named('BadRequest;reason="Key"') }],
    ["an unknown tag", { ...ours.head, fields: named("BadMood") }],
    ["the tag Custom", { ...ours.head, fields: named("Custom") }],
    ["the tag __proto__", { ...ours.head, fields: named("__proto__") }],
    ["the tag constructor", { ...ours.head, fields: named("constructor") }],
    ["the tag hasOwnProperty", { ...ours.head, fields: named("hasOwnProperty") }],
    ["nothing", { ...ours.head, fields: named("") }],
    ["no grammar", { ...ours.head, fields: named('BadRequest; reason="Key') }],
    ["a 401 without a challenge", { ...ours.head, status: 401, fields: named("Unauthorized") }],
    ["a 429 without Retry-After", { ...ours.head, status: 429, fields: named("TooManyRequests") }],
    ["numbers that are none", { ...ours.head, status: 414, fields: named("TargetTooLong; limit=x; seen=1") }],
    ["a refused supported list", { ...ours.head, status: 400, fields: named('NoCommonSubprotocol; supported="a b"') }]
  ]
  for (const [id, head, body = "no key\n"] of cases) {
    it(id, () => {
      const rejection = Rejection.fromResponse(head, utf8(body))
      if (rejection._tag !== "Custom") assert.fail(`${rejection}`)
      const { fields, reason, status, truncated } = rejection
      assert.deepStrictEqual(
        { fields: [...fields], reason, status, truncated, body: rejection.body },
        {
          fields: [...Fields.omit(head.fields, ["Connection", "Content-Length"])],
          reason: head.reason,
          status: head.status,
          truncated: false,
          body: utf8(body)
        }
      )
    })
  }

  it("so is a reply of which only the beginning came", () => {
    const rejection = Rejection.fromResponse(ours.head, ours.body, true)
    assert.deepStrictEqual([rejection._tag, "truncated" in rejection && rejection.truncated], ["Custom", true])
    assert.strictEqual(Equal.equals(rejection, Rejection.fromResponse(ours.head, utf8("x"))), false)
  })

  it("the fields that frame the reply are left out", () => {
    const framing = [
      ["Transfer-Encoding", "chunked"],
      ["keep-alive", "timeout=5"],
      ["Trailer", "X"]
    ] as const
    const rejection = Rejection.fromResponse({ ...ours.head, fields: fields(...framing, ["X", "1"]) }, utf8(""))
    assert.deepStrictEqual([...rejection.fields], [["X", "1"]])
  })

  it("the same refusal in other framing is ours", () => {
    const reframed = Fields.concat(
      Fields.omit(ours.head.fields, ["Content-Length"]),
      fields(["Transfer-Encoding", "chunked"])
    )
    assert.strictEqual(Rejection.fromResponse({ ...ours.head, fields: reframed }, ours.body)._tag, "BadRequest")
  })
})

describe("custom", () => {
  const cases: ReadonlyArray<readonly [id: string, reason: string, result: ReturnType<typeof Rejection.custom>]> = [
    ["a 2xx", "Status", Rejection.custom({ status: 200 })],
    ["a 101", "Status", Rejection.custom({ status: 101 })],
    ["a status above 599", "Status", Rejection.custom({ status: 600 })],
    ["a status that is no integer", "Status", Rejection.custom({ status: 400.5 })],
    ["a status that is no number", "Status", Rejection.custom({ status: Number.NaN })],
    ["CRLF in the reason phrase", "ReasonPhrase", Rejection.custom({ status: 400, reason: "No\r\nX: y" })],
    ["NUL in the reason phrase", "ReasonPhrase", Rejection.custom({ status: 400, reason: "\0" })],
    ["U+010A in the reason phrase", "ReasonPhrase", Rejection.custom({ status: 400, reason: "\u010a" })],
    ["Connection", "Field", Rejection.custom({ status: 400, fields: fields(["connection", "close"]) })],
    ["Content-Length", "Field", Rejection.custom({ status: 400, fields: fields(["Content-Length", "0"]) })],
    ["Transfer-Encoding", "Field", Rejection.custom({ status: 400, fields: fields(["Transfer-Encoding", "chunked"]) })],
    ["Sluice-Rejection", "Field", Rejection.custom({ status: 400, fields: fields(["sluice-rejection", "NotFound"]) })],
    ["a body above the limit", "Body", Rejection.custom({ status: 400, body: new Uint8Array(64 * 1024 + 1) })],
    ["a 304 with a body", "Body", Rejection.custom({ status: 304, body: "x" })]
  ]
  for (const [id, reason, result] of cases) {
    it(`${reason}: ${id}`, () => {
      const error = Either.getOrThrow(Either.flip(result))
      assert.strictEqual(error.reason, reason)
      assert.match(error.message, /^[ -~]+$/)
    })
  }

  it("takes a body up to the limit, and names Connection: Upgrade beside Upgrade", () => {
    const rejection = custom({ status: 426, fields: fields(["Upgrade", "h2c"]), body: new Uint8Array(64 * 1024) })
    const { body, head } = parse(Rejection.toBytes(rejection))
    assert.deepStrictEqual(Fields.list(head.fields, "Connection"), ["Upgrade", "close"])
    assert.strictEqual(body.length, Rejection.maxBody)
    assert.strictEqual(Equal.equals(Rejection.fromResponse(head, body), rejection), true)
  })

  it("a 304 says nothing of a length (RFC 9110 §8.6)", () => {
    assert.strictEqual(
      toLatin1(Rejection.toBytes(custom({ status: 304 }))),
      "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
    )
  })
})

describe("challenge (RFC 9110 §11.3)", () => {
  const cases: ReadonlyArray<readonly [text: string, expected: string]> = [
    ["Bearer", "Bearer"],
    [" Negotiate a87421000492aa874209af8bc028 ", "Negotiate a87421000492aa874209af8bc028"],
    ['Basic realm="\u00e9"', 'Basic realm="\u00e9"'],
    ["", "InvalidValue"],
    ['"Bearer"', "InvalidValue"],
    ["Bearer\r\nSet-Cookie: a=b", "InvalidValue"],
    ["Bearer realm=\u{1f600}", "InvalidValue"]
  ]
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)}: ${expected}`, () => {
      const result = Either.match(Rejection.challenge(text), { onLeft: ({ reason }) => reason, onRight: String })
      assert.strictEqual(result, expected)
    })
  }
})

describe("refusals are values", () => {
  it.effect("that can be yielded and caught by their tag", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        return yield* new Rejection.NotFound({ detail: "gone" })
      })
      const detail = yield* Effect.catchTag(program, "NotFound", ({ detail }) => Effect.succeed(detail))
      assert.strictEqual(detail, "gone")
    })
  )

  it("that are known from others", () => {
    for (const [rejection] of table) assert.strictEqual(Rejection.isRejection(rejection), true)
    for (const other of [undefined, null, {}, { _tag: "NotFound" }, new Error("NotFound"), "NotFound"]) {
      assert.strictEqual(Rejection.isRejection(other), false)
    }
  })

  it("that are equal by what they say, not by identity or stack", () => {
    const make = (supported: ReadonlyArray<string>) => new Rejection.NoCommonSubprotocol({ supported })
    assert.strictEqual(Equal.equals(make(["a", "b"]), make(["a", "b"])), true)
    assert.strictEqual(Equal.equals(make(["a", "b"]), make(["b", "a"])), false)
    assert.strictEqual(Equal.equals(make(["a"]), make(["a", "b"])), false)
    assert.strictEqual(Equal.equals(new Rejection.NotFound(), new Rejection.Forbidden()), false)
    assert.strictEqual(Equal.equals(new Rejection.NotFound(), { ...new Rejection.NotFound() }), false)
    const set = HashSet.make(...table.map(([rejection]) => rejection), ...table.map(([rejection]) => rejection))
    assert.strictEqual(HashSet.size(set), table.length)
    assert.strictEqual(Equal.equals(custom({ status: 400, body: "a" }), custom({ status: 400, body: "a" })), true)
    assert.strictEqual(Equal.equals(custom({ status: 400, body: "a" }), custom({ status: 400, body: "b" })), false)
    assert.strictEqual(Equal.equals(custom({ status: 400, reason: "a" }), custom({ status: 400, reason: "b" })), false)
  })

  it("whose message, stack and JSON say what they are", () => {
    const rejection = new Rejection.NotFound({ detail: "no such room" })
    assert.strictEqual(rejection.message, "404: no such room")
    assert.strictEqual(String(rejection), "NotFound: 404: no such room")
    assert.match(String(rejection.stack), /no such room/)
    assert.include(JSON.stringify(rejection), '"detail":"no such room"')
    assert.strictEqual(custom({ status: 400, body: "abc" }).message, "400: 3 bytes")
  })

  it("whose parameters are made fit when they are made", () => {
    assert.strictEqual(new Rejection.NotFound({ detail: "a".repeat(5000) }).detail.length, 1024)
    assert.strictEqual(new Rejection.NotFound({ detail: "\ud800" }).detail, "\ufffd")
    assert.strictEqual(new Rejection.ForbiddenOrigin({ origin: "a\r\nb\u0100" }).origin, "a??b?")
    assert.deepStrictEqual(new Rejection.NoCommonSubprotocol({ supported: ["a", "b c", ""] }).supported, ["a"])
    assert.deepStrictEqual(new Rejection.NotAnUpgrade({ supported: ["a/b/c", "a b"] }).supported, ["websocket"])
    const retries = [1.2, -1, Number.NaN, Number.POSITIVE_INFINITY]
    assert.deepStrictEqual(
      retries.map((retryAfter) => new Rejection.Unavailable({ retryAfter }).retryAfter),
      [2, 0, 0, Number.MAX_SAFE_INTEGER]
    )
  })
})

describe("a reply as it is sent", () => {
  const date = 784_887_151_000

  it("says when it was made, in the one format that RFC 9110 §5.6.7 has for it, and means the same", () => {
    for (const [rejection] of table) {
      const { body, head } = parse(Rejection.toBytes(rejection, { date }))
      assert.strictEqual(Fields.get(head.fields, "Date"), "Tue, 15 Nov 1994 08:12:31 GMT")
      assert.isTrue(Equal.equals(Rejection.fromResponse(head, body), rejection))
    }
    const refused = Rejection.custom({ status: 400, fields: fields(["date", "Tue, 15 Nov 1994 08:12:31 GMT"]) })
    assert.deepStrictEqual(Either.isLeft(refused) && refused.left.reason, "Field")
  })

  it("has no body for HEAD (RFC 9110 §9.3.2), and is the same otherwise", () => {
    for (const [rejection] of table) {
      const whole = parse(Rejection.toBytes(rejection, { method: "GET" }))
      const head = parse(Rejection.toBytes(rejection, { method: "HEAD" }))
      assert.deepStrictEqual(head, { head: whole.head, body: new Uint8Array(0) })
    }
  })
})
