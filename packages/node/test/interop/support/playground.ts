/** Our server, with a path for each thing that a peer tries as a client. */
import { Effect, Queue, Ref, type Scope, Stream } from "effect"
import { type Network, type Protocol, Rejection, WebSocket, WireTrace } from "sluice"
import type { Host } from "../../../../sluice/test/suites/host.js"
import { eventuallyEffect } from "../../../../sluice/test/support/turns.js"

/** How a connection ended, as the server has it. */
export interface End {
  readonly path: string
  readonly reason: Protocol.CloseReason
}

export interface Playground {
  readonly address: Network.Address
  /** How connections have ended, one after another. */
  readonly ended: Queue.Dequeue<End>
  /** Waits until nobody is connected; how those have ended that were not taken from `ended`. */
  readonly ends: Effect.Effect<ReadonlyArray<End>>
  /** The extensions that were offered, by the path that was asked for last. */
  readonly offers: ReadonlyMap<string, ReadonlyArray<string>>
  /** How many frames came after which their message goes on. */
  readonly unfinished: Effect.Effect<number>
}

/** How the server closes. */
export const ours = { code: 4321, reason: "enough \u20ac" } as const

const refusals: Readonly<Record<string, Rejection.Rejection>> = {
  "/missing": new Rejection.NotFound({ detail: "nothing here" }),
  "/forbidden": new Rejection.Forbidden({ detail: "not for you" })
}

const behave = (path: string, socket: WebSocket.WebSocket) => {
  switch (path) {
    case "/fragments":
      return WebSocket.sendStream(socket, "Text", Stream.make("He", "l", "lo"))
    case "/ping":
      return Effect.zipRight(socket.ping, socket.send("ponged"))
    case "/close":
      return socket.close(ours)
    default:
      return WebSocket.runForEach(socket, (message) => socket.send(message))
  }
}

export const playground = (
  host: Host
): Effect.Effect<Playground, Network.TransportError, Network.Network | Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Queue.unbounded<End>()
    const offers = new Map<string, ReadonlyArray<string>>()
    const unfinished = yield* Ref.make(0)
    const { address, connections } = yield* host.serve(
      {
        subprotocols: ["b", "a"],
        authenticate: ({ extensions, resource }) => {
          offers.set(
            resource,
            extensions.map(({ name }) => name)
          )
          const refusal = refusals[resource]
          return refusal === undefined ? Effect.void : refusal
        }
      },
      (socket, { accepted }) =>
        Effect.gen(function* () {
          const path = accepted.resource
          yield* Effect.forkScoped(
            Stream.runForEach(WireTrace.frames(socket), ({ direction, fin }) =>
              direction === "received" && !fin ? Ref.update(unfinished, (count) => count + 1) : Effect.void
            )
          )
          // How it ended is in `reason`, too.
          yield* Effect.ignore(behave(path, socket))
          yield* Queue.offer(ended, { path, reason: yield* socket.closed })
        })
    )
    const empty = eventuallyEffect(
      "nobody is connected",
      Effect.map(connections, (count) => count === 0)
    )
    return {
      address,
      offers,
      ended,
      unfinished: Ref.get(unfinished),
      ends: Effect.zipRight(
        empty,
        Effect.map(Queue.takeAll(ended), (all) => [...all])
      )
    }
  })
