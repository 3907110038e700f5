/**
 * Laws of how a connection ends: by the end of an output, by an abort, and with its scope.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import {
  abort,
  accept,
  ascii,
  carries,
  connect,
  connected,
  type Draft,
  type End,
  each,
  end,
  fails,
  heldUp,
  isGone,
  Kind,
  listen,
  pattern,
  readAll,
  readEnd,
  readFails,
  readsReset,
  type Side,
  seesReset,
  write,
  writeAll,
  writeFails
} from "./ends.js"
import { expectBytes } from "./expectation.js"
import { soon, turns } from "./turns.js"

/** Two ends, of which the near one lives in the scope. */
const connectedIn = (scope: Scope.Scope, side: Side) =>
  Effect.gen(function* () {
    const listener = yield* listen()
    const connecting = connect(listener.address)
    const client: End = {
      side: "client",
      transport: yield* side === "client" ? Scope.extend(connecting, scope) : connecting
    }
    const accepting = accept(listener)
    const server: End = {
      side: "server",
      transport: yield* side === "server" ? Scope.extend(accepting, scope) : accepting
    }
    return side === "client" ? { near: client, far: server } : { near: server, far: client }
  })

const closeScope = (scope: Scope.CloseableScope) => soon("the scope closes", Scope.close(scope, Exit.void))

const outputLaws: ReadonlyArray<Draft> = [
  ...each((side, other) => ({
    name: `the ${side} ends its output and reads on`,
    demand: `The ${other} reads what was written before the end, and then the end; the ${side} still reads all that the ${other} writes.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      yield* write(near, ascii("last words"))
      yield* end(near)
      yield* expectBytes(`what the ${other} reads`, yield* readAll(far), ascii("last words"))
      yield* readEnd(far)
      const answer = pattern(300_000)
      const writing = Effect.zipRight(writeAll(far, answer), end(far))
      yield* carries(`what the ${side} reads after the end of its output`, near, answer, writing)
      yield* readEnd(near)
    })
  })),

  ...each((side) => ({
    name: `the ${side} cannot write after the end of its output`,
    demand: "Such a write fails with `Closed`; a second end of the output is none.",
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      yield* end(near)
      yield* end(near)
      yield* writeFails(near, "Closed")
      yield* expectBytes("what was written after the end", yield* readAll(far), new Uint8Array(0))
      yield* writeFails(near, "Closed")
    })
  })),

  {
    name: "both ends end their output, and read all",
    demand: "Two ends that end their output at the same time each read what the other wrote before, and then the end.",
    test: Effect.gen(function* () {
      const { client, server } = yield* connected()
      const say = (writer: End, bytes: Uint8Array) => Effect.zipRight(write(writer, bytes), end(writer))
      yield* Effect.all([say(client, ascii("from the client")), say(server, ascii("from the server"))], {
        concurrency: 2
      })
      yield* turns()
      yield* expectBytes("what the server reads", yield* readAll(server), ascii("from the client"))
      yield* expectBytes("what the client reads", yield* readAll(client), ascii("from the server"))
      yield* readEnd(server)
      yield* readEnd(client)
      yield* writeFails(client, "Closed")
      yield* writeFails(server, "Closed")
    })
  }
]

const abortLaws = (held: number): ReadonlyArray<Draft> => [
  ...each((side, other) => ({
    name: `an abort of the ${side} is a reset for the peer, and an error for the ${side}`,
    demand: `A read of the ${other} that waits fails with \`ConnectionReset\`, and so does each one after it; a read of the ${side} that waits fails with \`Closed\`.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const reading = yield* Effect.fork(far.transport.read)
      const own = yield* Effect.fork(near.transport.read)
      yield* turns()
      yield* abort(near)
      yield* seesReset(`a read of the ${other} that waits`, Fiber.join(reading))
      yield* readsReset(far)
      // What looked like an end was not, as a write learns before long.
      const { hasResets } = yield* Kind
      if (hasResets) yield* writeFails(far, ...isGone)
      yield* fails(`a read of the ${side} that waits`, Fiber.join(own), "read", "Closed")
    })
  })),

  ...each((side, other) => ({
    name: `after its abort the ${side} can neither read nor write, from that moment on`,
    demand: `Both fail with \`Closed\`, even where bytes of the ${other} or its end wait to be read; an end of the output and a second abort do nothing.`,
    test: Effect.gen(function* () {
      for (const waiting of ["nothing", "bytes", "the end"]) {
        const { far, near } = yield* connected(side)
        if (waiting === "bytes") yield* write(far, ascii("unread"))
        if (waiting === "the end") yield* end(far)
        yield* turns()
        yield* abort(near)
        yield* writeFails(near, "Closed")
        yield* readFails(near, "Closed")
        yield* end(near)
        yield* abort(near)
        yield* turns()
        yield* readFails(near, "Closed")
        yield* writeFails(near, "Closed")
      }
    })
  })),

  ...each((side) => ({
    name: `an abort of the ${side} ends its own read and its own write that wait`,
    demand: "Both fail with `Closed`.",
    test: Effect.gen(function* () {
      const { near } = yield* connected(side)
      const { fiber } = yield* heldUp(near, held)
      const reading = yield* Effect.fork(near.transport.read)
      yield* turns()
      yield* abort(near)
      yield* fails(`a write of the ${side} that waits`, Fiber.join(fiber), "write", "Closed")
      yield* fails(`a read of the ${side} that waits`, Fiber.join(reading), "read", "Closed")
    })
  })),

  ...each((side, other) => ({
    name: `an abort of the ${side} after the end of its output takes nothing from the peer`,
    demand: `The ${other} reads all that was written, and then the end, not a reset.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      yield* write(near, ascii("all that there is to say"))
      yield* end(near)
      yield* turns()
      yield* abort(near)
      yield* turns()
      yield* expectBytes(`what the ${other} reads`, yield* readAll(far), ascii("all that there is to say"))
      yield* readEnd(far)
    })
  })),

  ...each((side) => ({
    name: `a write of the ${side} that waits fails when the peer aborts`,
    demand: "It fails with `ConnectionReset` or `BrokenPipe`.",
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const { fiber } = yield* heldUp(near, held)
      yield* abort(far)
      yield* fails(`a write of the ${side} that waits`, Fiber.join(fiber), "write", ...isGone)
    })
  })),

  ...each((side) => ({
    name: `a write of the ${side} that waits fails when the peer has said all and leaves`,
    demand: "It fails with `ConnectionReset` or `BrokenPipe`.",
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      const { fiber } = yield* heldUp(near, held)
      yield* write(far, ascii("enough"))
      yield* end(far)
      yield* abort(far)
      yield* fails(`a write of the ${side} that waits`, Fiber.join(fiber), "write", ...isGone)
    })
  })),

  ...each((side, other) => ({
    name: `the ${side} that only writes learns that its peer is gone`,
    demand: `After an abort of the ${other} a write fails with \`ConnectionReset\` or \`BrokenPipe\` before long, and so does each one after it; an end of the output and an abort do nothing.`,
    test: Effect.gen(function* () {
      const { far, near } = yield* connected(side)
      yield* write(near, ascii("are you there?"))
      yield* abort(far)
      const writing = Effect.forever(Effect.zipLeft(near.transport.write(ascii("hello?")), turns(1)))
      yield* fails(`a write of the ${side} after the abort of its peer`, writing, "write", ...isGone)
      yield* writeFails(near, ...isGone)
      yield* end(near)
      yield* turns()
      yield* writeFails(near, ...isGone)
      yield* abort(near)
    })
  }))
]

const scopeLaws: ReadonlyArray<Draft> = [
  ...each((side, other) => ({
    name: `the end of the scope of the ${side} resets a connection that is in use`,
    demand: `A read of the ${other} that waits fails with \`ConnectionReset\`.`,
    test: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { far } = yield* connectedIn(scope, side)
      const reading = yield* Effect.fork(far.transport.read)
      yield* turns()
      yield* closeScope(scope)
      yield* seesReset(`a read of the ${other} that waits`, Fiber.join(reading))
    })
  })),

  ...each((side, other) => ({
    name: `the end of the scope of the ${side} takes nothing from a connection that both sides have ended`,
    demand: `The ${other} reads all that was written, and then the end.`,
    test: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { far, near } = yield* connectedIn(scope, side)
      yield* write(far, ascii("bye"))
      yield* end(far)
      yield* expectBytes(`what the ${side} reads`, yield* readAll(near), ascii("bye"))
      yield* write(near, ascii("good bye"))
      yield* end(near)
      yield* turns()
      yield* closeScope(scope)
      yield* expectBytes(`what the ${other} reads`, yield* readAll(far), ascii("good bye"))
    })
  }))
]

/** @internal */
export const endingLaws = (held: number): ReadonlyArray<Draft> => [...outputLaws, ...abortLaws(held), ...scopeLaws]
