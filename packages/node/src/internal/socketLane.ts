/**
 * A `Lane` on a `node:net` socket.
 */
import type { Socket } from "node:net"
import { type Lane, TransportError } from "sluice/Network"
import type { EventScheduler } from "./eventScheduler.js"
import { fromNodeError } from "./nodeError.js"

const ignore = () => {}

/**
 * Takes the socket over. To be called in the turn in which the socket is first seen: from then on its errors are heard.
 *
 * @internal
 */
export const socketLane = (socket: Socket, scheduler: EventScheduler): Lane => {
  // One chunk is taken from the socket before somebody asks; then it is paused, and the peer has to wait.
  let here: Uint8Array | undefined
  let hasEnded = false
  let failure: TransportError | undefined
  let isPaused = false
  let readable = ignore
  let writable = ignore

  const wakeBoth = () => {
    readable()
    writable()
  }

  socket.on("data", (chunk: Buffer) => {
    here = chunk
    scheduler.event(readable)
    if (here !== undefined) {
      isPaused = true
      socket.pause()
    }
  })
  socket.on("drain", () => scheduler.event(writable))
  socket.on("end", () => {
    hasEnded = true
    scheduler.event(readable)
  })
  socket.on("error", (error) => {
    failure ??= fromNodeError(error, "read")
    scheduler.event(wakeBoth)
  })
  socket.on("close", () => {
    failure ??= closed
    scheduler.event(wakeBoth)
  })

  return {
    poll: () => {
      if (here !== undefined) {
        const chunk = here
        here = undefined
        return chunk
      }
      if (hasEnded) return "End"
      if (failure !== undefined) return failure
      if (isPaused) {
        isPaused = false
        socket.resume()
      }
      return "Pending"
    },
    onReadable: (wake) => {
      readable = wake
    },
    offer: (chunks) => {
      if (failure !== undefined || socket.destroyed || socket.writableEnded) return true
      if (chunks.length === 1) {
        for (const chunk of chunks) socket.write(chunk)
      } else {
        socket.cork()
        for (const chunk of chunks) socket.write(chunk)
        socket.uncork()
      }
      return !socket.writableNeedDrain
    },
    isWritable: () => !socket.writableNeedDrain,
    onWritable: (wake) => {
      writable = wake
    },
    // The event "close" comes in a later turn than the end of the socket.
    failure: () => failure ?? (socket.destroyed ? closed : socket.writableEnded ? endedOutput : undefined),
    end: () => {
      socket.end()
    },
    abort: () => {
      // Where both sides have ended there is nothing to reset.
      if (hasEnded && socket.writableFinished) socket.destroy()
      else if (!socket.destroyed) socket.resetAndDestroy()
    }
  }
}

const closed = new TransportError({ reason: "Closed", operation: "write", detail: "the connection is closed" })

const endedOutput = new TransportError({
  reason: "Closed",
  operation: "write",
  detail: "this side has ended its output"
})
