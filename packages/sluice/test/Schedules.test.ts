/** What must hold in whatever order the fibers run. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Ref, type Scheduler, Stream, TestClock } from "effect"
import * as Deadlines from "../src/internal/deadlines.js"
import * as MemoryNetwork from "../src/MemoryNetwork.js"
import * as Message from "../src/Message.js"
import * as Network from "../src/Network.js"
import * as WebSocket from "../src/WebSocket.js"
import * as WebSocketClient from "../src/WebSocketClient.js"
import * as WebSocketServer from "../src/WebSocketServer.js"
import { turn } from "./support/turns.js"

/** A sequence of numbers from 0 to 1 that depends on the seed alone (xorshift32). */
const numbers = (seed: number) => {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
}

/** Runs a program to its end, each time the task that the seed says. No host timer, so that a stall is seen at once. */
const runWith = <A, E>(seed: number, program: Effect.Effect<A, E>): Exit.Exit<A, E> | "Stalled" => {
  const random = numbers(seed)
  const ready: Array<Scheduler.Task> = []
  const scheduler: Scheduler.Scheduler = {
    shouldYield: () => false,
    scheduleTask: (task) => {
      ready.push(task)
    }
  }
  let exit: Exit.Exit<A, E> | undefined
  Effect.runFork(program, { scheduler }).addObserver((result) => {
    exit = result
  })
  for (let steps = 0; exit === undefined && steps < 1_000_000; steps++) {
    const [task] = ready.splice(Math.floor(random() * ready.length), 1)
    if (task === undefined) return "Stalled"
    task()
  }
  return exit ?? "Stalled"
}

// Nothing here waits for the clock.
const limits = {
  handshakeTimeout: "unbounded",
  pingInterval: "unbounded",
  messageTimeout: "unbounded",
  closeTimeout: "unbounded",
  sendHighWaterMark: 64,
  receiveWindowMessages: 3
} as const

const count = 20

const conversation = Effect.gen(function* () {
  const server = yield* WebSocketServer.serve({ limits, subprotocols: ["a"] }, (socket) =>
    WebSocket.runForEach(socket, (message) => socket.send(message))
  )
  const url = `ws://${Network.formatAddress(server.address)}/`
  const client = yield* WebSocketClient.connect({ url, limits, subprotocols: ["a"] })
  const sending = yield* Effect.fork(
    Effect.gen(function* () {
      for (let i = 0; i < count; i++) yield* client.send(`${i}`.padEnd(30, "."))
      yield* WebSocket.sendStream(client, "Text", Stream.make("in ", "pieces"))
      yield* client.ping
    })
  )
  const texts = yield* client.messages.pipe(
    Stream.filter(Message.isText),
    Stream.map(({ text }) => text.replace(/\.+$/, "")),
    Stream.take(count + 1),
    Stream.runCollect
  )
  yield* Fiber.join(sending)
  const reason = yield* client.close({ code: 3001 })
  return [[...texts], reason._tag]
}).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer({ window: 100 })))

describe("any order of the tasks that can run", () => {
  it("comes to the same end: no wake-up is lost, nothing is out of order", () => {
    const expected = [[...Array.from({ length: count }, (_, i) => `${i}`), "in pieces"], "Clean"]
    for (let seed = 1; seed <= 300; seed++) {
      const result = runWith(seed, conversation)
      const value = result !== "Stalled" && Exit.isSuccess(result) ? result.value : result
      assert.deepStrictEqual<unknown>(value, expected, `seed ${seed}`)
    }
  }, 120_000)

  it("sees a stall", () => {
    assert.strictEqual(runWith(1, Effect.never), "Stalled")
  })
})

const connected = <E>(handler: (socket: WebSocket.WebSocket) => Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    const server = yield* WebSocketServer.serve({ limits: { closeTimeout: "5 seconds" } }, handler)
    const client = yield* WebSocketClient.connect(`ws://${Network.formatAddress(server.address)}/`)
    return { client, server }
  })

describe("runForEach", () => {
  it.scoped("leaves the messages after a failure to who runs it again", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { client } = yield* connected((socket) => {
        const see = (message: Message.Message): Effect.Effect<void, unknown> => {
          const text = message._tag === "Text" ? message.text : ""
          seen.push(text)
          return text === "first" ? Effect.fail("enough") : socket.send(text)
        }
        return Effect.zipRight(Effect.ignore(WebSocket.runForEach(socket, see)), WebSocket.runForEach(socket, see))
      })
      yield* client.sendAll(["first", "second", "third"])
      yield* Stream.runDrain(Stream.take(client.messages, 2))
      assert.deepStrictEqual(seen, ["first", "second", "third"])
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )

  it.scoped("ends wherever it runs, also twice at once", () =>
    Effect.gen(function* () {
      const { client, server } = yield* connected((socket) => {
        const run = WebSocket.runForEach(socket, () => Effect.void)
        return Effect.all([run, run], { concurrency: 2 })
      })
      yield* client.close()
      while ((yield* server.connections) > 0) yield* turn
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )
})

describe("a handler that does not end with its connection", () => {
  it.scoped("is interrupted after `closeTimeout`, and its place is free", () =>
    Effect.gen(function* () {
      const exit = yield* Ref.make<Exit.Exit<never> | undefined>(undefined)
      const { client, server } = yield* connected(() => Effect.onExit(Effect.never, (result) => Ref.set(exit, result)))
      yield* client.close()
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(yield* Ref.get(exit))
      yield* TestClock.adjust("2 seconds")
      const result = yield* Ref.get(exit)
      assert.isTrue(result !== undefined && Exit.isFailure(result) && Cause.isInterruptedOnly(result.cause))
      assert.strictEqual(yield* server.connections, 0)
    }).pipe(Effect.provide(MemoryNetwork.layer()))
  )
})

describe("deadlines", () => {
  it.scoped("are kept in the order of their times, also when a shorter one is set after a longer one", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<string> = []
      deadlines.set("20 seconds", () => ran.push("long"))
      yield* Effect.yieldNow()
      deadlines.set("1 second", () => ran.push("short"))
      deadlines.cancel(deadlines.set("2 seconds", () => ran.push("cancelled")))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(ran, ["short"])
      yield* TestClock.adjust("19 seconds")
      assert.deepStrictEqual(ran, ["short", "long"])
    })
  )

  it.scoped("go on after one that throws", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const ran: Array<string> = []
      deadlines.set("1 second", () => {
        throw new Error("a mistake")
      })
      deadlines.set("2 seconds", () => ran.push("next"))
      yield* TestClock.adjust("1 second")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(ran, ["next"])
    })
  )
})
