import { isIPv4, isIPv6 } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as IpAddress from "../../src/internal/ipAddress.js"
import { toHex } from "../support/bytes.js"

const group = FastCheck.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16))
const number = FastCheck.oneof(
  FastCheck.integer({ min: 0, max: 300 }).map(String),
  FastCheck.constantFrom("", "01", "a")
)
/** Texts of which about half are addresses. */
const text = FastCheck.oneof(
  FastCheck.ipV4(),
  FastCheck.ipV6(),
  FastCheck.array(FastCheck.oneof(group, FastCheck.constantFrom("", "0", "1.2.3.4")), {
    minLength: 2,
    maxLength: 9
  }).map((parts) => parts.join(":")),
  FastCheck.array(number, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."))
)

describe("IpAddress", () => {
  it.prop("takes what the host takes", [text], ([text]) => {
    assert.strictEqual(IpAddress.parseIpv4(text) !== undefined, isIPv4(text), text)
    assert.strictEqual(IpAddress.parseIpv6(text) !== undefined, isIPv6(text), text)
  })

  it.prop(
    "prints what it reads as the same address",
    [FastCheck.uint8Array({ minLength: 16, maxLength: 16 })],
    ([bytes]) => {
      for (const address of [bytes, bytes.subarray(0, 4), bytes.map((byte) => (byte < 200 ? 0 : byte))]) {
        const printed = IpAddress.format(address)
        assert.strictEqual(toHex(IpAddress.parse(printed) ?? new Uint8Array(0)), toHex(address), printed)
      }
    }
  )

  const texts: ReadonlyArray<readonly [text: string, printed: string]> = [
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    // RFC 5952 §4.1 to §4.3
    ["2001:0DB8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    // RFC 5952 §5
    ["::ffff:102:304", "::ffff:1.2.3.4"],
    ["::FFFF:1.2.3.4", "::ffff:1.2.3.4"],
    ["::1.2.3.4", "::102:304"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"]
  ]
  for (const [text, printed] of texts) {
    it(`${text} is ${printed}`, () => {
      assert.strictEqual(IpAddress.format(IpAddress.parse(text) ?? new Uint8Array(0)), printed)
    })
  }

  for (const text of [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1::2::3",
    ":::",
    ":1:2:3:4:5:6:7"
  ]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.isUndefined(IpAddress.parse(text))
    })
  }

  for (const text of [
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "::1%eth0",
    "1.2.3.4::",
    "::g"
  ]) {
    it(`${JSON.stringify(text)} is none either`, () => {
      assert.isUndefined(IpAddress.parse(text))
    })
  }
})
