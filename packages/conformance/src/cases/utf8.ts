/**
 * Cases of texts that are and that are not UTF-8 (RFC 6455 §5.6, §8.1; RFC 3629 §3 and §4).
 */
import type { Case } from "../Case.js"
import {
  after,
  asBinary,
  asText,
  binary,
  casesOf,
  continuation,
  echo,
  end,
  failed,
  ping,
  receive,
  receivePongs,
  send,
  text
} from "../internal/frameCase.js"

const { both } = casesOf("utf8")

/** §7.4.1: "data within a message that was not consistent with the type of the message (e.g., non-UTF-8 [...] data)" */
const invalidData: ReadonlyArray<number> = [1007]

const valid: ReadonlyArray<readonly [name: string, hex: string]> = [
  ["u+0000", "00"],
  ["u+007f", "7f"],
  ["u+0080", "c280"],
  ["u+07ff", "dfbf"],
  ["u+0800", "e0a080"],
  ["u+0fff", "e0bfbf"],
  ["u+1000", "e18080"],
  ["u+cfff", "ecbfbf"],
  ["u+d000", "ed8080"],
  ["u+d7ff", "ed9fbf"],
  ["u+e000", "ee8080"],
  ["u+feff", "efbbbf"],
  ["u+fffd", "efbfbd"],
  ["u+fffe", "efbfbe"],
  ["u+ffff", "efbfbf"],
  ["u+10000", "f0908080"],
  ["u+1ffff", "f09fbfbf"],
  ["u+3ffff", "f0bfbfbf"],
  ["u+40000", "f1808080"],
  ["u+fffff", "f3bfbfbf"],
  ["u+100000", "f4808080"],
  ["u+10ffff", "f48fbfbf"]
]

/** In each the last byte that matters is the one with which it becomes certain that this is not UTF-8. */
const invalid: ReadonlyArray<readonly [name: string, what: string, hex: string, bad: number]> = [
  ["overlong-2-first", "U+0000 in two bytes", "c080", 0],
  ["overlong-2-slash", "a slash in two bytes", "c0af", 0],
  ["overlong-2-last", "U+007F in two bytes", "c1bf", 0],
  ["overlong-3-first", "U+0000 in three bytes", "e08080", 1],
  ["overlong-3-slash", "a slash in three bytes", "e080af", 1],
  ["overlong-3-last", "U+07FF in three bytes", "e09fbf", 1],
  ["overlong-4-first", "U+0000 in four bytes", "f0808080", 1],
  ["overlong-4-slash", "a slash in four bytes", "f08080af", 1],
  ["overlong-4-last", "U+FFFF in four bytes", "f08fbfbf", 1],
  ["overlong-5", "U+0000 in five bytes", "f880808080", 0],
  ["overlong-6", "U+0000 in six bytes", "fc8080808080", 0],
  ["five-bytes", "a character of five bytes", "f888808080", 0],
  ["six-bytes", "a character of six bytes", "fc8480808080", 0],
  ["surrogate-d800", "the surrogate U+D800", "eda080", 1],
  ["surrogate-db7f", "the surrogate U+DB7F", "edadbf", 1],
  ["surrogate-db80", "the surrogate U+DB80", "edae80", 1],
  ["surrogate-dbff", "the surrogate U+DBFF", "edafbf", 1],
  ["surrogate-dc00", "the surrogate U+DC00", "edb080", 1],
  ["surrogate-df80", "the surrogate U+DF80", "edbe80", 1],
  ["surrogate-dfff", "the surrogate U+DFFF", "edbfbf", 1],
  ["surrogate-pair-first", "the pair of surrogates D800 DC00", "eda080edb080", 1],
  ["surrogate-pair-last", "the pair of surrogates DBFF DFFF", "edafbfedbfbf", 1],
  ["above-10ffff", "U+110000", "f4908080", 1],
  ["above-13ffff", "U+13FFFF", "f4bfbfbf", 1],
  ["above-140000", "U+140000", "f5808080", 0],
  ["above-1fffff", "U+1FFFFF", "f7bfbfbf", 0],
  ["continuation-80", "a byte 80 that continues nothing", "80", 0],
  ["continuation-bf", "a byte BF that continues nothing", "bf", 0],
  ["continuation-two", "two bytes that continue nothing", "80bf", 0],
  ["continuation-after-2", "a continuation byte too many after two bytes", "c3a9a9", 2],
  ["continuation-after-3", "a continuation byte too many after three bytes", "e282acac", 3],
  ["continuation-after-4", "a continuation byte too many after four bytes", "f09f988080", 4],
  ["lead-c3-then-ascii", "the first of two bytes, then ASCII", "c341", 1],
  ["lead-c3-then-lead", "the first of two bytes, then another first", "c3c3a9", 1],
  ["lead-e2-then-ascii", "the first of three bytes, then ASCII", "e241", 1],
  ["lead-e2-82-then-ascii", "two of three bytes, then ASCII", "e28241", 2],
  ["lead-f0-then-ascii", "the first of four bytes, then ASCII", "f041", 1],
  ["lead-f0-9f-then-ascii", "two of four bytes, then ASCII", "f09f41", 2],
  ["lead-f0-9f-98-then-ascii", "three of four bytes, then ASCII", "f09f9841", 3],
  ["lead-f0-9f-98-then-lead", "three of four bytes, then the first of two", "f09f98c3a9", 3],
  ...["f5", "f6", "f7", "f8", "f9", "fa", "fb", "fc", "fd", "fe", "ff"].map(
    (lead) => [`byte-${lead}`, `the byte ${lead.toUpperCase()}, which no UTF-8 has`, lead, 0] as const
  ),
  ["fe-ff", "a byte order mark of UTF-16", "feff", 0]
]

/** Wrong only because the text ends in it. */
const incomplete = ["c3", "df", "e2", "e282", "ed9f", "f0", "f09f", "f09f98", "f48fbf"]

/** Where to cut: before each byte but the first. */
const splits = (hex: string): ReadonlyArray<readonly [before: string, after: string]> =>
  Array.from({ length: hex.length / 2 - 1 }, (_, i) => [hex.slice(0, 2 * i + 2), hex.slice(2 * i + 2)] as const)

/** With an accent that takes three bytes. */
const greekHex = "cebae1bdb9cf83cebcceb5"
const greek = { hex: greekHex }

const accepted: ReadonlyArray<Case> = [
  ...valid.flatMap(([name, hex]) =>
    both(`valid/${name}`, `Echoes a text of ${name.toUpperCase()}.`, "§5.6", [
      send(text([{ hex }, "!"])),
      receive(asText([{ hex }, "!"]))
    ])
  ),
  ...[
    ["c3a9", "two"],
    ["e282ac", "three"],
    ["f09f9880", "four"]
  ].flatMap(([hex = "", count]) =>
    splits(hex).flatMap(([before, rest]) =>
      both(
        `split/${before}-${rest}`,
        `Echoes a character of ${count} bytes that is cut between two fragments after ${before.length / 2}.`,
        "§5.6",
        [send(text({ hex: before }, false), continuation({ hex: rest })), receive(asText({ hex }))]
      )
    )
  ),
  ...splits(greekHex).flatMap(([before, rest]) =>
    both(
      `split/word-${before.length / 2}`,
      `Echoes a Greek word that is cut between two fragments after ${before.length / 2} of 11 bytes.`,
      "§5.6",
      [send(text({ hex: before }, false), continuation({ hex: rest })), receive(asText(greek))]
    )
  ),
  ...both("split/every-byte", "Echoes a Greek word of which each byte is a fragment.", "§5.6", [
    send(
      ...(greekHex.match(/../g) ?? []).map((hex, i) => (i === 0 ? text({ hex }, false) : continuation({ hex }, false))),
      continuation("")
    ),
    receive(asText(greek))
  ]),
  ...both("split/empty-inside", "Echoes a character that is cut by an empty fragment.", "§5.6", [
    send(text({ hex: "f09f" }, false), continuation("", false), continuation({ hex: "9880" })),
    receive(asText("😀"))
  ]),
  ...both("split/ping-inside", "Echoes a character that is cut by a Ping, whose bytes are no part of it.", "§5.6", [
    send(text({ hex: "f09f" }, false), ping({ hex: "9880" }), continuation({ hex: "9880" })),
    { _tag: "Receive", messages: [asText("😀")], pongs: [{ hex: "9880" }] }
  ]),
  ...both("valid/word", "Echoes a Greek word.", "§5.6", echo(asText(greek))),
  ...both(
    "valid/long",
    "Echoes a long text of characters of all lengths.",
    "§5.6",
    echo(asText({ repeat: "aé€😀", times: 1000 }))
  ),
  ...both("valid/byte-order-mark", "Echoes a text that begins with a byte order mark, which is a part of it.", "§5.6", [
    send(text({ hex: "efbbbf61" })),
    receive(asText({ hex: "efbbbf61" }))
  ]),
  ...both("valid/twice", "Begins anew with each text.", "§5.6", [
    ...echo(asText("é")),
    ...echo(asText("😀")),
    ...echo(asText("a"))
  ])
]

const refused: ReadonlyArray<Case> = [
  ...invalid.flatMap(([name, what, hex]) =>
    both(`invalid/${name}`, `Fails the connection for a text with ${what}.`, "§8.1", [
      send(text([greek, { hex }, "edited"]), after),
      ...failed(invalidData)
    ])
  ),
  ...invalid
    .filter(([, , hex]) => hex.length > 2)
    .flatMap(([name, what, hex]) =>
      both(`invalid-split/${name}`, `Fails the connection for a text with ${what}, each byte a fragment.`, "§8.1", [
        send(
          text("a", false),
          ...(hex.match(/../g) ?? []).map((hex) => continuation({ hex }, false)),
          continuation("b"),
          after
        ),
        ...failed(invalidData)
      ])
    ),
  ...incomplete.flatMap((hex) => [
    ...both(`incomplete/${hex}`, `Fails the connection for a text that ends in ${hex}, inside a character.`, "§8.1", [
      send(text(["a", { hex }]), after),
      ...failed(invalidData)
    ]),
    ...both(
      `incomplete/${hex}-last-fragment`,
      `Fails the connection for a text whose last fragment ends in ${hex}, inside a character.`,
      "§8.1",
      [send(text("a", false), continuation({ hex }), after), ...failed(invalidData)]
    ),
    ...both(
      `incomplete/${hex}-then-empty`,
      `Fails the connection for a text that ends in ${hex}, and in an empty fragment.`,
      "§8.1",
      [send(text({ hex }, false), continuation(""), after), ...failed(invalidData)]
    )
  ]),
  ...both("invalid/across-messages", "Fails the connection for a character that is cut between two texts.", "§8.1", [
    send(text({ hex: "c3" }), text({ hex: "a9" })),
    ...failed(invalidData)
  ]),
  ...both("invalid/last-byte-of-long", "Fails the connection for 1,001 bytes of which the last is wrong.", "§8.1", [
    send(text([{ repeat: "a", times: 1000 }, { hex: "ff" }]), after),
    ...failed(invalidData)
  ]),
  ...both("invalid/after-valid", "Fails the connection for a text that is not UTF-8 after one that is.", "§8.1", [
    ...echo(asText(greek)),
    send(text({ hex: "ff" }), after),
    ...failed(invalidData)
  ])
]

/**
 * An endpoint may look at a text when it is whole, or as it comes; to fail at once is better. The output ends so that one
 * that waits for the rest need not be waited for.
 */
const failFast: ReadonlyArray<Case> = invalid
  .filter(([name]) =>
    /^(overlong-[234]-last|surrogate-d800|above-10ffff|continuation-80|lead-f0-9f-98-then-ascii|byte-ff)$/.test(name)
  )
  .flatMap(([name, what, hex, bad]) => [
    ...both(
      `fail-fast/fragment-${name}`,
      `Fails the connection for ${what} in a first fragment, before the text is whole.`,
      "§8.1",
      [
        send(text(["a", { hex: hex.slice(0, 2 * bad + 2) }], false)),
        { _tag: "EndOutput" },
        { _tag: "ReceiveClose", codes: invalidData },
        end
      ],
      { informational: true }
    ),
    ...both(
      `fail-fast/frame-${name}`,
      `Fails the connection for ${what} in a frame of which the end does not come.`,
      "§8.1",
      [
        send({ ...text(["a", { hex: hex.slice(0, 2 * bad + 2) }]), length: "100" }),
        { _tag: "EndOutput" },
        { _tag: "ReceiveClose", codes: invalidData },
        end
      ],
      { informational: true }
    )
  ])

const notLookedAt: ReadonlyArray<Case> = [
  ...invalid
    .filter(([name]) => /^(overlong-2-first|surrogate-d800|above-10ffff|byte-ff)$/.test(name))
    .flatMap(([name, what, hex]) =>
      both(`binary/${name}`, `Echoes a binary with ${what}, which need not be UTF-8.`, "§5.6", echo(asBinary({ hex })))
    ),
  ...both("binary/fragments", "Echoes a binary in fragments that are not UTF-8.", "§5.6", [
    send(binary({ hex: "c3" }, false), continuation({ hex: "28ff" })),
    receive(asBinary({ hex: "c328ff" }))
  ]),
  ...both("binary/after-cut-text", "Begins anew after a text that was cut and a binary.", "§5.6", [
    send(text({ hex: "c3" }, false), continuation({ hex: "a9" }), binary({ hex: "a9" }), text("é")),
    receive(asText("é"), asBinary({ hex: "a9" }), asText("é"))
  ]),
  ...both("control/ping", "Answers a Ping whose payload is not UTF-8.", "§5.5.3", [
    send(ping({ hex: "ff80c0" })),
    receivePongs({ hex: "ff80c0" })
  ])
]

/** @internal */
export const utf8: ReadonlyArray<Case> = [...accepted, ...refused, ...failFast, ...notLookedAt]
