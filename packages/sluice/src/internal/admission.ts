/**
 * Who may come in: the counts of a server, and the refusals when they are full.
 */
import { isAbove, type Limits } from "../Limits.js"
import type { Address } from "../Network.js"
import * as Rejection from "../Rejection.js"
import type { Account } from "./ledger.js"

// Seconds after which a refused client may try again. Clients add a random delay of their own.
const retryAfter = 1

/** @internal Why somebody is not let in. A server with twice as many as it should have does not even reply. */
export interface Refused {
  readonly limit: keyof Limits
  readonly rejection: Rejection.Rejection | "Abort"
}

/** @internal */
export class Admission {
  private readonly limits: Limits
  private readonly perAddress = new Map<string, number>()
  private connections = 0
  private handshakes = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  /** Counts a new connection, in its handshake; says why it is refused, if it is. */
  enter(remote: Address): Refused | undefined {
    this.connections++
    this.handshakes++
    const fromThere = this.enterFrom(remote)
    const { maxConnections, maxConnectionsPerAddress, maxHandshakes } = this.limits
    if (isAbove(this.connections / 2, maxConnections)) return { limit: "maxConnections", rejection: "Abort" }
    if (isAbove(fromThere, maxConnectionsPerAddress)) {
      const detail = `${fromThere} connections from ${remote.host}; the limit is ${maxConnectionsPerAddress}.`
      const rejection = new Rejection.TooManyRequests({ retryAfter, detail })
      return { limit: "maxConnectionsPerAddress", rejection }
    }
    if (isAbove(this.connections, maxConnections)) {
      return unavailable("maxConnections", `The server has ${maxConnections} connections, its limit.`)
    }
    if (isAbove(this.handshakes, maxHandshakes)) {
      return unavailable("maxHandshakes", `The server has ${maxHandshakes} handshakes in flight, its limit.`)
    }
    return undefined
  }

  /** All who come by a unix socket look the same: they are not counted for each. */
  private enterFrom({ host, path }: Address): number {
    if (path !== undefined) return 0
    const count = (this.perAddress.get(host) ?? 0) + 1
    this.perAddress.set(host, count)
    return count
  }

  /** The handshake of a connection has ended. */
  open(): void {
    this.handshakes--
  }

  /** A connection has ended. */
  leave({ host, path }: Address): void {
    this.connections--
    if (path !== undefined) return
    const left = (this.perAddress.get(host) ?? 1) - 1
    if (left === 0) this.perAddress.delete(host)
    else this.perAddress.set(host, left)
  }

  /** Connections, those in their handshake included. */
  get size(): number {
    return this.connections
  }

  /** Opening handshakes in flight. */
  get inHandshake(): number {
    return this.handshakes
  }
}

const unavailable = (limit: keyof Limits, detail: string): Refused => ({
  limit,
  rejection: new Rejection.Unavailable({ retryAfter, detail })
})

/** @internal */
export const tooManyPinned = ({ maxPinnedBytes }: Account): Rejection.Rejection =>
  new Rejection.Unavailable({
    retryAfter,
    detail: `Unfinished requests and messages take more than ${maxPinnedBytes} bytes together, the limit.`
  })

/** @internal */
export const draining = (retryAfter: number): Rejection.Rejection =>
  new Rejection.Unavailable({ retryAfter, detail: "The server is shutting down." })
