/** Which branches of the library an input takes, and how often: what tells a new kind of input from another of the same. */

/** The name of the global with the counters. */
export const counters = "$branches"

/** The counters of all instrumented modules; each says how many it needs when it is loaded. */
export class Branches extends Uint32Array {
  used = 0

  claim(upTo: number): void {
    if (upTo > this.length) throw new Error(`there are more than ${this.length} branches`)
    this.used = Math.max(this.used, upTo)
  }
}

/** To be called before the first instrumented module is loaded. */
export const install = (): Branches => {
  const branches = new Branches(1 << 15)
  Object.assign(globalThis, { [counters]: branches })
  return branches
}

/** A bit for once, twice, three times, up to 7, 15, 31, 127 times, or more often: within a class nothing is new. */
const classOf = (count: number): number =>
  count === 3 ? 4 : count < 3 ? count : count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128

export interface Taken {
  /** Branches in all, each as often as it was taken. */
  readonly work: number
  /** Whether a branch was taken for the first time, or so often for the first time. */
  readonly isNew: boolean
}

export class Coverage {
  private readonly branches: Branches
  private readonly seen: Uint8Array
  private readonly classOf: (count: number) => number

  /** `"taken"`: how often a branch is taken does not matter. */
  constructor(branches: Branches, matters: "times" | "taken" = "times") {
    this.branches = branches
    this.classOf = matters === "times" ? classOf : () => 1
    this.seen = new Uint8Array(branches.length)
  }

  /** Forgets what was counted and not looked at. */
  reset(): void {
    this.branches.fill(0, 0, this.branches.used)
  }

  /** What was counted since the last reset. */
  take(): Taken {
    const { branches, classOf, seen } = this
    let work = 0
    let isNew = false
    for (let at = 0; at < branches.used; at++) {
      const count = branches[at]
      if (count === 0) continue
      work += count
      const bit = classOf(count)
      if ((seen[at] & bit) === bit) continue
      seen[at] |= bit
      isNew = true
    }
    return { work, isNew }
  }

  /** How many branches were ever taken, and of how many. */
  get reached(): readonly [taken: number, all: number] {
    return [this.seen.reduce((sum, bits) => sum + (bits === 0 ? 0 : 1), 0), this.branches.used]
  }
}
