/**
 * A host of a simulated network: its name and addresses, who listens on it, and whether it is up.
 */
import type * as Network from "sluice/Network"
import type { Endpoint } from "./endpoint.js"
import type { Owner } from "./world.js"

/** @internal */
export interface Listening {
  readonly address: Network.Address
  readonly backlog: number
  readonly arrivals: Network.Arrivals
}

/** @internal The names that mean the host that uses them. */
const loopback = new Set(["127.0.0.1", "localhost"])
const wildcards = new Set(["0.0.0.0", "::"])

// As the hosts of a real network do, ports that nobody asked for are taken from the upper range, in order.
const [firstPort, lastPort] = [49_152, 65_535]

/** @internal */
export class SimHost {
  /** From one start to the next crash. */
  owner: Owner
  /** A machine without power does not answer, not even that nobody listens. */
  hasPower = true
  readonly name: string
  readonly ip: string
  readonly listening = new Map<string, Listening>()
  readonly endpoints = new Set<Endpoint>()
  /** Starts what runs on it again. */
  restart: (() => void) | undefined = undefined
  /** Told when it crashes. */
  readonly onCrash = new Set<() => void>()
  private port = firstPort - 1

  constructor(name: string, ip: string) {
    this.name = name
    this.ip = ip
    this.owner = { name, isDead: false }
  }

  isSelf(host: string): boolean {
    return loopback.has(host) || host === "::1" || host === this.name || host === this.ip
  }

  /** One name for all that mean the same. */
  canonical(host: string): string {
    if (loopback.has(host)) return "127.0.0.1"
    if (wildcards.has(host)) return "0.0.0.0"
    return host === this.name ? this.ip : host
  }

  keyOf({ host, path, port }: Network.Address): string {
    return path === undefined ? `${this.canonical(host)} ${port}` : `unix ${path}`
  }

  /** Who listens on an address of this host. */
  find(address: Network.Address): Listening | undefined {
    return this.listening.get(this.keyOf(address)) ?? this.listening.get(this.keyOf({ ...address, host: "0.0.0.0" }))
  }

  freePort(host: string): number {
    do this.port = this.port === lastPort ? firstPort : this.port + 1
    while (this.find({ host, port: this.port }) !== undefined)
    return this.port
  }
}
