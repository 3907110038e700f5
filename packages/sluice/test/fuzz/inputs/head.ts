/** Heads: a byte for the kind and the limits, one for the cuts, then the bytes of the connection. */
import type * as Http1 from "../../../src/Http1.js"
import { concat } from "../../support/bytes.js"
import { latin1 } from "../../support/http.js"
import { requests } from "../../support/requests.js"
import { type Inputs, split } from "../target.js"

/** What the first byte of an input says, beside the kind of the head in its lowest bit. */
export const limits: ReadonlyArray<Http1.Options> = [
  {},
  { maxHeadSize: "unbounded", maxFields: "unbounded", maxTarget: "unbounded" },
  { maxHeadSize: 60 },
  { maxHeadSize: 200, maxFields: 3, maxTarget: 8 },
  { maxFields: 0, maxTarget: 1 },
  { maxHeadSize: 0 },
  { maxHeadSize: 1000, maxFields: 1, maxTarget: "unbounded" },
  { maxHeadSize: "unbounded", maxFields: 8, maxTarget: 20 }
]

export const unbounded = limits[1]

const replies = [
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\u0081\u0001x",
  "HTTP/1.0 404 \r\nX: a\r\n\t b\r\n \r\nY:\r\n\r\n",
  "HTTP/1.1 503 caf\u00e9\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
]

const seeds = (): ReadonlyArray<Uint8Array> => [
  ...requests.flatMap(({ request }, i) =>
    request.length > 1000 ? [] : [concat([Uint8Array.of((i % 8) << 1, i), latin1(request)])]
  ),
  ...replies.flatMap((reply) => limits.map((_, i) => concat([Uint8Array.of((i << 1) | 1, i), latin1(reply)])))
]

const words = [
  ...split('\r\n|\r\n\r\n|\n|\r|: | |\t|\0|\u007f|\u00e9|\u00ff|,|"|\\|\r\n |#'),
  ...split("GET |CONNECT a:1|OPTIONS *|POST | HTTP/1.1\r\n|HTTP/1.1 |HTTP/1.0 101 |HTTP/2.0|200 |999"),
  ...split("http://a|https://|/|*|X: y\r\n|__proto__: z\r\n|Host: a\r\n|Content-Length: 1\r\n")
].map(latin1)

export const inputs: Inputs = { seeds, words, maxSize: 64 * 1024 }
