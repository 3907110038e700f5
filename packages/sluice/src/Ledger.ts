/**
 * One account of bytes for a whole process: what unfinished messages and heads keep, and what waits for peers that do not
 * read.
 *
 * Without it each server has an account of its own, and so has each client connection. With the layer around several
 * servers and clients they share one, and whoever goes beyond it is closed with 1013, or refused with 503.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Internal from "./internal/ledger.js"
import { type Account, Ledger } from "./internal/ledger.js"
import * as Limits from "./Limits.js"

export { type Account, Ledger }

/**
 * An account with these limits, in place of those of each server and client.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { Ledger, WebSocket, WebSocketServer } from "sluice"
 *
 * const echo = (port: number) =>
 *   WebSocketServer.layer({ port }, (socket) => WebSocket.runForEach(socket, (message) => socket.send(message)))
 *
 * // together they keep at most 64 MiB of what is unfinished
 * const servers = Layer.mergeAll(Layer.fresh(echo(8080)), Layer.fresh(echo(8081))).pipe(
 *   Layer.provide(Ledger.layer({ maxPinnedBytes: 64 * 1024 * 1024 }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (limits: Pick<Limits.Options, "maxPinnedBytes" | "maxPendingBytes"> = {}): Layer.Layer<Ledger> =>
  Layer.sync(Ledger, () => Internal.make(Limits.make(limits)))

/**
 * The account of the context: its limits, and its sums at any moment.
 *
 * @category getters
 * @since 0.1.0
 */
export const account: Effect.Effect<Account, never, Ledger> = Ledger
