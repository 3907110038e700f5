/** Handshakes: a byte for what is checked, one for the setting, one for the cuts, then the bytes or the text. */
import { Either, Option } from "effect"
import type * as Extension from "../../../src/Extension.js"
import * as Handshake from "../../../src/Handshake.js"
import type * as Http1 from "../../../src/Http1.js"
import * as Rejection from "../../../src/Rejection.js"
import * as Upgrade from "../../../src/Upgrade.js"
import { concat, hex } from "../../support/bytes.js"
import { head, latin1, toLatin1 } from "../../support/http.js"
import { ask, key, requests } from "../../support/requests.js"
import { type Inputs, split } from "../target.js"

export const unbounded: Http1.Options = { maxHeadSize: "unbounded", maxFields: "unbounded", maxTarget: "unbounded" }

export const limits: ReadonlyArray<Http1.Options> = [
  {},
  unbounded,
  { maxHeadSize: 512, maxFields: 8, maxTarget: 16 },
  { maxFields: 4 }
]

/** An extension with one parameter, of which the server takes any and answers with 5. */
const leveled = (name: string, reserved: ReadonlyArray<Extension.ReservedBit>): Extension.Extension<number> => {
  const offer = (value: string) => ({ name, parameters: [{ name: "level", value }] })
  return {
    name,
    reserved,
    offers: [offer("9")],
    accept: ({ parameters: [level] }) =>
      level?.value === undefined ? Option.none() : Option.some({ response: offer("5"), config: 5 }),
    confirm: ({ parameters: [level] }) => (level?.value === "5" ? Either.right(5) : Either.left("the level is not 5"))
  }
}

export const extensions = [leveled("a", ["rsv1"]), leveled("b", ["rsv1"]), leveled("c", ["rsv2"])]
export const subprotocols = ["chat.v2", "chat.v1"] as const

export const policies: ReadonlyArray<Handshake.Policy<ReadonlyArray<string>, boolean, number>> = [
  { subprotocols, extensions },
  {},
  { origin: "any", subprotocols, subprotocolRequired: true, extensions },
  {
    origin: ["https://example.com", "chrome-extension://x"],
    fields: Either.getOrThrow(Upgrade.extraFields([["X", "y"]]))
  }
]

const accept = `Sec-WebSocket-Accept: ${Handshake.acceptKey(key)}`
const switching = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", accept] as const

const replies: ReadonlyArray<string> = [
  `${head(...switching)}\u0081\u0001x`,
  `${head("HTTP/1.1 100 Continue")}${head(...switching, "Sec-WebSocket-Protocol: chat.v1", "Sec-WebSocket-Extensions: a; level=5")}`,
  head(...switching, "Sec-WebSocket-Protocol: chat.v3"),
  ...switching.slice(1).map((line) => head(...switching, line)),
  `${head("HTTP/1.1 103 Early Hints", "Link: x").repeat(17)}`,
  head("HTTP/1.1 200 OK", "Content-Length: 0"),
  `${head("HTTP/1.1 401 No", "Content-Length: 3", "WWW-Authenticate: Basic")}abc`,
  `${head("HTTP/1.1 503 Busy", "Transfer-Encoding: chunked", "Retry-After: 5")}3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n`,
  `${head("HTTP/1.0 403 No")}until the end`,
  head("HTTP/1.1 304 Not Modified", "ETag: x"),
  ...[
    new Rejection.NotAnUpgrade(),
    new Rejection.UnsupportedVersion(),
    new Rejection.BadRequest({ reason: "Key", detail: "no" }),
    new Rejection.Unauthorized({ challenges: [Rejection.bearer] }),
    new Rejection.ForbiddenOrigin({ origin: "http://a" }),
    new Rejection.NoCommonSubprotocol({ supported: ["a"] }),
    new Rejection.HeadTooLarge({ what: "fields", limit: 1, seen: 2 }),
    new Rejection.Unavailable({ retryAfter: 3 })
  ].map((rejection) => toLatin1(Rejection.toBytes(rejection)))
]

const openings = [
  "server.example.com\n/chat?a=b\nhttp://server.example.com\nchat.v2,chat.v1\nAuthorization: Bearer x\nX:y",
  "[::1]:8080",
  "a:65536\n/#\n\u0000\na,a\nHost: b",
  "A:\n/\n\u00e9",
  ...split("Sec-WebSocket-Accept: x|Host: b|Connection: close|Content-Length: 5|Expect: x").map(
    (field) => `a\n\n\n\n${field}`
  )
]

const refusals = [
  "a\nb",
  "websocket\nh2c/2",
  "Basic realm=x\nDigest",
  "5\n6",
  "1e300\n-1",
  'caf\u00e9 \\ " \u0000',
  "reason\nbody\nvalue"
]

const seeds = (): ReadonlyArray<Uint8Array> => [
  ...requests.flatMap(({ request }, i) =>
    request.length > 1000 ? [] : [concat([Uint8Array.of(0, i % 16, i), latin1(request)])]
  ),
  ...replies.flatMap((reply, i) => limits.map((_, option) => concat([Uint8Array.of(1, option, i), latin1(reply)]))),
  ...refusals.flatMap((text) =>
    Array.from({ length: 32 }, (_, option) =>
      concat([Uint8Array.of(2, (option << 4) | (option >> 4), 3), latin1(text)])
    )
  ),
  ...openings.map((text) => concat([Uint8Array.of(3, 0, 4), latin1(text)]))
]

const words = [
  ...split('\r\n|\n|\r\n |, |"|\\|;|\0| |\t|\u00e9|%|0\r\n\r\n|a\r\n|ffffffff|304|999|chat.v2'),
  ...split("Host: b\r\n|Origin: null\r\n|Origin: https://example.com\r\n|Expect: 100-continue\r\n"),
  ...split("Content-Length: 0\r\n|Transfer-Encoding: chunked\r\n|Upgrade: websocket\r\n|Connection: Upgrade\r\n"),
  ...split("Sec-WebSocket-Protocol: chat.v1\r\n|Sec-WebSocket-Extensions: a; level=5\r\n|Via: 1.1 x\r\n|Date: x\r\n"),
  ...split("Sec-WebSocket-Version: 13\r\n|Sec-WebSocket-Version: 8\r\n|Keep-Alive: 5\r\n|Retry-After: 5\r\n"),
  ...split("Sluice-Rejection: Forbidden\r\n|Sluice-Rejection: BadRequest; reason=Key\r\n|WWW-Authenticate: "),
  ...split("HTTP/1.1 100 \r\n\r\n|HTTP/1.1 101 \r\n|HTTP/1.1 403 \r\n"),
  ...[`Sec-WebSocket-Key: ${key}\r\n`, `${accept}\r\n`, ask()]
].map(latin1)

/** In code units of two bytes: halves of a surrogate pair, a line feed, a quote. */
const units = split("00d8|00dc|0a00|2200").map(hex)

export const inputs: Inputs = { seeds, words: [...words, ...units], maxSize: 64 * 1024 }
