/**
 * A connection as it is handed out behind its header of the PROXY protocol.
 */
import * as Effect from "effect/Effect"
import { fromLane, type Lane, type Transport } from "../Network.js"
import type { Header } from "./proxyHeader.js"

/**
 * With the addresses of the header, and with bytes that come before all that is read. What it has besides is that of the
 * transport, whatever that may be. `done`, where there is one, is called when it is aborted.
 *
 * @internal
 */
export const proxiedTransport = (
  transport: Transport,
  header: Header | undefined,
  rest: Uint8Array,
  done: (() => void) | undefined
): Transport => {
  const isAsItWas = rest.length === 0 && done === undefined
  const ends = header?._tag === "Proxied" ? { remote: header.source, local: header.destination } : undefined
  if (isAsItWas && ends === undefined) return transport
  const { lane } = transport
  const own =
    lane === undefined
      ? withoutLane(transport, rest, done)
      : fromLane(isAsItWas ? lane : new HandedLane(lane, rest, done), transport)
  const get = (_: object, key: string | symbol): unknown => {
    if (ends !== undefined && (key === "remote" || key === "local")) return ends[key]
    if (owned.has(key)) return Reflect.get(own, key)
    const value: unknown = Reflect.get(transport, key)
    return typeof value === "function" ? value.bind(transport) : value
  }
  return new Proxy<Transport>(own, { get })
}

/** What is not to be that of the transport. */
const owned: ReadonlySet<string | symbol> = new Set([
  "lane",
  "read",
  "write",
  "endOfOutput",
  "abort"
] satisfies ReadonlyArray<keyof Transport>)

const withoutLane = (transport: Transport, bytes: Uint8Array, done: (() => void) | undefined): Transport => {
  let rest = bytes.length === 0 ? undefined : bytes
  return {
    remote: transport.remote,
    local: transport.local,
    read: Effect.suspend(() => {
      if (rest === undefined) return transport.read
      const first = rest
      rest = undefined
      return Effect.succeed(first)
    }),
    write: (bytes) => transport.write(bytes),
    endOfOutput: transport.endOfOutput,
    abort: Effect.suspend(() => {
      rest = undefined
      return Effect.zipRight(
        transport.abort,
        Effect.sync(() => done?.())
      )
    })
  }
}

/** Gives the bytes behind the header first; from then on it passes on. */
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
