/** A client that reads replies, and the law for refusals. */
import { Either, Equal } from "effect"
import * as Handshake from "../../../src/Handshake.js"
import * as Http1 from "../../../src/Http1.js"
import * as Limits from "../../../src/Limits.js"
import * as Rejection from "../../../src/Rejection.js"
import { concat } from "../../support/bytes.js"
import { toLatin1 } from "../../support/http.js"
import { key } from "../../support/requests.js"
import { extensions, subprotocols, unbounded } from "../inputs/handshake.js"
import * as Oracle from "../oracles/openings.js"
import { chunksOf, must, mustBeBytes, mustEqual } from "../target.js"

/** What the client has asked for. */
export const initiated = Either.getOrThrow(
  Handshake.initiate(
    { authority: "server.example.com", target: "/chat", subprotocols, extensions },
    Uint8Array.from(Buffer.from(key, "base64"))
  )
)

export type Answered = Either.Either<
  Handshake.AwaitingResponse<string, number> | Handshake.ClientAccepted<string, number>,
  Rejection.Rejection | Handshake.InvalidResponse
>

export interface Client {
  readonly initiated: Handshake.Initiated<string, number>
  readonly limits: Http1.Options
}

/** A client that is fed the chunks of a reply, and then, if it waits for more, the end of the connection. */
export const read = (chunks: ReadonlyArray<Uint8Array>, { initiated, limits }: Client): Answered => {
  let [state] = Handshake.request(initiated, limits)
  for (const [index, chunk] of chunks.entries()) {
    const answered: Answered = Handshake.receiveResponse(state, chunk)
    if (Either.isLeft(answered)) return answered
    if (answered.right._tag === "Accepted") {
      return Either.right({ ...answered.right, rest: concat([answered.right.rest, ...chunks.slice(index + 1)]) })
    }
    state = answered.right
    const { reading } = state
    const most = limits.maxHeadSize ?? Limits.defaults.maxHeadSize
    if (reading._tag === "Refusing")
      must(reading.body.kept.length <= Rejection.maxBody, "what is kept of a body is bounded")
    else must(!Limits.isAbove(reading.kept.length, most), "what a client keeps is bounded")
  }
  return Either.left(Handshake.endOfResponse(state))
}

/** The last head of a reply and what follows it. */
export const finalOf = (bytes: Uint8Array): readonly [head: string, rest: string] => {
  const read = Http1.receive(Http1.response(unbounded), bytes)
  if (Either.isLeft(read) || read.right._tag !== "Complete") return ["", ""]
  const { head, rest } = read.right
  return head.status < 200 && head.status !== 101
    ? finalOf(rest)
    : [toLatin1(bytes.subarray(0, bytes.length - rest.length)), toLatin1(rest)]
}

/** "Every Rejection has exactly one HTTP reply, and the client that reads this reply gets an equal Rejection back." */
export const checkRefusal = (rejection: Rejection.Rejection, seed: number): void => {
  const reply = Rejection.toBytes(rejection)
  mustBeBytes(Rejection.toBytes(rejection), reply, "a refusal has one reply")
  // What an application names without end, such as subprotocols, is more than a client takes.
  if (reply.length > Rejection.maxBody) return
  const client = { initiated, limits: unbounded }
  for (const chunks of [[reply], chunksOf(reply, seed)]) {
    const back = read(chunks, client)
    must(Either.isLeft(back) && Equal.equals(back.left, rejection), "a refusal is read back", () => `${back}`)
  }
  const [head, rest] = finalOf(reply)
  must(/\r\nConnection: (?:Upgrade, )?close\r\n/.test(head), "a refusal closes the connection")
  mustEqual(Oracle.bodyOf(head, rest), rest, "a reply ends with its body")
  // The limits of a client by default leave room for every refusal that we word.
  if (rejection._tag !== "Custom" && rejection._tag !== "Unauthorized" && head.length < 8192) {
    const back = read([reply], { initiated, limits: {} })
    must(Either.isLeft(back) && Equal.equals(back.left, rejection), "a refusal is read back within the limits")
  }
}
