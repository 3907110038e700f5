/**
 * A connection as it is handed out behind its header of the PROXY protocol.
 */
import { fromLane, type Lane, type Transport } from "../Network.js"
import type { Header } from "./proxyHeader.js"

/**
 * With the addresses of the header, and bytes that come before all that the lane reads. What it has besides is that of
 * the transport, whatever that may be. `done` is called when it is aborted.
 *
 * @internal
 */
export const proxiedTransport = (
  transport: Transport,
  lane: Lane,
  header: Header | undefined,
  rest: Uint8Array,
  done: (() => void) | undefined
): Transport => {
  const isOwnLane = rest.length === 0 && done === undefined
  const isProxied = header?._tag === "Proxied"
  if (isOwnLane && !isProxied) return transport
  const handed = isOwnLane ? lane : new HandedLane(lane, rest, done)
  const { scheduler } = transport
  const own = isProxied
    ? fromLane(handed, { remote: header.source, local: header.destination, scheduler })
    : // The kernel is asked for `local` only by who needs it.
      fromLane(handed, transport)
  return new Proxy(own, { get: (_, key) => Reflect.get(owned.has(key) ? own : transport, key) })
}

/** The rest, of which a network may have more than this module knows, is taken from the transport. */
const owned: ReadonlySet<string | symbol> = new Set([
  "remote",
  "local",
  "lane",
  "read",
  "write",
  "endOfOutput",
  "abort"
] satisfies ReadonlyArray<keyof Transport>)

/** Gives the bytes behind the header first; from then on a call is one more. */
class HandedLane implements Lane {
  private readonly lane: Lane
  private rest: Uint8Array | undefined
  private readonly done: (() => void) | undefined

  constructor(lane: Lane, rest: Uint8Array, done: (() => void) | undefined) {
    this.lane = lane
    this.rest = rest.length === 0 ? undefined : rest
    this.done = done
  }

  poll(room?: Uint8Array): ReturnType<Lane["poll"]> {
    const { rest } = this
    if (rest === undefined) return this.lane.poll(room)
    this.rest = undefined
    return rest
  }

  onReadable(wake: () => void): void {
    this.lane.onReadable(wake)
  }

  offer(chunks: ReadonlyArray<Uint8Array>): boolean {
    return this.lane.offer(chunks)
  }

  isWritable(): boolean {
    return this.lane.isWritable()
  }

  onWritable(wake: () => void): void {
    this.lane.onWritable(wake)
  }

  failure(): ReturnType<Lane["failure"]> {
    return this.lane.failure()
  }

  end(): void {
    this.lane.end()
  }

  abort(): void {
    this.rest = undefined
    this.lane.abort()
    this.done?.()
  }
}
