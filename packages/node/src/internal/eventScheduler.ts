/**
 * A scheduler that is drained inside the event which made the work: a fiber that waited for bytes runs in the same turn
 * as the socket event that brought them, without a microtask between.
 */
import type { RuntimeFiber } from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

// Rounds after which the event loop gets a turn, so that fibers that yield to each other for ever do not starve it.
const maxRounds = 2048

const turn = 2048

/** @internal */
export class EventScheduler implements Scheduler.Scheduler {
  private tasks = new Scheduler.PriorityBuckets()
  /** Whether somebody is going to drain, or does. */
  private isExpected = false

  /** As the default scheduler does; but before a fiber has used up a usual turn it is not even asked what its own is. */
  shouldYield(fiber: RuntimeFiber<unknown, unknown>): number | false {
    return fiber.currentOpCount > turn && Scheduler.defaultScheduler.shouldYield(fiber)
  }

  scheduleTask(task: Scheduler.Task, priority: number): void {
    this.tasks.scheduleTask(task, priority)
    if (this.isExpected) return
    this.isExpected = true
    queueMicrotask(this.drain)
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
    for (let round = 0; this.tasks.buckets.length > 0; round++) {
      if (round === maxRounds) {
        setImmediate(this.drain)
        return
      }
      const { buckets } = this.tasks
      this.tasks.buckets = []
      for (const [, tasks] of buckets) {
        for (const task of tasks) task()
      }
    }
    this.isExpected = false
  }
}
