/**
 * The lives of the connections of a server, each from its first byte to its last.
 *
 * The opening handshake runs inside the events of the lane. The first fiber of a connection is that of the decisions
 * that the application takes with effects, if there are any, or that of the handler.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { Entropy } from "../Entropy.js"
import * as Handshake from "../Handshake.js"
import * as Limits from "../Limits.js"
import { fromLane, type Lane, type Transport, TransportError } from "../Network.js"
import * as Protocol from "../Protocol.js"
import * as Rejection from "../Rejection.js"
import * as Upgrade from "../Upgrade.js"
import { Admission, draining as shuttingDown } from "./admission.js"
import { Connection } from "./connection.js"
import * as Deadlines from "./deadlines.js"
import * as Decision from "./decision.js"
import {
  type Departure,
  Drain,
  type DrainOptions,
  type DrainReport,
  describe,
  type Leaving,
  type ServerState
} from "./drain.js"
import { attach, codeFor, Handle } from "./handle.js"
import { laneOf } from "./laneOf.js"
import * as Ledger from "./ledger.js"
import * as Meter from "./meter.js"
import * as Observer from "./observer.js"
import * as Opening from "./opening.js"
import * as OwnScope from "./ownScope.js"
import type { Handler, Options } from "./service.js"

/** @internal */
export interface Serving {
  /** Leads a connection through its life, in the background. It belongs to the server, which calls `done` at the end. */
  readonly accept: (transport: Transport, done: () => void, received?: Handshake.Received) => void
  readonly usage: () => Ledger.Usage
  readonly state: () => ServerState
  readonly drain: (options: DrainOptions) => Effect.Effect<DrainReport>
}

/** One connection that is served. */
interface Life extends Leaving {
  readonly transport: Transport
  readonly lane: Lane
  readonly seen: Observer.Seen
  /** How it ended, if that is known. */
  departure: Departure
  /** Of the request, once it has come. */
  method: string | undefined
  /** Refuses the request, as long as its head has not come. */
  refuseHead: (() => void) | undefined
  /** What is done at its end. */
  readonly end: () => void
}

const notNow = () => {}

/**
 * A server that does not drain by itself: see `drainAtEnd`.
 *
 * @internal
 */
export const make = <P extends ReadonlyArray<string>, Required extends boolean, Principal, UE, UR, E, R>(
  options: Options<P, Required, Principal, UE, UR>,
  handler: Handler<Handshake.Subprotocol<P, Required>, Principal, E, R>
): Effect.Effect<Serving, never, Scope.Scope | UR | Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    type Subprotocol = Handshake.Subprotocol<P, Required>
    type Result = Decision.Opened<Subprotocol, Principal, UE, UR>
    const limits = Limits.make(options.limits)
    const decision = Decision.make(options, limits)
    const scheduler = yield* FiberRef.get(FiberRef.currentScheduler)
    const entropy = yield* Entropy
    const deadlines = yield* Deadlines.make
    const ledger = yield* Ledger.current(limits)
    const admission = new Admission(limits)
    const drain = new Drain(limits)
    const toldToLeave = yield* Deferred.make<void>()
    const draining = Deferred.await(toldToLeave)
    const lives = new Set<Life>()
    let lastId = 0

    // In this order at the end: handlers are interrupted; the rest is cut; no deadline is kept any more.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const life of [...lives]) life.cut()
      })
    )
    const fibers = yield* FiberSet.make()
    const run = yield* FiberSet.runtime(fibers)<UR | Exclude<R, Scope.Scope>>()
    const observer = yield* Observer.make(deadlines, run)

    const refuse = (life: Life, rejection: Rejection.Rejection, limit?: keyof Limits.Limits) => {
      admission.open()
      observer.rejected(life.seen, rejection, limit)
      life.lane.offer([Rejection.toBytes(rejection, { date: deadlines.now(), method: life.method })])
      life.departure = "refused"
      life.refuseHead = undefined
      Opening.linger(life.lane, limits, deadlines, Opening.maxLinger, life.end)
    }

    const runWebSocket = (life: Life, accepted: Handshake.Accepted<Subprotocol>, principal: Principal) => {
      const { lane, seen, transport } = life
      lane.offer([Handshake.response(accepted)])
      observer.accepted(seen, accepted.subprotocol)
      const connection = new Connection({
        role: "server",
        rest: accepted.rest,
        limits,
        lane,
        deadlines,
        ledger,
        meter: observer.meter,
        scheduler: transport.scheduler ?? scheduler,
        entropy
      })
      const socket = new Handle(connection, accepted.subprotocol)
      const connected = { id: seen.id, remote: transport.remote, principal, accepted, draining }
      // Scoped within: what is left of the effect while the handler runs must not hold the request.
      const handled = Effect.suspend(() => OwnScope.scoped(handler(socket, connected)))
      watch(life, connection, run(observer.within(seen, handled), schedulerOf(transport)))
    }

    // A function of its own, so that what stays until the end does not hold the request.
    const watch = (life: Life, connection: Connection, fiber: Fiber.RuntimeFiber<unknown, unknown>) => {
      life.drain = (code, reason) => connection.close({ code, reason, cause: "Drain" })
      life.cut = () => {
        connection.abort(cutOff)
        life.end()
      }
      let overdue: Deadlines.Deadline | undefined
      connection.whenClosed((reason) => {
        life.departure = reason._tag === "Drained" ? "closed" : Protocol.isClean(reason) ? "left" : "aborted"
        observer.closed(life.seen, reason)
        overdue = deadlines.set(limits.closeTimeout, () => fiber.unsafeInterruptAsFork(FiberId.none))
      })
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) observer.failed(life.seen, exit.cause)
        connection.close({ code: codeFor(exit) })
        connection.whenClosed(() => {
          deadlines.cancel(overdue)
          life.end()
        })
      })
    }

    const runOther = (life: Life, { fields, negotiated, service }: Extract<Result, { _tag: "Other" }>) => {
      const { lane, seen, transport } = life
      lane.offer([Upgrade.encodeSwitching(Upgrade.switching(negotiated, fields))])
      // Where a fiber plays the lane, that reads and writes: the handler has to go through it.
      const own = transport.lane === undefined ? fromLane(lane, transport) : transport
      const switched = { negotiated, transport: own, rest: negotiated.rest, draining }
      const served = Effect.suspend(() => service.handler(switched))
      const fiber = run(observer.within(seen, served), schedulerOf(transport))
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) observer.failed(seen, exit.cause)
        else life.departure = "left"
        observer.left(seen, undefined)
        Opening.linger(lane, limits, deadlines, Number.POSITIVE_INFINITY, life.end)
      })
    }

    const proceed = (life: Life, result: Either.Either<Result, Rejection.Rejection>) => {
      if (Either.isLeft(result)) return refuse(life, result.left)
      if (drain.state !== "Serving") return refuse(life, notAnyMore())
      admission.open()
      return result.right._tag === "WebSocket"
        ? runWebSocket(life, result.right.accepted, result.right.principal)
        : runOther(life, result.right)
    }

    const notAnyMore = () => shuttingDown(drain.retryAfter)

    const onReceived = (life: Life, received: Handshake.Received) => {
      const { seen, transport } = life
      life.refuseHead = undefined
      life.method = received.request.method
      observer.requested(seen, received)
      if (!decision.isAsked) return proceed(life, decision.judge(received))
      const fiber = run(
        observer.within(seen, Effect.either(decision.ask(received, transport, seen.since))),
        schedulerOf(transport)
      )
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) return proceed(life, exit.value)
        observer.failed(seen, exit.cause)
        return refuse(life, Cause.isInterruptedOnly(exit.cause) ? notAnyMore() : Decision.internalError)
      })
    }

    const begin = (transport: Transport, lane: Lane, done: () => void, received: Handshake.Received | undefined) => {
      const life: Life = {
        transport,
        lane,
        seen: observer.begin(++lastId, transport.remote),
        departure: "aborted",
        method: undefined,
        refuseHead: undefined,
        drain: notNow,
        cut: () => life.end(),
        end: () => {
          if (!lives.delete(life)) return
          // Does nothing where both sides have ended their output.
          lane.abort()
          admission.leave(transport.remote)
          done()
          drain.depart(life, life.departure)
        }
      }
      lives.add(life)
      const refused = admission.enter(transport.remote)
      if (drain.state !== "Serving") refuse(life, notAnyMore())
      else if (refused?.rejection === "Abort") {
        admission.open()
        observer.turnedAway(life.seen, refused.limit)
        life.end()
      } else if (refused !== undefined) refuse(life, refused.rejection, refused.limit)
      else if (received !== undefined) onReceived(life, received)
      else {
        const onWaiting = (refuse: (rejection: Rejection.Rejection) => void) => {
          life.refuseHead = () => refuse(notAnyMore())
        }
        Opening.readHead(lane, limits, deadlines, ledger, onWaiting, (result, limit) => {
          if (Either.isRight(result)) return onReceived(life, result.right)
          if (!(result.left instanceof TransportError)) return refuse(life, result.left, limit)
          observer.left(life.seen, result.left)
          admission.open()
          return life.end()
        })
      }
    }

    /** The application hears of it, and who is in his handshake is told at once. */
    const tellToLeave = () => {
      Deferred.unsafeDone(toldToLeave, Exit.void)
      for (const life of [...lives]) life.refuseHead?.()
    }

    return {
      usage: () => ({
        connections: admission.size,
        handshakes: admission.inHandshake,
        pinnedBytes: ledger.pinnedBytes,
        pendingBytes: ledger.pendingBytes
      }),
      state: () => drain.state,
      drain: (given) => drain.run(lives, tellToLeave, { ...options.drain, ...given }),
      accept: (transport, done, received) => {
        if (transport.lane !== undefined) return begin(transport, transport.lane, done, received)
        // A fiber plays the lane for as long as the connection lives.
        run(
          Effect.flatMap(laneOf(transport), (lane) =>
            Effect.async<void>((resume) => {
              const finish = () => {
                done()
                resume(Effect.void)
              }
              begin(transport, lane, finish, received)
            })
          ).pipe(Effect.scoped)
        )
      }
    }
  })

/**
 * Has the server drain when the scope ends: to be called after all by which connections come in, so that who comes
 * meanwhile gets an answer.
 *
 * @internal
 */
export const drainAtEnd = (serving: Serving): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() =>
    Effect.flatMap(serving.drain({}), (report) =>
      report.connections - report.left + report.refused === 0
        ? Effect.void
        : Effect.annotateLogs(Effect.logInfo("The server was drained"), describe(report))
    )
  )

const cutOff = new TransportError({ reason: "Closed", operation: "read", detail: "the server has shut down" })

const schedulerOf = ({ scheduler }: Transport) => (scheduler === undefined ? {} : { scheduler })

/**
 * The same for one connection, in the scope of the caller.
 *
 * @internal
 */
export const acceptOne = <P extends ReadonlyArray<string>, Required extends boolean, Principal, R>(
  transport: Transport,
  options: Options<P, Required, Principal, never, R>
) =>
  Effect.gen(function* () {
    const limits = Limits.make(options.limits)
    const deadlines = yield* Deadlines.make
    const ledger = yield* Ledger.current(limits)
    const meter = yield* Meter.make("server")
    const lane = yield* laneOf(transport)
    const decision = Decision.make(options, limits)
    const since = deadlines.now()
    const received = Effect.async<Handshake.Received, Rejection.Rejection | TransportError>((resume) =>
      Effect.sync(Opening.readHead(lane, limits, deadlines, ledger, notNow, resume))
    )
    const lingered = Effect.async<void>((resume) =>
      Effect.sync(Opening.linger(lane, limits, deadlines, Opening.maxLinger, () => resume(Effect.void)))
    )
    let method: string | undefined
    const { accepted, principal } = yield* received.pipe(
      Effect.flatMap((received) => {
        method = received.request.method
        return decision.askWebSocket(received, transport, since)
      }),
      Effect.tapError((error) => {
        if (error instanceof TransportError) return Effect.void
        meter.rejected(error, deadlines.now() - since)
        lane.offer([Rejection.toBytes(error, { date: deadlines.now(), method })])
        return lingered
      })
    )
    lane.offer([Handshake.response(accepted)])
    meter.accepted(deadlines.now() - since)
    const socket = yield* attach(
      { role: "server", rest: accepted.rest, limits, lane, deadlines, ledger, meter },
      accepted.subprotocol
    )
    return [socket, { id: 1, remote: transport.remote, principal, accepted, draining: Effect.never }] as const
  })
