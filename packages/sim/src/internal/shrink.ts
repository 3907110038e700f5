/**
 * Makes a failing run smaller, for as long as it still fails in the same way.
 */
import type { Fault } from "../Fault.js"

/** @internal What a run depends on besides its program. */
export interface Case {
  readonly seed: number
  readonly faults: ReadonlyArray<Fault>
  readonly peers: number
}

/** @internal */
export interface Shrinking<R extends { readonly steps: number }> {
  /** Runs a case, and gives the run if it fails in the same way. */
  readonly attempt: (smaller: Case) => R | undefined
  /** How many runs may be tried. */
  readonly maxRuns: number
}

/** @internal */
export interface Shrunk<R> {
  readonly case: Case
  readonly run: R
  readonly tried: number
}

/** @internal Fewer faults, then fewer peers, then less time, then the seed whose run is the shortest. */
export const shrink = <R extends { readonly steps: number }>(
  start: Case,
  run: R,
  { attempt, maxRuns }: Shrinking<R>
): Shrunk<R> => {
  let best: Shrunk<R> = { case: start, run, tried: 0 }
  const accept = (smaller: Case): boolean => {
    if (best.tried >= maxRuns) return false
    const failed = attempt(smaller)
    best =
      failed === undefined ? { ...best, tried: best.tried + 1 } : { case: smaller, run: failed, tried: best.tried + 1 }
    return failed !== undefined
  }

  // Halves of the faults first, then single ones.
  for (let size = best.case.faults.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.case.faults.length; ) {
      const { faults } = best.case
      const fewer = [...faults.slice(0, at), ...faults.slice(at + size)]
      if (!accept({ ...best.case, faults: fewer })) at += size
    }
  }

  for (let peers = 1; peers < best.case.peers; peers++) if (accept({ ...best.case, peers })) break

  for (let at = 0; at < best.case.faults.length; at++) {
    for (const key of ["after", "lasts", "latency", "jitter", "downFor", "bytes", "skip"] as const) {
      for (;;) {
        const fault = best.case.faults[at]
        const value = fault === undefined ? undefined : (fault as Partial<Record<typeof key, number>>)[key]
        if (fault === undefined || value === undefined || value === 0) break
        const less = { ...fault, [key]: Math.floor(value / 2) }
        const faults = best.case.faults.map((other) => (other === fault ? less : other))
        if (!accept({ ...best.case, faults })) break
      }
    }
  }

  for (let seed = 1; seed <= otherSeeds && best.tried < maxRuns; seed++) {
    const failed = attempt({ ...best.case, seed })
    best = { ...best, tried: best.tried + 1 }
    if (failed !== undefined && failed.steps < best.run.steps)
      best = { ...best, case: { ...best.case, seed }, run: failed }
  }
  return best
}

const otherSeeds = 64
