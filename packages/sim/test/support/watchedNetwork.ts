/** A network that listens in on every connection, and notes what no peer of ours may do. */
import { Effect } from "effect"
import * as Frame from "sluice/Frame"
import * as Network from "sluice/Network"
import { WireReader } from "../../src/internal/wireReader.js"

/**
 * Notes what follows a Close: RFC 6455 §5.5.1 "MUST NOT send any more data frames after sending a Close frame". A Pong may:
 * §5.5.2 asks for one "unless it already received a Close frame".
 */
const watchedLane = (lane: Network.Lane, note: (violation: string) => void): Network.Lane => {
  const reader = new WireReader()
  let isClosed = false
  return {
    poll: () => lane.poll(),
    onReadable: (wake) => lane.onReadable(wake),
    offer: (chunks) => {
      for (const chunk of chunks) {
        for (const part of reader.push(chunk)) {
          if (part._tag !== "Frame") continue
          if (isClosed && part.frame.opcode !== Frame.Opcode.Pong)
            note(`a frame with opcode ${part.frame.opcode} was sent after a Close`)
          isClosed ||= part.frame.opcode === Frame.Opcode.Close
        }
      }
      return lane.offer(chunks)
    },
    isWritable: () => lane.isWritable(),
    onWritable: (wake) => lane.onWritable(wake),
    failure: () => lane.failure(),
    end: () => lane.end(),
    abort: () => lane.abort()
  }
}

const watchedTransport = (transport: Network.Transport, note: (violation: string) => void): Network.Transport =>
  transport.lane === undefined ? transport : Network.fromLane(watchedLane(transport.lane, note), transport)

/** Runs a program on the network that it asks for, watched. */
export const watched =
  (note: (violation: string) => void) =>
  <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Network.Network> =>
    Effect.flatMap(Network.Network, (network) =>
      Effect.provideService(program, Network.Network, {
        connect: (address) => Effect.map(network.connect(address), (transport) => watchedTransport(transport, note)),
        listen: (options) =>
          Effect.map(network.listen(options), (listener) => ({
            address: listener.address,
            accept: Effect.map(listener.accept, (transport) => watchedTransport(transport, note)),
            onConnection:
              listener.onConnection === undefined
                ? undefined
                : (take) =>
                    listener.onConnection?.((transport) => take(watchedTransport(transport, note))) ?? (() => {})
          }))
      })
    )
