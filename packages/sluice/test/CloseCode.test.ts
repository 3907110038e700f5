import { assert, describe, it } from "@effect/vitest"
import * as CloseCode from "../src/CloseCode.js"

/** RFC 6455 §7.4.1 and the WebSocket Close Code Number Registry of IANA. */
const registry: ReadonlyArray<readonly [code: number, name: string, constant: string | undefined]> = [
  [1000, "Normal Closure", "NormalClosure"],
  [1001, "Going Away", "GoingAway"],
  [1002, "Protocol error", "ProtocolError"],
  [1003, "Unsupported Data", "UnsupportedData"],
  [1004, "Reserved", undefined],
  [1005, "No Status Rcvd", "NoStatusRcvd"],
  [1006, "Abnormal Closure", "AbnormalClosure"],
  [1007, "Invalid frame payload data", "InvalidFramePayloadData"],
  [1008, "Policy Violation", "PolicyViolation"],
  [1009, "Message Too Big", "MessageTooBig"],
  [1010, "Mandatory Ext.", "MandatoryExtension"],
  [1011, "Internal Error", "InternalError"],
  [1012, "Service Restart", "ServiceRestart"],
  [1013, "Try Again Later", "TryAgainLater"],
  [1014, "Bad Gateway", "BadGateway"],
  [1015, "TLS handshake", "TlsHandshake"]
]

describe("the registry (RFC 6455 §7.4.1, IANA)", () => {
  it.each(registry)("%i is %s", (code, name) => {
    assert.strictEqual(CloseCode.name(code), name)
  })

  it("has a constant for each code but 1004, and no other", () => {
    const constants = Object.entries(CloseCode).filter(([, value]) => typeof value === "number")
    const rows = registry.flatMap(([code, , constant]) => (constant === undefined ? [] : [[constant, code]]))
    assert.deepStrictEqual<unknown>(constants.sort(), rows.sort())
  })

  it.each([
    [0, "Invalid"],
    [999, "Invalid"],
    [1016, "Unassigned"],
    [2999, "Unassigned"],
    [3000, "Registered Use"],
    [3999, "Registered Use"],
    [4000, "Private Use"],
    [4999, "Private Use"],
    [5000, "Invalid"],
    [65535, "Invalid"]
  ])("%i is %s (§7.4.2)", (code, name) => {
    assert.strictEqual(CloseCode.name(code), name)
  })
})

describe("what may be in a Close frame (RFC 6455 §7.4.1, §7.4.2)", () => {
  const assigned = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014])

  it("for each number that a Close frame can hold", () => {
    for (let code = 0; code <= 0xffff; code++) {
      const expected = assigned.has(code) || (code >= 3000 && code <= 4999)
      if (CloseCode.isSendable(code) !== expected) assert.fail(`isSendable(${code})`)
      if (CloseCode.isReceivable(code) !== expected) assert.fail(`isReceivable(${code})`)
    }
  })

  it.each([-1, 1000.5, 3000.5, 4999.5, Number.NaN, Number.POSITIVE_INFINITY, 1000 + 0x1_0000])("never %d", (code) => {
    assert.isFalse(CloseCode.isSendable(code))
    assert.isFalse(CloseCode.isReceivable(code))
  })
})

describe("forViolation", () => {
  it("every violation has a code that may be sent, and never 1000", () => {
    for (const [reason, code] of Object.entries(CloseCode.forViolation)) {
      assert.isTrue(CloseCode.isSendable(code), reason)
      assert.notStrictEqual<number>(code, CloseCode.NormalClosure)
    }
  })
})
