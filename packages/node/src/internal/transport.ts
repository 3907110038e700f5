/**
 * Sockets as transports.
 */
import * as Net from "node:net"
import type { EventScheduler } from "sluice/EventScheduler"
import * as Network from "sluice/Network"
import { sharedReads } from "./sharedReads.js"
import { SocketLane } from "./socketLane.js"

const ofLane = (lane: SocketLane, socket: Net.Socket, scheduler: EventScheduler): Network.Transport =>
  Network.fromLane(lane, {
    remote: { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
    // Few ask for it, and the kernel has to be asked.
    get local() {
      return { host: socket.localAddress ?? "", port: socket.localPort ?? 0 }
    },
    scheduler
  })

/** @internal To be called in the turn in which the socket is first seen. */
export const transportOf = (socket: Net.Socket, scheduler: EventScheduler): Network.Transport => {
  const lane = new SocketLane(socket, scheduler)
  socket.on("data", (chunk: Uint8Array) => lane.take(chunk))
  return ofLane(lane, socket, scheduler)
}

/** @internal A socket that reads as `sharedReads` has it, and its transport, to be made once it is connected. */
export const sharing = (
  options: Net.SocketConstructorOpts & { readonly handle?: object },
  scheduler: EventScheduler
): { readonly socket: Net.Socket; readonly transport: () => Network.Transport } => {
  const socket: Net.Socket = new Net.Socket({ ...options, ...sharedReads(() => lane) })
  const lane = new SocketLane(socket, scheduler)
  return { socket, transport: () => ofLane(lane, socket, scheduler) }
}
