/** The load generator: what it is asked, and what it answers. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Child from "./Child.js"
import { type Load, Sample } from "./Results.js"
import type { Server } from "./Server.js"
import type { Span } from "./Span.js"
import { Toolchain } from "./Toolchain.js"

const decodeSample = Schema.decodeUnknown(Schema.parseJson(Sample))

/** Opening thousands of connections and waiting for what is owed take their time, too. */
const patience = 90_000

/** The command that puts load on a server. */
export const command = (server: Server, mode: string, options: Readonly<Record<string, number>>) =>
  Effect.map(Toolchain, ({ generator, onGeneratorCpu }) => [
    ...[...onGeneratorCpu, generator, mode, "--port", String(server.port)],
    ...(server.peer.isRaw ? ["--raw"] : []),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  ])

/** One sample. That there is none is a sample, too. */
export const measure = (
  server: Server,
  { connections, mode, size, window }: Load,
  { duration, warmUp }: Span,
  flags: ReadonlyArray<string>
): Effect.Effect<Sample, never, Toolchain> =>
  Effect.gen(function* () {
    const options = {
      ...{ pid: server.pid, conns: connections, warmup: warmUp, duration },
      ...(window === undefined ? {} : { window }),
      ...(size === undefined ? {} : { size })
    }
    const child = yield* Child.start([...(yield* command(server, mode, options)), ...flags])
    const line = (yield* child.rest).at(-1)
    // an error is a line of its output, too
    if (line === undefined) yield* child.success
    return yield* decodeSample(line)
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({
      duration: warmUp + duration + patience,
      onTimeout: () => new Child.ChildError({ reason: "has not ended in time" })
    }),
    Effect.catchAll(({ message }) => Effect.succeed({ error: `load generator: ${message}` }))
  )

/** The share of a CPU that other programs took meanwhile. */
export const noise = (sample: Sample): number =>
  "error" in sample ? Number.POSITIVE_INFINITY : Math.max(sample.foreignServer, sample.foreignGenerator)
