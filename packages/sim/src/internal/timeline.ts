/**
 * What a simulated network needs of the run that it is part of.
 */
import type * as Effect from "effect/Effect"
import type * as Runtime from "effect/Runtime"
import type { Event } from "../Trace.js"
import type { Draw } from "./draw.js"
import type { Owner } from "./world.js"

/** @internal */
export interface Timeline {
  /** Milliseconds since the start. */
  now(): number
  /** Has a task done on behalf of an owner, in no certain order with others. */
  soon(owner: Owner, task: () => void): void
  /** Has a task done at a time; returns how to take it back. */
  at(time: number, owner: Owner, task: () => void): () => void
  /** What the network does by chance. */
  readonly draw: Draw
  /** Whether time passes by itself, so that a timer costs nothing until it is its turn. */
  readonly isVirtual: boolean
  record(host: string, event: Event): void
  /** Has an effect run on behalf of an owner, so that it stops with it. */
  on<A, E, R>(owner: Owner, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  /** How to start a fiber on behalf of an owner. */
  forkOptions(owner: Owner): Runtime.RunForkOptions
}
