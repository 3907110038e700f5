/**
 * Who may come in: the counts of a server, and the refusals when they are full.
 */
import { isAbove, type Limits } from "../Limits.js"
import * as Rejection from "../Rejection.js"

// Seconds after which a refused client may try again. Clients add a random delay of their own.
const retryAfter = 1

/** @internal */
export class Admission {
  /** Set once the server drains: from then on everybody is refused. */
  isDraining = false
  private readonly limits: Limits
  private readonly perAddress = new Map<string, number>()
  private connections = 0
  private handshakes = 0

  constructor(limits: Limits) {
    this.limits = limits
  }

  /**
   * Counts a new connection, in its handshake; says why it is refused, if it is. A server with twice as many as it
   * should have does not even reply.
   */
  enter(address: string): Rejection.Rejection | "Abort" | undefined {
    this.connections++
    this.handshakes++
    const fromThere = (this.perAddress.get(address) ?? 0) + 1
    this.perAddress.set(address, fromThere)
    if (this.isDraining) return draining()
    const { maxConnections, maxConnectionsPerAddress, maxHandshakes } = this.limits
    if (isAbove(this.connections / 2, maxConnections)) return "Abort"
    if (isAbove(fromThere, maxConnectionsPerAddress)) {
      const detail = `${fromThere} connections from ${address}; the limit is ${maxConnectionsPerAddress}.`
      return new Rejection.TooManyRequests({ retryAfter, detail })
    }
    if (isAbove(this.connections, maxConnections)) {
      return new Rejection.Unavailable({
        retryAfter,
        detail: `The server has ${maxConnections} connections, its limit.`
      })
    }
    if (isAbove(this.handshakes, maxHandshakes)) {
      const detail = `The server has ${maxHandshakes} handshakes in flight, its limit.`
      return new Rejection.Unavailable({ retryAfter, detail })
    }
    return undefined
  }

  /** The handshake of a connection has ended. */
  open(): void {
    this.handshakes--
  }

  /** A connection has ended. */
  leave(address: string): void {
    this.connections--
    const left = (this.perAddress.get(address) ?? 1) - 1
    if (left === 0) this.perAddress.delete(address)
    else this.perAddress.set(address, left)
  }

  /** Connections, those in their handshake included. */
  get size(): number {
    return this.connections
  }
}

/** @internal */
export const draining = (): Rejection.Rejection =>
  new Rejection.Unavailable({ retryAfter, detail: "The server is shutting down." })
