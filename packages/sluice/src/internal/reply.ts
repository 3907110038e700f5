/**
 * The reply to a request that asks to switch protocols, as every client reads it, whichever protocol it has asked for:
 * interim replies, then a 101 or a refusal with its body.
 */
import * as Either from "effect/Either"
import * as Fields from "../Fields.js"
import * as Http1 from "../Http1.js"
import * as Rejection from "../Rejection.js"
import * as Accumulator from "./accumulator.js"
import * as Grammar from "./grammar.js"
import { InvalidResponse } from "./invalidResponse.js"
import * as ResponseBody from "./responseBody.js"

/** @internal How far a reply was read. */
export interface Reading {
  /** The limits on each head. */
  readonly limits: Http1.Options | undefined
  /** How many 1xx replies came. */
  readonly interim: number
  /** A head, or the body of a refusal. */
  readonly reading: Http1.AwaitingResponse | Refusing
}

/** @internal The head of a refusal, and what there is of its body. */
export interface Refusing {
  readonly _tag: "Refusing"
  readonly head: Http1.ResponseHead
  readonly body: ResponseBody.Body
}

/** @internal A 101 of which nobody has looked at the fields. */
export interface Switched {
  readonly _tag: "Switched"
  readonly response: Http1.ResponseHead
  readonly rest: Uint8Array
}

/** @internal */
export const begin = (limits?: Http1.Options): Reading => ({ limits, interim: 0, reading: Http1.response(limits) })

/** @internal Reads one more chunk; the state is returned with what it had beside the reading. */
export const receive = <S extends Reading>(
  state: S,
  chunk: Uint8Array
): Either.Either<S | Switched, Rejection.Rejection | InvalidResponse> => {
  if (state.reading._tag === "Refusing") return receiveBody(state, state.reading, chunk)
  const read = Http1.receive(state.reading, chunk)
  if (Either.isLeft(read)) return Either.left(invalidHead(read.left))
  if (read.right._tag !== "Complete") return Either.right({ ...state, reading: read.right })
  const { head, rest } = read.right
  if (head.status === 101) return Either.right({ _tag: "Switched", response: head, rest })
  if (head.status < 200) {
    const interim = state.interim + 1
    return interim > Http1.maxInterim
      ? invalid("Interim", `more than ${Http1.maxInterim} interim replies`)
      : receive({ ...state, interim, reading: Http1.response(state.limits) }, rest)
  }
  if (head.status < 300) return invalid("Status", `the server answered ${head.status}, not 101`)
  const body = ResponseBody.begin(head)
  return body instanceof Http1.HeadError
    ? Either.left(invalidHead(body))
    : receiveBody(state, { _tag: "Refusing", head, body }, rest)
}

const invalid = (reason: InvalidResponse["reason"], detail: string): Either.Either<never, InvalidResponse> =>
  Either.left(new InvalidResponse({ reason, detail }))

const invalidHead = ({ message, reason }: Http1.HeadError): InvalidResponse => {
  const isLimit = reason === "HeadTooLarge" || reason === "TooManyFields" || reason === "TargetTooLong"
  return new InvalidResponse({
    reason: isLimit ? "HeadTooLarge" : reason === "Framing" ? reason : "Syntax",
    detail: message
  })
}

const receiveBody = <S extends Reading>(
  state: S,
  { body, head }: Refusing,
  chunk: Uint8Array
): Either.Either<S, Rejection.Rejection | InvalidResponse> => {
  const read = ResponseBody.receive(body, chunk, Rejection.maxBody)
  if (read instanceof Http1.HeadError) return Either.left(invalidHead(read))
  return ResponseBody.isComplete(read)
    ? Either.left(Rejection.fromResponse(head, Accumulator.toBytes(read.kept), read.truncated))
    : Either.right({ ...state, reading: { _tag: "Refusing", head, body: read } })
}

/** @internal What it means that the connection ends here. */
export const end = ({ reading }: Reading): Rejection.Rejection | InvalidResponse => {
  if (reading._tag === "Refusing") {
    const { body, head } = reading
    return Rejection.fromResponse(head, Accumulator.toBytes(body.kept), ResponseBody.isCut(body))
  }
  return new InvalidResponse({ reason: "UnexpectedEnd", detail: "the connection ended before the reply" })
}

/**
 * The protocol that a 101 switches to, as the client writes its name (RFC 9110 §7.8).
 *
 * @internal
 */
export const switchedTo = <P extends string>(
  { fields, version }: Http1.ResponseHead,
  asked: ReadonlyArray<P>
): Either.Either<P, InvalidResponse> => {
  // RFC 9110 §15.2: "HTTP/1.0 did not define any 1xx status codes"
  if (!version.startsWith("1.") || version === "1.0") return invalid("Version", `a 101 of HTTP/${version}`)
  // RFC 9110 §7.8: "A server MUST NOT switch to a protocol that was not indicated by the client". Several names would be
  // layers, one on the other, where each of those asked for is a whole.
  const upgrade = Fields.list(fields, "Upgrade")
  const named = upgrade.length === 1 ? Grammar.parseProtocol(upgrade[0]) : undefined
  const protocol = named && asked.find((own) => Grammar.isProtocol(own, named))
  if (protocol === undefined) {
    return invalid("Upgrade", `Upgrade is ${Grammar.printable(upgrade.join(", "))}, not ${asked.join(" or ")}`)
  }
  const options = Fields.list(fields, "Connection")
  // §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the Connection header field"
  return options.some((option) => Grammar.equalsIgnoreCase(option, "upgrade"))
    ? Either.right(protocol)
    : invalid("Connection", `Connection is ${Grammar.printable(options.join(", "))}, without Upgrade`)
}
