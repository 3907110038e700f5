/**
 * Messages that wait for the application, and the application when it waits for messages.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type { Limit } from "../Limits.js"
import { none } from "./fewItems.js"
import type { Message, Piece } from "./message.js"
import { Waiters } from "./waiters.js"

/** @internal */
export type Item = Message | Piece

/** @internal Never empty. */
export type Batch = ReadonlyArray<Item>

// A text is counted by its code units, which is what it costs in memory.
const sizeOf = (item: Item): number => (item._tag === "Text" ? item.text.length : item.bytes.length)

/** @internal */
export class Inbox<E> {
  private items: Array<Item> = none
  private size = 0
  /** The first that was not taken. */
  private first = 0
  /** Whether the reader has stopped for lack of room. */
  private isFull = false
  private readonly consumers = new Waiters()
  private readonly maxItems: number
  private readonly maxSize: number
  private readonly reader: { pump(): void }
  private exit: Exit.Exit<never, Option.Option<E>> | undefined = undefined

  /** The reader is told when the items were taken, so that there is room again. */
  constructor(maxItems: Limit, maxSize: Limit, reader: { pump(): void }) {
    this.maxItems = maxItems === "unbounded" ? Number.POSITIVE_INFINITY : Math.max(1, maxItems)
    this.maxSize = maxSize === "unbounded" ? Number.POSITIVE_INFINITY : Math.max(1, maxSize)
    this.reader = reader
  }

  /** How many items have room; at least one has, unless the inbox is full. */
  get room(): number {
    return this.size >= this.maxSize ? 0 : Math.max(0, this.maxItems - this.items.length + this.first)
  }

  /** How many items wait. */
  get waiting(): number {
    return this.items.length - this.first
  }

  /** An array belongs to the inbox from then on. */
  push(items: ReadonlyArray<Item>): void {
    for (const item of items) this.size += sizeOf(item)
    // Nobody else has it any more, who could see that it grows.
    if (this.items.length === 0) this.items = items as Array<Item>
    else for (const item of items) this.items.push(item)
    this.isFull = this.room === 0
    this.consumers.wake()
  }

  /** What `take` gives when the items are used up. */
  end(exit: Exit.Exit<never, Option.Option<E>>): void {
    if (this.exit !== undefined) return
    this.exit = exit
    this.consumers.wake()
  }

  /** The next item, if there is one. A reader that had no room goes on when half of it is free. */
  next(): Item | undefined {
    if (this.first === this.items.length) return undefined
    const item = this.items[this.first++]
    this.size -= sizeOf(item)
    const left = this.items.length - this.first
    if (left === 0) this.clear()
    else if (this.isFull && left * 2 <= this.maxItems && this.size * 2 <= this.maxSize) this.resume()
    return item
  }

  /** All items that are here. */
  takeAll(): ReadonlyArray<Item> {
    if (this.first === this.items.length) return none
    const batch = this.first === 0 ? this.items : this.items.slice(this.first)
    this.clear()
    return batch
  }

  private clear(): void {
    this.items = none
    this.first = 0
    this.size = 0
    this.resume()
  }

  private resume(): void {
    if (!this.isFull) return
    this.isFull = false
    this.reader.pump()
  }

  /** What comes after the last item, once that is known. */
  get ended(): Exit.Exit<never, Option.Option<E>> | undefined {
    return this.exit
  }

  /** Waits until it is worth looking again. */
  readonly changed: Effect.Effect<void> = this.consumers.wait(
    () => this.first < this.items.length || this.exit !== undefined
  )

  /** All items, as soon as there is one; fails with `None` at the end. */
  get take(): Effect.Effect<Batch, Option.Option<E>> {
    return Effect.suspend(() => {
      const batch = this.takeAll()
      return batch.length > 0 ? Exit.succeed(batch) : (this.exit ?? Effect.zipRight(this.changed, this.take))
    })
  }
}
