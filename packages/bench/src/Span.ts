/** How long a load runs before it counts, and then. Pure. */
import type { Load } from "./Results.js"

/** Milliseconds that a load runs before it counts, and then. */
export interface Span {
  readonly warmUp: number
  readonly duration: number
}

/** Bytes in a millisecond of a server that is slow. */
const pace = 300 * 1024

/** The buffers that the kernel gives a new connection grow with what goes through: for large messages, about so long. */
const growing = 1000
const large = 16 * 1024

/**
 * The span that a load needs: all that is on its way has to have gone round once before it counts, since what is read and
 * not yet answered costs and does not count; and once more while it does.
 */
export const lasting = ({ warmUp, duration }: Span, { connections, size = 0, window = 0 }: Load): Span => {
  const turn = Math.round((connections * window * size) / pace)
  const least = Math.max(turn, size < large ? 0 : growing)
  return { warmUp: Math.max(warmUp, least), duration: Math.max(duration, least) }
}
