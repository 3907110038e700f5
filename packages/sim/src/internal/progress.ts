/**
 * How far an exploration is, on one line of a terminal.
 */
import { createLogUpdate } from "log-update"

/** @internal */
export interface Progress {
  readonly show: (state: { readonly done: number; readonly elapsed: number; readonly failed: number }) => void
  readonly clear: () => void
}

/** @internal */
export const none: Progress = { show: () => {}, clear: () => {} }

/** @internal */
export const format = (
  seeds: number,
  { done, elapsed, failed }: { readonly done: number; readonly elapsed: number; readonly failed: number }
): string => `${done} of ${seeds} seeds, ${Math.round((done / Math.max(1, elapsed)) * 1000)} a second, ${failed} failed`

/** @internal */
export const make = (seeds: number): Progress => {
  if (!process.stderr.isTTY) return none
  const update = createLogUpdate(process.stderr)
  return { show: (state) => update(format(seeds, state)), clear: () => update.clear() }
}
