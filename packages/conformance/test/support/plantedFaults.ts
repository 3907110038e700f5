/** Faults that networks have had, each planted in a network of its own, with the laws that it must break. */
import { Effect, Fiber, type Layer, Option, Scope } from "effect"
import { Network } from "sluice"
import { changed, type Done, effects, lanes, listeners, network, reset, transports } from "./brokenNetwork.js"

export interface Planted {
  readonly fault: string
  readonly network: Layer.Layer<Network.Network>
  /** The names of the laws; `?` stands for the client, and for the server. */
  readonly breaks: ReadonlyArray<string>
  /** What the first of them says. */
  readonly says: RegExp
}

const isBytes = (polled: ReturnType<Network.Lane["poll"]>): polled is Uint8Array => polled instanceof Uint8Array

/** Is woken only while something holds. */
const wokenWhile = (
  on: "onReadable" | "onWritable",
  holds: (lane: Network.Lane, own: Done, peer: Done) => boolean
): Layer.Layer<Network.Network> =>
  lanes((lane, own, peer) => ({
    [on]: (wake: () => void) =>
      lane[on](() => {
        if (holds(lane, own, peer)) wake()
      })
  }))

/** Calls all who ever asked. */
const wakesAll = (on: "onReadable" | "onWritable"): Layer.Layer<Network.Network> =>
  lanes((lane) => {
    const all: Array<() => void> = []
    return {
      [on]: (wake: () => void) => {
        all.push(wake)
        lane[on](() => {
          for (const each of all) each()
        })
      }
    }
  })

/** Hands over what it makes of each chunk that is offered. */
const handing =
  (hand: (chunk: Uint8Array) => Uint8Array) =>
  (lane: Network.Lane, own: Done, peer: Done): Partial<Network.Lane> => ({
    offer: (chunks) => {
      own.offered.push(...chunks.filter(({ length }) => length > 0).map(hand))
      return lane.offer(chunks)
    },
    poll: () => {
      const polled = lane.poll()
      return isBytes(polled) ? peer.offered.shift()! : polled
    }
  })

/** Goes on in the background when it is interrupted. */
const inBackground = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(effect), Fiber.join)

/** Puts the bytes where `place` says, of which each lane has one. */
const placing = (placeOf: () => (room: Uint8Array, size: number) => Uint8Array): Layer.Layer<Network.Network> =>
  lanes((lane) => {
    const place = placeOf()
    return {
      poll: (room) => {
        const polled = lane.poll()
        if (!isBytes(polled) || room === undefined || room.length < polled.length) return polled
        const placed = place(room, polled.length)
        placed.set(polled)
        return placed
      }
    }
  })

const bytes: ReadonlyArray<Planted> = [
  {
    fault: "puts bytes at the end of the room",
    network: placing(() => (room, size) => room.subarray(room.length - size)),
    breaks: ["the lane of the ? is polled with room for the bytes"],
    says: /where the bytes begin in the room/
  },
  {
    fault: "puts bytes into a room that it had before, over others",
    network: placing(() => {
      let earlier: Uint8Array | undefined
      return (room, size) => {
        if (earlier === undefined || earlier.length < size) earlier = room
        return earlier.subarray(0, size)
      }
    }),
    breaks: ["the lane of the ? is polled with room for the bytes"],
    says: /gives/
  },
  {
    fault: "loses the last chunk before the end",
    network: lanes((lane) => {
      let ahead: ReturnType<Network.Lane["poll"]> = "Pending"
      return {
        poll: () => {
          const polled = ahead === "Pending" ? lane.poll() : ahead
          ahead = isBytes(polled) ? lane.poll() : "Pending"
          return ahead === "End" ? "End" : polled
        }
      }
    }),
    breaks: [
      "the ? ends its output and reads on",
      "the end of the output of the ? comes after all that was written",
      "the lane of the ? ends its output behind what was offered"
    ],
    says: /what the server reads: 10 bytes, .* seen 0 bytes/
  },
  {
    fault: "gives the later of two chunks first",
    network: lanes((lane) => {
      let kept: ReturnType<Network.Lane["poll"]> = "Pending"
      return {
        poll: () => {
          const first = kept === "Pending" ? lane.poll() : kept
          kept = "Pending"
          const second = isBytes(first) ? lane.poll() : "Pending"
          if (second === "Pending") return first
          kept = isBytes(second) ? first : second
          return isBytes(second) ? second : first
        }
      }
    }),
    breaks: ["bytes of the ? arrive whole and in order", "many small writes of the ? arrive in order"],
    says: /what the server reads of a megabyte: 1048576 bytes, from \d+ on \w+; seen 1048576 bytes/
  },
  {
    fault: "cuts a chunk that is larger than its buffer",
    network: lanes((lane) => ({ offer: (chunks) => lane.offer(chunks.map((chunk) => chunk.subarray(0, 1 << 20))) })),
    breaks: ["one large chunk of the ? arrives whole"],
    says: /4194304 bytes, .* seen 1048576 bytes/
  },
  {
    fault: "takes a write of nothing for the end",
    network: lanes((lane) => ({
      offer: (chunks) => {
        if (chunks.length === 0) lane.end()
        return lane.offer(chunks)
      }
    })),
    breaks: ["several chunks are written as one, the empty ones too"],
    says: /a write of the client succeeds; seen Closed on write/
  },
  {
    fault: "hands out one buffer again and again",
    network: (() => {
      const buffer = new Uint8Array(1 << 20)
      return lanes((lane) => ({
        poll: () => {
          const polled = lane.poll()
          if (!isBytes(polled)) return polled
          buffer.set(polled)
          return buffer.subarray(0, polled.length)
        }
      }))
    })(),
    breaks: ["what the ? has read belongs to it", "64 connections at once each have their own bytes"],
    says: /what the client read and kept: 1000 bytes, .* seen 1000 bytes/
  },
  {
    fault: "hands the bytes of the writer to the reader",
    network: lanes(handing((chunk) => chunk)),
    breaks: ["what the ? has read belongs to it"],
    says: /what the server wrote and kept: 1000 bytes, .* seen 1000 bytes/
  },
  {
    fault: "takes the slice of a `Buffer` for a copy",
    network: lanes(handing((chunk) => chunk.slice())),
    breaks: ["what the ? has read belongs to it"],
    says: /what the server wrote and kept: 1000 bytes, .* seen 1000 bytes/
  },
  {
    fault: "reads only when it has said all",
    network: lanes((lane, own) => ({
      poll: () => (own.hasEnded ? lane.poll() : "Pending")
    })),
    breaks: ["both ends write at once, each its own bytes", "the ? that is held up still reads"],
    says: /the (client|server) reads all bytes and then the end; seen nothing of it in \d+ turns/
  }
]

const endings: ReadonlyArray<Planted> = [
  {
    fault: "gives a reset instead of an end",
    network: lanes((lane) => ({
      poll: () => {
        const polled = lane.poll()
        return polled === "End" ? reset("read") : polled
      }
    })),
    breaks: [
      "the ? ends its output and reads on",
      "both ends end their output, and read all",
      "the lane of the ? is polled for bytes, and for the end"
    ],
    says: /the server reads all bytes and then the end; seen ConnectionReset on read: a planted reset, after 10 bytes/
  },
  {
    fault: "gives an end instead of a reset",
    network: lanes((lane) => ({
      poll: () => {
        const polled = lane.poll()
        return polled instanceof Network.TransportError && polled.reason === "ConnectionReset" ? "End" : polled
      }
    })),
    breaks: [
      "an abort of the ? is a reset for the peer, and an error for the ?",
      "the end of the scope of the ? resets a connection that is in use",
      "a connection that nobody accepted is reset with its listener, an accepted one is not",
      "the lane of the ? is told of a reset"
    ],
    says: /a read of the server that waits: ConnectionReset on read; seen the end/
  },
  {
    fault: "stops reading at the end of its own output",
    network: lanes((lane, own) => ({ poll: () => (own.hasEnded ? "End" : lane.poll()) })),
    breaks: ["the ? ends its output and reads on", "the lane of the ? ends its output behind what was offered"],
    says: /what the client reads after the end of its output: 300000 bytes, .* seen 0 bytes/
  },
  {
    fault: "lets write after the end of its output",
    network: lanes((lane, own) => ({
      failure: () => (own.hasEnded && !own.hasLeft ? undefined : lane.failure()),
      isWritable: () => true
    })),
    breaks: [
      "the ? cannot write after the end of its output",
      "both ends end their output, and read all",
      "the lane of the ? ends its output behind what was offered"
    ],
    says: /a write of the client: Closed on write; seen a success/
  },
  {
    fault: "takes two ends at once for a reset",
    network: lanes((lane, own, peer) => ({
      poll: () => (own.hasEnded && peer.hasEnded ? reset("read") : lane.poll())
    })),
    breaks: ["both ends end their output, and read all"],
    says: /the server reads all bytes and then the end; seen ConnectionReset on read/
  },
  {
    fault: "resets what was ended, too",
    network: lanes((lane, own, peer) => ({
      poll: () => (peer.hasLeft && !own.hasLeft ? reset("read") : lane.poll())
    })),
    breaks: [
      "an abort of the ? after the end of its output takes nothing from the peer",
      "the end of the scope of the ? takes nothing from a connection that both sides have ended",
      "an abort of the lane of the ? after its end takes nothing from the peer"
    ],
    says: /the server reads all bytes and then the end; seen ConnectionReset on read: a planted reset, after 0 bytes/
  },
  {
    fault: "keeps a chunk that can be read after an abort",
    network: lanes((lane, own, peer) => ({
      offer: (chunks) => {
        own.offered.push(...chunks)
        return lane.offer(chunks)
      },
      poll: () => {
        const polled = lane.poll()
        if (isBytes(polled)) peer.offered.shift()
        return own.hasLeft ? (peer.offered.shift() ?? polled) : polled
      }
    })),
    breaks: [
      "after its abort the ? can neither read nor write, from that moment on",
      "an abort of the lane of the ? is a reset for the peer, and an end of all for the ?"
    ],
    says: /a read of the client: Closed on read; seen 6 bytes/
  },
  {
    fault: "forgets its own reader when it aborts",
    network: wokenWhile("onReadable", (_, own) => !own.hasLeft),
    breaks: [
      "an abort of the ? is a reset for the peer, and an error for the ?",
      "an abort of the ? ends its own read and its own write that wait"
    ],
    says: /a read of the client that waits fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "forgets who waits for room when the peer is gone",
    network: wokenWhile("onWritable", (lane) => lane.failure() === undefined),
    breaks: [
      "a write of the ? that waits fails when the peer aborts",
      "a write of the ? that waits fails when the peer has said all and leaves",
      "the lane of the ? tells who waits for room that there will be none"
    ],
    says: /a write of the client that waits fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "forgets who waits for room at the end of the output",
    network: wokenWhile("onWritable", (_, own) => !own.hasEnded),
    breaks: ["the end of the output of the ? comes after all that was written"],
    says: /the last write of the client fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "takes bytes for a peer that is gone",
    network: lanes((lane) => ({
      failure: () => {
        const failure = lane.failure()
        return failure?.reason === "Closed" ? failure : undefined
      }
    })),
    breaks: ["the ? that only writes learns that its peer is gone"],
    says: /a write of the client after the abort of its peer fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "says of a read that it was a write",
    network: lanes((lane) => ({
      poll: () => {
        const polled = lane.poll()
        return polled instanceof Network.TransportError
          ? new Network.TransportError({ reason: polled.reason, operation: "write", detail: "planted" })
          : polled
      }
    })),
    breaks: [
      "after its abort the ? can neither read nor write, from that moment on",
      "an abort of the lane of the ? is a reset for the peer, and an end of all for the ?"
    ],
    says: /a read of the client: Closed on read; seen Closed on write/
  },
  {
    fault: "keeps connections beyond their scope",
    network: network(({ connect, listen }) => ({
      connect: (address) => Effect.flatMap(Scope.make(), (scope) => Scope.extend(connect(address), scope)),
      listen: (options) =>
        Effect.map(listen(options), (listener) => ({
          ...listener,
          accept: Effect.flatMap(Scope.make(), (scope) => Scope.extend(listener.accept, scope))
        }))
    })),
    breaks: ["the end of the scope of the ? resets a connection that is in use"],
    says: /a read of the server that waits fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "throws when it is aborted twice",
    network: lanes((lane, own) => ({
      abort: () => {
        if (own.hasLeft) throw new Error("aborted already")
        lane.abort()
      }
    })),
    breaks: ["after its abort the ? can neither read nor write, from that moment on"],
    says: /nothing is thrown; seen Error: aborted already/
  }
]

const pressure: ReadonlyArray<Planted> = [
  {
    fault: "never blocks a writer",
    network: lanes(() => ({ isWritable: () => true })),
    breaks: [
      "the ? that writes to a peer that never reads is held up, and goes on when it reads",
      "the lane of the ? takes all that is offered, and says when to wait"
    ],
    says: /the client waits when its peer, which does not read, is 65536 bytes behind; seen \d+ bytes were taken/
  },
  {
    fault: "reads ahead without a bound",
    network: effects((transport) => {
      const ahead: Array<Effect.Effect<Uint8Array, Option.Option<Network.TransportError>>> = []
      let wake = () => {}
      const pump = () => {
        for (let polled = transport.lane!.poll(); polled !== "Pending"; polled = transport.lane!.poll()) {
          ahead.push(
            isBytes(polled)
              ? Effect.succeed(polled)
              : Effect.fail(polled === "End" ? Option.none() : Option.some(polled))
          )
          if (!isBytes(polled)) break
        }
        wake()
      }
      transport.lane!.onReadable(pump)
      const read: Network.Transport["read"] = Effect.async((resume) => {
        wake = () => {
          const next = ahead.length > 1 ? ahead.shift() : ahead[0]
          if (next !== undefined) resume(next)
        }
        wake()
      })
      return { read }
    }),
    breaks: ["the ? that writes to a peer that never reads is held up, and goes on when it reads"],
    says: /is 65536 bytes behind; seen \d+ bytes were taken/
  },
  {
    fault: "reads nothing while it waits for room",
    network: lanes((lane) => ({ poll: () => (lane.isWritable() ? lane.poll() : "Pending") })),
    breaks: ["both ends that are held up go on when both read", "the ? that is held up still reads"],
    says: /the (client|server) reads \d+ bytes; seen nothing of it in \d+ turns/
  },
  {
    fault: "wakes one of those who wait for room",
    network: effects(({ lane }) => ({
      write: (bytes) =>
        Effect.suspend(() => {
          const failure = lane!.failure()
          if (failure !== undefined) return failure
          if (lane!.offer(bytes instanceof Uint8Array ? [bytes] : bytes)) return Effect.void
          return Effect.async<void>((resume) => lane!.onWritable(() => resume(Effect.void)))
        })
    })),
    breaks: ["several fibers of the ? that write and wait are all woken"],
    says: /all who wrote are done; seen nothing of it in \d+ turns/
  }
]

const listening: ReadonlyArray<Planted> = [
  {
    fault: "does not know the port of its peer",
    network: transports((transport) => changed(transport, { remote: { ...transport.remote, port: 0 } })),
    breaks: ["both ends know each other's address"],
    says: /`remote` of the client: 127.0.0.1:\d+; seen 127.0.0.1:0/
  },
  {
    fault: "listens on all addresses by itself",
    network: network(({ listen }) => ({ listen: (options) => listen({ host: "0.0.0.0", ...options }) })),
    breaks: ["port 0 is a free port, on the loopback"],
    says: /the host of a listener: 127.0.0.1; seen 0.0.0.0/
  },
  {
    fault: "lets two listen on one address",
    network: network(({ listen }) => ({
      listen: (options) => Effect.catchAll(listen(options), () => listen({ ...options, port: 0 }))
    })),
    breaks: ["an address is listened on once, and is free again when the scope ends"],
    says: /a listen on an address that is taken: AddressInUse on listen; seen a success/
  },
  {
    fault: "waits for who will listen some day",
    network: network(({ connect }) => ({ connect: (address) => Effect.orElse(connect(address), () => Effect.never) })),
    breaks: ["nobody listens: refused"],
    says: /a connect to nobody fails; seen nothing of it in \d+ turns/
  },
  {
    fault: "takes a port that is none for 0",
    network: network(({ listen }) => ({
      listen: ({ port, ...options }) =>
        listen({ ...options, port: port !== undefined && port > 0 && port < 65536 ? Math.round(port) : 0 })
    })),
    breaks: ["a port that is none is an error"],
    says: /a listen on port -1: AddressNotAvailable on listen; seen a success/
  },
  {
    fault: "throws for a port that is none",
    network: network(({ connect }) => ({
      connect: (address) =>
        address.port > 0 && address.port < 65536 ? connect(address) : Effect.die(new RangeError("port"))
    })),
    breaks: ["a port that is none is an error"],
    says: /a connect to port -1: AddressNotAvailable or ConnectionRefused on connect; seen a defect: RangeError: port/
  },
  {
    fault: "listens on when its scope has ended",
    network: network(({ listen }) => ({
      listen: (options) => Effect.flatMap(Scope.make(), (scope) => Scope.extend(listen(options), scope))
    })),
    breaks: [
      "a listener that is closed refuses, and leaves alone what it accepted",
      "an address is listened on once, and is free again when the scope ends",
      "a conversation that is interrupted anywhere leaves nothing behind"
    ],
    says: /a connect to a listener that is closed: ConnectionRefused on connect; seen a success/
  },
  {
    fault: "takes the accepted connections down with the listener",
    network: network(({ listen }) => ({
      listen: (options) =>
        Effect.gen(function* () {
          const listener = yield* listen(options)
          const own = yield* Effect.scope
          const accept = Effect.tap(listener.accept, ({ abort }) => Scope.addFinalizer(own, abort))
          return { ...listener, accept }
        })
    })),
    breaks: ["a listener that is closed refuses, and leaves alone what it accepted"],
    says: /a write of the server succeeds; seen Closed on write/
  },
  {
    fault: "hands over the newest connection first",
    network: listeners(({ onConnection }) => ({
      onConnection: (take) => {
        const all: Array<Network.Transport> = []
        return onConnection!((transport) => {
          all.unshift(transport)
          if (all.length > 1) for (const each of all) take(each)
        })
      }
    })),
    breaks: ["connections are handed over as they arrive, those first that waited"],
    says: /handed over: 127.0.0.1:\d+, 127.0.0.1:\d+; seen 127.0.0.1:\d+, 127.0.0.1:\d+/
  }
]

const interruption: ReadonlyArray<Planted> = [
  {
    fault: "reads on in the background",
    network: effects(({ read }) => ({ read: inBackground(read) })),
    breaks: ["an interrupted read of the ? takes nothing"],
    says: /the client reads 6 bytes; seen nothing of it in \d+ turns/
  },
  {
    fault: "has not handed over yet what it has taken",
    network: effects(({ read }) => ({ read: Effect.zipLeft(read, Effect.repeatN(Effect.yieldNow(), 5)) })),
    breaks: ["a read of the ? that is interrupted while bytes arrive has them, or leaves them"],
    says: /what the client reads: \d+ bytes, .* seen \d+ bytes/
  },
  {
    fault: "breaks off when a write is interrupted",
    network: effects(({ abort, write }) => ({ write: (bytes) => Effect.onInterrupt(write(bytes), () => abort) })),
    breaks: ["an interrupted write of the ? leaves the connection as it is"],
    says: /a write of the client succeeds; seen Closed on write/
  },
  {
    fault: "forgets the chunk of a write that is interrupted",
    network: effects(({ lane }) => {
      const room: Effect.Effect<void> = Effect.suspend(() =>
        lane!.isWritable()
          ? Effect.void
          : Effect.zipRight(
              Effect.async<void>((resume) => lane!.onWritable(() => resume(Effect.void))),
              room
            )
      )
      return {
        write: (bytes) =>
          Effect.flatMap(room, () => {
            lane!.offer(bytes instanceof Uint8Array ? [bytes] : bytes)
            return lane!.failure() ?? Effect.void
          })
      }
    }),
    breaks: ["an interrupted write of the ? leaves the connection as it is"],
    says: /what the server reads: \d+ bytes, .* seen \d+ bytes/
  },
  {
    fault: "accepts in the background",
    network: listeners(({ accept }) => ({ accept: inBackground(accept) })),
    breaks: ["an interrupted accept takes no connection", "several who accept at once get a connection each"],
    says: /a connection is accepted; seen nothing of it in \d+ turns/
  },
  {
    fault: "connects in the background, and keeps what comes of it",
    network: network(({ connect }) => ({
      connect: (address) => inBackground(Effect.flatMap(Scope.make(), (scope) => Scope.extend(connect(address), scope)))
    })),
    breaks: ["an interrupted connect leaves nothing behind"],
    says: /a connection is read, or broken; seen nothing of it in \d+ turns/
  },
  {
    fault: "leaves a fiber behind",
    network: network(({ connect }) => ({
      connect: (address) => Effect.zipLeft(connect(address), Effect.forkDaemon(Effect.never))
    })),
    breaks: ["both ends know each other's address", "the ? ends its output and reads on"],
    says: /the \d+ fibers that were started have ended; seen 1 of them live/
  }
]

const synchronous: ReadonlyArray<Planted> = [
  {
    fault: "says once only that there is something to read",
    network: lanes((lane) => ({
      onReadable: (wake) => {
        let isAwake = true
        lane.onReadable(() => {
          if (isAwake) wake()
          isAwake = false
        })
      }
    })),
    breaks: ["the lane of the ? is polled for bytes, and for the end"],
    says: /`onReadable` tells that bytes are here; seen nothing of it in \d+ turns/
  },
  {
    fault: "reads nothing until somebody wants to be woken",
    network: lanes((lane) => {
      let isAsked = false
      return {
        onReadable: (wake) => {
          isAsked = true
          lane.onReadable(wake)
        },
        poll: () => (isAsked ? lane.poll() : "Pending")
      }
    }),
    breaks: ["the lane of the ? gives what was there before somebody asked"],
    says: /the lane gives 6 bytes, 0 of which it has given; seen nothing of it in \d+ turns/
  },
  {
    fault: "wakes all who ever wanted to read",
    network: wakesAll("onReadable"),
    breaks: ["the lane of the ? wakes who asked last"],
    says: /calls of the first: 0; seen 1/
  },
  {
    fault: "wakes all who ever wanted to write",
    network: wakesAll("onWritable"),
    breaks: ["the lane of the ? tells of room to who asked last"],
    says: /calls of the first: 0; seen 1/
  },
  {
    fault: "drops what is offered when it is full",
    network: lanes((lane) => ({ offer: (chunks) => lane.isWritable() && lane.offer(chunks) })),
    breaks: ["the lane of the ? takes all that is offered, and says when to wait"],
    says: /the server reads \d+ bytes; seen nothing of it in \d+ turns/
  },
  {
    fault: "has a scheduler that never runs",
    network: transports((transport) =>
      changed(transport, { scheduler: { scheduleTask: () => {}, shouldYield: () => false } })
    ),
    breaks: ["the scheduler of the ? runs fibers"],
    says: /a fiber on the scheduler goes on when it yields; seen nothing of it in \d+ turns/
  }
]

export const plantedFaults: ReadonlyArray<Planted> = [
  ...bytes,
  ...endings,
  ...pressure,
  ...listening,
  ...interruption,
  ...synchronous
]
