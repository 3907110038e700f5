/**
 * The fibers of a run: which of them live, and for whom.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import * as Tracer from "effect/Tracer"
import type { Event } from "../Trace.js"
import { OwnedScheduler, type Owner, type World } from "./world.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** @internal */
export const idOf = (fiber: AnyFiber): number => fiber.id().id

/** @internal On whose behalf a fiber runs. */
export const ownerOf = (fiber: AnyFiber): Owner | undefined => {
  const scheduler = fiber.getFiberRef(FiberRef.currentScheduler)
  return scheduler instanceof OwnedScheduler ? scheduler.owner : undefined
}

/** @internal The innermost span in which a fiber is. */
export const spanOf = (fiber: AnyFiber): string | undefined => {
  const span = Option.getOrUndefined(
    // A key that a context may have, whatever its type says.
    (fiber.getFiberRef(FiberRef.currentContext) as Context.Context<Tracer.ParentSpan>).pipe(parentSpan)
  )
  return span?._tag === "Span" ? span.name : undefined
}

const parentSpan = (context: Context.Context<Tracer.ParentSpan>): Option.Option<Tracer.AnySpan> =>
  Option.fromNullable(context.unsafeMap.get(Tracer.ParentSpan.key))

/** Where Effect keeps the fibers that have no parent until they end. */
const globalScope = globalValue(Symbol.for("effect/FiberScope/Global"), () => ({ roots: new Set<unknown>() }))

/** @internal */
export class Fibers extends Supervisor.AbstractSupervisor<void> {
  override readonly value = Effect.void
  private readonly living = new Set<AnyFiber>()
  private readonly record: (owner: Owner | undefined, event: Event) => void
  private readonly world: World

  constructor(world: World, record: (owner: Owner | undefined, event: Event) => void) {
    super()
    this.world = world
    this.record = record
  }

  override onStart<A, E, R>(
    _context: Context.Context<R>,
    _effect: Effect.Effect<A, E, R>,
    parent: Option.Option<Fiber.RuntimeFiber<unknown, unknown>>,
    fiber: Fiber.RuntimeFiber<A, E>
  ): void {
    this.living.add(fiber)
    // Where another fiber makes it, its parent does not wait for it to begin.
    const maker = Option.getOrUndefined(Fiber.getCurrentFiber())
    if (Option.isSome(parent) && maker === parent.value) this.world.made(fiber, parent.value)
    this.record(ownerOf(fiber), {
      _tag: "FiberStarted",
      id: idOf(fiber),
      parent: Option.isSome(parent) ? idOf(parent.value) : undefined
    })
  }

  override onEnd<A, E>(exit: Exit.Exit<A, E>, fiber: Fiber.RuntimeFiber<A, E>): void {
    this.living.delete(fiber)
    const how = Exit.isSuccess(exit) ? "Success" : Exit.isInterrupted(exit) ? "Interrupted" : "Failure"
    this.record(ownerOf(fiber), { _tag: "FiberEnded", id: idOf(fiber), exit: how })
  }

  /** Lets go of fibers that will never end: those of hosts that have crashed, and those of a run that was given up. */
  abandon(): void {
    for (const fiber of this.living) globalScope.roots.delete(fiber)
  }

  /** The fibers that have not ended, without those of hosts that have crashed. */
  get alive(): ReadonlyArray<AnyFiber> {
    return [...this.living].filter((fiber) => ownerOf(fiber)?.isDead !== true)
  }
}
