/**
 * How much of something a peer may say in one second.
 */

const second = 1000

/** @internal */
export class Rate {
  private readonly limit: number
  private count = 0
  private since = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Counts what came; says how many came in this second, once these are too many. */
  exceeded(came: number, now: number): number | undefined {
    if (now - this.since >= second) {
      this.since = now
      this.count = 0
    }
    this.count += came
    return this.count > this.limit ? this.count : undefined
  }

  /** What was said while nothing was read is not counted as if it were said in one second. */
  excuse(stalled: number, now: number): void {
    // What is left of an earlier stall still counts: the window may fill again before all was read.
    if (now - this.since >= second) this.count = Math.min(0, this.count)
    this.count -= (this.limit * stalled) / second
    this.since = now
  }
}
