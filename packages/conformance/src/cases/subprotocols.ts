/**
 * Subprotocols (RFC 6455 §1.9, §4.1, §4.2.2, §11.3.4): what a client asks for, what a server chooses, and what a client
 * takes for an answer.
 *
 * The RFC gives the client's order a meaning, but leaves the choice to the server: which of two it takes is not decided.
 * Nor is whether a server that has none of them goes on without, or refuses.
 */
import type { Case, Step } from "../Case.js"
import { client, echo, having, open, reply, request, server } from "../internal/openingCase.js"

const { accepts, either, refuses } = server("subprotocols")
const { fails, opens } = client("subprotocols")

const asking = (...values: ReadonlyArray<string>): string =>
  having(...values.map((value) => `Sec-WebSocket-Protocol: ${value}`))

const field = "Sec-WebSocket-Protocol"
const chosen = (name: string) => ({ fields: { [field]: name } })
const none = { absent: [field] }
const two = { setup: { subprotocols: ["chat.v2", "chat.v1"] } }
const required = { setup: { subprotocols: ["chat.v2", "chat.v1"], subprotocolRequired: true } }
const hundred = Array.from({ length: 100 }, (_, index) => `x${index}`).join(", ")

const choosing: ReadonlyArray<Case> = [
  ...accepts(
    "choice",
    "RFC 6455 §4.2.2",
    [
      ["one", "a client that asks for a subprotocol that it speaks", asking("chat.v1"), chosen("chat.v1")],
      ["known-last", "a client that asks for it after others", asking("x, y, chat.v1"), chosen("chat.v1")],
      ["known-first", "a client that asks for it before others", asking("chat.v1, x, y"), chosen("chat.v1")],
      [
        "known-after-many",
        "a client that asks for it after a hundred",
        asking(`${hundred}, chat.v1`),
        chosen("chat.v1")
      ],
      [
        "both",
        "a client that asks for two that it speaks, and chooses",
        asking("chat.v2, chat.v1"),
        { fields: { [field]: null } }
      ],
      [
        "own-order",
        "a client that prefers the other of two, by its own preference",
        asking("chat.v1, chat.v2"),
        { ...open, ...chosen("chat.v2") }
      ],
      ["not-asked", "a client that asks for none, and chooses none", request(), none],
      ["tab", "white space around a subprotocol", asking("\tx ,\t chat.v1 "), chosen("chat.v1")],
      ["no-space", "subprotocols without white space between them", asking("x,chat.v1"), chosen("chat.v1")],
      ["prefix", "subprotocols that begin like its own", asking("chat.v1, chat.v1.1"), chosen("chat.v1")],
      ["cases", "subprotocols that differ in case only", asking("CHAT.V1, chat.v1"), chosen("chat.v1")]
    ],
    two
  ),
  ...accepts(
    "lines",
    "RFC 6455 §11.3.4",
    [
      ["second", "the second of two lines", asking("x", "chat.v1"), chosen("chat.v1")],
      ["first", "the first of two lines", asking("chat.v1", "x"), chosen("chat.v1")],
      ["lists", "two lists in two lines", asking("x, y", "z, chat.v1"), chosen("chat.v1")],
      [
        "names",
        "subprotocols in lines whose names differ in case",
        having("sec-websocket-protocol: x", "SEC-WEBSOCKET-PROTOCOL: chat.v1"),
        chosen("chat.v1")
      ],
      [
        "empty-elements",
        "empty elements among subprotocols",
        asking(", chat.v1 ,,"),
        { ...chosen("chat.v1"), section: "RFC 9110 §5.6.1.2" }
      ],
      [
        "empty-line",
        "an empty line of subprotocols beside another",
        asking("", "chat.v1"),
        { ...chosen("chat.v1"), section: "RFC 9110 §5.6.1.2" }
      ]
    ],
    two
  ),
  ...either(
    "none-in-common",
    "RFC 6455 §4.2.2",
    [
      ["unknown", "a client that asks for what it does not speak, but chooses none", asking("x, y")],
      ["case", "a client that asks for it in another case, but chooses none", asking("CHAT.V1"), open],
      ["shorter", "a client that asks for the beginning of one, but chooses none", asking("chat")],
      ["prototype", "names that every object has, but chooses none", asking("__proto__, constructor, toString")]
    ],
    { ...two, ...none }
  ),
  ...either("none-in-common", "RFC 6455 §4.2.2", [
    [
      "no-subprotocols",
      "a client that asks for one where there are none, but chooses none",
      asking("x"),
      { ...none, setup: { subprotocols: [] } }
    ],
    // who was not set up may be willing to speak any
    [
      "not-set-up",
      "a client that asks for one that nobody has heard of, but chooses none",
      asking("x"),
      { ...none, ...open }
    ]
  ]),
  ...accepts(
    "required",
    "RFC 6455 §4.2.2",
    [["asked", "a client that asks for the one it needs", asking("chat.v1"), chosen("chat.v1")]],
    required
  ),
  ...refuses(
    "required",
    "RFC 6455 §1.9",
    [
      ["not-asked", "a client that asks for none where one is required", request()],
      ["unknown", "a client that asks for others where one is required", asking("x")]
    ],
    { ...required, ...none }
  )
]

const malformed: ReadonlyArray<Case> = [
  ...refuses("malformed", "RFC 6455 §4.3", [
    ["empty", "an empty list of subprotocols", asking("")],
    ["commas", "a list of subprotocols that are nothing but commas", asking(", ,")],
    ["space", "a subprotocol with a space", asking("chat v1")],
    ["slash", "a subprotocol with a slash", asking("chat/1")],
    ["parameter", "a subprotocol with a parameter", asking("chat;v=1")],
    ["quoted", "a subprotocol that is quoted", asking('"chat"')],
    ["parentheses", "a subprotocol with parentheses", asking("chat(1)")],
    ["at", "a subprotocol with an at sign", asking("chat@1")],
    ["not-ascii", "a subprotocol with a letter above ASCII", asking("caf\u00e9")],
    ["second", "a subprotocol with a space beside a good one", asking("chat, chat v1")],
    ["second-line", "a subprotocol with a slash in a second line", asking("chat", "chat/1")]
  ]),
  // §4.1: "MUST all be unique strings", which is asked of the client; §4.2.1 does not say that a server has to look
  ...refuses("malformed", "RFC 6455 §4.1", [
    ["twice", "a subprotocol twice", asking("chat.v1, chat.v1"), open],
    ["twice-in-lines", "a subprotocol twice, over two lines", asking("chat.v1", "chat.v1"), open]
  ])
]

const offers = (name: string, what: string, subprotocols: ReadonlyArray<string>, value: string | null): Case => ({
  id: `subprotocols/offer/${name}`,
  title: `Asks for ${what}.`,
  section: "RFC 6455 §4.1",
  group: "subprotocols",
  role: "client",
  setup: { subprotocols },
  steps: [
    { _tag: "ReceiveRequest", fields: { [field]: value } },
    { _tag: "Response", head: answering("{subprotocol}") },
    ...echo
  ]
})

const answering = (...values: ReadonlyArray<string>): string =>
  reply({ lines: values.map((value) => `${field}: ${value}`) })

const silent: Step = { _tag: "ReceiveRequest", fields: {}, absent: [field] }

const clients: ReadonlyArray<Case> = [
  offers("one", "one subprotocol", ["chat.v1"], "chat.v1"),
  offers("two", "two subprotocols in the order of its preference", ["chat.v2", "chat.v1"], "chat.v2, chat.v1"),
  {
    id: "subprotocols/offer/none",
    title: "Asks for no subprotocol where it has none.",
    section: "RFC 6455 §4.1",
    group: "subprotocols",
    role: "client",
    steps: [silent, { _tag: "Response", head: reply() }, ...echo]
  },
  ...opens(
    "reply",
    "RFC 6455 §4.1",
    [
      ["first", "the subprotocol that it wants most", answering("chat.v2")],
      ["second", "the subprotocol that it wants less", answering("chat.v1")],
      ["white-space", "white space around the subprotocol", answering("\t chat.v1 \t")],
      // §1.9, which is not normative, has the server choose one "for the connection to be established"
      ["none", "a reply without subprotocol", reply(), open]
    ],
    two
  ),
  ...fails("reply", "RFC 6455 §4.1", [
    ["not-asked", "a subprotocol where it has asked for none", answering("chat.v1")],
    ["not-asked-prototype", "a subprotocol of a name that every object has", answering("__proto__")]
  ]),
  ...fails(
    "reply",
    "RFC 6455 §4.1",
    [
      ["foreign", "a subprotocol that it has not asked for", answering("chat.v3")],
      ["case", "a subprotocol in another case", answering("CHAT.V1"), open],
      ["shorter", "the beginning of a subprotocol", answering("chat")],
      ["longer", "more than a subprotocol", answering("chat.v1.1")],
      ["prototype", "a name that every object has", answering("constructor")],
      ["list", "two subprotocols in a line", answering("chat.v2, chat.v1"), { section: "RFC 6455 §4.3" }],
      ["as-asked", "the whole list that it has asked for", answering("chat.v2,chat.v1"), { section: "RFC 6455 §4.3" }],
      ["empty", "an empty subprotocol", answering(""), { section: "RFC 6455 §4.2.2" }],
      ["comma", "a comma behind the subprotocol", answering("chat.v1,"), { ...open, section: "RFC 6455 §4.3" }],
      ["quoted", "a subprotocol in quotes", answering('"chat.v1"'), { section: "RFC 6455 §4.3" }],
      ["parameter", "a subprotocol with a parameter", answering("chat.v1;q=1"), { section: "RFC 6455 §4.3" }],
      ["two", "two subprotocols over two lines", answering("chat.v2", "chat.v1"), { section: "RFC 6455 §11.3.4" }],
      ["twice", "the subprotocol twice", answering("chat.v1", "chat.v1"), { section: "RFC 6455 §11.3.4" }]
    ],
    two
  )
]

/**
 * Every case of subprotocols.
 *
 * @internal
 */
export const subprotocols: ReadonlyArray<Case> = [...choosing, ...malformed, ...clients]
