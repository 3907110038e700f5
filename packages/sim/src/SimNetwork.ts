/**
 * A `Network` of hosts with names, in memory: with latency, bandwidth, bounded windows, and faults.
 *
 * `Simulation.run` brings one along, on virtual time. `layer` makes one for any other program, on the clock of its
 * context; without faults no time passes on it. Programs that name no host are on the host `main`, which calls itself
 * `127.0.0.1`; `spawn` and `on` run a program on a host of its own, which others reach by its name.
 *
 * TCP is simulated as programs see it: bytes arrive in order or not at all, and what the network loses it sends again,
 * so that loss is delay. What the receiver has read makes room in the window of the sender at once, without latency.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Network from "sluice/Network"
import type * as Fault from "./Fault.js"
import { Draw, Stream } from "./internal/draw.js"
import { mainHost, SimNet } from "./internal/simNet.js"
import type { Timeline } from "./internal/timeline.js"

/**
 * How the network is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Bytes that are on their way or wait to be read, for one direction of a connection; 64 KiB by default. */
  readonly window?: number | undefined
  /** Bytes that wait for room in the window before a sender has to wait; 64 KiB by default. */
  readonly sendBuffer?: number | undefined
  /** After which an attempt to connect that gets no answer fails with `TimedOut`; 60 s by default. */
  readonly connectTimeout?: Duration.DurationInput | undefined
}

/**
 * A host that runs a program.
 *
 * @category models
 * @since 0.1.0
 */
export interface Host {
  /** Its name, by which others reach it. */
  readonly name: string
  /** Its IP address, by which they may do so too. */
  readonly ip: string
  /**
   * Stops it without a last word: its fibers do nothing more, no finalizer runs. Its peers see resets, or after a loss
   * of `"Power"` nothing. On a network that is not part of a simulation, its fibers are interrupted instead.
   */
  readonly crash: (how?: "Process" | "Power") => Effect.Effect<void>
  /** Runs the program again after a crash. */
  readonly restart: Effect.Effect<void>
  /** Waits for the end of the program; for ever, if the host crashes and does not start again. */
  readonly exit: Effect.Effect<Exit.Exit<unknown, unknown>>
}

/**
 * What the network holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stats {
  /** Bytes that were sent and not read yet, of all connections together. */
  readonly bytesHeld: number
  /** Connections and listeners that are open, in words. */
  readonly open: ReadonlyArray<string>
}

/**
 * The simulated network, for who makes faults and hosts. Programs use `Network` and need not know of it.
 *
 * @category services
 * @since 0.1.0
 */
export class SimNetwork extends Context.Tag("@sluice/sim/SimNetwork")<
  SimNetwork,
  {
    /** Has a fault happen until the scope ends. */
    readonly install: (fault: Fault.Fault) => Effect.Effect<void, never, Scope.Scope>
    /** Runs a program on a host until the scope ends. The host may crash and start again. */
    readonly spawn: <A, E, R>(
      name: string,
      program: Effect.Effect<A, E, R>
    ) => Effect.Effect<Host, never, Exclude<R, Network.Network> | Scope.Scope>
    /** Runs a program on a host, in the fiber of the caller. */
    readonly on: <A, E, R>(
      name: string,
      program: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E, Exclude<R, Network.Network>>
    /** What it holds at this moment. */
    readonly stats: Effect.Effect<Stats>
  }
>() {}

/**
 * Has a fault happen from now on, or from its `after` on, until the scope ends.
 *
 * @example
 * ```ts
 * import { Fault, SimNetwork } from "@sluice/sim"
 * import { Effect } from "effect"
 *
 * const slow = Effect.gen(function* () {
 *   yield* SimNetwork.install(Fault.latency({ latency: "80 millis" }))
 *   // what is done here is done on a slow network
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const install = (fault: Fault.Fault): Effect.Effect<void, never, SimNetwork | Scope.Scope> =>
  Effect.flatMap(SimNetwork, (network) => network.install(fault))

/**
 * Runs a program on a host of its own until the scope ends; others reach it by the name.
 *
 * @example
 * ```ts
 * import { SimNetwork } from "@sluice/sim"
 * import { Effect } from "effect"
 * import { WebSocket, WebSocketClient, WebSocketServer } from "sluice"
 *
 * const program = Effect.gen(function* () {
 *   const serve = WebSocketServer.serve({ port: 80 }, (socket) => WebSocket.runForEach(socket, socket.send))
 *   const server = yield* SimNetwork.spawn("server", Effect.scoped(Effect.zipRight(serve, Effect.never)))
 *   yield* Effect.sleep("1 second")
 *   yield* SimNetwork.on("client", Effect.scoped(WebSocketClient.connect("ws://server/")))
 *   yield* server.crash()
 * }).pipe(Effect.scoped)
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const spawn = <A, E, R>(
  name: string,
  program: Effect.Effect<A, E, R>
): Effect.Effect<Host, never, SimNetwork | Exclude<R, Network.Network> | Scope.Scope> =>
  Effect.flatMap(SimNetwork, (network) => network.spawn(name, program))

/**
 * Runs a program on a host, in the fiber of the caller: where it connects from, and where it listens.
 *
 * @category combinators
 * @since 0.1.0
 */
export const on = <A, E, R>(
  name: string,
  program: Effect.Effect<A, E, R>
): Effect.Effect<A, E, SimNetwork | Exclude<R, Network.Network>> =>
  Effect.flatMap(SimNetwork, (network) => network.on(name, program))

/**
 * What the network holds at this moment: bytes, and what is open.
 *
 * @category getters
 * @since 0.1.0
 */
export const stats: Effect.Effect<Stats, never, SimNetwork> = Effect.flatMap(SimNetwork, ({ stats }) => stats)

/** @internal */
export const netOf = (timeline: Timeline, options: Options = {}): SimNet =>
  new SimNet(timeline, {
    window: Math.max(1, options.window ?? 64 * 1024),
    sendBuffer: Math.max(1, options.sendBuffer ?? 64 * 1024),
    connectTimeout: Duration.toMillis(options.connectTimeout ?? "60 seconds")
  })

/** @internal */
export const serviceOf = (timeline: Timeline, net: SimNet): SimNetwork["Type"] => ({
  install: (fault) =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.sync(() => net.install(fault)),
        (uninstall) => Effect.sync(uninstall)
      )
    ),
  on: (name, program) =>
    Effect.suspend(() => {
      const host = net.host(name)
      const network = net.networkOf(host, host.owner)
      return timeline.on(host.owner, Effect.provideService(program, Network.Network, network))
    }),
  stats: Effect.sync(() => ({ bytesHeld: net.bytesHeld, open: net.resources })),
  spawn: (name, program) => spawnOn(timeline, net, name, program)
})

const spawnOn = <A, E, R>(timeline: Timeline, net: SimNet, name: string, program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<Exclude<R, Network.Network>>()
    const host = net.host(name)
    let fiber: Fiber.RuntimeFiber<A, E> | undefined
    let ended: Exit.Exit<A, E> | undefined
    const waiting = new Set<(exit: Exit.Exit<A, E>) => void>()
    const start = () => {
      const { owner } = host
      const located = timeline.on(
        owner,
        Effect.provideService(program, Network.Network, net.networkOf(host, owner))
      ) as Effect.Effect<A, E, Exclude<R, Network.Network>>
      const started = Runtime.runFork(runtime)(located, timeline.forkOptions(owner))
      fiber = started
      started.addObserver((exit) => {
        if (fiber !== started) return
        fiber = undefined
        ended = exit
        if (Exit.isFailure(exit) && !Exit.isInterrupted(exit)) {
          const text = `the program of ${name} failed: ${Cause.pretty(exit.cause).split("\n", 1)[0]}`
          timeline.record(name, { _tag: "Log", level: "ERROR", text })
        }
        const told = [...waiting]
        waiting.clear()
        for (const tell of told) tell(exit)
      })
    }
    const crashed = () => {
      // On a network that is not part of a simulation the fibers live on.
      if (!timeline.isVirtual) fiber?.unsafeInterruptAsFork(FiberId.none)
      fiber = undefined
      ended = undefined
    }
    const stop = Effect.async<void>((resume) => {
      host.restart = undefined
      if (fiber === undefined) return resume(Effect.void)
      const gone = () => resume(Effect.void)
      // Who crashes on the way out does not come to an end.
      host.onCrash.add(gone)
      fiber.addObserver(gone)
      fiber.unsafeInterruptAsFork(FiberId.none)
    })
    const handle: Host = {
      name,
      ip: host.ip,
      crash: (how = "Process") => Effect.sync(() => net.crash(host, how, undefined)),
      restart: Effect.sync(() => net.start(host)),
      exit: Effect.async((resume) => {
        if (fiber === undefined && ended !== undefined) return resume(Effect.succeed(ended))
        const tell = (exit: Exit.Exit<A, E>) => resume(Effect.succeed(exit))
        waiting.add(tell)
        return Effect.sync(() => waiting.delete(tell))
      })
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        if (host.owner.isDead) net.start(host)
        host.restart = start
        host.onCrash.add(crashed)
        start()
      }),
      () =>
        Effect.ensuring(
          stop,
          Effect.sync(() => host.onCrash.delete(crashed))
        )
    )
    return handle
  })

/**
 * Makes a simulated network for programs that are not part of a simulation: it takes the clock and the scheduler of the
 * context, and draws from `seed`, which is 1 by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options & { readonly seed?: number | undefined } = {}
): Effect.Effect<readonly [network: Network.Network["Type"], sim: SimNetwork["Type"]]> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const scheduler = yield* FiberRef.get(FiberRef.currentScheduler)
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const start = clock.unsafeCurrentTimeMillis()
    const now = () => clock.unsafeCurrentTimeMillis() - start
    const timeline: Timeline = {
      now,
      soon: (owner, task) =>
        scheduler.scheduleTask(() => {
          if (!owner.isDead) task()
        }, 0),
      at: (time, owner, task) => {
        const run = () => {
          if (!owner.isDead) task()
        }
        const fiber = fork(Effect.zipRight(clock.sleep(Duration.millis(Math.max(0, time - now()))), Effect.sync(run)))
        return () => fiber.unsafeInterruptAsFork(FiberId.none)
      },
      draw: new Draw(options.seed ?? 1, Stream.Network),
      isVirtual: false,
      record: () => {},
      on: (_owner, effect) => effect,
      forkOptions: () => ({ scheduler, immediate: false })
    }
    const net = netOf(timeline, options)
    const main = net.host(mainHost)
    return [net.networkOf(main, main.owner), serviceOf(timeline, net)] as const
  })

/**
 * Provides a simulated network for programs that are not part of a simulation; each build of the layer is one of its
 * own.
 *
 * @example
 * ```ts
 * import { SimNetwork } from "@sluice/sim"
 * import { Effect } from "effect"
 * import { Network } from "sluice"
 *
 * const program = Effect.gen(function* () {
 *   const network = yield* Network.Network
 *   const listener = yield* network.listen({ port: 80 })
 *   return yield* network.connect(listener.address)
 * }).pipe(Effect.scoped, Effect.provide(SimNetwork.layer()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: Options & { readonly seed?: number | undefined }
): Layer.Layer<Network.Network | SimNetwork> =>
  Layer.effectContext(
    Effect.map(make(options), ([network, sim]) =>
      Context.make(Network.Network, network).pipe(Context.add(SimNetwork, sim))
    )
  )
