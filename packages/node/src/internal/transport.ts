import type { Socket } from "node:net"
import * as Network from "sluice/Network"
import type { EventScheduler } from "./eventScheduler.js"
import { SocketLane } from "./socketLane.js"

/** @internal To be called in the turn in which the socket is first seen. */
export const transportOf = (socket: Socket, scheduler: EventScheduler): Network.Transport =>
  Network.fromLane(new SocketLane(socket, scheduler), {
    remote: { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
    local: { host: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    scheduler
  })
