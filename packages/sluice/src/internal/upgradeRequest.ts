/**
 * The request of a client that asks to switch protocols (RFC 9110 §7.8), whichever protocol it asks for.
 *
 * It is a GET: "the server still has an outstanding request to satisfy after the protocol has been changed", and that has
 * no content here.
 */
import type * as Fields from "../Fields.js"
import * as Http1 from "../Http1.js"
import * as Authority from "./authority.js"
import { encodeHead } from "./encodeHead.js"
import { trusted } from "./fields.js"
import * as Grammar from "./grammar.js"
import { RequestError } from "./requestError.js"

/** @internal What the client writes itself, and what would announce content, which this request has not. */
export const reserved = ["Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding", "Expect"]

/** @internal Whether a request can be sent there at all. */
export const refuseDestination = (authority: string, target: string): RequestError | undefined => {
  const host = Authority.parse(authority)
  if (host === undefined || host.host === "") {
    const detail = `${Grammar.printable(authority)} is not a host with a port or without`
    return new RequestError({ reason: "Authority", detail })
  }
  if (Http1.targetForm("GET", target) !== "origin") {
    const shown = Grammar.printable(Grammar.withoutQuery(target))
    return new RequestError({
      reason: "Target",
      detail: `${shown} is not a path in visible ASCII, without a fragment`
    })
  }
  return undefined
}

/** @internal From parts that were checked. */
export const make = (options: {
  readonly authority: string
  readonly target: string
  readonly protocols: ReadonlyArray<string>
  readonly fields: ReadonlyArray<Fields.Field>
}): { readonly request: Http1.RequestHead; readonly bytes: Uint8Array } => {
  const { authority, protocols, target } = options
  const fields = trusted([
    ["Host", authority],
    ["Upgrade", protocols.join(", ")],
    ["Connection", "Upgrade"],
    ...options.fields
  ])
  return {
    request: { method: "GET", target, version: "1.1", fields },
    bytes: encodeHead(`GET ${target} HTTP/1.1`, fields)
  }
}
