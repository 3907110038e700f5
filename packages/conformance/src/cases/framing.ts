/**
 * Cases of single frames: lengths, reserved bits, opcodes (RFC 6455 §5.2), and one after the other.
 */
import type { Case } from "../Case.js"
import {
  after,
  asBinary,
  asText,
  binary,
  bytes,
  carriers,
  casesOf,
  continuation,
  digits,
  echo,
  failed,
  fails,
  letters,
  receive,
  send,
  sized,
  text
} from "../internal/frameCase.js"

const { both } = casesOf("framing")

/** The edges of the three forms of a length, and what lies around a word and a buffer. */
const lengths = [
  0, 1, 2, 3, 4, 5, 7, 8, 9, 124, 125, 126, 127, 128, 129, 255, 256, 257, 1023, 1024, 4095, 4096, 16_383, 16_384,
  32_767, 32_768, 65_534, 65_535, 65_536
]

const textLengths = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536]

const length: ReadonlyArray<Case> = [
  ...textLengths.flatMap((length) =>
    both(`length/text-${length}`, `Echoes a text of ${sized(length)}.`, "§5.2", echo(asText(letters(length))))
  ),
  ...lengths.flatMap((length) =>
    both(`length/binary-${length}`, `Echoes a binary of ${sized(length)}.`, "§5.2", echo(asBinary(bytes(length))))
  )
]

/** That the sender MUST use the fewest bytes is said; what a receiver does about one that does not is not. */
const nonMinimal: ReadonlyArray<Case> = [
  ...([16, 64] as const).flatMap((form) =>
    [0, 1, 124, 125, ...(form === 64 ? [126, 65_535] : [])].flatMap((length) =>
      both(
        `non-minimal/binary-${length}-in-${form}`,
        `Fails the connection for ${sized(length)} whose length is written in ${form} bits.`,
        "§5.2",
        fails({ ...binary(bytes(length)), form }),
        { informational: true }
      )
    )
  ),
  ...([16, 64] as const).flatMap((form) =>
    both(
      `non-minimal/text-in-${form}`,
      `Fails the connection for a text of 5 bytes whose length is written in ${form} bits.`,
      "§5.2",
      fails({ ...text("Hello"), form }),
      { informational: true }
    )
  )
]

const overflow: ReadonlyArray<Case> = [
  ["2-63", "8000000000000000"],
  ["2-63-and-5", "8000000000000005"],
  ["all-ones", "ffffffffffffffff"],
  ["top-and-16", "8000000000010000"]
].flatMap(([name, hex]) =>
  [1, 2].flatMap((opcode) =>
    both(
      `length-overflow/${name}-${opcode === 1 ? "text" : "binary"}`,
      `Fails the connection for the 64-bit length 0x${hex}, whose most significant bit is set.`,
      "§5.2",
      [
        send({ opcode, payload: "Hello", length: BigInt(`0x${hex}`).toString(), form: 64 }),
        // A length that nobody can take is also too big.
        ...failed([1002, 1009])
      ]
    )
  )
)

const rsvName = (rsv: number): string =>
  [4, 2, 1].flatMap((bit, i) => ((rsv & bit) === 0 ? [] : `rsv${i + 1}`)).join("-")

const reservedBits: ReadonlyArray<Case> = [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
  carriers.flatMap(([name, before, frame]) =>
    both(
      `reserved-bit/${rsvName(rsv)}-${name}`,
      `Fails the connection for ${rsvName(rsv).toUpperCase().replaceAll("-", " and ")} in a ${name} frame, which no extension explains.`,
      "§5.2",
      fails(...before, { ...frame, rsv })
    )
  )
)

const reservedOpcodes: ReadonlyArray<Case> = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => {
  const kind = opcode < 8 ? "non-control" : "control"
  const title = `Fails the connection for the reserved ${kind} opcode ${opcode}`
  return [
    ...both(`reserved-opcode/${opcode}-empty`, `${title}, without a payload.`, "§5.2", fails({ opcode })),
    ...both(
      `reserved-opcode/${opcode}-payload`,
      `${title}, with a payload.`,
      "§5.2",
      fails({ opcode, payload: "Hello" })
    ),
    ...both(
      `reserved-opcode/${opcode}-between-fragments`,
      `${title}, between two fragments.`,
      "§5.2",
      fails(text("Hel", false), { opcode, payload: "?" }, continuation("lo"))
    ),
    ...both(
      `reserved-opcode/${opcode}-without-fin`,
      `${title}, without FIN.`,
      "§5.2",
      fails({ opcode, fin: false, payload: "Hello" })
    ),
    ...both(`reserved-opcode/${opcode}-after-message`, `${title}, after a message.`, "§5.2", [
      ...echo(asText("before")),
      ...fails({ opcode })
    ])
  ]
})

const sequence: ReadonlyArray<Case> = [
  ...[2, 10, 100].flatMap((count) => {
    const messages = Array.from({ length: count }, (_, i) =>
      i % 2 === 0 ? asText(`message ${i}`) : asBinary({ hex: digits(i, 4) })
    )
    return both(`sequence/${count}-at-once`, `Echoes ${count} messages that come together, in order.`, "§6.2", [
      send(...messages.map(({ payload, type }) => (type === "text" ? text(payload) : binary(payload)))),
      receive(...messages)
    ])
  }),
  ...both("sequence/one-by-one", "Echoes messages one by one.", "§6.2", [
    ...echo(asText("one")),
    ...echo(asBinary({ hex: "02" })),
    ...echo(asText("")),
    ...echo(asBinary("")),
    ...echo(asText("five"))
  ]),
  ...both("sequence/all-lengths", "Echoes messages of all three forms of lengths that come together.", "§5.2", [
    send(binary(bytes(126)), binary(bytes(1)), binary(bytes(65_536)), binary(bytes(0)), binary(bytes(127))),
    receive(...[126, 1, 65_536, 0, 127].map((length) => asBinary(bytes(length))))
  ]),
  ...both(
    "sequence/type",
    "Echoes the same bytes as text where they came as text, and as binary where as binary.",
    "§6.2",
    [send(text("same"), binary("same"), after), receive(asText("same"), asBinary("same"), asText("after"))]
  )
]

/** @internal */
export const framing: ReadonlyArray<Case> = [
  ...length,
  ...nonMinimal,
  ...overflow,
  ...reservedBits,
  ...reservedOpcodes,
  ...sequence
]
