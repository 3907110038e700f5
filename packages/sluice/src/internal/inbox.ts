/**
 * Messages that wait for the application, and the application when it waits for messages.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import type { Limit } from "../Limits.js"
import type { Message, Piece } from "./message.js"

/** @internal */
export type Item = Message | Piece

/** @internal Never empty. */
export type Batch = ReadonlyArray<Item>

// A text is counted by its code units, which is what it costs in memory.
const sizeOf = (item: Item): number => (item._tag === "Text" ? item.text.length : item.bytes.length)

const none: ReadonlyArray<never> = []

/** @internal */
export class Inbox<E> {
  private items: Array<Item> = []
  private size = 0
  private consumers: Array<() => void> | undefined = undefined
  private runner: ((effect: Effect.Effect<void>) => void) | undefined = undefined
  private readonly maxItems: number
  private readonly maxSize: number
  private readonly reader: { pump(): void }
  private exit: Exit.Exit<never, Option.Option<E>> | undefined = undefined

  /** The reader is told when the items were taken, so that there is room again. */
  constructor(maxItems: Limit, maxSize: Limit, reader: { pump(): void }) {
    this.maxItems = maxItems === "unbounded" ? Number.POSITIVE_INFINITY : maxItems
    this.maxSize = maxSize === "unbounded" ? Number.POSITIVE_INFINITY : maxSize
    this.reader = reader
  }

  /** How many items have room; at least one has, unless the inbox is full. */
  get room(): number {
    return this.size >= this.maxSize ? 0 : Math.max(0, this.maxItems - this.items.length)
  }

  get length(): number {
    return this.items.length
  }

  push(items: ReadonlyArray<Item>): void {
    for (const item of items) {
      this.items.push(item)
      this.size += sizeOf(item)
    }
    this.wake()
  }

  /** What `take` gives when the items are used up. */
  end(exit: Exit.Exit<never, Option.Option<E>>): void {
    if (this.exit !== undefined) return
    this.exit = exit
    this.wake()
  }

  private wake(): void {
    const { runner } = this
    if (runner !== undefined) {
      this.runner = undefined
      runner(Effect.void)
    }
    if (this.consumers !== undefined) for (const wake of this.consumers.splice(0)) wake()
  }

  /** All items that are here. */
  takeAll(): ReadonlyArray<Item> {
    if (this.items.length === 0) return none
    const batch = this.items
    this.items = []
    this.size = 0
    this.reader.pump()
    return batch
  }

  /** What comes after the last item, once that is known. */
  get ended(): Exit.Exit<never, Option.Option<E>> | undefined {
    return this.exit
  }

  /**
   * Waits until it is worth looking again. For one fiber at a time: it costs less than `take`, since nothing is done
   * when the wait is interrupted.
   */
  readonly changed: Effect.Effect<void> = Effect.async((resume) => {
    this.runner = resume
  })

  /** All items, as soon as there is one; fails with `None` at the end. */
  get take(): Effect.Effect<Batch, Option.Option<E>> {
    return Effect.suspend(() => {
      const batch = this.takeAll()
      return batch.length > 0 ? Exit.succeed(batch) : (this.exit ?? this.arrival)
    })
  }

  private get arrival(): Effect.Effect<Batch, Option.Option<E>> {
    return Effect.async((resume) => {
      this.consumers ??= []
      const { consumers } = this
      const wake = () => resume(this.take)
      consumers.push(wake)
      return Effect.sync(() => {
        const at = consumers.indexOf(wake)
        if (at >= 0) consumers.splice(at, 1)
      })
    })
  }
}
