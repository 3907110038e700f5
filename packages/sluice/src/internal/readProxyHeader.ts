/**
 * Reads the header of the PROXY protocol off a connection, inside the events of its lane.
 */
import * as Either from "effect/Either"
import type { Limit, Timeout } from "../Limits.js"
import { type Lane, TransportError } from "../Network.js"
import { awaitingHeader, type Received, receive, receivedBytes } from "./awaitingProxyHeader.js"
import { type Deadlines, toMillis } from "./deadlines.js"
import { pump } from "./opening.js"
import { ProxyHeaderError } from "./proxyHeader.js"

const ignore = () => {}

/**
 * Calls `done` once, perhaps before it returns. Returns how to stop.
 *
 * @internal
 */
export const readHeader = (
  lane: Lane,
  deadlines: Deadlines,
  timeout: Timeout,
  limits: { readonly maxHeaderSize?: Limit | undefined },
  done: (result: Either.Either<Received, ProxyHeaderError | TransportError>) => void
): (() => void) => {
  let state = awaitingHeader(limits)
  const stop = () => {
    deadlines.cancel(deadline)
    lane.onReadable(ignore)
  }
  const finish = (result: Parameters<typeof done>[0]) => {
    stop()
    done(result)
    return "Enough" as const
  }
  const failHere = (reason: "UnexpectedEnd" | "Timeout", detail: string) =>
    finish(Either.left(new ProxyHeaderError({ reason, offset: receivedBytes(state), detail })))
  const deadline = deadlines.set(timeout, () =>
    failHere("Timeout", `the header has not come whole within ${toMillis(timeout)} ms`)
  )
  pump(lane, (polled) => {
    if (polled === "End") return failHere("UnexpectedEnd", "the peer left before its header was whole")
    if (polled instanceof TransportError) return finish(Either.left(polled))
    const next = receive(state, polled)
    if (Either.isLeft(next)) return finish(Either.left(next.left))
    if (next.right._tag === "Received") return finish(Either.right(next.right))
    state = next.right
    return "More"
  })
  return stop
}
