/** Numbers that depend on a seed alone (splitmix32), and choices made with them. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** From 0 to 2^32 - 1. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** From 0 to one less than the bound, which is at least 1. */
  below(bound: number): number {
    return this.next() % bound
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  pick<A>(all: ReadonlyArray<A>): A {
    return all[this.below(all.length)]
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next())
  }
}
