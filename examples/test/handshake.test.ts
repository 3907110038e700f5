import { assert, describe, it } from "@effect/vitest"
import { judge, report, requests, toBytes } from "../handshake/handshake.js"

/** The verdict on each request, and the status of its reply. */
const expected: Array<[what: string, verdict: string, status: number]> = [
  ["as a browser sends it", "Accepted, speaks chat.v1", 101],
  ["a page of another site", "ForbiddenOrigin (RFC 6455 §10.2)", 403],
  ["no browser, so no Origin", "Accepted, speaks chat.v1", 101],
  ["an ordinary GET", "NotAnUpgrade (RFC 9110 §15.5.22)", 426],
  ["a POST", "MethodNotAllowed (RFC 9110 §15.5.6)", 405],
  ["an old draft of the protocol", "UnsupportedVersion (RFC 6455 §4.2.2)", 426],
  ["no key", "BadRequest (RFC 6455 §4.2.1)", 400],
  ["two keys", "BadRequest (RFC 9110 §5.3)", 400],
  ["a key of 3 bytes", "BadRequest (RFC 6455 §4.2.1)", 400],
  ["speaks something else", "NoCommonSubprotocol (RFC 6455 §4.2.2)", 400],
  ["a space before the colon", "BadRequest (RFC 9112 §2.2)", 400],
  ["no Host", "BadRequest (RFC 9112 §3.2)", 400]
]

describe("handshake", () => {
  it("judges every request as it should", () => {
    const judged = requests.map(([what, lines]): (typeof expected)[number] => {
      const { reply, verdict } = judge(toBytes(lines))
      return [what, verdict, Number(new TextDecoder().decode(reply).split(" ")[1])]
    })
    assert.deepStrictEqual(judged, expected)
  })

  it("waits as long as the head is not whole, and not longer", () => {
    const bytes = toBytes(requests[0]![1])
    for (let length = 0; length < bytes.length; length++) {
      assert.deepStrictEqual(judge(bytes.subarray(0, length)), {
        verdict: "more bytes are needed",
        reply: new Uint8Array(0)
      })
    }
    assert.strictEqual(judge(bytes).verdict, "Accepted, speaks chat.v1")
  })

  it("prints a table with a row for each, and the example of RFC 6455 §1.3", () => {
    for (const [what] of expected) assert.include(report, `\n${what} `)
    assert.include(report, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  })
})
