/**
 * Cases of the closing handshake (RFC 6455 §5.5.1, §7).
 */
import type { Bytes, Case } from "../Case.js"
import { answersClose, asText, casesOf, close, echo, end, failed, letters, send } from "../internal/frameCase.js"

const { both } = casesOf("close")

/** Those of §7.4.1 that an endpoint may send, of the IANA registry, and the edges of the ranges of §7.4.2. */
const legal: ReadonlyArray<readonly [code: number, section: string]> = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011].map((code) => [code, "§7.4.1"] as const),
  ...[3000, 3001, 3999, 4000, 4001, 4999].map((code) => [code, "§7.4.2"] as const)
]

const answered: ReadonlyArray<Case> = [
  ...both("answer/empty", "Answers a Close frame without a code, and ends the connection.", "§5.5.1", [
    send(close()),
    ...answersClose(1005)
  ]),
  ...legal.flatMap(([code, section]) => [
    ...both(`code/${code}`, `Answers a Close frame of the code ${code}.`, section, [
      send(close(code)),
      ...answersClose(code)
    ]),
    ...both(`code/${code}-reason`, `Answers a Close frame of the code ${code} with a reason.`, section, [
      send(close(code, "reason")),
      ...answersClose(code)
    ])
  ]),
  // The RFC reserves them for its future; the IANA registry has assigned them since.
  ...[1012, 1013, 1014].flatMap((code) =>
    both(
      `code/${code}`,
      `Answers a Close frame of the code ${code}, which was registered after the RFC.`,
      "§7.4.2",
      [send(close(code)), { _tag: "ReceiveClose", codes: [code] }, end],
      { informational: true }
    )
  ),
  ...both(
    "answer/same-code",
    "Answers with the code that it received.",
    "§5.5.1",
    [send(close(4321)), { _tag: "ReceiveClose", codes: [4321] }, end],
    { informational: true }
  ),
  ...both("answer/after-message", "Answers a Close frame after messages.", "§5.5.1", [
    ...echo(asText("Hello")),
    send(close(1000)),
    ...answersClose(1000)
  ]),
  ...both("answer/after-long-message", "Answers a Close frame after a message of 64 KiB.", "§5.5.1", [
    ...echo(asText(letters(65_536))),
    send(close(1001)),
    ...answersClose(1001)
  ])
]

const reasons: ReadonlyArray<readonly [name: string, what: string, reason: Bytes]> = [
  ["1", "one byte", "a"],
  ["122", "122 bytes", letters(122)],
  ["123", "123 bytes, the most there can be", letters(123)],
  ["greek", "Greek", "κόσμε"],
  ["four-byte", "characters of four bytes", { repeat: "😀", times: 30 }],
  ["123-of-three", "123 bytes in characters of three", { repeat: "€", times: 41 }],
  ["u+0000", "a null character", { hex: "00" }],
  ["u+10ffff", "the last character", { hex: "f48fbfbf" }]
]

const reason: ReadonlyArray<Case> = reasons.flatMap(([name, what, reason]) =>
  both(`reason/${name}`, `Answers a Close frame whose reason is ${what}.`, "§5.5.1", [
    send(close(1000, reason)),
    ...answersClose(1000)
  ])
)

/** §7.4.1: "MUST NOT be set as a status code in a Close control frame"; §7.4.2: 0 to 999 "are not used". */
const illegal: ReadonlyArray<readonly [code: number, section: string]> = [
  ...[0, 1, 255, 256, 500, 998, 999].map((code) => [code, "§7.4.2"] as const),
  ...[1005, 1006, 1015].map((code) => [code, "§7.4.1"] as const)
]

/** Reserved, or not mentioned: what a receiver does about them is not said. */
const unassigned: ReadonlyArray<readonly [code: number, section: string]> = [
  [1004, "§7.4.1"],
  ...[1016, 1100, 1999, 2000, 2999, 5000, 9999, 32_767, 32_768, 65_535].map((code) => [code, "§7.4.2"] as const)
]

const illegalCodes: ReadonlyArray<Case> = [
  ...illegal.flatMap(([code, section]) => [
    ...both(
      `illegal-code/${code}`,
      `Fails the connection for a Close frame of the code ${code}, which must not be sent.`,
      section,
      [send(close(code)), ...failed()]
    ),
    ...both(
      `illegal-code/${code}-reason`,
      `Fails the connection for a Close frame of the code ${code}, which must not be sent, with a reason.`,
      section,
      [send(close(code, "reason")), ...failed()]
    )
  ]),
  ...unassigned.flatMap(([code, section]) =>
    both(
      `unassigned-code/${code}`,
      `Fails the connection for a Close frame of the code ${code}, which nobody has defined.`,
      section,
      [send(close(code)), { _tag: "ReceiveClose", codes: [1002] }, end],
      { informational: true }
    )
  )
]

const halves = ["00", "03", "61", "ff"]

const payload: ReadonlyArray<Case> = [
  ...halves.flatMap((hex) =>
    both(
      `payload/one-byte-${hex}`,
      `Fails the connection for a Close frame whose only byte is ${hex}, half a code.`,
      "§5.5.1",
      [send({ opcode: 8, payload: { hex } }), ...failed()]
    )
  ),
  ...[
    ["overlong", "c0af", "a slash in two bytes"],
    ["surrogate", "eda080", "a surrogate"],
    ["above-10ffff", "f4908080", "U+110000"],
    ["continuation", "80", "a byte that continues nothing"],
    ["ff", "ff", "the byte FF"],
    ["cut-2", "c3", "the first of two bytes"],
    ["cut-3", "e282", "two of three bytes"],
    ["cut-4", "f09f98", "three of four bytes"]
  ].flatMap(([name, hex = "", what]) =>
    both(`payload/reason-${name}`, `Fails the connection for a Close frame whose reason ends in ${what}.`, "§8.1", [
      send(close(1000, ["reason ", { hex }])),
      ...failed([1002, 1007])
    ])
  ),
  ...both("payload/reason-cut-at-123", "Fails the connection for a reason that was cut inside a character.", "§8.1", [
    send(close(1000, [letters(122), { hex: "c3" }])),
    ...failed([1002, 1007])
  ]),
  ...both("payload/reason-124", "Fails the connection for a reason of 124 bytes, one too many.", "§5.5", [
    send(close(1000, letters(124))),
    ...failed()
  ])
]

/** @internal */
export const closing: ReadonlyArray<Case> = [...answered, ...reason, ...illegalCodes, ...payload]
