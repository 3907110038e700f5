/**
 * Sockets that all read into one buffer.
 *
 * By default Node gives each read of a socket 64 KiB of its own and cuts them down to what came: for a small message
 * that costs as much as all that is done with it. The option `onread` has one buffer used again and again; only what came
 * is copied out of it.
 */
import type * as Net from "node:net"

const size = 64 * 1024

// What was read is copied in the turn in which it was read, so that one buffer serves the whole process.
const shared = new Uint8Array(size)

/** @internal What was read last, as bytes of its own, or in `room` if it has room for them. */
export const copied = (length: number, room?: Uint8Array): Uint8Array => {
  const bytes = shared.subarray(0, length)
  if (room === undefined || room.length < length) return new Uint8Array(bytes)
  room.set(bytes)
  return room.subarray(0, length)
}

/** @internal */
export interface Reader {
  /** So much was read into the shared buffer. */
  read(length: number): void
  /** This was read into the room of the reader. */
  take(chunk: Uint8Array): void
  /** Where the next bytes should go, if not into the shared buffer. Asked for after each read. */
  readonly room: Uint8Array | undefined
}

/** @internal Options of a socket that reads into the buffer, or into the room that its reader has for a lot. */
export const sharedReads = (reader: () => Reader): { readonly onread: Net.OnReadOpts } => {
  let isFirst = true
  return {
    onread: {
      // Before the first read there is no reader.
      buffer: () => {
        if (!isFirst) return roomOf(reader())
        isFirst = false
        return shared
      },
      callback: (length, buffer) => {
        if (buffer === shared) reader().read(length)
        else reader().take(buffer.subarray(0, length))
        return true
      }
    }
  }
}

/** A room with less than the shared buffer would only need more reads. */
const roomOf = ({ room }: Reader): Uint8Array => (room === undefined || room.length < size ? shared : room)

/** What a listening server has in `_handle`, in all versions of Node that there are; it is not public. */
interface ListeningHandle {
  onconnection: (this: ListeningHandle, error: number, accepted: unknown) => void
}

const handleOf = (server: Net.Server): ListeningHandle | undefined => {
  const handle: unknown = "_handle" in server ? server._handle : undefined
  if (typeof handle !== "object" || handle === null) return undefined
  if (!("onconnection" in handle) || typeof handle.onconnection !== "function") return undefined
  // That it is there was seen; how it is called is known of lib/net.js.
  return handle as ListeningHandle
}

/** Whether a handle can read into a buffer that it is given: that of Bun, which is another kind of thing, cannot. */
const canShare = (handle: unknown): handle is object =>
  typeof handle === "object" && handle !== null && "useUserBuffer" in handle

/**
 * Has `accept` called with the handle of each new connection, from which a socket with the option `onread` can be made:
 * the sockets that a server makes itself have no such option. Where that cannot be done it makes them as ever.
 *
 * @internal
 */
export const onHandle = (server: Net.Server, accept: (handle: object) => void): void => {
  const handle = handleOf(server)
  if (handle === undefined) return
  const { onconnection } = handle
  handle.onconnection = function (error, accepted) {
    if (canShare(accepted)) accept(accepted)
    else onconnection.call(this, error, accepted)
  }
}
