/**
 * The grammar of extensions and their negotiation (RFC 6455 §9.1, §4.1, §4.2.2), of names that nobody knows: what well
 * formed offers are is decided by the RFC, what comes of a known one by the extension.
 */
import type { Case } from "../Case.js"
import { client, echo, having, open, reply, server } from "../internal/openingCase.js"

const { accepts, refuses } = server("extensions")
const { fails } = client("extensions")

const field = "Sec-WebSocket-Extensions"
const offering = (...values: ReadonlyArray<string>): string => having(...values.map((value) => `${field}: ${value}`))
const answering = (...values: ReadonlyArray<string>): string =>
  reply({ lines: values.map((value) => `${field}: ${value}`) })

const fifty = Array.from({ length: 50 }, (_, index) => `x-${index}; a=${index}`).join(", ")

const declined: ReadonlyArray<Case> = [
  ...accepts(
    "declined",
    "RFC 6455 §9.1",
    [
      ["one", "an extension that it does not know", offering("x-unknown")],
      ["parameter", "a parameter without value", offering("x-unknown; a")],
      ["value", "a parameter with a value", offering("x-unknown; a=b")],
      ["quoted", "a value in quotes", offering('x-unknown; a="b"')],
      ["escaped", "a quoted value with an escape", offering('x-unknown; a="b\\c"')],
      ["many-parameters", "parameters of every kind", offering('x-unknown; a; b=1; c="2"; a')],
      ["no-space", "parameters without white space", offering("x-unknown;a;b=1")],
      ["white-space", "white space wherever it may be", offering("\tx-unknown\t ; a \t=\t b ; c")],
      ["list", "several extensions", offering("x-one, x-two; a=b, x-three; c")],
      ["again", "several offers of one extension", offering("x-unknown; a=1, x-unknown; a=2, x-unknown")],
      ["any-token", "all characters of a token", offering("!#$%&'*+-.^_`|~09aZ; !#$%&'*+-.^_`|~=!#$%&'*+-.^_`|~")],
      ["prototype", "names that every object has", offering("constructor; __proto__=toString, __proto__")],
      ["many", "fifty extensions", offering(fifty)],
      ["long", "an extension of a long name", offering("x".repeat(500))],
      ["lines", "extensions over two lines", offering("x-one", "x-two; a=b")],
      [
        "names",
        "extensions in lines whose names differ in case",
        having("sec-websocket-extensions: x-one", "SEC-WEBSOCKET-EXTENSIONS: x-two")
      ],
      [
        "empty-elements",
        "empty elements among extensions",
        offering(", x-one,, x-two ,"),
        { section: "RFC 9110 §5.6.1.2" }
      ],
      [
        "empty-line",
        "an empty line of extensions beside another",
        offering("", "x-one"),
        { section: "RFC 9110 §5.6.1.2" }
      ]
    ],
    { absent: [field] }
  ),
  ...accepts("declined", "RFC 6455 §5.2", [
    [
      "no-bit",
      "an extension that it does not know, and fails the connection for its bit",
      offering("x-unknown"),
      {
        absent: [field],
        after: [
          { _tag: "SendFrames", frames: [{ opcode: 1, rsv: 4, payload: "Hello" }] },
          { _tag: "ReceiveClose", codes: [1002], orEnd: true }
        ]
      }
    ]
  ])
]

const malformed: ReadonlyArray<readonly [name: string, what: string, value: string]> = [
  ["empty", "an empty list of extensions", ""],
  ["commas", "a list of extensions that are nothing but commas", ", ,"],
  ["semicolon", "a semicolon alone", ";"],
  ["no-name", "parameters without a name", "; a=b"],
  ["no-name-in-list", "parameters without a name in a list", "x-unknown, ; a=b"],
  ["no-parameter", "a semicolon without a parameter", "x-unknown;"],
  ["no-parameter-between", "two semicolons", "x-unknown; ; a"],
  ["no-parameter-name", "a value without a name", "x-unknown; =b"],
  ["no-value", "an equals sign without a value", "x-unknown; a="],
  ["no-value-before", "an equals sign without a value before another parameter", "x-unknown; a=; b"],
  ["two-values", "two values", "x-unknown; a=b=c"],
  ["name-with-value", "an extension with a value of its own", "x-unknown=b"],
  ["space-in-name", "an extension with a space", "x unknown"],
  ["space-in-parameter", "a parameter with a space", "x-unknown; a b"],
  ["space-in-value", "a value with a space", "x-unknown; a=b c"],
  ["slash-in-name", "an extension with a slash", "x/unknown"],
  ["slash-in-value", "a value with a slash", "x-unknown; a=b/c"],
  ["quoted-name", "an extension in quotes", '"x-unknown"'],
  ["quoted-parameter", "a parameter in quotes", 'x-unknown; "a"=b'],
  ["single-quotes", "a comma between single quotes, which do not quote", "x-unknown; a='b, c d'"],
  ["unclosed", "a quote that is not closed", 'x-unknown; a="b'],
  ["unclosed-escape", "a quote that ends in an escape", 'x-unknown; a="b\\'],
  ["unclosed-by-escape", "a quote whose end is escaped", 'x-unknown; a="b\\"'],
  ["unclosed-in-list", "a quote that is not closed before another extension", 'x-unknown; a="b, x-other'],
  ["behind-quote", "something behind a quote", 'x-unknown; a="b"c'],
  ["quoted-empty", "an empty value in quotes", 'x-unknown; a=""'],
  ["quoted-space", "a quoted value with a space, which is no token", 'x-unknown; a="b c"'],
  ["quoted-comma", "a quoted value with a comma, which is no token", 'x-unknown; a="b,c"'],
  ["quoted-quote", "a quoted value with a quote, which is no token", 'x-unknown; a="b\\"c"'],
  ["not-ascii", "an extension with a letter above ASCII", "caf\u00e9"],
  ["not-ascii-parameter", "a parameter with a letter above ASCII", "x-unknown; caf\u00e9"],
  ["not-ascii-value", "a value with a letter above ASCII", "x-unknown; a=caf\u00e9"],
  ["not-ascii-quoted", "a quoted value with a letter above ASCII", 'x-unknown; a="caf\u00e9"'],
  ["second", "a bad extension behind a good one", "x-unknown, x other"]
]

const refused: ReadonlyArray<Case> = [
  ...refuses(
    "malformed",
    "RFC 6455 §9.1",
    malformed.map(([name, what, value]) => [name, what, offering(value)])
  ),
  ...refuses("malformed", "RFC 6455 §9.1", [
    ["second-line", "a bad line behind a good one", offering("x-unknown", "x other")],
    ["tab-in-value", "a quoted value with a tab, which is no token", offering('x-unknown; a="b\tc"')]
  ])
]

const asking: Case = {
  id: "extensions/offer/grammar",
  title: "Opens the connection without the extensions that it has offered, if it has.",
  section: "RFC 6455 §9.1",
  group: "extensions",
  role: "client",
  steps: [{ _tag: "ReceiveRequest", fields: {} }, { _tag: "Response", head: reply() }, ...echo]
}

const answered: ReadonlyArray<Case> = [
  asking,
  ...fails("reply", "RFC 6455 §4.1", [
    ["not-offered", "an extension that it has not offered", answering("x-unknown")],
    ["not-offered-parameter", "an extension that it has not offered, with a parameter", answering("x-unknown; a=b")],
    ["not-offered-list", "several extensions that it has not offered", answering("x-one, x-two")],
    ["not-offered-lines", "extensions that it has not offered, over two lines", answering("x-one", "x-two")],
    ["prototype", "names that every object has", answering("constructor, __proto__")],
    ["other-case", "an extension in another case than it may have offered", answering("PERMESSAGE-DEFLATE"), open]
  ]),
  ...fails("reply-malformed", "RFC 6455 §9.1", [
    ["empty", "an empty list of extensions", answering("")],
    ["commas", "a list of extensions that are nothing but commas", answering(", ,")],
    ["semicolon", "a semicolon alone", answering(";")],
    ["no-name", "parameters without a name", answering("; a=b")],
    ["not-ascii", "an extension with a letter above ASCII", answering("caf\u00e9")],
    ["unclosed", "a quote that is not closed", answering('"')]
  ])
]

/**
 * Every case of extensions.
 *
 * @internal
 */
export const extensions: ReadonlyArray<Case> = [...declined, ...refused, ...answered]
