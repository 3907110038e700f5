/**
 * One run of a program: builds its world, does all its tasks, and says how it ended.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashSet from "effect/HashSet"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { Entropy } from "sluice/Entropy"
import * as Network from "sluice/Network"
import type { Fault } from "../Fault.js"
import { type Options as NetworkOptions, netOf, SimNetwork, serviceOf } from "../SimNetwork.js"
import { type Kind, SimulationFailure, type Waiting } from "../SimulationFailure.js"
import type { Entry, Event } from "../Trace.js"
import { Draw, Stream } from "./draw.js"
import { Fibers, idOf, ownerOf, spanOf } from "./fibers.js"
import { guarded, HostGuard } from "./hostGuard.js"
import { Notes } from "./notes.js"
import { Peers } from "./peers.js"
import { Scopes } from "./scopes.js"
import { mainHost } from "./simNet.js"
import { Sites } from "./sites.js"
import type { Timeline } from "./timeline.js"
import { TraceHash } from "./traceHash.js"
import { VirtualClock } from "./virtualClock.js"
import { type Stop, World } from "./world.js"

/**
 * What a simulated program may ask for: a network, the simulation's view of it, and a scope, which ends with the run.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = Network.Network | SimNetwork | Scope.Scope

/** @internal */
export interface Settings {
  readonly seed: number
  readonly faults: ReadonlyArray<Fault>
  readonly peers: number
  readonly network: NetworkOptions
  /** Drawn from the seed where it is not given. */
  readonly yieldProbability: number | undefined
  readonly maxSteps: number
  /** Milliseconds. */
  readonly maxDuration: number
  readonly allowLeaks: boolean
}

/** @internal */
export interface Ended<A, E> {
  readonly exit: Exit.Exit<A, E> | undefined
  /** Milliseconds. */
  readonly duration: number
  readonly steps: number
  readonly hash: string
  readonly entries: ReadonlyArray<Entry>
  readonly failure: SimulationFailure | undefined
}

// Some bugs want many yields, some want none.
const yieldProbabilities = [0, 0.02, 0.1, 0.4] as const

// Who yields before each operation never comes to one.
const mostYields = 0.95

const fiberNow = (): Fiber.RuntimeFiber<unknown, unknown> | undefined => {
  const fiber = Fiber.getCurrentFiber()
  // A fiber that has begun the run is none of it.
  return fiber._tag === "Some" && ownerOf(fiber.value) !== undefined ? fiber.value : undefined
}

/** The name of the host on which something happens. */
const hostNow = (): string => {
  const fiber = fiberNow()
  return (fiber === undefined ? undefined : ownerOf(fiber)?.name) ?? mainHost
}

/**
 * `isRecording`: keeps the events. `isLooking`: finds out where fibers are, which is slow.
 *
 * @internal
 */
export const runOnce = <A, E>(
  program: Effect.Effect<A, E, Services>,
  settings: Settings,
  { isLooking, isRecording }: { readonly isLooking: boolean; readonly isRecording: boolean }
): Ended<A, E> => {
  const { seed } = settings
  const hash = new TraceHash()
  const scheduling = new Draw(seed, Stream.Scheduling)
  const probability = Math.min(mostYields, settings.yieldProbability ?? scheduling.pick(yieldProbabilities))
  const world = new World(scheduling, hash, probability)
  const guard = new HostGuard()
  const body = () => runInside(program, settings, world, hash, guard, isRecording, isLooking)
  return guarded(guard, () => Math.floor(world.now), new Draw(seed, Stream.Host), new Draw(seed, Stream.Crypto), body)
}

const runInside = <A, E>(
  program: Effect.Effect<A, E, Services>,
  settings: Settings,
  world: World,
  hash: TraceHash,
  guard: HostGuard,
  isRecording: boolean,
  isLooking: boolean
): Ended<A, E> => {
  const entries: Array<Entry> = []
  const record = (host: string, event: Event) => {
    const fiber = fiberNow()
    const entry = { time: world.now, host, fiber: fiber === undefined ? undefined : idOf(fiber), event }
    addTo(hash, event)
    // Who reads bytes may change them.
    if (isRecording)
      entries.push("bytes" in event ? { ...entry, event: { ...event, bytes: event.bytes.slice() } } : entry)
  }
  const timeline: Timeline = {
    now: () => world.now,
    soon: (owner, task) => world.schedule(task, owner),
    at: (time, owner, task) => {
      const timer = world.at(time, owner, task)
      return () => void world.cancel(timer)
    },
    draw: new Draw(settings.seed, Stream.Network),
    isVirtual: true,
    record,
    on: (owner, effect) =>
      effect.pipe(Effect.withScheduler(world.schedulerOf(owner)), Effect.withClock(new VirtualClock(world, owner))),
    forkOptions: (owner) => ({ scheduler: world.schedulerOf(owner), immediate: false })
  }
  const net = netOf(timeline, settings.network)
  const main = net.host(mainHost)
  const fibers = new Fibers(world, (owner, event) => record(owner?.name ?? mainHost, event))
  const scopes = new Scopes()
  const sites = new Sites()
  const logger = Logger.make(({ cause, logLevel, message }) => {
    const words = Array.isArray(message) ? message : [message]
    const failed = Cause.isEmpty(cause) ? [] : [nameOf(Cause.squash(cause))]
    const text = [...words.map((word) => Inspectable.toStringUnknown(word)), ...failed].join(" ")
    record(hostNow(), { _tag: "Log", level: logLevel.label, text })
  })
  const entropy = new Draw(settings.seed, Stream.Entropy)
  const services = Context.make(Network.Network, net.networkOf(main, main.owner)).pipe(
    Context.add(SimNetwork, serviceOf(timeline, net)),
    Context.add(Entropy, (size) => entropy.bytes(new Uint8Array(size))),
    Context.add(Peers, settings.peers),
    Context.add(Notes, (text) => record(hostNow(), { _tag: "Note", text }))
  )
  const defaults = DefaultServices.liveServices.pipe(
    Context.add(Clock.Clock, new VirtualClock(world, main.owner)),
    Context.add(Random.Random, Random.make(settings.seed))
  )
  const stops = [scopes.watch(), ...(isLooking ? [sites.watch()] : [])]
  try {
    for (const fault of settings.faults) net.install(fault)
    let exit: Exit.Exit<A, E> | undefined
    const root = Effect.runFork(Effect.provide(Effect.scoped(program), services), {
      ...timeline.forkOptions(main.owner),
      updateRefs: (refs, fiberId) => {
        const set = <T>(to: FiberRefs.FiberRefs, fiberRef: FiberRef.FiberRef<T>, value: T) =>
          FiberRefs.updateAs(to, { fiberId, fiberRef, value })
        const supervised = set(refs, FiberRef.currentSupervisor, fibers)
        const logged = set(supervised, FiberRef.currentLoggers, HashSet.make(logger))
        return set(logged, DefaultServices.currentServices, defaults)
      }
    })
    root.addObserver((result) => {
      exit = result
    })
    const { stop, thrown } = doAll(world, guard, settings, () => exit !== undefined)
    world.isOver = true
    hash.number(world.now)
    hash.word(world.steps)
    if (exit?._tag === "Success" && isPlain(exit.value)) hash.text(String(exit.value))
    const waiting = (): ReadonlyArray<Waiting> =>
      fibers.alive.map((fiber) => ({
        fiber: idOf(fiber),
        host: ownerOf(fiber)?.name ?? mainHost,
        span: spanOf(fiber),
        at: sites.of(fiber)
      }))
    const open = { scopes: scopes.open, resources: net.resources }
    const verdict = judge(settings, { exit, guard, stop, thrown, waiting, open, now: world.now, steps: world.steps })
    return { exit, duration: world.now, steps: world.steps, hash: hash.digest(), entries, failure: verdict }
  } finally {
    for (const stop of stops) stop()
    fibers.abandon()
  }
}

/** Runs to the end of the program, and then what is left of that instant. */
const doAll = (
  world: World,
  guard: HostGuard,
  { maxDuration, maxSteps }: Settings,
  hasEnded: () => boolean
): { readonly stop: Stop; readonly thrown?: { readonly error: unknown } } => {
  const budget = { maxSteps, maxTime: maxDuration }
  const isGuilty = () => guard.call !== undefined
  try {
    const stop = world.loop(() => hasEnded() || isGuilty(), budget, true)
    if (stop !== "Done") return { stop }
    return { stop: world.loop(isGuilty, budget, false) === "Steps" ? "Steps" : "Done" }
  } catch (error) {
    // Only what runs outside of a fiber can throw here: with a host it would end the process.
    return { stop: "Done", thrown: { error } }
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

const judge = <A, E>(
  settings: Settings,
  run: {
    readonly exit: Exit.Exit<A, E> | undefined
    readonly guard: HostGuard
    readonly stop: Stop
    readonly thrown?: { readonly error: unknown } | undefined
    readonly waiting: () => ReadonlyArray<Waiting>
    readonly open: { readonly scopes: number; readonly resources: ReadonlyArray<string> }
    readonly now: number
    readonly steps: number
  }
): SimulationFailure | undefined => {
  const { exit, guard, open, stop, thrown } = run
  const failure = (kind: Kind, detail: string, cause?: unknown) =>
    new SimulationFailure({ kind, seed: settings.seed, detail, waiting: run.waiting(), cause })
  const hostCall = guard.call ?? (stop === "Stuck" ? guard.suspect : undefined)
  if (thrown !== undefined) {
    return failure("Failed", `outside of any fiber, a task threw ${nameOf(thrown.error)}`, thrown.error)
  }
  if (hostCall !== undefined) {
    const at = hostCall.stack.length === 0 ? "" : `, called at ${hostCall.stack.slice(0, 3).join(", in ")}`
    return failure("HostAsynchrony", `${hostCall.name} is the host's, and not part of the simulation${at}`)
  }
  if (stop === "Steps") return failure("Budget", `it took more than ${settings.maxSteps} steps, in ${run.now} ms`)
  if (stop === "Time") {
    return failure("Budget", `it took more than ${settings.maxDuration} ms of virtual time, and ${run.steps} steps`)
  }
  if (stop === "Stuck") return failure("Deadlock", "nothing can run, and no timer is set")
  if (exit?._tag === "Failure") return failure("Failed", Cause.pretty(exit.cause), Cause.squash(exit.cause))
  const alive = run.waiting().length
  const left = [
    ...(alive > 0 ? [`${alive} fiber${alive === 1 ? "" : "s"}`] : []),
    ...(open.scopes > 0 ? [`${open.scopes} scope${open.scopes === 1 ? "" : "s"} with finalizers`] : []),
    ...open.resources
  ]
  if (left.length === 0 || settings.allowLeaks) return undefined
  return failure("Leak", `after the end of the program there are still: ${left.join("; ")}`)
}

/** Values that are the same if their text is. */
const isPlain = (value: unknown): boolean =>
  typeof value === "number" || typeof value === "string" || typeof value === "boolean" || typeof value === "bigint"

const addTo = (hash: TraceHash, event: Event): void => {
  for (const key in event) {
    // The keys are those of the event; what its fields are is looked at one by one.
    const value: unknown = event[key as keyof Event]
    if (typeof value === "string") hash.text(value)
    else if (typeof value === "number") hash.word(value)
    else if (value instanceof Uint8Array) hash.bytes(value)
  }
}
