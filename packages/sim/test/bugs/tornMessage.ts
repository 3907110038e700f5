import { Chunk, Effect, Stream } from "effect"
import { Network } from "sluice"
import * as Fault from "../../src/Fault.js"
import * as SimNetwork from "../../src/SimNetwork.js"
import { type Bug, late } from "./bug.js"

const commands = ["open the door", "switch off the light", "close the door"]

type Input = Stream.Stream<Uint8Array, Network.TransportError>

const program = (parse: (input: Input) => Stream.Stream<string, Network.TransportError>) =>
  Effect.gen(function* () {
    const { connect } = yield* Network.Network
    const listen = Effect.flatMap(Network.Network, ({ listen }) => listen({ port: 7 }))
    const { accept } = yield* SimNetwork.on("server", listen)
    const server = accept.pipe(
      Effect.flatMap((transport) => Stream.runCollect(parse(Network.reads(transport)))),
      Effect.scoped
    )
    const client = Effect.gen(function* () {
      const transport = yield* connect({ host: "server", port: 7 })
      for (const command of commands) {
        yield* transport.write(new TextEncoder().encode(`${command}\n`))
        yield* Effect.sleep("10 millis")
      }
      yield* transport.endOfOutput
    }).pipe(Effect.scoped)
    const [received] = yield* Effect.all([SimNetwork.on("server", server), client], { concurrency: "unbounded" })
    return Chunk.toReadonlyArray(received)
  })

export const tornMessage: Bug<ReadonlyArray<string>, unknown> = {
  name: "torn message",
  what: "What one read gives is taken for one message, which is wrong once the network cuts or joins bytes.",
  buggy: program((input) => Stream.map(Stream.decodeText(input), (line) => line.trimEnd())),
  correct: program((input) => Stream.splitLines(Stream.decodeText(input))),
  check: (received) => (received.join() === commands.join() ? undefined : `received: ${received.join(", ")}`),
  options: {
    faults: [Fault.chaos({ ...late, stalls: 0 })]
  },
  kind: "Failed",
  seeds: 20
}
