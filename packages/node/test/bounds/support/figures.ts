/** What was measured, for those who read along: a reporter of annotations prints it, `--reporter=verbose` for one. */
import type { TestContext } from "@effect/vitest"
import { Effect } from "effect"

export const note = (context: TestContext, text: string): Effect.Effect<void> =>
  Effect.promise(() => context.annotate(text))
