/**
 * The hosts of a simulated network, the ways between them, and the faults on these ways.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Network from "sluice/Network"
import * as Fault from "../Fault.js"
import type { Side } from "../Trace.js"
import { Endpoint, type Opening } from "./endpoint.js"
import { FaultRules, type Way } from "./faultRules.js"
import { Flow } from "./flow.js"
import { SimHost } from "./simHost.js"
import type { Timeline } from "./timeline.js"
import type { Owner } from "./world.js"

/** @internal */
export interface NetOptions {
  readonly sendBuffer: number
  readonly window: number
  /** Milliseconds. */
  readonly connectTimeout: number
}

interface Connection {
  readonly flows: readonly [Flow, Flow]
  readonly ends: readonly [Endpoint, Endpoint]
}

interface Attempt {
  readonly established: Effect.Effect<Network.Transport, Network.TransportError>
  readonly abort: () => void
}

/** @internal The host of programs that name none. */
export const mainHost = "main"

const isIp = (host: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(":")

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535

const failure = (
  reason: Network.TransportError["reason"],
  operation: Network.TransportError["operation"],
  detail: string
) => new Network.TransportError({ reason, operation, detail })

const invalidPort = (operation: "connect" | "listen", port: number) =>
  failure("AddressNotAvailable", operation, `${port} is no port; it is a number from 0 to 65535`)

/** @internal */
export class SimNet {
  private readonly hosts = new Map<string, SimHost>()
  private readonly aliases = new Map<string, SimHost>()
  private readonly rules: FaultRules
  private readonly connections = new Set<Connection>()
  private lastConnection = 0
  private readonly timeline: Timeline
  private readonly options: NetOptions
  /** The network itself, which does not crash. */
  private readonly owner: Owner = { name: "network", isDead: false }

  constructor(timeline: Timeline, options: NetOptions) {
    this.timeline = timeline
    this.options = options
    this.rules = new FaultRules(timeline, this.owner, () => {
      for (const { flows } of this.connections) for (const flow of flows) flow.arm()
    })
  }

  host(name: string): SimHost {
    const existing = this.hosts.get(name)
    if (existing !== undefined) return existing
    const number = this.hosts.size + 1
    const host = new SimHost(name, `10.0.${Math.floor(number / 256)}.${number % 256}`)
    this.hosts.set(name, host)
    return host
  }

  /** What is open, in words. Hosts that have crashed hold nothing. */
  get resources(): ReadonlyArray<string> {
    return [...this.hosts.values()].flatMap(({ endpoints, listening, name }) => [
      ...[...listening.values()].map(({ address }) => `${name} listens on ${Network.formatAddress(address)}`),
      ...[...endpoints].map(({ connection, side }) => `${name} has connection ${connection} open, as its ${side}`)
    ])
  }

  /** Bytes that were sent and not read, of all connections. */
  get bytesHeld(): number {
    let held = 0
    for (const { ends, flows } of this.connections) {
      for (const { unread } of ends) held += unread
      for (const flow of flows) held += flow.held
    }
    return held
  }

  // --- faults

  /** Has a fault happen from now on, or from its time on; returns how to end it. */
  install(fault: Fault.Fault): () => void {
    if (fault._tag !== "Crash") return this.rules.install(fault)
    const now = this.timeline.now()
    const { from } = Fault.spanOf(fault, now)
    const crash = () => this.crash(this.host(fault.host), fault.how, fault.downFor)
    if (from > now) return this.timeline.at(from, this.owner, crash)
    crash()
    return () => {}
  }

  private cut(connection: Connection, way: Way, ending: Fault.Ending): void {
    const flow = connection.flows[way]
    const back = connection.flows[way === 0 ? 1 : 0]
    const [sender, receiver] = way === 0 ? connection.ends : [connection.ends[1], connection.ends[0]]
    const where = `(${sender.connection}) from ${sender.host} to ${receiver.host}`
    this.timeline.record("network", { _tag: "FaultBegan", fault: `Cut ${where}, ${ending}` })
    switch (ending) {
      case "Silence":
        flow.silence()
        back.silence()
        break
      case "End":
        flow.sever()
        flow.push({ _tag: "End" })
        back.sever()
        back.push({ _tag: "Reset" })
        break
      case "Reset":
        for (const each of [flow, back]) {
          each.sever()
          each.push({ _tag: "Reset" })
        }
    }
  }

  // --- hosts

  crash(host: SimHost, how: "Process" | "Power", downFor: number | undefined): void {
    if (host.owner.isDead) return
    this.timeline.record(host.name, { _tag: "Crashed", how })
    host.owner.isDead = true
    host.hasPower = how === "Process"
    host.listening.clear()
    for (const endpoint of [...host.endpoints]) {
      if (how === "Process") endpoint.orphan()
      else endpoint.release()
    }
    for (const told of [...host.onCrash]) told()
    if (downFor !== undefined) this.timeline.at(this.timeline.now() + downFor, this.owner, () => this.start(host))
  }

  start(host: SimHost): void {
    if (!host.owner.isDead) return
    this.timeline.record(host.name, { _tag: "Restarted" })
    host.owner = { name: host.name, isDead: false }
    host.hasPower = true
    for (const { ends } of this.connections)
      for (const end of ends) if (end.host === host.name && end.isOwed) end.disown()
    host.restart?.()
  }

  // --- the network of one host

  networkOf(host: SimHost, owner: Owner): Network.Network["Type"] {
    return {
      connect: (address) =>
        Effect.acquireRelease(
          Effect.sync(() => this.begin(host, owner, address)),
          (attempt) => Effect.sync(attempt.abort)
        ).pipe(Effect.flatMap(({ established }) => established)),
      listen: (options) => this.listen(host, options),
      isInProcess: true
    }
  }

  private resolve(from: SimHost, name: string): SimHost | undefined {
    if (from.isSelf(name)) return from
    const known = this.hosts.get(name) ?? this.aliases.get(name)
    if (known !== undefined) return known
    for (const host of this.hosts.values()) if (host.ip === name) return host
    return undefined
  }

  private begin(from: SimHost, owner: Owner, remote: Network.Address): Attempt {
    const failed = (error: Network.TransportError): Attempt => ({ established: Effect.fail(error), abort: () => {} })
    // A unix socket is a file of the own host, and its client has none.
    if (remote.path !== undefined)
      return this.open(from, owner, from, Network.unixSocket(""), Network.unixSocket(remote.path))
    if (!isPort(remote.port)) return failed(invalidPort("connect", remote.port))
    const to = this.resolve(from, remote.host)
    if (to === undefined) {
      const known = [...this.hosts.keys(), ...this.aliases.keys()].join(", ")
      return failed(failure("HostNotFound", "connect", `there is no host ${remote.host}; there are ${known}`))
    }
    const isLocal = to === from
    const host = isLocal ? from.canonical(remote.host) : from.ip
    const local = { host, port: from.freePort(host) }
    const server = { host: isLocal ? host : to.canonical(remote.host), port: remote.port }
    return this.open(from, owner, to, local, server)
  }

  private open(from: SimHost, owner: Owner, to: SimHost, local: Network.Address, remote: Network.Address): Attempt {
    const { timeline } = this
    const id = ++this.lastConnection
    const { connectTimeout, sendBuffer, window } = this.options
    let result: Effect.Effect<Network.Transport, Network.TransportError> | undefined
    let hasFailed = false
    let wake = () => {}
    let cancelTimeout = () => {}
    const settle = (how: typeof result, reason?: string) => {
      if (result !== undefined) return
      result = how
      cancelTimeout()
      if (reason === undefined) timeline.record(from.name, { _tag: "Connected", connection: id })
      else {
        timeline.record(from.name, { _tag: "NotConnected", connection: id, reason })
        hasFailed = true
        client.release()
      }
      wake()
    }
    const fail = (reason: Network.TransportError["reason"], detail: string) =>
      settle(Effect.fail(failure(reason, "connect", detail)), reason)
    const ignore = () => {}
    const address = Network.formatAddress(remote)
    const opening: Opening = {
      open: () => this.arrive(connection, from, to, local, remote),
      opened: () => settle(Effect.succeed(Network.fromLane(client, { remote, local }))),
      refused: () => fail("ConnectionRefused", `nobody listens on ${address}, or it takes no more`)
    }
    const endpoint = (side: Side, own: SimHost, peer: SimHost, ownOwner: Owner): Endpoint => {
      const made: Endpoint = new Endpoint(ownOwner, {
        timeline,
        connection: id,
        side,
        host: own.name,
        peer: peer.name,
        sendBuffer,
        isCoalesced: () => this.rules.path(peer.name, own.name).chunking === "Coalesced",
        released: () => {
          own.endpoints.delete(made)
          if (!from.endpoints.has(client) && !to.endpoints.has(server)) this.connections.delete(connection)
        },
        isReachable: () => own.hasPower,
        opening: side === "client" ? opening : { ...opening, opened: ignore, refused: ignore }
      })
      return made
    }
    const client: Endpoint = endpoint("client", from, to, owner)
    const server: Endpoint = endpoint("server", to, from, to.owner)
    const flow = (way: Way): Flow => {
      const [sender, receiver] = way === 0 ? [client, server] : [server, client]
      const [source, target] = way === 0 ? [from.name, to.name] : [to.name, from.name]
      let path = this.rules.path(source, target)
      let { version } = this.rules
      return new Flow(timeline, {
        side: sender.side,
        owner: this.owner,
        window,
        path: () => {
          if (version !== this.rules.version) path = this.rules.path(source, target)
          version = this.rules.version
          return path
        },
        unread: () => receiver.unread,
        deliver: (segment) => receiver.deliver(segment),
        drained: () => sender.drained(),
        cut: (ending) => this.cut(connection, way, ending)
      })
    }
    const connection: Connection = { flows: [flow(0), flow(1)], ends: [client, server] }
    const [there, back] = connection.flows
    client.join(there, back)
    server.join(back, there)
    this.connections.add(connection)
    from.endpoints.add(client)
    timeline.record(from.name, { _tag: "Connecting", connection: id, address, peer: to.name })
    for (const [way, cut] of this.rules.cutsFor(from.name, to.name)) connection.flows[way].cutWhere(cut)
    const isStalled = this.rules.path(from.name, to.name).isStalled || !to.hasPower
    const isUnanswered = this.rules.strikes("Unanswered", from.name, to.name)
    if (!isUnanswered) there.push({ _tag: "Open" })
    // Where time does not pass by itself, a timer is set only if there will be no answer at once.
    if (timeline.isVirtual || isStalled || isUnanswered) {
      const expired = () => fail("TimedOut", `${address} did not answer for ${connectTimeout} ms`)
      cancelTimeout = timeline.at(timeline.now() + connectTimeout, owner, expired)
    }
    return {
      established: Effect.async((resume) => {
        if (result !== undefined) return resume(result)
        wake = () => {
          if (result !== undefined) resume(result)
        }
        return Effect.sync(() => {
          wake = ignore
        })
      }),
      abort: () => {
        cancelTimeout()
        if (!hasFailed) client.abort()
      }
    }
  }

  /** The first segment of a client has come to the host that it is for. */
  private arrive(
    { ends: [client, server], flows: [, back] }: Connection,
    from: SimHost,
    to: SimHost,
    local: Network.Address,
    remote: Network.Address
  ): void {
    if (!to.hasPower) return
    server.owner = to.owner
    const listening = to.find(remote)
    const isRefused =
      listening === undefined ||
      listening.arrivals.size >= listening.backlog ||
      this.rules.strikes("Refuse", from.name, to.name)
    back.push({ _tag: isRefused ? "Refused" : "Opened" })
    if (isRefused) return
    if (this.rules.strikes("ResetInBacklog", from.name, to.name)) {
      server.orphan()
      return
    }
    to.endpoints.add(server)
    this.timeline.record(to.name, { _tag: "Accepted", connection: client.connection, peer: from.name })
    listening.arrivals.add(Network.fromLane(server, { remote: local, local: remote }))
    this.timeline.soon(to.owner, listening.arrivals.arrived)
  }

  private listen(
    host: SimHost,
    { backlog = 511, host: given, path, port: asked = 0 }: Network.ListenOptions
  ): Effect.Effect<Network.Listener, Network.TransportError, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.suspend(() => {
        if (!isPort(asked)) return invalidPort("listen", asked)
        // A service that says nothing else is there for its own host, and where it has one to itself, for all.
        const name = given ?? (host.name === mainHost ? "127.0.0.1" : host.ip)
        if (!host.isSelf(name) && isIp(name) && host.canonical(name) !== "0.0.0.0") {
          const detail = `${name} is no address of ${host.name}, which has ${host.ip}, 127.0.0.1 and ::1`
          return failure("AddressNotAvailable", "listen", detail)
        }
        const tcp = () => ({ host: host.canonical(name), port: asked === 0 ? host.freePort(name) : asked })
        const address = path === undefined ? tcp() : Network.unixSocket(path)
        const key = host.keyOf(address)
        if (host.listening.has(key)) {
          const detail = `somebody listens on ${Network.formatAddress(address)} already${path === undefined ? "; port 0 takes a free one" : ""}`
          return failure("AddressInUse", "listen", detail)
        }
        if (path === undefined && !host.isSelf(name) && address.host !== "0.0.0.0") this.aliases.set(name, host)
        const arrivals = Network.makeArrivals()
        const listening = { address, backlog, arrivals }
        host.listening.set(key, listening)
        this.timeline.record(host.name, { _tag: "Listening", address: Network.formatAddress(address) })
        return Effect.succeed({ key, listening })
      }),
      ({ key, listening }) =>
        Effect.suspend(() => {
          if (host.listening.get(key) === listening) host.listening.delete(key)
          const address = Network.formatAddress(listening.address)
          this.timeline.record(host.name, { _tag: "ListenerClosed", address })
          return listening.arrivals.abort
        })
    ).pipe(Effect.map(({ listening }) => listening.arrivals.listener(listening.address)))
  }
}
