/** A client and a server, each on a host of its own, and the connection between them. */
import { Deferred, Effect, Either, Option, type Scope } from "effect"
import * as Network from "sluice/Network"
import * as SimNetwork from "../../src/SimNetwork.js"

export const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff)

/** Milliseconds since the start of the run, with their fractions. */
export const now: Effect.Effect<number> = Effect.map(
  Effect.clock,
  (clock) => Number(clock.unsafeCurrentTimeNanos()) / 1e6
)

/** Connects from the host of the client. */
export const connect = SimNetwork.on(
  "client",
  Effect.flatMap(Network.Network, (network) => network.connect({ host: "server", port: 80 }))
)

/** Runs a server that hands out its connections, which end with its program. */
export const serving = Effect.gen(function* () {
  const listening = yield* Deferred.make<void, Network.TransportError>()
  const accepted: Array<Network.Transport> = []
  const serve = Effect.gen(function* () {
    const network = yield* Network.Network
    const listener = yield* network.listen({ port: 80 })
    yield* Deferred.succeed(listening, undefined)
    yield* Effect.forever(Effect.map(listener.accept, (transport) => accepted.push(transport)))
  })
  const host = yield* SimNetwork.spawn("server", Effect.scoped(serve))
  yield* Deferred.await(listening)
  return { host, accepted }
})

export interface Connected {
  readonly host: SimNetwork.Host
  readonly client: Network.Transport
  readonly server: Network.Transport
  /** All connections of the server. */
  readonly accepted: ReadonlyArray<Network.Transport>
}

/** The two ends of one connection, before any time has passed on a network without faults. */
export const connected: Effect.Effect<Connected, Network.TransportError, SimNetwork.SimNetwork | Scope.Scope> =
  Effect.gen(function* () {
    const { accepted, host } = yield* serving
    const client = yield* connect
    // The listener hands it to who accepts at the same instant.
    while (accepted.length === 0) yield* Effect.yieldNow()
    return { accepted, client, host, server: accepted[0] }
  })

/** What one read gives. */
export const readOnce = ({
  read
}: Network.Transport): Effect.Effect<Uint8Array | "End" | Network.TransportError["reason"]> =>
  Effect.map(
    Effect.either(read),
    Either.match({
      onLeft: Option.match({ onNone: () => "End" as const, onSome: ({ reason }) => reason }),
      onRight: (chunk) => chunk
    })
  )

/** Reads until so many bytes are here, with the time of each chunk. */
export const readTimed = (
  transport: Network.Transport,
  count: number
): Effect.Effect<ReadonlyArray<readonly [at: number, chunk: Uint8Array]>, Option.Option<Network.TransportError>> =>
  Effect.gen(function* () {
    const chunks: Array<readonly [number, Uint8Array]> = []
    for (let left = count; left > 0; ) {
      const chunk = yield* transport.read
      chunks.push([yield* now, chunk])
      left -= chunk.length
    }
    return chunks
  })

/** Reads to the end, and says what that was: of the peer's output, of the connection, or of patience. */
export const readAll = (
  transport: Network.Transport
): Effect.Effect<{
  readonly received: Uint8Array
  readonly end: "End" | "Silence" | Network.TransportError["reason"]
}> =>
  Effect.gen(function* () {
    const chunks: Array<Uint8Array> = []
    for (;;) {
      const got = yield* Effect.timeoutTo(readOnce(transport), {
        duration: "10 minutes",
        onSuccess: (got) => got,
        onTimeout: () => "Silence" as const
      })
      if (typeof got === "string") return { received: new Uint8Array(Buffer.concat(chunks)), end: got }
      chunks.push(got)
    }
  })
