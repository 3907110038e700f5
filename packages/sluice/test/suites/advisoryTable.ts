/**
 * Security advisories of other WebSocket libraries, and where the fault is looked for here; one row for each.
 *
 * `id` is a CVE, an advisory, a thread or a commit of that library, or its name where there is none. A place that is
 * named must have a test for the row, whose name begins with the ids; this is checked, too.
 */

/**
 * `machine`: the pure steps, in `advisoriesOfTheMachine`. `network`: bytes on the wire of every network, in
 * `advisories`. `sockets`: TCP sockets of `node:net` against the network of Node, in its own tests.
 */
export type Place = "machine" | "network" | "sockets"

export interface Advisory {
  /** The number of the row; those that came later have none. */
  readonly row: number | undefined
  readonly ids: ReadonlyArray<string>
  readonly library: string
  readonly fault: string
  readonly places: ReadonlyArray<Place>
  /** What is missing here, so that all of it or a part cannot be tested yet. */
  readonly waits?: string
}

const deflate = "there is no permessage-deflate yet"
const http2 = "there is no carrier for HTTP/2 yet"

export const advisories: ReadonlyArray<Advisory> = [
  {
    row: 1,
    ids: ["CVE-2026-48779", "GHSA-96hv-2xvq-fx4p"],
    library: "ws",
    fault: "tiny fragments and chunks cost more than the payload that they carry",
    places: ["machine", "network", "sockets"]
  },
  {
    row: 2,
    ids: ["ws#2331", "ws#2329"],
    library: "ws",
    fault: "a message may last for ever; empty continuations are not counted",
    places: ["network"]
  },
  {
    row: 3,
    ids: ["CVE-2026-45736", "GHSA-58qx-3vcg-4xpx"],
    library: "ws",
    fault: "a close reason that is no string sends memory",
    places: ["machine", "network"]
  },
  {
    row: 4,
    ids: ["CVE-2024-37890"],
    library: "ws",
    fault: "many fields make those that are needed disappear, which throws",
    places: ["network"]
  },
  {
    row: 5,
    ids: ["CVE-2021-32640"],
    library: "ws",
    fault: "Sec-WebSocket-Protocol is split by an expression that backtracks",
    places: ["machine", "network"]
  },
  {
    row: 6,
    ids: ["ws 3.3.1"],
    library: "ws",
    fault: "an extension with the name of a property that every object has",
    places: ["machine", "network"]
  },
  {
    row: 7,
    ids: ["ws 1.0.1", "GHSA-2mhh-w6q8-5hxw"],
    library: "ws",
    fault: "a number where bytes are expected sends memory",
    places: ["machine", "network"]
  },
  {
    row: 8,
    ids: ["ws@6946f5f", "ws@dc1781b", "ws@0435e6e"],
    library: "ws",
    fault: "a redirect takes Authorization and Cookie to another server",
    places: ["network"]
  },
  {
    row: 9,
    ids: ["CVE-2026-1526", "GHSA-vrm6-8vpv-qv8q"],
    library: "undici",
    fault: "a small compressed message becomes a large one",
    places: [],
    waits: deflate
  },
  {
    row: 10,
    ids: ["CVE-2026-1528"],
    library: "undici",
    fault: "a length of 64 bits overflows",
    places: ["machine", "network"]
  },
  {
    row: 11,
    ids: ["CVE-2026-2229"],
    library: "undici",
    fault: "server_max_window_bits of 1000 throws",
    places: ["network"],
    waits: `${deflate}: what it agrees to must be 8 to 15`
  },
  {
    row: 12,
    ids: ["CVE-2026-1527", "GHSA-4992-7rv2-5pvq"],
    library: "undici",
    fault: "a line break in an option becomes a field",
    places: ["machine", "network"]
  },
  {
    row: 13,
    ids: ["CVE-2026-12151", "undici@b4c287b"],
    library: "undici",
    fault: "fragments are not counted, and their sizes are not added",
    places: ["network"]
  },
  {
    row: 14,
    ids: ["CVE-2020-7662", "CVE-2020-7663"],
    library: "websocket-extensions",
    fault: "a quoted string that is not closed is read by an expression that backtracks",
    places: ["machine", "network"]
  },
  {
    row: 15,
    ids: ["CVE-2018-1000518"],
    library: "python-websockets",
    fault: "the limit is not applied to what was inflated",
    places: [],
    waits: deflate
  },
  {
    row: 16,
    ids: ["CVE-2021-33880"],
    library: "python-websockets",
    fault: "how long the comparison of a password takes tells how much of it is right",
    places: ["machine", "network"]
  },
  {
    row: 17,
    ids: ["CVE-2023-43669", "RUSTSEC-2023-0053"],
    library: "tungstenite",
    fault: "a long head is read again for each chunk of it",
    places: ["machine", "network"]
  },
  {
    row: 18,
    ids: ["CVE-2020-27813"],
    library: "gorilla",
    fault: "the sum of the lengths of fragments overflows",
    places: ["machine", "network"]
  },
  {
    row: 19,
    ids: ["CVE-2026-65623"],
    library: "Bandit",
    fault: "all fragments are measured again for each",
    places: ["machine", "network"]
  },
  {
    row: 20,
    ids: ["CVE-2026-42786"],
    library: "Bandit",
    fault: "continuations have no limit together",
    places: ["network"]
  },
  {
    row: 21,
    ids: ["CVE-2026-39804"],
    library: "Bandit",
    fault: "a small compressed message becomes a large one",
    places: [],
    waits: deflate
  },
  {
    row: 22,
    ids: ["GHSA-rhh8-5xw9-c3gm"],
    library: "Bandit",
    fault: "frames of a client that are not masked are taken",
    places: ["network"]
  },
  {
    row: 23,
    ids: ["CVE-2026-33151"],
    library: "socket.io-parser",
    fault: "attachments that were announced are waited for, and those that came are kept",
    places: ["network"]
  },
  {
    row: 24,
    ids: ["CVE-2022-21676", "CVE-2024-38355"],
    library: "engine.io, socket.io",
    fault: "a frame behind the request, or a packet, throws where nobody catches",
    places: ["network", "sockets"]
  },
  {
    row: 25,
    ids: ["CVE-2023-31125"],
    library: "engine.io",
    fault: "a request throws where nobody catches",
    places: ["network", "sockets"]
  },
  {
    row: 26,
    ids: ["CVE-2026-59898", "GHSA-4mp9-239f-g9hg"],
    library: "Netty",
    fault: "an upgrade without Connection or Upgrade, so that a proxy and the server differ",
    places: ["network"]
  },
  {
    row: 27,
    ids: ["GHSA-7vpq-g998-qpv7"],
    library: "Netty",
    fault: "the text of continuations is kept",
    places: ["network"]
  },
  {
    row: 28,
    ids: ["CVE-2026-19204"],
    library: "Jetty",
    fault: "the payload of an opcode that is unknown is read",
    places: ["network"]
  },
  {
    row: 29,
    ids: ["CVE-2018-12541"],
    library: "Vert.x",
    fault: "the body of the request is kept whole",
    places: ["network"]
  },
  {
    row: 30,
    ids: ["Granian advisory"],
    library: "Granian",
    fault: "Sec-WebSocket-Protocol that is not ASCII ends the process",
    places: ["network"]
  },
  {
    row: 31,
    ids: ["CVE-2026-27977"],
    library: "Next.js",
    fault: "the origin null passes a list of origins",
    places: ["network"]
  },
  {
    row: 32,
    ids: ["CVE-2025-24010", "npm advisory 725"],
    library: "Vite, webpack-dev-server",
    fault: "every origin may connect",
    places: ["network"]
  },
  {
    row: 33,
    ids: ["GHSA-c4j6-fc7j-m34r"],
    library: "Next.js",
    fault: "the target of an upgrade is connected to, past the router",
    places: ["network"]
  },
  {
    row: 34,
    ids: ["openai-java#1013"],
    library: "OkHttp",
    fault: "Pongs for a peer that does not read are queued without bound",
    places: ["network", "sockets"]
  },
  {
    row: 35,
    ids: ["GHSA-x3gh-xhj4-3vq8", "GHSA-xj8g-532w-jv94"],
    library: "Bandit",
    fault: "CR, LF and NUL in fields of HTTP/2; sends that wait for a window are not bounded",
    places: [],
    waits: http2
  },
  {
    row: 36,
    ids: ["Mesop advisory"],
    library: "Mesop",
    fault: "a thread for each message",
    places: ["network"]
  },
  {
    row: 37,
    ids: ["Effect 3, no CVE"],
    library: "@effect/platform-node",
    fault: "a reset before the handshake is over ends the process; a refused handshake leaves a fiber",
    places: ["network", "sockets"]
  },
  {
    row: undefined,
    ids: ["CVE-2020-36048"],
    library: "engine.io",
    fault: "the body of a POST is kept",
    places: ["network"]
  },
  {
    row: undefined,
    ids: ["CVE-2020-36049"],
    library: "socket.io-parser",
    fault: "a large packet is put together character by character",
    places: ["machine"]
  },
  {
    row: undefined,
    ids: ["CVE-2022-41940"],
    library: "engine.io",
    fault: "a reset after a request that was refused throws where nobody catches",
    places: ["sockets"]
  },
  {
    row: undefined,
    ids: ["CVE-2023-32695"],
    library: "socket.io-parser",
    fault: "the content of a message throws where nobody catches",
    places: ["network"]
  },
  {
    row: undefined,
    ids: ["CVE-2023-44487"],
    library: "servers of HTTP/2",
    fault: "streams that are opened and reset at once",
    places: [],
    waits: http2
  }
]

/** The row that has the id. */
export const withId = (id: string): Advisory => {
  const found = advisories.find(({ ids }) => ids.includes(id))
  if (found === undefined) throw new Error(`no row has the id ${id}`)
  return found
}
