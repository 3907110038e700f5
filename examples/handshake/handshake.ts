import { Either } from "effect"
import { Handshake, Rejection } from "sluice"

/** What a browser sends to open a WebSocket, line by line. */
const request = [
  "GET /chat HTTP/1.1",
  "Host: example.com",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: chat.v2, chat.v1",
  "Origin: http://example.com"
]

/** The same request, in which the lines that begin with `before` are replaced by `lines`. */
const changed = (before: string, ...lines: ReadonlyArray<string>) =>
  request.flatMap((line) => (line.startsWith(before) ? lines : [line]))

/** A few requests, each wrong in its own way but for the first. */
export const requests: ReadonlyArray<readonly [what: string, lines: ReadonlyArray<string>]> = [
  ["as a browser sends it", request],
  ["a page of another site", changed("Origin", "Origin: http://elsewhere.example")],
  ["no browser, so no Origin", changed("Origin")],
  ["an ordinary GET", changed("Upgrade").filter((line) => !line.startsWith("Connection"))],
  ["a POST", changed("GET", "POST /chat HTTP/1.1")],
  ["an old draft of the protocol", changed("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8")],
  ["no key", changed("Sec-WebSocket-Key")],
  ["two keys", [...request, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]],
  ["a key of 3 bytes", changed("Sec-WebSocket-Key", "Sec-WebSocket-Key: AAAA")],
  ["speaks something else", changed("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: mqtt")],
  ["a space before the colon", changed("Host", "Host : example.com")],
  ["no Host", changed("Host")]
]

/** What became of a request: the verdict in words, and the bytes that go back. */
export interface Judgement {
  readonly verdict: string
  readonly reply: Uint8Array
}

/**
 * Bytes in, verdict and reply out. Each step takes the state that the step before gave, so none can be left out or
 * done twice: that would not compile. There is no network, no clock and no randomness in it.
 */
export const judge = (bytes: Uint8Array): Judgement => {
  const result = Either.gen(function* () {
    // 1. Read the head. It may come in any number of chunks: as long as it is not whole, the state waits for the next.
    const state = yield* Handshake.receive(Handshake.awaitingHead(), bytes)
    if (state._tag === "AwaitingHead") return state
    // 2. Check what RFC 6455 demands.
    const offered = yield* Handshake.offer(state)
    // 3. Apply our own policy. Same-origin is the default; the order of the subprotocols is our preference.
    return yield* Handshake.negotiate(offered, { subprotocols: ["chat.v1", "chat.v0"] })
  })
  return Either.match(result, {
    onLeft: (rejection) => ({
      verdict: `${rejection._tag} (${rejection.section})`,
      reply: Rejection.toBytes(rejection)
    }),
    onRight: (state) =>
      state._tag === "AwaitingHead"
        ? { verdict: "more bytes are needed", reply: new Uint8Array(0) }
        : // The type of `subprotocol` is "chat.v1" | "chat.v0" | undefined: what we may have chosen, nothing else.
          { verdict: `Accepted, speaks ${state.subprotocol}`, reply: Handshake.response(state) }
  })
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll("\r\n", "\n").trimEnd()

/** The bytes of a head: each line ends with CR and LF, and an empty line ends the head. */
export const toBytes = (lines: ReadonlyArray<string>): Uint8Array => encode([...lines, "", ""].join("\r\n"))

const judgements = [
  ...requests.map(([what, lines]) => ({ what, lines, ...judge(toBytes(lines)) })),
  { what: "the first half of it", lines: [], ...judge(toBytes(request).subarray(0, 100)) }
]

const row = (what: string, verdict: string, reply: string) =>
  `${what.padEnd(30)}${verdict.padEnd(46)}${reply}`.trimEnd()

/** All of it as text: a table, then two of the requests with their replies, whole. */
export const report: string = [
  row("the request", "the verdict", "the reply"),
  row("-----------", "-----------", "---------"),
  ...judgements.map(({ reply, verdict, what }) => row(what, verdict, decode(reply).split("\n")[0] ?? "")),
  ...judgements
    .slice(0, 2)
    .flatMap(({ lines, reply, what }) => ["", `=== ${what} ===`, "", ...lines, "", "--- reply ---", "", decode(reply)])
].join("\n")
