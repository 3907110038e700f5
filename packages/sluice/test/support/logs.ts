/** What was logged, for tests that say what is and what is not. */
import { Effect, Layer, Logger, LogLevel } from "effect"

export interface Logged {
  readonly level: string
  readonly text: string
}

/** Gives the effect an array to which everything that it logs is added. */
export const logged = <A, E, R>(
  run: (logs: ReadonlyArray<Logged>) => Effect.Effect<A, E, R>,
  level: LogLevel.LogLevel = LogLevel.All
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const logs: Array<Logged> = []
    const logger = Logger.make((entry) => {
      logs.push({ level: entry.logLevel.label, text: Logger.stringLogger.log(entry) })
    })
    return Effect.provide(
      run(logs),
      Layer.merge(Logger.replace(Logger.defaultLogger, logger), Logger.minimumLogLevel(level))
    )
  })
