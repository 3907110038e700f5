/**
 * The run queue and the virtual clock of one run.
 *
 * All that is to be done is a task. Which one is done next is drawn from the seed; the clock advances when none is left.
 */
import type * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as RuntimeFlags from "effect/RuntimeFlags"
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

/** Something that can be done, and the fiber to which it is done, if to one. */
interface Ready {
  readonly task: Task
  readonly owner: Owner
  readonly fiber: AnyFiber | undefined
  readonly order: number
}

/** Whether a task is that of a fiber to go on. */
const isRun = (task: Task, fiber: AnyFiber): boolean => Predicate.hasProperty(fiber, "run") && fiber.run === task

/** The flags of a fiber are not part of its type. */
const isInterruptible = (fiber: AnyFiber): boolean =>
  !Predicate.hasProperty(fiber, "currentRuntimeFlags") ||
  (Number(fiber.currentRuntimeFlags) & RuntimeFlags.Interruption) !== 0

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
  private readonly ready: Array<Ready> = []
  private readonly timers = new TinyQueue<Timer>([], (a, b) => a.at - b.at || a.order - b.order)
  private readonly unstarted = new Map<AnyFiber, { readonly parent: AnyFiber; isRoundabout: boolean }>()
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

  schedule(task: Task, owner: Owner, fiber?: AnyFiber): void {
    if (this.isOver || owner.isDead) return
    this.ready.push({ task, owner, fiber, order: this.order++ })
    const start = fiber === undefined ? undefined : this.unstarted.get(fiber)
    if (fiber === undefined || start === undefined) return
    if (!isRun(task, fiber)) start.isRoundabout = true
    else if (!start.isRoundabout) this.unstarted.delete(fiber)
  }

  /** A fiber was made. Its parent starts it at once, in one of its next operations, or by a task that does. */
  made(child: AnyFiber, parent: AnyFiber): void {
    this.unstarted.set(child, { parent, isRoundabout: false })
  }

  private isStarting(parent: AnyFiber, isRoundabout: boolean): boolean {
    for (const start of this.unstarted.values()) {
      if (start.parent === parent && start.isRoundabout === isRoundabout) return true
    }
    return false
  }

  shouldYield(fiber: AnyFiber): number | false {
    // Effect 3 makes the fibers of a race in one operation and starts them in another. Interrupted in between, it would
    // wait for ever for the end of fibers that have never begun.
    if (this.unstarted.size > 0 && this.isStarting(fiber, false)) return false
    // The first operation of a fiber that was just resumed: the scheduler has had its choice a moment ago.
    if (fiber.currentOpCount === 1) return false
    if (--this.opsBeforeYield >= 0 && fiber.currentOpCount <= maxOpsBeforeYield) return false
    if (this.opsBeforeYield < 0) this.opsBeforeYield = this.draw.failuresBefore(this.yieldProbability)
    // An interruption that comes to an uninterruptible fiber interrupts the children that it has. Effect 3 makes those
    // of `timeout` and `forEach` in such regions, and would not interrupt what is made after a yield in them.
    if (!isInterruptible(fiber) && fiber.currentOpCount <= maxOpsBeforeYield) return false
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
      if (this.ready.length === 0) {
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
    const { ready } = this
    const count = ready.length
    const drawn = count === 1 ? 0 : this.draw.integer(count)
    if (count > 1) this.hash.word((count << 16) ^ drawn)
    const index = count === 1 ? 0 : this.allowed(drawn)
    // The index is below the length, and so is that of the last.
    const { fiber, owner, task } = ready[index] as Ready
    ready[index] = ready[count - 1] as Ready
    ready.pop()
    if (fiber !== undefined && this.unstarted.size > 0 && isRun(task, fiber)) this.unstarted.delete(fiber)
    return owner.isDead ? nothing : task
  }

  /** The drawn task, or one that has to come before it: Effect counts on some orders. */
  private allowed(drawn: number): number {
    const { ready } = this
    const { length } = ready
    for (let i = 0; i < length; i++) {
      const index = (drawn + i) % length
      const fiber = ready[index]?.fiber
      if (fiber === undefined) return index
      // The fiber of `forEach` with concurrency that starts the others is started by a task. If its parent were
      // interrupted before it has come to that, it would find nothing to do, and its parent would wait for its end.
      if (this.unstarted.size > 0 && this.isStarting(fiber, true)) continue
      return this.firstOf(fiber, index)
    }
    return drawn
  }

  /** What is to be done to one fiber is done in order. */
  private firstOf(fiber: AnyFiber, index: number): number {
    const { ready } = this
    let first = index
    for (let i = 0; i < ready.length; i++) {
      const other = ready[i]
      if (other?.fiber === fiber && other.order < (ready[first] as Ready).order) first = i
    }
    return first
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
    this.world.schedule(task, this.owner, fiber)
  }
}
