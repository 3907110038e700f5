/**
 * The lives of the connections of a server, each from its first byte to its last.
 *
 * The opening handshake runs inside the events of the lane. The first fiber of a connection is that of the decisions
 * that the application takes with effects, if there are any, or that of the handler.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberSet from "effect/FiberSet"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { Entropy } from "../Entropy.js"
import { FrameError } from "../Frame.js"
import * as Handshake from "../Handshake.js"
import * as Limits from "../Limits.js"
import { MessageError } from "../Message.js"
import { formatAddress, fromLane, type Lane, type Transport, TransportError } from "../Network.js"
import { ProtocolError, SendError } from "../Protocol.js"
import * as Rejection from "../Rejection.js"
import * as Upgrade from "../Upgrade.js"
import { Admission, draining } from "./admission.js"
import { Connection } from "./connection.js"
import * as Deadlines from "./deadlines.js"
import * as Decision from "./decision.js"
import { attach, codeFor, drainCode, Handle } from "./handle.js"
import { laneOf } from "./laneOf.js"
import { Ledger } from "./ledger.js"
import * as Opening from "./opening.js"
import type { Handler, Options } from "./service.js"

/** @internal */
export interface Serving {
  /** Leads a connection through its life, in the background. It belongs to the server, which calls `done` at the end. */
  readonly accept: (transport: Transport, done: () => void, received?: Handshake.Received) => void
  readonly size: () => number
}

/** One connection that is served. */
interface Life {
  readonly transport: Transport
  readonly lane: Lane
  /** Asks it to leave, if that can be asked in the state it is in. */
  drain: () => void
  /** Has it end now. */
  cut: () => void
  /** What is done at its end. */
  readonly end: () => void
}

const notNow = () => {}

/**
 * When the scope ends, everybody is asked to leave, is given as long as a close may take, and is cut.
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
    const isDebugging = LogLevel.lessThanEqual(yield* FiberRef.get(FiberRef.currentMinimumLogLevel), LogLevel.Debug)
    const entropy = yield* Entropy
    const deadlines = yield* Deadlines.make
    const ledger = new Ledger(limits)
    const admission = new Admission(limits)
    const lives = new Set<Life>()
    let onEmpty = () => {}
    let lastId = 0

    // In this order at the end: leave, please; handlers are interrupted; the rest is cut; no deadline is kept any more.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const life of [...lives]) life.cut()
      })
    )
    const fibers = yield* FiberSet.make()
    const run = yield* FiberSet.runtime(fibers)<UR | Exclude<R, Scope.Scope>>()
    const empty = Effect.async<void>((resume) => {
      onEmpty = () => resume(Effect.void)
      if (lives.size === 0) onEmpty()
    })
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        admission.isDraining = true
        for (const life of [...lives]) life.drain()
        const timeout = Deadlines.toMillis(limits.closeTimeout)
        return timeout === Number.POSITIVE_INFINITY ? empty : Effect.timeoutOption(Effect.interruptible(empty), timeout)
      })
    )

    const log = (transport: Transport, effect: Effect.Effect<void>) => {
      run(Effect.annotateLogs(effect, "remote", formatAddress(transport.remote)))
    }

    const debug = (transport: Transport, message: string) => {
      if (isDebugging) log(transport, Effect.logDebug(message))
    }

    const refuse = (life: Life, rejection: Rejection.Rejection) => {
      admission.open()
      debug(life.transport, `refused with ${rejection.status}: ${rejection.message}`)
      life.lane.offer([Rejection.toBytes(rejection)])
      life.drain = notNow
      Opening.linger(life.lane, limits, deadlines, Opening.maxLinger, life.end)
    }

    const runWebSocket = (life: Life, accepted: Handshake.Accepted<Subprotocol>, principal: Principal) => {
      const { lane, transport } = life
      lane.offer([Handshake.response(accepted)])
      const connection = new Connection({
        role: "server",
        rest: accepted.rest,
        limits,
        lane,
        deadlines,
        ledger,
        scheduler: transport.scheduler ?? scheduler,
        entropy
      })
      const socket = new Handle(connection, accepted.subprotocol)
      const connected = { id: ++lastId, remote: transport.remote, principal, accepted }
      const handled = Effect.scoped(Effect.suspend(() => handler(socket, connected)))
      watch(life, connection, run(handled, schedulerOf(transport)))
    }

    // A function of its own, so that what stays until the end does not hold the request.
    const watch = (life: Life, connection: Connection, fiber: Fiber.RuntimeFiber<unknown, unknown>) => {
      life.drain = () => connection.close({ code: drainCode, cause: "Drain" })
      life.cut = () => {
        connection.abort(cutOff)
        life.end()
      }
      let overdue: Deadlines.Deadline | undefined
      connection.whenClosed(() => {
        overdue = deadlines.set(limits.closeTimeout, () => fiber.unsafeInterruptAsFork(FiberId.none))
      })
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) report(life.transport, exit.cause)
        connection.close({ code: codeFor(exit) })
        connection.whenClosed(() => {
          deadlines.cancel(overdue)
          life.end()
        })
      })
    }

    const runOther = (life: Life, { fields, negotiated, service }: Extract<Result, { _tag: "Other" }>) => {
      const { lane, transport } = life
      lane.offer([Upgrade.encodeSwitching(Upgrade.switching(negotiated, fields))])
      // Where a fiber plays the lane, that reads and writes: the handler has to go through it.
      const own = transport.lane === undefined ? fromLane(lane, transport) : transport
      const served = Effect.suspend(() => service.handler({ negotiated, transport: own, rest: negotiated.rest }))
      const fiber = run(served, schedulerOf(transport))
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) report(transport, exit.cause)
        Opening.linger(lane, limits, deadlines, Number.POSITIVE_INFINITY, life.end)
      })
    }

    const proceed = (life: Life, result: Either.Either<Result, Rejection.Rejection>) => {
      if (Either.isLeft(result)) return refuse(life, result.left)
      if (admission.isDraining) return refuse(life, draining())
      admission.open()
      return result.right._tag === "WebSocket"
        ? runWebSocket(life, result.right.accepted, result.right.principal)
        : runOther(life, result.right)
    }

    const onReceived = (life: Life, received: Handshake.Received, since: number) => {
      life.drain = notNow
      if (!decision.isAsked) return proceed(life, decision.judge(received))
      const { transport } = life
      const fiber = run(Effect.either(decision.ask(received, transport, since)), schedulerOf(transport))
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) return proceed(life, exit.value)
        report(transport, exit.cause)
        return refuse(life, Cause.isInterruptedOnly(exit.cause) ? draining() : Decision.internalError)
      })
    }

    /** A peer that breaks a rule or leaves is no news; what else fails is. */
    const report = (transport: Transport, cause: Cause.Cause<unknown>) => {
      if (Cause.isInterruptedOnly(cause)) return
      const error = Cause.squash(cause)
      if (isUsual(error)) debug(transport, error.message)
      else log(transport, Effect.logError("The handler of a connection failed", cause))
    }

    const begin = (transport: Transport, lane: Lane, done: () => void, received: Handshake.Received | undefined) => {
      const life: Life = {
        transport,
        lane,
        drain: notNow,
        cut: () => life.end(),
        end: () => {
          if (!lives.delete(life)) return
          // Does nothing where both sides have ended their output.
          lane.abort()
          admission.leave(transport.remote.host)
          done()
          if (lives.size === 0) onEmpty()
        }
      }
      lives.add(life)
      const since = deadlines.now()
      const refusal = admission.enter(transport.remote.host)
      if (refusal === "Abort") {
        admission.open()
        life.end()
      } else if (refusal !== undefined) refuse(life, refusal)
      else if (received !== undefined) onReceived(life, received, since)
      else {
        const onWaiting = (refuse: (rejection: Rejection.Rejection) => void) => {
          life.drain = () => refuse(draining())
        }
        Opening.readHead(lane, limits, deadlines, ledger, onWaiting, (result) => {
          if (Either.isRight(result)) return onReceived(life, result.right, since)
          if (!(result.left instanceof TransportError)) return refuse(life, result.left)
          debug(transport, result.left.message)
          admission.open()
          return life.end()
        })
      }
    }

    return {
      size: () => admission.size,
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

const cutOff = new TransportError({ reason: "Closed", operation: "read", detail: "the server has shut down" })

const schedulerOf = ({ scheduler }: Transport) => (scheduler === undefined ? {} : { scheduler })

const isUsual = (error: unknown): error is Error =>
  error instanceof FrameError ||
  error instanceof MessageError ||
  error instanceof ProtocolError ||
  error instanceof TransportError ||
  error instanceof SendError

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
    const ledger = new Ledger(limits)
    const lane = yield* laneOf(transport)
    const decision = Decision.make(options, limits)
    const since = deadlines.now()
    const received = Effect.async<Handshake.Received, Rejection.Rejection | TransportError>((resume) =>
      Effect.sync(Opening.readHead(lane, limits, deadlines, ledger, notNow, resume))
    )
    const lingered = Effect.async<void>((resume) =>
      Effect.sync(Opening.linger(lane, limits, deadlines, Opening.maxLinger, () => resume(Effect.void)))
    )
    const { accepted, principal } = yield* received.pipe(
      Effect.flatMap((received) => decision.askWebSocket(received, transport, since)),
      Effect.tapError((error) => {
        if (error instanceof TransportError) return Effect.void
        lane.offer([Rejection.toBytes(error)])
        return lingered
      })
    )
    lane.offer([Handshake.response(accepted)])
    const socket = yield* attach(
      { role: "server", rest: accepted.rest, limits, lane, deadlines, ledger },
      accepted.subprotocol
    )
    return [socket, { id: 1, remote: transport.remote, principal, accepted }] as const
  })
