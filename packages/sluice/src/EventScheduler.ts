/**
 * A scheduler that is drained inside the event which made the work: a fiber that waited for bytes runs in the same turn
 * as the socket event that brought them, without a microtask between.
 *
 * For who writes a `Network` on the sockets of a host: give it to each `Transport`, and wrap their events in `event`.
 *
 * @since 0.1.0
 */
import type { RuntimeFiber } from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { afterThis } from "./internal/webPlatform.js"

// Rounds after which the event loop gets a turn, so that fibers that yield to each other for ever do not starve it.
const maxRounds = 2048

const turn = 2048

/** The one of Effect that lets the host have a turn before each task. */
const inNextTurn = new Scheduler.MixedScheduler(0)

/**
 * Makes a scheduler; one for all sockets of a process, since a fiber may have several.
 *
 * @example
 * ```ts
 * import { EventScheduler } from "sluice"
 *
 * const scheduler = EventScheduler.make()
 * scheduler.event(() => {
 *   // tell who waits that bytes are here: the fibers that this wakes run before `event` returns
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): EventScheduler => new EventScheduler()

/**
 * The scheduler.
 *
 * @category models
 * @since 0.1.0
 */
export class EventScheduler implements Scheduler.Scheduler {
  private tasks: Array<Scheduler.Task> = []
  /** Those with a priority of their own, of which there are few. */
  private others = new Scheduler.PriorityBuckets()
  /** Whether somebody is going to drain, or does. */
  private isExpected = false

  /** As the default scheduler does; but before a fiber has used up a usual turn it is not even asked what its own is. */
  shouldYield(fiber: RuntimeFiber<unknown, unknown>): number | false {
    return fiber.currentOpCount > turn && Scheduler.defaultScheduler.shouldYield(fiber)
  }

  scheduleTask(task: Scheduler.Task, priority: number): void {
    if (priority === 0) this.tasks.push(task)
    else this.others.scheduleTask(task, priority)
    if (this.isExpected) return
    this.isExpected = true
    afterThis(this.drain)
  }

  /** Runs the listener of an event, then all tasks that follow from it. */
  event(listener: () => void): void {
    if (this.isExpected) {
      listener()
      return
    }
    this.isExpected = true
    try {
      listener()
    } finally {
      this.drain()
    }
  }

  private readonly drain = (): void => {
    for (let round = 0; this.tasks.length > 0 || this.others.buckets.length > 0; round++) {
      if (round === maxRounds) {
        inNextTurn.scheduleTask(this.drain, 0)
        return
      }
      if (this.others.buckets.length > 0) this.takeOthers()
      const { tasks } = this
      this.tasks = []
      for (const task of tasks) task()
    }
    this.isExpected = false
  }

  /** Puts those with a priority of their own before and behind the rest. */
  private takeOthers(): void {
    const { buckets } = this.others
    this.others.buckets = []
    const tasksOf = (isMeant: (priority: number) => boolean) =>
      buckets.filter(([priority]) => isMeant(priority)).flatMap(([, tasks]) => tasks)
    this.tasks = [...tasksOf((priority) => priority < 0), ...this.tasks, ...tasksOf((priority) => priority > 0)]
  }
}
