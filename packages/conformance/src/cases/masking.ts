/**
 * Cases of masking, and the bytes that the RFC prints as examples (RFC 6455 §5.1, §5.3, §5.7).
 */
import type { Case } from "../Case.js"
import {
  asBinary,
  asText,
  binary,
  bytes,
  carriers,
  casesOf,
  continuation,
  echo,
  fails,
  ping,
  receive,
  receivePongs,
  send,
  sized,
  text
} from "../internal/frameCase.js"

const { client, server } = casesOf("framing")

/** §5.1: "The server MUST close the connection upon receiving a frame that is not masked." */
const unmasked: ReadonlyArray<Case> = [
  ...carriers.flatMap(([name, before, frame]) =>
    server(
      `masking/unmasked-${name}`,
      `Closes the connection for a ${name} frame that is not masked.`,
      "§5.1",
      fails(...before, { ...frame, masked: false })
    )
  ),
  ...server(
    "masking/unmasked-empty",
    "Closes the connection for an empty text that is not masked.",
    "§5.1",
    fails({ opcode: 1, masked: false })
  ),
  ...server(
    "masking/unmasked-second",
    "Closes the connection for a frame that is not masked, after one that is.",
    "§5.1",
    [...echo(asText("before")), ...fails({ ...text("Hello"), masked: false })]
  )
]

/** §5.1: "A client MUST close a connection if it detects a masked frame." */
const masked: ReadonlyArray<Case> = [
  ...carriers.flatMap(([name, before, frame]) =>
    client(
      `masking/masked-${name}`,
      `Closes the connection for a masked ${name} frame.`,
      "§5.1",
      fails(...before, { ...frame, masked: true })
    )
  ),
  ...client(
    "masking/masked-empty",
    "Closes the connection for a masked empty text.",
    "§5.1",
    fails({ opcode: 1, masked: true })
  ),
  ...client(
    "masking/masked-key-zero",
    "Closes the connection for a masked text, also where the key changes nothing.",
    "§5.1",
    fails({ ...text("Hello"), masked: true, key: "00000000" })
  ),
  ...client("masking/masked-second", "Closes the connection for a masked frame, after one that is not.", "§5.1", [
    ...echo(asText("before")),
    ...fails({ ...text("Hello"), masked: true })
  ])
]

const keys = [
  ["zero", "00000000", "of zeros, which changes nothing"],
  ["ones", "ffffffff", "of ones"],
  ["first-byte", "ff000000", "with a first byte only"],
  ["last-byte", "000000ff", "with a last byte only"],
  ["sign-bit", "80000000", "whose first bit only is set"],
  ["ascending", "01020304", "of four different bytes"],
  ["rfc", "37fa213d", "of the examples of §5.7"],
  ["frame-header", "81858185", "that looks like headers of frames"]
] as const

const unmasking: ReadonlyArray<Case> = [
  ...keys.flatMap(([name, key, what]) => [
    ...server(`masking/key-${name}`, `Removes the masking of a key ${what}.`, "§5.3", [
      send({ ...text("Hello, masked!"), key }),
      receive(asText("Hello, masked!"))
    ]),
    ...server(`masking/key-${name}-300`, `Removes the masking of 300 bytes, with a key ${what}.`, "§5.3", [
      send({ ...binary(bytes(300)), key }),
      receive(asBinary(bytes(300)))
    ])
  ]),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17].flatMap((length) =>
    server(`masking/phase-${length}`, `Removes the masking of ${sized(length)}.`, "§5.3", [
      send({ ...binary(bytes(length)), key: "01020304" }),
      receive(asBinary(bytes(length)))
    ])
  ),
  ...server(
    "masking/payload-equal-to-key",
    "Removes the masking of a payload that is the key, so that zeros are sent.",
    "§5.3",
    [send({ ...binary({ hex: "c328a5ff" }), key: "c328a5ff" }), receive(asBinary({ hex: "c328a5ff" }))]
  ),
  ...server("masking/key-per-fragment", "Begins anew with the key of each fragment.", "§5.3", [
    send(
      { ...text("H", false), key: "01020304" },
      { ...continuation("el", false), key: "05060708" },
      { ...continuation("lo!"), key: "090a0b0c" }
    ),
    receive(asText("Hello!"))
  ]),
  ...server("masking/key-of-empty", "Takes an empty masked frame, whose key is there all the same.", "§5.3", [
    send({ ...text(""), key: "01020304" }, { ...text("Hello"), key: "05060708" }),
    receive(asText(""), asText("Hello"))
  ]),
  ...server("masking/key-of-control", "Removes the masking of control frames.", "§5.3", [
    send({ ...ping("Hello"), key: "01020304" }),
    receivePongs("Hello")
  ])
]

/** Masking of what a client echoes; the runner looks at the MASK bit and at the keys of each frame. */
const maskedEcho: ReadonlyArray<Case> = client(
  "masking/fresh-keys",
  "Masks each frame, with a key of its own.",
  "§5.3",
  Array.from({ length: 8 }, (_, i) => echo(asText(`message ${i}`))).flat()
)

const example = (hex: string) => ({ _tag: "SendBytes", bytes: { hex } }) as const

/** The bytes that §5.7 prints. */
const examples: ReadonlyArray<Case> = [
  ...client("example/text", "Takes the single-frame unmasked text of the examples.", "§5.7", [
    example("810548656c6c6f"),
    receive(asText("Hello"))
  ]),
  ...server("example/masked-text", "Takes the single-frame masked text of the examples.", "§5.7", [
    example("818537fa213d7f9f4d5158"),
    receive(asText("Hello"))
  ]),
  ...client("example/fragmented", "Takes the fragmented text of the examples.", "§5.7", [
    example("010348656c80026c6f"),
    receive(asText("Hello"))
  ]),
  ...client("example/ping", "Answers the Ping of the examples.", "§5.7", [
    example("890548656c6c6f"),
    receivePongs("Hello")
  ]),
  ...server("example/masked-pong", "Takes the masked Pong of the examples.", "§5.7", [
    example("8a8537fa213d7f9f4d5158"),
    ...echo(asText("Hello"))
  ]),
  ...client("example/binary-256", "Takes the 256 bytes of the examples.", "§5.7", [
    { _tag: "SendBytes", bytes: [{ hex: "827e0100" }, bytes(256)] },
    receive(asBinary(bytes(256)))
  ]),
  ...client("example/binary-64k", "Takes the 64 KiB of the examples.", "§5.7", [
    { _tag: "SendBytes", bytes: [{ hex: "827f0000000000010000" }, bytes(65_536)] },
    receive(asBinary(bytes(65_536)))
  ])
]

/** @internal */
export const masking: ReadonlyArray<Case> = [...unmasked, ...masked, ...unmasking, ...maskedEcho, ...examples]
