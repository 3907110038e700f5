/**
 * What HTTP demands of a request that is to switch protocols, whichever protocol it asks for.
 */
import * as Either from "effect/Either"
import * as Fields from "../Fields.js"
import * as Http1 from "../Http1.js"
import * as Rejection from "../Rejection.js"
import * as Authority from "./authority.js"
import { trusted } from "./fields.js"
import * as Grammar from "./grammar.js"
import { encodeUtf8 } from "./webPlatform.js"

const bad = (reason: Rejection.BadRequestReason, detail: string): Either.Either<never, Rejection.BadRequest> =>
  Either.left(new Rejection.BadRequest({ reason, detail }))

/** @internal Whom the request is for, and what it is about there (RFC 9112 §3.2, §3.3). */
export const destinationOf = ({
  fields,
  method,
  target
}: Http1.RequestHead): Either.Either<{ authority: string; resource: string }, Rejection.BadRequest> => {
  const form = Http1.targetForm(method, target)
  if (form === undefined) {
    return bad("Target", `the target ${Grammar.printable(Grammar.withoutQuery(target))} is not a path for ${method}`)
  }
  const hosts = Fields.getAll(fields, "Host")
  // RFC 9112 §3.2: "A server MUST respond with a 400 [...] to any HTTP/1.1 request message that lacks a Host header field
  // and to any request message that contains more than one Host header field line or a Host [...] with an invalid [...] value"
  if (hosts.length === 0) return bad("Host", "Host is missing; it says whom the request is for")
  if (hosts.length > 1) return bad("RepeatedField", `Host is there ${hosts.length} times; it may be there once`)
  const host = Authority.parse(hosts[0])
  if (host === undefined) return bad("Host", `Host ${Grammar.printable(hosts[0])} is not a host with a port or without`)
  // RFC 9112 §3.2.2: "the origin server MUST ignore the received Host header field (if any) and instead use the host
  // information of the request-target"
  const uri = form === "absolute" ? Authority.ofUri(target) : undefined
  if (uri !== undefined) return Either.right({ authority: Authority.format(uri.authority), resource: uri.resource })
  if (form === "authority") return Either.right({ authority: target.toLowerCase(), resource: "" })
  // RFC 9112 §3.3: "If the target URI's authority component is empty and its URI scheme requires a non-empty authority
  // (as is the case for "http" and "https"), the server can reject the request"
  if (host.host === "") return bad("Host", "Host is empty; it says whom the request is for")
  return Either.right({ authority: Authority.format(host), resource: form === "origin" ? target : "" })
}

/**
 * RFC 9110 §9.3.1: content in a GET "might lead some implementations to reject the request and close the connection
 * because of its potential as a request smuggling attack". Its bytes would be taken for those of the new protocol.
 *
 * @internal
 */
export const refuseContent = (fields: Fields.Fields): Rejection.BadRequest | undefined => {
  const detail = Fields.has(fields, "Transfer-Encoding")
    ? "Transfer-Encoding announces content; a request to switch protocols has none"
    : Fields.has(fields, "Content-Length") && !announcesNothing(Fields.list(fields, "Content-Length"))
      ? "Content-Length is not 0; a request to switch protocols has no content"
      : undefined
  return detail === undefined ? undefined : new Rejection.BadRequest({ reason: "Content", detail })
}

/** RFC 9112 §6.3: the same length several times is one length. */
const announcesNothing = (lengths: ReadonlyArray<string>): boolean =>
  lengths.length > 0 && lengths.every((length) => Grammar.parseDigits(length) === 0)

/** @internal RFC 9110 §10.1.1: an expectation other than 100-continue MAY be answered with 417. */
export const refuseExpectation = (fields: Fields.Fields): Rejection.Custom | undefined => {
  const isKnown = (expectation: string): boolean => Grammar.equalsIgnoreCase(expectation, "100-continue")
  if (Fields.list(fields, "Expect").every(isKnown)) return undefined
  return Rejection.Custom.of("Expectation Failed", false, {
    status: 417,
    fields: trusted([["Content-Type", "text/plain; charset=utf-8"]]),
    body: encodeUtf8("Expect asks for something other than 100-continue.\n")
  })
}
