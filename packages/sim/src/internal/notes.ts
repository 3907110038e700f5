import * as Context from "effect/Context"

/** @internal Writes a line into the trace, where there is one. */
export class Notes extends Context.Reference<Notes>()("@sluice/sim/Notes", {
  defaultValue: (): ((text: string) => void) | undefined => undefined
}) {}
