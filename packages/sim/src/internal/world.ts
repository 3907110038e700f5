/**
 * The run queue and the virtual clock of one run.
 *
 * All that is to be done is a task. Which one is done next is drawn from the seed; the clock advances when none is left.
 */
import type * as Fiber from "effect/Fiber"
import type { Scheduler, Task } from "effect/Scheduler"
import TinyQueue from "tinyqueue"
import type { Draw } from "./draw.js"
import type { TraceHash } from "./traceHash.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** @internal On whose behalf something is done: a host, from one start to its next crash. */
export interface Owner {
  readonly name: string
  /** A host that has crashed does nothing any more: no finalizer runs, no timer fires. */
  isDead: boolean
}

/** @internal */
export interface Timer {
  readonly at: number
  /** Among those of one instant, the order in which they were set. */
  readonly order: number
  readonly owner: Owner
  readonly run: Task
  isCancelled: boolean
}

/** @internal Why the loop has come to its end. */
export type Stop = "Done" | "Stuck" | "Steps" | "Time"

// Effect's own scheduler lets a fiber do so much before the next one gets its turn.
const maxOpsBeforeYield = 2048

/** @internal */
export interface Budget {
  readonly maxSteps: number
  /** Milliseconds. */
  readonly maxTime: number
}

/** @internal */
export class World {
  /** Milliseconds since the start of the run. */
  now = 0
  /** Tasks that were done. */
  steps = 0
  /** Whether a run that has ended leaves what is still to be done undone. */
  isOver = false
  private readonly tasks: Array<Task> = []
  private readonly owners: Array<Owner> = []
  private readonly timers = new TinyQueue<Timer>([], (a, b) => a.at - b.at || a.order - b.order)
  private readonly unstarted = new Map<AnyFiber, AnyFiber>()
  private order = 0
  private pendingTimers = 0
  private opsBeforeYield: number
  private readonly draw: Draw
  private readonly hash: TraceHash
  private readonly yieldProbability: number

  constructor(draw: Draw, hash: TraceHash, yieldProbability: number) {
    this.draw = draw
    this.hash = hash
    this.yieldProbability = yieldProbability
    this.opsBeforeYield = draw.failuresBefore(yieldProbability)
  }

  /** A scheduler whose tasks are done on behalf of one owner. */
  schedulerOf(owner: Owner): Scheduler {
    return new OwnedScheduler(this, owner)
  }

  schedule(task: Task, owner: Owner): void {
    if (this.isOver || owner.isDead) return
    this.tasks.push(task)
    this.owners.push(owner)
  }

  /** A fiber was made. Its parent starts it in one of its next operations, or has done so. */
  made(child: AnyFiber, parent: AnyFiber): void {
    this.unstarted.set(child, parent)
  }

  /** A fiber has something to do. */
  started(fiber: AnyFiber): void {
    if (this.unstarted.size > 0) this.unstarted.delete(fiber)
  }

  private isStarting(fiber: AnyFiber): boolean {
    for (const parent of this.unstarted.values()) if (parent === fiber) return true
    return false
  }

  shouldYield(fiber: AnyFiber): number | false {
    // Effect 3 makes the fibers of a race in one operation and starts them in another. Interrupted in between, it would
    // wait for ever for the end of fibers that have never begun.
    if (this.unstarted.size > 0 && this.isStarting(fiber)) return false
    // The first operation of a fiber that was just resumed: the scheduler has had its choice a moment ago.
    if (fiber.currentOpCount === 1) return false
    if (--this.opsBeforeYield >= 0 && fiber.currentOpCount <= maxOpsBeforeYield) return false
    if (this.opsBeforeYield < 0) this.opsBeforeYield = this.draw.failuresBefore(this.yieldProbability)
    // Effect yields with the priority that it gets. Setting one takes a dozen operations, each of which may yield: from
    // about one yield in fifteen operations on, a fiber would do nothing but yield. Without a priority it takes two.
    return undefined as unknown as number
  }

  at(time: number, owner: Owner, run: Task): Timer {
    const timer: Timer = { at: Math.max(time, this.now), order: this.order++, owner, run, isCancelled: false }
    this.timers.push(timer)
    this.pendingTimers++
    return timer
  }

  /** Whether it was still to come. */
  cancel(timer: Timer): boolean {
    if (timer.isCancelled) return false
    timer.isCancelled = true
    this.pendingTimers--
    return true
  }

  /** The times for which timers are set. */
  get sleeps(): ReadonlyArray<number> {
    return this.timers.data.flatMap(({ at, isCancelled }) => (isCancelled ? [] : [at])).sort((a, b) => a - b)
  }

  /** Does one task after the other until the run is done. `mayAdvance`: whether the clock goes on when nothing is left. */
  loop(isDone: () => boolean, budget: Budget, mayAdvance: boolean): Stop {
    while (!isDone()) {
      if (this.tasks.length === 0) {
        if (!mayAdvance || !this.advance(budget.maxTime)) return this.pendingTimers > 0 && mayAdvance ? "Time" : "Stuck"
        continue
      }
      if (this.steps >= budget.maxSteps) return "Steps"
      this.steps++
      this.takeOne()()
    }
    return "Done"
  }

  private takeOne(): Task {
    const { owners, tasks } = this
    const count = tasks.length
    const index = count === 1 ? 0 : this.draw.integer(count)
    if (count > 1) this.hash.word((count << 16) ^ index)
    // The index is below the length, and so is that of the last.
    const task = tasks[index] as Task
    const owner = owners[index] as Owner
    tasks[index] = tasks[count - 1] as Task
    owners[index] = owners[count - 1] as Owner
    tasks.pop()
    owners.pop()
    return owner.isDead ? nothing : task
  }

  /** Advances the clock to the next timer, and makes tasks of all timers of that instant. */
  private advance(maxTime: number): boolean {
    let next = this.timers.peek()
    while (next?.isCancelled === true) {
      this.timers.pop()
      next = this.timers.peek()
    }
    if (next === undefined || next.at > maxTime) return false
    this.now = next.at
    this.hash.number(this.now)
    for (; next !== undefined && next.at === this.now; next = this.timers.peek()) {
      this.timers.pop()
      if (next.isCancelled) continue
      next.isCancelled = true
      this.pendingTimers--
      this.schedule(next.run, next.owner)
    }
    return true
  }
}

const nothing = () => {}

/** @internal */
export class OwnedScheduler implements Scheduler {
  readonly owner: Owner
  private readonly world: World

  constructor(world: World, owner: Owner) {
    this.world = world
    this.owner = owner
  }

  shouldYield(fiber: AnyFiber): number | false {
    return this.world.shouldYield(fiber)
  }

  scheduleTask(task: Task, _priority: number, fiber?: AnyFiber): void {
    if (fiber !== undefined) this.world.started(fiber)
    this.world.schedule(task, this.owner)
  }
}
