/**
 * Sockets as transports.
 */
import * as Net from "node:net"
import type { EventScheduler } from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import { sharedReads } from "./sharedReads.js"
import { SocketLane } from "./socketLane.js"
import { sessionOf } from "./tls.js"

/** The addresses of the ends of a unix socket, which Node does not know. */
export interface Ends {
  readonly remote?: Network.Address
  readonly local?: Network.Address
}

const ofLane = (
  lane: SocketLane,
  socket: Net.Socket,
  scheduler: EventScheduler,
  { local, remote }: Ends
): Network.Transport =>
  Network.fromLane(lane, {
    remote: remote ?? { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
    // Few ask for these, and the kernel or OpenSSL has to be asked.
    get local() {
      return local ?? { host: socket.localAddress ?? "", port: socket.localPort ?? 0 }
    },
    get tls() {
      return sessionOf(socket)
    },
    scheduler
  })

/** @internal To be called in the turn in which the socket is first seen. */
export const transportOf = (socket: Net.Socket, scheduler: EventScheduler, ends: Ends = {}): Network.Transport => {
  const lane = new SocketLane(socket, scheduler)
  socket.on("data", (chunk: Uint8Array) => lane.take(chunk))
  return ofLane(lane, socket, scheduler, ends)
}

/** @internal A socket that reads as `sharedReads` has it, and its transport, to be made once it is connected. */
export const sharing = (
  options: Net.SocketConstructorOpts & { readonly handle?: object },
  scheduler: EventScheduler,
  ends: Ends = {}
): { readonly socket: Net.Socket; readonly transport: () => Network.Transport } => {
  const socket: Net.Socket = new Net.Socket({ ...options, ...sharedReads(() => lane) })
  const lane = new SocketLane(socket, scheduler)
  return { socket, transport: () => ofLane(lane, socket, scheduler, ends) }
}
