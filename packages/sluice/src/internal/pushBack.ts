/**
 * A transport of which somebody has read too much.
 */
import * as Effect from "effect/Effect"
import { fromLane, type Lane, type Transport } from "../Network.js"

/** @internal The transport as if the bytes had not been read yet; it takes the place of the one that was given. */
export const pushBack = (transport: Transport, bytes: Uint8Array): Transport => {
  if (bytes.length === 0) return transport
  return transport.lane === undefined
    ? before(transport, bytes)
    : fromLane(beforeLane(transport.lane, bytes), transport)
}

const beforeLane = (lane: Lane, bytes: Uint8Array): Lane => {
  let first: Uint8Array | undefined = bytes
  return {
    poll: (room) => {
      if (first === undefined) return lane.poll(room)
      const polled = first
      first = undefined
      return polled
    },
    onReadable: (wake) => lane.onReadable(wake),
    offer: (chunks) => lane.offer(chunks),
    isWritable: () => lane.isWritable(),
    onWritable: (wake) => lane.onWritable(wake),
    failure: () => lane.failure(),
    end: () => lane.end(),
    abort: () => {
      // Who has broken off reads nothing any more.
      first = undefined
      lane.abort()
    }
  }
}

const before = (transport: Transport, bytes: Uint8Array): Transport => {
  let first: Uint8Array | undefined = bytes
  return {
    remote: transport.remote,
    local: transport.local,
    tls: transport.tls,
    scheduler: transport.scheduler,
    read: Effect.suspend(() => {
      if (first === undefined) return transport.read
      const read = first
      first = undefined
      return Effect.succeed(read)
    }),
    write: (bytes) => transport.write(bytes),
    endOfOutput: transport.endOfOutput,
    abort: Effect.suspend(() => {
      first = undefined
      return transport.abort
    })
  }
}
