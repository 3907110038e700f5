/**
 * The two ends of a connection, and what a law does with them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Network from "sluice/Network"
import {
  describeExit,
  expect,
  expectBytes,
  expectEnd,
  expectFailed,
  expectSuccess,
  isEnd,
  Unmet
} from "./expectation.js"
import { settled, soon } from "./turns.js"

/** @internal */
export type Side = "client" | "server"

/** @internal */
export const sides: ReadonlyArray<Side> = ["client", "server"]

/** @internal One end, which knows how to call itself. */
export interface End {
  readonly side: Side
  readonly transport: Network.Transport
}

/** @internal One law, before it is named in its errors. */
export interface Draft {
  readonly name: string
  readonly demand: string
  readonly test: Effect.Effect<void, Unmet | Network.TransportError, Network.Network | Scope.Scope>
}

/** @internal A law for the client and the same one for the server. */
export const each = (draft: (side: Side, other: Side) => Draft): ReadonlyArray<Draft> => [
  draft("client", "server"),
  draft("server", "client")
]

/** @internal */
export interface Connected {
  readonly listener: Network.Listener
  readonly client: End
  readonly server: End
  /** The end that the law is about, and the other one. */
  readonly near: End
  readonly far: End
}

/** @internal */
export const accept = (listener: Network.Listener) => soon("a connection is accepted", listener.accept)

/** @internal What kind of connections the laws are about that do not say so themselves. */
export class Kind extends Context.Reference<Kind>()("@sluice/conformance/Kind", {
  defaultValue: (): { readonly listen: () => Network.ListenOptions; readonly hasResets: boolean } => ({
    listen: () => ({}),
    hasResets: true
  })
}) {}

/** @internal */
export const connect = (address: Network.Address) =>
  Effect.flatMap(Network.Network, (network) => soon("a connection is made", network.connect(address)))

/** @internal */
export const listen = (options?: Network.ListenOptions) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const kind = yield* Kind
    return yield* soon("a listener is made", network.listen(options ?? kind.listen()))
  })

/** @internal */
export const connected = (
  side: Side = "client"
): Effect.Effect<Connected, Unmet | Network.TransportError, Network.Network | Scope.Scope> =>
  Effect.gen(function* () {
    const listener = yield* listen()
    const client: End = { side: "client", transport: yield* connect(listener.address) }
    const server: End = { side: "server", transport: yield* accept(listener) }
    const [near, far] = side === "client" ? [client, server] : [server, client]
    return { listener, client, server, near, far }
  })

// --- bytes

/** @internal */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

/** @internal */
export const join = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** @internal Bytes of which no two neighbours are the same, and no two runs of 64 KiB. */
export const pattern = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = i * 7 + (i >>> 8) + (i >>> 16)
  return bytes
}

// --- what an end does

/** @internal A write that is taken, and within some time. */
export const write = ({ side, transport }: End, bytes: Uint8Array | ReadonlyArray<Uint8Array>) => {
  const expected = `a write of the ${side} succeeds`
  return soon(expected, expectSuccess(expected, transport.write(bytes)))
}

/** @internal A write that goes on for as long as the other end reads. */
export const writeAll = ({ side, transport }: End, bytes: Uint8Array | ReadonlyArray<Uint8Array>) =>
  expectSuccess(`a write of the ${side} succeeds`, transport.write(bytes))

/** @internal */
export const end = ({ side, transport }: End) => soon(`the ${side} ends its output`, transport.endOfOutput)

/** @internal */
export const abort = ({ side, transport }: End) => soon(`the ${side} aborts`, transport.abort)

/** Reads while it is told to; gives what it read, and whether that was all there is. */
const readWhile = ({ side, transport }: End, expected: string, goesOn: (size: number) => boolean) =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    let isOver = false
    const broken = (error: Network.TransportError) =>
      new Unmet({ expected: `the ${side} reads ${expected}`, seen: `${error.message}, after ${size} bytes` })
    const read = Effect.catchAll(
      Effect.map(transport.read, (bytes) => {
        parts.push(bytes)
        size += bytes.length
      }),
      Option.match({
        onNone: () =>
          Effect.sync(() => {
            isOver = true
          }),
        onSome: (error) => Effect.fail(broken(error))
      })
    )
    const reading = Effect.whileLoop({ while: () => !isOver && goesOn(size), body: () => read, step: () => {} })
    return Effect.map(
      soon(`the ${side} reads ${expected}`, reading, () => size),
      () => ({ parts, isOver })
    )
  })

/** @internal All bytes up to the end of the output of the peer. */
export const readAll = (reader: End): Effect.Effect<Uint8Array, Unmet> =>
  Effect.map(
    readWhile(reader, "all bytes and then the end", () => true),
    ({ parts }) => join(parts)
  )

/** @internal What is written meanwhile is all that the reader reads, up to the end. */
export const carries = <E, R>(
  what: string,
  reader: End,
  expected: Uint8Array,
  writing: Effect.Effect<void, E, R>
): Effect.Effect<void, E | Unmet, R> =>
  // Bytes that are wrong are told at once, whether or not the writer comes to its end.
  Effect.all([Effect.flatMap(readAll(reader), (received) => expectBytes(what, received, expected)), writing], {
    concurrency: 2,
    discard: true
  })

/** @internal So many bytes, in the chunks in which they came; the last one may hold more. */
export const readChunks = (reader: End, size: number): Effect.Effect<ReadonlyArray<Uint8Array>, Unmet> =>
  Effect.flatMap(
    readWhile(reader, `${size} bytes`, (read) => read < size),
    ({ isOver, parts }) =>
      isOver
        ? new Unmet({
            expected: `the ${reader.side} reads ${size} bytes`,
            seen: `the end, after ${join(parts).length}`
          })
        : Effect.succeed(parts)
  )

/** @internal */
export const readSome = (reader: End, size: number): Effect.Effect<Uint8Array, Unmet> =>
  Effect.map(readChunks(reader, size), join)

/** @internal Nothing more comes, and this is no error. */
export const readEnd = ({ side, transport }: End): Effect.Effect<void, Unmet> => {
  const expected = `the ${side} reads the end`
  return Effect.flatMap(soon(expected, Effect.exit(transport.read)), (exit) => expectEnd(expected, exit))
}

/** @internal What must fail does, in words that a program can rely on. */
export const fails = <A>(
  what: string,
  effect: Effect.Effect<A, Network.TransportError | Option.Option<Network.TransportError>>,
  operation: Network.TransportError["operation"],
  ...reasons: ReadonlyArray<Network.TransportError["reason"]>
): Effect.Effect<Network.TransportError, Unmet> =>
  Effect.flatMap(soon(`${what} fails`, Effect.exit(effect)), (exit) => expectFailed(what, exit, operation, ...reasons))

/** @internal */
export const readFails = ({ side, transport }: End, ...reasons: ReadonlyArray<Network.TransportError["reason"]>) =>
  fails(`a read of the ${side}`, transport.read, "read", ...reasons)

/** @internal */
export const writeFails = ({ side, transport }: End, ...reasons: ReadonlyArray<Network.TransportError["reason"]>) =>
  fails(`a write of the ${side}`, transport.write(ascii("too late")), "write", ...reasons)

/** @internal The peer has aborted: where there are no resets, that looks like an end. */
export const seesReset = (
  what: string,
  read: Effect.Effect<Uint8Array, Option.Option<Network.TransportError>>
): Effect.Effect<void, Unmet> =>
  Effect.gen(function* () {
    const exit = yield* soon(`${what} fails`, Effect.exit(read))
    const { hasResets } = yield* Kind
    if (!hasResets && isEnd(exit)) return
    yield* expectFailed(what, exit, "read", "ConnectionReset")
  })

/** @internal */
export const readsReset = ({ side, transport }: End) => seesReset(`a read of the ${side}`, transport.read)

/** @internal What a program is told that writes to a peer which is gone. */
export const isGone = ["ConnectionReset", "BrokenPipe"] as const

// --- an end that writes until it has to wait

const pieceSize = 64 * 1024

const source = pattern(2 * pieceSize)

/** @internal The chunks that it writes, of which those that follow each other differ. */
export const piece = (i: number): Uint8Array => source.subarray(i % pieceSize, (i % pieceSize) + pieceSize)

/** @internal */
export const pieces = (count: number): Uint8Array => join(Array.from({ length: count }, (_, i) => piece(i)))

/** @internal */
export interface HeldUp {
  /** The pieces that were taken when it had to wait; one more was given to the transport. */
  readonly atRest: number
  readonly taken: () => number
  readonly fiber: Fiber.Fiber<void, Network.TransportError>
}

/** @internal Writes one piece after another; what it has to wait for is that the peer reads, which it does not. */
export const heldUp = ({ side, transport }: End, held: number): Effect.Effect<HeldUp, Unmet, Scope.Scope> =>
  Effect.gen(function* () {
    let taken = 0
    let most = held
    const writing = Effect.whileLoop({
      while: () => taken * pieceSize <= most,
      body: () => transport.write(piece(taken)),
      step: () => {
        taken++
      }
    })
    const fiber = yield* Effect.forkScoped(writing)
    const atRest = yield* settled(() => taken)
    const waits = `the ${side} waits when its peer, which does not read, is ${held} bytes behind`
    yield* expect(atRest * pieceSize <= held, waits, () => `${taken * pieceSize} bytes were taken`)
    const ended = yield* Fiber.poll(fiber)
    yield* expect(Option.isNone(ended), waits, () => Option.match(ended, { onNone: () => "", onSome: describeExit }))
    most = Number.POSITIVE_INFINITY
    return { atRest, taken: () => taken, fiber }
  })
