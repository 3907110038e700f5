import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted } from "effect"
import * as Redirection from "../../src/internal/redirection.js"
import * as Rejection from "../../src/Rejection.js"
import { fields } from "../support/http.js"

const answer = (...locations: ReadonlyArray<string>): Rejection.Custom =>
  Either.getOrThrow(
    Rejection.custom({ status: 307, fields: fields(...locations.map((value) => ["Location", value] as const)) })
  )

const next = (url: string, location: string, scheme: Redirection.Scheme = "ws") =>
  Redirection.next(Redirection.first(url), answer(location), scheme, 1)

const urlAfter = (url: string, location: string, scheme?: Redirection.Scheme): string =>
  Either.match(next(url, location, scheme), { onLeft: ({ reason }) => reason, onRight: ({ url }) => url })

describe("where a redirection leads to", () => {
  const cases: ReadonlyArray<readonly [location: string, url: string]> = [
    // RFC 9110 §10.2.2: resolved against the target URI, by the rules of RFC 3986 §5.2
    ["g", "ws://a/b/c/g"],
    ["./g", "ws://a/b/c/g"],
    ["g/", "ws://a/b/c/g/"],
    ["/g", "ws://a/g"],
    ["//g", "ws://g/"],
    ["?y", "ws://a/b/c/d;p?y"],
    ["g?y", "ws://a/b/c/g?y"],
    ["", "ws://a/b/c/d;p?q"],
    [";x", "ws://a/b/c/;x"],
    [".", "ws://a/b/c/"],
    ["..", "ws://a/b/"],
    ["../g", "ws://a/b/g"],
    ["../../../g", "ws://a/g"],
    ["g/../h", "ws://a/b/c/h"],
    // a fragment is not sent
    ["#s", "ws://a/b/c/d;p?q"],
    ["#", "ws://a/b/c/d;p?q"],
    ["g?y#s", "ws://a/b/c/g?y"],
    ["ws://g/#", "ws://g/"],
    // http: and https: are ws: and wss:, with their ports
    ["ws://g/h", "ws://g/h"],
    ["wss://g/h", "wss://g/h"],
    ["http://g/h", "ws://g/h"],
    ["https://g/h", "wss://g/h"],
    ["HTTPS://G:443/h", "wss://g/h"],
    ["https://g:80/h", "wss://g:80/h"],
    ["http://g:80", "ws://g/"],
    ["http://[::1]:8080/h", "ws://[::1]:8080/h"],
    // what is no URL, or none that a client goes to
    ["ftp://g/", "Location"],
    ["mailto:ada@example.com", "Location"],
    ["javascript:alert(1)", "Location"],
    ["file:///etc/passwd", "Location"],
    ["unix:/run/chat.sock", "Location"],
    ["ws://", "Location"],
    ["ws://g:65536/", "Location"],
    ["ws://a b/", "Location"],
    ["/caf\u00e9", "Location"],
    ["/a b", "Location"],
    ["/a\tb", "Location"],
    ["/\\g/", "Location"],
    ["\\\\g/", "Location"],
    ["ws://ada@g/", "Location"],
    ["ws://ada:secret@g/", "Location"],
    ["//:secret@g/", "Location"]
  ]
  for (const [location, url] of cases) {
    it(`${JSON.stringify(location)}: ${url}`, () => {
      assert.strictEqual(urlAfter("ws://a/b/c/d;p?q", location), url)
    })
  }

  it("of another protocol than WebSocket is of http: or https:", () => {
    assert.strictEqual(urlAfter("http://a/", "ws://g:80/h", "http"), "http://g/h")
    assert.strictEqual(urlAfter("http://a/", "wss://g/h", "http"), "https://g/h")
    assert.strictEqual(urlAfter("http://a/b", "c", "http"), "http://a/c")
    assert.strictEqual(urlAfter("https://a/", "/b", "http"), "https://a/b")
  })

  it("is not known by two Locations, even if they are one", () => {
    for (const locations of [
      ["/b", "/c"],
      ["/b", "/b"]
    ]) {
      const error = Either.getOrThrow(
        Either.flip(Redirection.next(Redirection.first("ws://a/"), answer(...locations), "ws", 1))
      )
      assert.deepStrictEqual([error.reason, [...error.chain]], ["Location", ["ws://a/"]])
      assert.include(error.message, "Location is there 2 times")
    }
  })

  it("is never from TLS to a connection without", () => {
    for (const location of ["ws://a/", "http://a/", "ws://b/", "http://a:443/"]) {
      assert.strictEqual(urlAfter("wss://a/", location), "Downgrade", location)
      assert.strictEqual(urlAfter("https://a/", location, "http"), "Downgrade", location)
    }
    for (const location of ["/b", "//a/b", "wss://a/b", "https://a/b"]) {
      assert.strictEqual(urlAfter("wss://a/", location), "wss://a/b", location)
    }
  })

  it("is told without queries and credentials", () => {
    const tooMany = Redirection.next(
      { ...Redirection.first("ws://b/y?token=2"), before: ["ws://a/x?token=1"] },
      answer("ws://c/z?token=3"),
      "ws",
      1
    )
    const errors = [
      tooMany,
      next("ws://a/?token=1", "ftp://g/?token=2"),
      next("ws://a/?token=1", "ws://ada:token@g/"),
      next("wss://a/?token=1", "ws://g/?token=2")
    ].map((result) => Either.getOrThrow(Either.flip(result)))
    for (const error of errors) {
      assert.notInclude(`${error.message} ${error.chain}`, "token")
      assert.match(error.message, /^[ -~]{20,}$/)
    }
    assert.deepStrictEqual([errors[0]?.reason, errors[0]?.chain], ["TooMany", ["ws://b/y", "ws://a/x"].reverse()])
    assert.include(errors[0]?.message, "ws://c/z after 1, the most that are followed (asked: ws://a/x, then ws://b/y)")
  })
})

describe("redirectionOf", () => {
  const of = (status: number, ...entries: ReadonlyArray<readonly [string, string]>) =>
    Redirection.redirectionOf(Either.getOrThrow(Rejection.custom({ status, fields: fields(...entries) }))) !== undefined

  it("is one of the five statuses that lead elsewhere, with a Location (RFC 9110 §15.4)", () => {
    const statuses = Array.from({ length: 300 }, (_, at) => 300 + at)
    assert.deepStrictEqual(
      statuses.filter((status) => of(status, ["location", "/"])),
      [301, 302, 303, 307, 308]
    )
    assert.isFalse(of(307))
    for (const error of [undefined, new Error("x"), new Rejection.NotFound(), { _tag: "Custom", status: 307 }]) {
      assert.isUndefined(Redirection.redirectionOf(error))
    }
  })
})

const secrets: ReadonlyArray<Redirection.RequestField> = [
  ["Authorization", "Bearer x"],
  ["COOKIE", "a=1"],
  ["cookie", "b=2"],
  ["Proxy-Authorization", "Basic x"],
  ["X-Api-Key", Redacted.make("x")]
]

const others: ReadonlyArray<Redirection.RequestField> = [
  ["X-Trace", "1"],
  ["Authorization-Hint", "none"],
  ["Accept-Language", "en"]
]

describe("what goes to another origin (RFC 9110 §15.4)", () => {
  const all = [...others.slice(0, 1), ...secrets, ...others.slice(1)]
  const origins: ReadonlyArray<readonly [what: string, from: string, location: string, isForeign: boolean]> = [
    ["another path", "ws://a/b", "/c?d", false],
    ["the same in full", "ws://a/b", "ws://a/c", false],
    ["the same in capitals", "ws://a/b", "WS://A/c", false],
    ["the port of the scheme", "ws://a/b", "ws://a:80/c", false],
    ["the same as http:", "ws://a/b", "http://a/c", false],
    ["the same with TLS", "wss://a:8443/b", "https://a:8443/c", false],
    ["another host", "ws://a/b", "ws://b/c", true],
    ["a host below it", "ws://a.example/b", "ws://b.a.example/c", true],
    ["the host with a dot", "ws://a/b", "ws://a./c", true],
    ["another port", "ws://a/b", "ws://a:81/c", true],
    ["TLS, on its own port", "ws://a/b", "wss://a/c", true],
    ["TLS, on the same port", "ws://a:80/b", "wss://a:80/c", true]
  ]
  for (const [what, from, location, isForeign] of origins) {
    it(`${isForeign ? "no credential" : "everything"}: ${what}`, () => {
      const hop = Either.getOrThrow(Redirection.next(Redirection.first(from, all), answer(location), "ws", 1))
      assert.deepStrictEqual([hop.isForeign, hop.fields], [isForeign, isForeign ? others : all])
    })
  }

  it("a secret is sent as it is where it goes", () => {
    assert.deepStrictEqual(Redirection.fieldsOf(Redirection.first("ws://a/", secrets)).at(-1), ["X-Api-Key", "x"])
  })

  it("there are no fields where none were given", () => {
    assert.deepStrictEqual([...Redirection.first("ws://a/").fields], [])
  })

  it("subprotocols go everywhere, but a token among them", () => {
    const names = ["chat.v1", "bearer.eA", "x.bearer.", "Bearer.eA"]
    const home = Redirection.first("ws://a/")
    assert.deepStrictEqual(Redirection.subprotocolsOf(home, names), names)
    assert.deepStrictEqual(Redirection.subprotocolsOf(home, undefined), [])
    const away = Either.getOrThrow(Redirection.next(home, answer("//b/"), "ws", 1))
    assert.deepStrictEqual(Redirection.subprotocolsOf(away, names), ["chat.v1", "x.bearer.", "Bearer.eA"])
  })

  it("fields that can be read once only are read once", () => {
    const entries = secrets.values()
    const hop = Redirection.first("ws://a/", entries)
    assert.strictEqual(hop.fields.length, 5)
    assert.strictEqual([...entries].length, 0)
  })

  const hosts = FastCheck.constantFrom("a", "b", "a:81", "b:81")
  it.prop("what was dropped never comes back, and nothing is dropped before", [FastCheck.array(hosts)], ([chain]) => {
    let hop = Redirection.first("ws://a/", all)
    for (const [at, host] of chain.entries()) {
      hop = Either.getOrThrow(Redirection.next(hop, answer(`ws://${host}/${at}`), "ws", chain.length))
      const isForeign = chain.slice(0, at + 1).some((host) => host !== "a")
      assert.deepStrictEqual([hop.isForeign, hop.fields], [isForeign, isForeign ? others : all])
      assert.strictEqual(hop.url, `ws://${host}/${at}`)
      assert.strictEqual(hop.before.length, at + 1)
    }
  })
})

describe("maxRedirects", () => {
  it.prop("is how many are followed", [FastCheck.nat({ max: 12 }), FastCheck.nat({ max: 12 })], (given) => {
    const [most, wanted] = given
    let hop = Redirection.first("ws://a/0")
    let followed = 0
    for (let at = 1; at <= wanted; at++) {
      const result = Redirection.next(hop, answer(`/${at}`), "ws", most)
      if (Either.isLeft(result)) {
        assert.strictEqual(result.left.reason, "TooMany")
        const asked = Array.from({ length: most + 1 }, (_, at) => `ws://a/${at}`)
        assert.deepStrictEqual([...result.left.chain], asked)
        break
      }
      hop = result.right
      followed++
    }
    assert.strictEqual(followed, Math.min(most, wanted))
  })

  it("allows nothing where it is no number", () => {
    for (const most of [Number.NaN, -1, 0]) {
      const result = Redirection.next(Redirection.first("ws://a/"), answer("/b"), "ws", most)
      assert.strictEqual(Either.isLeft(result) && result.left.reason, "TooMany")
    }
  })
})
