/**
 * How fast simulations run: seeds a second of two peers that echo 50 messages, and simulated frames a second of a long
 * conversation. Prints a table; `SECONDS` says how long each row is measured, 5 by default.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Simulation from "@sluice/sim/Simulation"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Network from "sluice/Network"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"
import * as WebSocketServer from "sluice/WebSocketServer"

/** A client and a server, and so many messages there and back: one after the other, or as the windows let them. */
const echo = (messages: number, size: number, isPipelined: boolean) =>
  Effect.gen(function* () {
    const server = yield* WebSocketServer.serve({ port: 80 }, (socket) => WebSocket.runForEach(socket, socket.send))
    const client = yield* WebSocketClient.connect(`ws://${Network.formatAddress(server.address)}/`)
    const text = "x".repeat(size)
    if (isPipelined) yield* Effect.fork(client.sendAll(Array.from({ length: messages }, () => text)))
    for (let received = 0; received < messages; ) {
      if (!isPipelined) yield* client.send(text)
      received += (yield* client.take).length
    }
    return yield* client.close()
  })

const rows = [
  { name: "50 messages of 16 B, one after the other", messages: 50, size: 16, isPipelined: false },
  { name: "50 messages of 16 B, in a stream", messages: 50, size: 16, isPipelined: true },
  { name: "5,000 messages of 16 B, in a stream", messages: 5000, size: 16, isPipelined: true }
] as const

/** Runs seeds for some time, at least one: how many, and how long it took in milliseconds. */
const spin = <A, E>(program: Effect.Effect<A, E, Simulation.Services>, verify: boolean, seconds: number) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const start = clock.unsafeCurrentTimeMillis()
    let elapsed = 0
    let seeds = 0
    while (seeds === 0 || elapsed < seconds * 1000) {
      const { failure } = Simulation.run(program, { seed: ++seeds, verify })
      if (failure !== undefined) return yield* failure
      elapsed = clock.unsafeCurrentTimeMillis() - start
    }
    return { seeds, elapsed }
  })

const measure = ({ isPipelined, messages, name, size }: (typeof rows)[number], verify: boolean, seconds: number) =>
  Effect.gen(function* () {
    const program = echo(messages, size, isPipelined)
    // What is run for the first time is compiled meanwhile.
    yield* spin(program, verify, seconds / 2)
    const { elapsed, seeds } = yield* spin(program, verify, seconds)
    const perSecond = (count: number) => Math.round((count / elapsed) * 1000).toLocaleString("en")
    // Each message is a frame there and one back.
    return `| ${name} | ${verify ? "twice" : "once"} | ${perSecond(seeds)} | ${perSecond(seeds * messages * 2)} |`
  })

const main = Effect.gen(function* () {
  const seconds = yield* Config.withDefault(Config.number("SECONDS"), 5)
  yield* Console.log("| scenario | each seed is run | seeds a second | frames a second |\n|---|---|--:|--:|")
  for (const row of rows) {
    for (const verify of [false, true]) yield* Console.log(yield* measure(row, verify, seconds))
  }
})

NodeRuntime.runMain(main)
