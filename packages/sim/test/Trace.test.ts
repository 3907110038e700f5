import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"
import * as WebSocketServer from "sluice/WebSocketServer"
import * as Fault from "../src/Fault.js"
import * as SimNetwork from "../src/SimNetwork.js"
import * as Simulation from "../src/Simulation.js"
import * as Trace from "../src/Trace.js"

/** A client says something, hears it, and closes. */
const echo = Effect.gen(function* () {
  const listening = yield* Deferred.make<void>()
  const serve = WebSocketServer.serve({ port: 80 }, (socket) => WebSocket.runForEach(socket, socket.send))
  const server = Effect.zipRight(Effect.zipRight(serve, Deferred.succeed(listening, undefined)), Effect.never)
  yield* SimNetwork.spawn("server", Effect.scoped(server))
  yield* Deferred.await(listening)
  const client = Effect.gen(function* () {
    const socket = yield* WebSocketClient.connect("ws://server/echo")
    yield* socket.send("hello")
    yield* socket.take
    yield* Effect.log("heard it")
    yield* socket.close({ code: 1000, reason: "enough" })
  })
  yield* SimNetwork.on("client", Effect.scoped(client))
}).pipe(Effect.scoped)

const options = { yieldProbability: 0, faults: [Fault.latency({ latency: 10 })], trace: true }

const traceOf = <A, E>(
  program: Effect.Effect<A, E, Simulation.Services>,
  more: Simulation.Options = {}
): Trace.Trace => {
  const { failure, trace } = Simulation.run(program, { ...options, ...more })
  assert.isUndefined(failure, failure?.message)
  assert(trace !== undefined)
  return trace
}

/** Without what depends on how sluice uses fibers. */
const withoutFibers = ({ entries, seed }: Trace.Trace): Trace.Trace => ({
  seed,
  entries: entries.flatMap((entry) => (/^Fiber/.test(entry.event._tag) ? [] : [{ ...entry, fiber: undefined }]))
})

const made = (...events: ReadonlyArray<Trace.Event>): Trace.Trace => ({
  seed: 1,
  entries: events.map((event, i) => ({ time: i * 1500, host: "a", fiber: i === 0 ? undefined : i, event }))
})

describe("toText", () => {
  // Written by `npx vitest run --project packages/sim Trace.test -u`, and read.
  it("of an echo: heads, frames and states", ({ expect }) => {
    expect(Trace.toText(withoutFibers(traceOf(echo)))).toMatchInlineSnapshot(`
      "    0.000000 s  network         fault begins: Latency jitter 0, latency 10
          0.000000 s  server          listens on 10.0.0.2:80
          0.000000 s  client          (1) connects to 10.0.0.2:80
          0.010000 s  server          (1) from client is accepted
          0.020000 s  client          (1) is connected
          0.020000 s  client          (1) -> server  149 bytes
          0.020000 s  client          (1) -> server    GET /echo HTTP/1.1
          0.030000 s  server          (1) <- client  149 bytes
          0.030000 s  server          (1) -> client  129 bytes
          0.030000 s  server          (1) -> client    HTTP/1.1 101 Switching Protocols
          0.030000 s  server          (1) -> client    state: Open
          0.040000 s  client          (1) <- server  129 bytes
          0.040000 s  client          (1) -> server  11 bytes
          0.040000 s  client          (1) -> server    Text "hello" (5 bytes)
          0.050000 s  server          (1) <- client  11 bytes
          0.050000 s  server          (1) -> client  7 bytes
          0.050000 s  server          (1) -> client    Text "hello" (5 bytes)
          0.060000 s  client          (1) <- server  7 bytes
          0.060000 s  client          log INFO: heard it
          0.060000 s  client          (1) -> server  14 bytes
          0.060000 s  client          (1) -> server    Close 1000 "enough"
          0.060000 s  client          (1) -> server    state: Closing
          0.070000 s  server          (1) <- client  14 bytes
          0.070000 s  server          (1) -> client  4 bytes
          0.070000 s  server          (1) -> client    Close 1000 ""
          0.070000 s  server          (1) -> client    state: Closed
          0.070000 s  server          (1) -> client  end of output
          0.080000 s  client          (1) <- server  4 bytes
          0.080000 s  client          (1) <- server  end of output
          0.080000 s  client          (1) -> server  end of output
          0.080000 s  client          (1) -> server  abort
          0.090000 s  server          (1) <- client  end of output
          0.090000 s  server          (1) -> client  abort
          0.090000 s  server          listens on 10.0.0.2:80 no more
      "
    `)
  })

  it("is the same for the same seed", () => {
    assert.strictEqual(Trace.toText(traceOf(echo)), Trace.toText(traceOf(echo)))
  })

  it("does not depend on how bytes are cut", () => {
    const meanings = (trace: Trace.Trace) => Trace.toText(trace).match(/\) -> \w+ {4}.*/g)
    const inPieces: Trace.Trace = {
      ...traceOf(echo),
      entries: traceOf(echo).entries.flatMap((entry) => {
        const { event } = entry
        if (event._tag !== "Sent") return [entry]
        return Array.from(event.bytes, (byte) => ({ ...entry, event: { ...event, bytes: Uint8Array.of(byte) } }))
      })
    }
    assert.isAtLeast(meanings(traceOf(echo))?.length ?? 0, 9)
    assert.deepStrictEqual(meanings(inPieces), meanings(traceOf(echo)))
  })

  it("of what is no WebSocket: bytes", () => {
    const bytes = Uint8Array.of(0x16, 3, 1)
    const text = Trace.toText(made({ _tag: "Sent", connection: 1, side: "client", peer: "b", bytes }))
    assert.strictEqual(text, "    0.000000 s  a               (1) -> b  3 bytes\n")
  })

  it("has one line for each line of a log", ({ expect }) => {
    const trace = made(
      { _tag: "Log", level: "INFO", text: "one\ntwo" },
      { _tag: "Note", text: "three" },
      { _tag: "FiberStarted", id: 4, parent: 2 },
      { _tag: "FiberStarted", id: 5, parent: undefined },
      { _tag: "FiberEnded", id: 4, exit: "Interrupted" },
      { _tag: "Crashed", how: "Power" },
      { _tag: "Restarted" }
    )
    expect(Trace.toText(trace)).toMatchInlineSnapshot(`
      "    0.000000 s  a               log INFO: one
          0.000000 s  a               two
          1.500000 s  a #1            note: three
          3.000000 s  a #2            fiber #4 starts, a child of #2
          4.500000 s  a #3            fiber #5 starts
          6.000000 s  a #4            fiber #4 ends: Interrupted
          7.500000 s  a #5            crashes (Power)
          9.000000 s  a #6            starts again
      "
    `)
  })

  it("says what connections came to", ({ expect }) => {
    const ends = { connection: 3, side: "client", peer: "b" } as const
    const trace = made(
      { _tag: "Connecting", connection: 3, address: "b:80", peer: "b" },
      { _tag: "NotConnected", connection: 3, reason: "TimedOut" },
      { _tag: "OutputEnded", ...ends },
      { _tag: "EndArrived", ...ends },
      { _tag: "Aborted", ...ends },
      { _tag: "ResetArrived", ...ends },
      { _tag: "FaultBegan", fault: "Stall" },
      { _tag: "FaultEnded", fault: "Stall" },
      { _tag: "ListenerClosed", address: "b:80" }
    )
    expect(Trace.toText(trace)).toMatchInlineSnapshot(`
      "    0.000000 s  a               (3) connects to b:80
          1.500000 s  a #1            (3) is not connected: TimedOut
          3.000000 s  a #2            (3) -> b  end of output
          4.500000 s  a #3            (3) <- b  end of output
          6.000000 s  a #4            (3) -> b  abort
          7.500000 s  a #5            (3) <- b  reset
          9.000000 s  a #6            fault begins: Stall
         10.500000 s  a #7            fault ends: Stall
         12.000000 s  a #8            listens on b:80 no more
      "
    `)
  })
})

const noting = (...texts: ReadonlyArray<string>) =>
  traceOf(Effect.forEach(texts, (text) => Effect.zipRight(Simulation.note(text), Effect.sleep(1))))

describe("diff", () => {
  it("of two that are the same is empty", () => {
    assert.strictEqual(Trace.diff(noting("a"), noting("a")), "")
  })

  it("of two that are not is a unified diff", ({ expect }) => {
    const texts = ["a", "b", "c", "d", "e", "f", "g", "h"]
    const one = withoutFibers(noting(...texts))
    const other = { ...withoutFibers(noting(...texts.map((text) => (text === "e" ? "E" : text)))), seed: 2 }
    expect(Trace.diff(one, other)).toMatchInlineSnapshot(`
      "===================================================================
      --- seed 1	
      +++ seed 2	
      @@ -3,7 +3,7 @@
           0.001000 s  main            note: b
           0.002000 s  main            note: c
           0.003000 s  main            note: d
      -    0.004000 s  main            note: e
      +    0.004000 s  main            note: E
           0.005000 s  main            note: f
           0.006000 s  main            note: g
           0.007000 s  main            note: h
      "
    `)
  })
})

describe("divergence", () => {
  it("of two that are the same is none", () => {
    assert.isUndefined(Trace.divergence(noting("a"), noting("a")))
  })

  it("is where they part", () => {
    const [one, other] = [withoutFibers(noting("a", "b", "c")), withoutFibers(noting("a", "b", "d"))]
    const lines = Trace.toText(one).split("\n")
    const at = lines.findIndex((line) => line.endsWith("note: c"))
    assert.deepStrictEqual(Trace.divergence(one, other), {
      line: at,
      before: lines.slice(Math.max(0, at - 3), at),
      one: lines[at],
      other: lines[at].replace("note: c", "note: d")
    })
  })

  it("of one that ends earlier is after its end", () => {
    const [longer, shorter] = [noting("a", "b"), noting("a", "b")]
    const cut = { ...shorter, entries: shorter.entries.slice(0, -1) }
    const found = Trace.divergence(longer, cut)
    assert.strictEqual(found?.other, "(nothing more)")
    assert.strictEqual(found?.line, longer.entries.length - 1)
    assert.strictEqual(Trace.divergence(cut, longer)?.one, "(nothing more)")
  })
})

describe("toMermaid", () => {
  // Written by `npx vitest run --project packages/sim Trace.test -u`, and read.
  it("of an echo", ({ expect }) => {
    expect(Trace.toMermaid(withoutFibers(traceOf(echo)))).toMatchInlineSnapshot(`
      "sequenceDiagram
        participant h0 as network
        participant h1 as server
        participant h2 as client
        Note over h0: 0.000 s fault begins: Latency jitter 0, latency 10
        Note over h1: 0.000 s listens on 10.0.0.2:80
        h2->>h1: 0.000 s (1) connect
        Note over h1: 0.010 s (1) from client is accepted
        h2->>h1: 0.020 s (1) GET /echo HTTP/1.1
        h1->>h2: 0.030 s (1) HTTP/1.1 101 Switching Protocols, state: Open
        h2->>h1: 0.040 s (1) Text "hello" (5 bytes)
        h1->>h2: 0.050 s (1) Text "hello" (5 bytes)
        Note over h2: 0.060 s log INFO: heard it
        h2->>h1: 0.060 s (1) Close 1000 "enough", state: Closing
        h1->>h2: 0.070 s (1) Close 1000 "", state: Closed
        h1-)h2: 0.070 s (1) end of output
        Note over h2: 0.080 s (1) #60;- server  end of output
        h2-)h1: 0.080 s (1) end of output
        h2-xh1: 0.080 s (1) abort
        Note over h1: 0.090 s (1) #60;- client  end of output
        h1-xh2: 0.090 s (1) abort
        Note over h1: 0.090 s listens on 10.0.0.2:80 no more
      "
    `)
  })

  it("keeps what Mermaid reads as its own out of texts", () => {
    const diagram = Trace.toMermaid(made({ _tag: "Note", text: "#1; <b>\n100%" }))
    assert.strictEqual(
      diagram,
      "sequenceDiagram\n  participant h0 as a\n  Note over h0: 0.000 s note: #35;1#59; #60;b#62; 100%\n"
    )
  })

  it("of a host of which nothing else is known is an arrow to it", () => {
    const diagram = Trace.toMermaid(made({ _tag: "Connecting", connection: 1, address: "b:80", peer: "b" }))
    assert.include(diagram, "participant h1 as b\n  h0->>h1: 0.000 s (1) connect\n")
  })

  it("keeps the last events", () => {
    const texts = Array.from({ length: 30 }, (_, n) => `<${n}>`)
    const trace = withoutFibers(noting(...texts))
    // The latency is an event of its own.
    const all = Trace.toMermaid(trace).split("\n")
    const few = Trace.toMermaid(trace, { maxEvents: 5 }).split("\n")
    assert.notInclude(all.join("\n"), "left out")
    assert.include(few.join("\n"), "26 earlier events are left out")
    assert.deepStrictEqual(few.slice(-6), all.slice(-6))
    assert.strictEqual(few.filter((line) => line.includes("note")).length, 5)
    const long = Trace.toMermaid(made(...Array.from({ length: 201 }, () => ({ _tag: "Restarted" }) as const)))
    assert.include(long, ": 1 earlier events are left out")
  })

  it("of nothing", () => {
    assert.strictEqual(Trace.toMermaid({ seed: 1, entries: [] }), "sequenceDiagram\n")
  })
})
