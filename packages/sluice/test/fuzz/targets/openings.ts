/** The machines of the opening handshake, on the bytes of requests and of replies. */
import { Either } from "effect"
import type * as Extension from "../../../src/Extension.js"
import * as Handshake from "../../../src/Handshake.js"
import * as Http1 from "../../../src/Http1.js"
import * as Limits from "../../../src/Limits.js"
import * as Rejection from "../../../src/Rejection.js"
import { concat } from "../../support/bytes.js"
import { toLatin1 } from "../../support/http.js"
import { key } from "../../support/requests.js"
import { limits, policies, subprotocols, unbounded } from "../inputs/handshake.js"
import * as Oracle from "../oracles/openings.js"
import { chunksOf, must, mustBeBytes, mustEqual } from "../target.js"
import { type Answered, checkRefusal, finalOf, initiated, read } from "./reading.js"

type Served = Either.Either<
  Handshake.AwaitingHead | readonly [Handshake.Accepted<string | undefined, number>, Handshake.Offered],
  Rejection.Rejection
>

/** A server that is fed chunks; what it did not take is added to the rest. */
const serve = (chunks: ReadonlyArray<Uint8Array>, option: number): Served => {
  const own = limits[option & 3]
  let state = Handshake.awaitingHead(own)
  for (const [index, chunk] of chunks.entries()) {
    const received = Handshake.receive(state, chunk)
    if (Either.isLeft(received)) return Either.left(received.left)
    if (received.right._tag === "AwaitingHead") {
      state = received.right
      const { length } = state.reading.kept
      must(!Limits.isAbove(length, own.maxHeadSize ?? Limits.defaults.maxHeadSize), "what a server keeps is bounded")
      continue
    }
    const whole = { ...received.right, rest: concat([received.right.rest, ...chunks.slice(index + 1)]) }
    return Either.flatMap(Handshake.offer(whole), (offered) =>
      Either.map(
        Handshake.negotiate<ReadonlyArray<string>, boolean, number>(offered, policies[(option >> 2) & 3]),
        (accepted) => [accepted, offered] as const
      )
    )
  }
  return Either.right(state)
}

const answer = (served: Served): string =>
  Either.match(served, {
    onLeft: (rejection) => toLatin1(Rejection.toBytes(rejection)),
    onRight: (state) =>
      "_tag" in state ? "more" : `${toLatin1(Handshake.response(state[0]))}${toLatin1(state[0].rest)}`
  })

const nameOf = (refusal: Rejection.Rejection | Handshake.InvalidResponse): string =>
  refusal._tag === "BadRequest" || refusal._tag === "InvalidResponse"
    ? `${refusal._tag} ${refusal.reason}`
    : refusal._tag

export const checkServer = (bytes: Uint8Array, option: number, seed: number): string => {
  const served = serve([bytes], option)
  mustEqual(answer(serve(chunksOf(bytes, seed), option)), answer(served), "chunks do not matter to a server")
  if (Either.isLeft(served)) {
    checkRefusal(served.left, seed)
    return nameOf(served.left)
  }
  if ("_tag" in served.right) return "More"
  const [accepted, offered] = served.right
  const request = toLatin1(bytes.subarray(0, bytes.length - accepted.rest.length))
  mustEqual(Oracle.brokenByRequest(request), [], "who is accepted has asked as RFC 6455 §4.2.1 demands")
  // What the client of that key and those subprotocols makes of the answer.
  const asked = { ...initiated, key: offered.key, subprotocols: offered.subprotocols }
  const confirmed = read([concat([Handshake.response(accepted), accepted.rest])], {
    initiated: asked,
    limits: unbounded
  })
  must(Either.isRight(confirmed) && confirmed.right._tag === "Accepted", "a client takes the 101")
  const { response, rest, subprotocol } = confirmed.right
  mustBeBytes(rest, accepted.rest, "what comes after the 101 is the rest")
  mustEqual(subprotocol, accepted.subprotocol, "both sides speak the same subprotocol")
  const levels = (agreements: ReadonlyArray<Extension.Agreement<number>>) => agreements.map(({ response }) => response)
  mustEqual(levels(confirmed.right.extensions), levels(accepted.extensions), "both sides use the same extensions")
  const written = Either.getOrThrow(Http1.encodeResponse({ ...response, status: 200, reason: "" }))
  const text = toLatin1(written).replace(" 200 ", " 101 ")
  mustEqual(Oracle.brokenByAnswer(text, offered.key, offered.subprotocols), [], "the 101 is as RFC 6455 §4.2.2 demands")
  return "Accepted"
}

const show = (answered: Answered): unknown =>
  Either.match(answered, {
    onLeft: (error) =>
      error._tag === "InvalidResponse"
        ? [error.reason, error.detail]
        : [error._tag, toLatin1(Rejection.toBytes(error)), "truncated" in error && error.truncated],
    onRight: (state) =>
      state._tag === "Accepted"
        ? [state.subprotocol, state.extensions.length, state.response, toLatin1(state.rest)]
        : "more"
  })

export const checkClient = (bytes: Uint8Array, option: number, seed: number): string => {
  const client = { initiated, limits: limits[option & 3] }
  const answered = read([bytes], client)
  mustEqual(show(read(chunksOf(bytes, seed), client)), show(answered), "chunks do not matter to a client")
  const [last, rest] = finalOf(bytes)
  if (Either.isLeft(answered)) {
    const refusal = answered.left
    if (refusal._tag === "InvalidResponse") return nameOf(refusal)
    const isTruncated = refusal._tag === "Custom" && refusal.truncated
    const body = Oracle.bodyOf(last, rest)
    const isWhole = body !== undefined && body.length <= Rejection.maxBody
    mustEqual(!isTruncated, isWhole, "a body is whole or known to be cut")
    // Of a foreign refusal the bytes are kept; what we word ourselves was compared with what came.
    if (isWhole && refusal._tag === "Custom") mustEqual(toLatin1(refusal.body), body, "a body is as RFC 9112 §6.3 says")
    if (!isTruncated) checkRefusal(refusal, seed)
    return `read ${refusal._tag}${isTruncated ? " truncated" : ""}`
  }
  mustEqual(answered.right._tag, "Accepted", "the end of the connection is an end")
  mustEqual(Oracle.brokenByAnswer(last, key, subprotocols), [], "what a client takes is as RFC 6455 §4.1 demands")
  return "read Accepted"
}
