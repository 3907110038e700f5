/**
 * The fields of a request that opens a WebSocket, one by one (RFC 6455 §4.2.1, §4.3, §10.2, RFC 9110 §7).
 */
import type { Case } from "../Case.js"
import { end, having, lacking, open, request, sampleKey, server } from "../internal/openingCase.js"

const { accepts, either, ignores, refuses } = server("opening")

const host: ReadonlyArray<Case> = [
  ...refuses(
    "host",
    "RFC 9112 §3.2",
    [
      ["missing", "a request without Host with 400", lacking("Host")],
      ["twice", "Host twice with 400", having("Host: {host}", "Host: {host}")],
      ["two", "two Hosts with 400", having("Host: {host}", "hOsT: other.example")],
      ["list", "two hosts in one Host with 400", having("Host: {host}, other.example")],
      ["space", "a Host with a space with 400", having("Host: server example")],
      ["path", "a Host with a path with 400", having("Host: {host}/chat")],
      ["user", "a Host with user information with 400", having("Host: user@{host}")],
      ["scheme", "a Host with a scheme with 400", having("Host: http://{host}")],
      ["port", "a Host whose port is no number with 400", having("Host: server.example:http")],
      ["ipv6-bare", "an IPv6 address without brackets with 400", having("Host: ::1")],
      ["ipv6-open", "an IPv6 address without its last bracket with 400", having("Host: [::1")],
      ["percent", "a Host with a percent sign before no number with 400", having("Host: server%zz.example")],
      ["not-ascii", "a Host with a letter above ASCII with 400", having("Host: caf\u00e9.example")],
      [
        "absolute-missing",
        "a target in absolute form without Host with 400",
        request({ line: "GET http://{host}{path} HTTP/1.1", without: ["Host"] })
      ]
    ],
    { statuses: [400] }
  ),
  ...either("host", "RFC 9112 §3.3", [["empty", "an empty Host", having("Host:")]]),
  ...refuses("host", "RFC 9110 §7.2", [
    ["large-port", "a port above 65535", having("Host: server.example:65536"), open]
  ]),
  ...accepts("host", "RFC 9110 §7.2", [
    ["white-space", "white space around Host", having("Host: \t {host}\t ")],
    ["ipv6", "an IPv6 address", having("Host: [::1]:8080"), open],
    ["empty-port", "a Host with an empty port", having("Host: server.example:"), open]
  ])
]

const upgrade: ReadonlyArray<Case> = [
  ...accepts("upgrade", "RFC 6455 §4.2.1", [
    ["mixed-case", "WebSocket", having("Upgrade: WebSocket")],
    ["upper-case", "WEBSOCKET", having("Upgrade: WEBSOCKET")],
    ["first", "websocket before another protocol", having("Upgrade: websocket, h2c")],
    ["last", "websocket after another protocol", having("Upgrade: example/1, websocket")],
    ["two-lines", "Upgrade over two lines", having("Upgrade: example/1", "Upgrade: websocket")],
    ["empty-elements", "empty elements in Upgrade", having("Upgrade: , websocket ,,"), { section: "RFC 9110 §5.6.1.2" }]
  ]),
  ...ignores("upgrade", "RFC 6455 §4.2.1", [
    ["missing", "a request without Upgrade", lacking("Upgrade")],
    ["empty", "an empty Upgrade", having("Upgrade:")],
    ["other", "another protocol", having("Upgrade: h2c")],
    ["longer", "a protocol that begins like websocket", having("Upgrade: websockets")],
    ["space", "websocket with a space in it", having("Upgrade: web socket")],
    ["quoted", "websocket in quotes", having('Upgrade: "websocket"')],
    ["kelvin", "websocket with a Kelvin sign for its k", having("Upgrade: websoc\u212aet")],
    ["parameter", "websocket with a parameter", having("Upgrade: websocket;v=13")],
    ["version", "websocket with a version", having("Upgrade: websocket/13"), { ...open, section: "RFC 9110 §7.8" }]
  ]),
  ...refuses("upgrade", "RFC 9110 §15.5.22", [
    [
      "required",
      "a plain request with a 426 that names a protocol",
      lacking("Upgrade"),
      { ...open, statuses: [426], fields: { Upgrade: "websocket", Connection: "Upgrade" } }
    ]
  ])
]

const connection: ReadonlyArray<Case> = [
  ...accepts("connection", "RFC 6455 §4.2.1", [
    ["lower-case", "upgrade in lower case", having("Connection: upgrade")],
    ["upper-case", "UPGRADE in upper case", having("Connection: UPGRADE")],
    ["last", "keep-alive before Upgrade", having("Connection: keep-alive, Upgrade")],
    ["first", "keep-alive after Upgrade", having("Connection: Upgrade,keep-alive")],
    ["tabs", "tabs around Upgrade", having("Connection: keep-alive\t,\tUpgrade\t")],
    ["two-lines", "Connection over two lines", having("Connection: keep-alive", "Connection: Upgrade")],
    ["close-too", "close beside Upgrade", having("Connection: close, Upgrade"), open],
    [
      "empty-elements",
      "empty elements in Connection",
      having("Connection: ,, Upgrade ,"),
      { section: "RFC 9110 §5.6.1.2" }
    ]
  ]),
  ...ignores("connection", "RFC 6455 §4.2.1", [
    ["missing", "a request without Connection", lacking("Connection")],
    ["empty", "an empty Connection", having("Connection:")],
    ["keep-alive", "keep-alive alone", having("Connection: keep-alive")],
    ["longer", "an option that begins like Upgrade", having("Connection: Upgraded")],
    ["space", "Upgrade with a space in it", having("Connection: Up grade")],
    ["quoted", "Upgrade in quotes", having('Connection: "Upgrade"')],
    ["parameter", "Upgrade with a parameter", having("Connection: Upgrade;q=1")],
    [
      "close",
      "close alone, and ends the connection",
      having("Connection: close"),
      { section: "RFC 9112 §9.6", after: [end] }
    ]
  ]),
  ...refuses("connection", "RFC 9110 §7.6.1", [
    ["malformed", "an option that is no token beside Upgrade", having("Connection: Upgrade, a b"), open]
  ])
]

const keyed = (value: string): string => having(`Sec-WebSocket-Key: ${value}`)

const key: ReadonlyArray<Case> = [
  ...refuses("key", "RFC 6455 §4.2.1", [
    ["missing", "a request without key", lacking("Sec-WebSocket-Key")],
    ["empty", "an empty key", having("Sec-WebSocket-Key:")],
    ["padding", "a key of padding only", keyed("====")],
    ["15-bytes", "a key of 15 bytes", keyed("dGhlIHNhbXBsZSBub25j")],
    ["17-bytes", "a key of 17 bytes", keyed("dGhlIHNhbXBsZSBub25jZTE=")],
    ["18-bytes", "a key of 18 bytes", keyed("dGhlIHNhbXBsZSBub25jZTEy")],
    ["unpadded", "a key without its padding", keyed("dGhlIHNhbXBsZSBub25jZQ")],
    ["half-padded", "a key with half its padding", keyed("dGhlIHNhbXBsZSBub25jZQ=")],
    ["overpadded", "a key with more padding", keyed("dGhlIHNhbXBsZSBub25jZQ===")],
    ["inner-padding", "a key with padding inside", keyed("dGhl=HNhbXBsZSBub25jZQ==")],
    ["url", "a key in base64url", keyed("dGhlIHNhbXBsZSBub25j-_==")],
    ["not-base64", "a key that is not base64", keyed("not base64, but 24 long!")],
    ["inner-space", "a key with a space inside", keyed("dGhlIHNhbXBs ZSBub25jZQ==")],
    ["quoted", "a key in quotes", keyed(`"${sampleKey}"`)],
    ["list", "two keys in one line", keyed(`${sampleKey}, ${sampleKey}`)],
    ["not-ascii", "a key with a letter above ASCII", keyed("dGhlIHNhbXBsZSBub25j\u00e9Q==")]
  ]),
  ...refuses("key", "RFC 6455 §11.3.1", [
    ["twice", "the same key twice", having("Sec-WebSocket-Key: {key}", "Sec-WebSocket-Key: {key}")],
    ["two", "two keys", having("Sec-WebSocket-Key: {key}", `sec-websocket-key: ${sampleKey}`)]
  ]),
  ...accepts("key", "RFC 9110 §5.5", [
    [
      "white-space",
      "white space around the key",
      having("Sec-WebSocket-Key:\t {key} \t"),
      { fields: { "Sec-WebSocket-Accept": "{accept}" } }
    ],
    [
      "unused-bits",
      "the key of the RFC whose last bits are set",
      keyed("AQIDBAUGBwgJCgsMDQ4PEC=="),
      {
        ...open,
        section: "RFC 6455 §4.1",
        fields: { "Sec-WebSocket-Accept": "OfS0wDaT5NoxF2gqm7Zj2YtetzM=" }
      }
    ]
  ])
]

const versioned = (value: string): string => having(`Sec-WebSocket-Version: ${value}`)

const version: ReadonlyArray<Case> = [
  ...refuses(
    "version",
    "RFC 6455 §4.2.2",
    [
      ["0", "version 0, and says which it speaks", versioned("0")],
      ["12", "version 12, and says which it speaks", versioned("12")],
      ["14", "version 14, and says which it speaks", versioned("14")],
      ["130", "version 130, and says which it speaks", versioned("130")],
      ["255", "version 255, and says which it speaks", versioned("255")],
      [
        "8",
        "version 8 with a 426 that names 13",
        versioned("8"),
        { ...open, statuses: [426], fields: { "Sec-WebSocket-Version": "13", Upgrade: "websocket" } }
      ]
    ],
    { fields: { "Sec-WebSocket-Version": null } }
  ),
  ...refuses("version", "RFC 6455 §4.3", [
    ["missing", "a request without version", lacking("Sec-WebSocket-Version"), { section: "RFC 6455 §4.2.1" }],
    ["empty", "an empty version", having("Sec-WebSocket-Version:")],
    ["013", "version 013", versioned("013")],
    ["256", "version 256", versioned("256")],
    ["fraction", "version 13.0", versioned("13.0")],
    ["sign", "version +13", versioned("+13")],
    ["negative", "version -13", versioned("-13")],
    ["hexadecimal", "version 0xd", versioned("0xd")],
    ["space", "version 1 3", versioned("1 3")],
    ["words", "a version in words", versioned("thirteen")],
    ["quoted", "version 13 in quotes", versioned('"13"')],
    ["list", "a list of versions", versioned("13, 8")]
  ]),
  ...refuses("version", "RFC 6455 §11.3.5", [
    ["twice", "version 13 twice", having("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13")],
    ["two", "version 13 beside another", having("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8")]
  ])
]

const from = (origin: string): string => having(`Origin: ${origin}`)
const listed = { setup: { origins: ["https://good.example"] } }

const origin: ReadonlyArray<Case> = [
  ...accepts("origin", "RFC 6455 §4.2.1", [
    ["none", "a request without Origin", request()],
    ["own", "a page of its own origin", from("http://{host}")]
  ]),
  ...accepts(
    "origin",
    "RFC 6455 §4.2.2",
    [
      ["listed", "a page of an origin that it lists", from("https://good.example")],
      ["case", "a listed origin in another case", from("HTTPS://Good.Example")],
      ["default-port", "a listed origin with its default port", from("https://good.example:443"), open]
    ],
    listed
  ),
  ...refuses(
    "origin",
    "RFC 6455 §4.2.2",
    [
      ["foreign", "a page of another origin", from("https://evil.example"), { setup: { origins: [] } }],
      ["null", "the origin null", from("null")],
      ["empty", "an empty origin", having("Origin:")],
      ["other-scheme", "another scheme of a listed host", from("http://good.example")],
      ["other-port", "another port of a listed host", from("https://good.example:8443")],
      ["suffix", "an origin that begins like a listed one", from("https://good.example.evil.example")],
      ["prefix", "an origin that ends like a listed one", from("https://evilgood.example")],
      ["subdomain", "a subdomain of a listed host", from("https://sub.good.example")],
      ["user", "a listed host as user information", from("https://good.example@evil.example")],
      ["path", "a listed origin in a path", from("https://evil.example/https://good.example")],
      ["two", "a listed origin beside another", having("Origin: https://good.example", "Origin: https://evil.example")],
      ["list", "a listed origin before another in one line", from("https://good.example, https://evil.example")]
    ],
    listed
  )
]

/**
 * Every case of the fields that a handshake must have, and of `Origin`.
 *
 * @internal
 */
export const openingFields: ReadonlyArray<Case> = [...host, ...upgrade, ...connection, ...key, ...version, ...origin]
