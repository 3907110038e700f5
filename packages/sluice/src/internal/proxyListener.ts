/**
 * A listener that hands out connections once their header of the PROXY protocol has come.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { isAbove, type Limit, type Timeout } from "../Limits.js"
import {
  type Address,
  formatAddress,
  type Listener,
  type ListenOptions,
  makeArrivals,
  type Network,
  type Transport,
  type TransportError
} from "../Network.js"
import { acceptAll } from "./accepting.js"
import * as Deadlines from "./deadlines.js"
import * as Meter from "./meter.js"
import { proxiedTransport } from "./proxiedTransport.js"
import type { Header } from "./proxyHeader.js"
import { readHeader } from "./readProxyHeader.js"
import { sequentially } from "./sequentially.js"

/**
 * Whose headers are read, and within which limits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Whether a peer is a proxy, which has to send a header. It can then say that it is there for anybody, so take only
   * those that you run: see `isAmong`. Where this throws, that is logged and the connection is reset.
   */
  readonly trusted: (address: Address) => boolean
  /** How long a header may take; 10 seconds by default. With 3 or more (§2) a segment that was lost can come again. */
  readonly timeout?: Timeout | undefined
  /** Connections of one listener of which the header has not come; 1,024 by default. */
  readonly maxPending?: Limit | undefined
  /** Bytes of a header of version 2, the first 16 counted; 4 KiB by default. One of version 1 has at most 107 (§2.1). */
  readonly maxHeaderSize?: Limit | undefined
}

const defaultMaxPending = 1024

/** That of the networks. */
const defaultBacklog = 511

/** Why a connection is reset before the service hears of it. */
interface Refusal {
  readonly reason: string
  readonly message: string
}

/** A connection, and what ends with it, if there is something. */
interface Arrival {
  readonly transport: Transport
  readonly done: (() => void) | undefined
}

const nothing = new Uint8Array(0)

/** @internal */
export const listen = (
  network: Network["Type"],
  listenOptions: ListenOptions,
  options: Options
): Effect.Effect<Listener, TransportError, Scope.Scope> =>
  sequentially(
    Effect.gen(function* () {
      const { maxHeaderSize, maxPending = defaultMaxPending, timeout = "10 seconds", trusted } = options
      const { backlog = defaultBacklog } = listenOptions
      const deadlines = yield* Deadlines.make
      const meter = yield* Meter.make("server")
      const fork = Runtime.runFork(yield* Effect.runtime<never>())
      const reading = { deadlines, timeout, maxHeaderSize, fork }
      const isDebugging = LogLevel.lessThanEqual(yield* FiberRef.get(FiberRef.currentMinimumLogLevel), LogLevel.Debug)
      const listener = yield* network.listen(listenOptions)
      const arrivals = makeArrivals()
      /** How to reset those whose header has not come; none once the listener has ended. */
      let pending: Set<() => void> | undefined = new Set()

      const reset = ({ done, transport }: Arrival) => {
        if (transport.lane === undefined) fork(transport.abort)
        else transport.lane.abort()
        done?.()
      }

      const refuse = (arrival: Arrival, { message, reason }: Refusal) => {
        meter.proxyHeaderRefused(reason)
        if (isDebugging) {
          const line = Effect.logDebug(`connection refused before its request: ${message}`)
          const remote = formatAddress(arrival.transport.remote)
          fork(Effect.annotateLogs(line, { remote, reason }))
        }
        reset(arrival)
      }

      const handOut = (arrival: Arrival, header: Header | undefined, rest: Uint8Array) => {
        // They were taken from the network before anybody accepts them, which then has no end of them itself.
        if (arrivals.size >= backlog) {
          return refuse(arrival, { reason: "Backlog", message: `${backlog} connections wait to be accepted already` })
        }
        arrivals.add(proxiedTransport(arrival.transport, header, rest, arrival.done))
        arrivals.arrived()
      }

      const awaitHeader = (arrival: Arrival, waiting: Set<() => void>) => {
        if (isAbove(waiting.size + 1, maxPending)) {
          const message = `${maxPending} connections wait for their PROXY header, the limit`
          return refuse(arrival, { reason: "TooManyPending", message })
        }
        const cut = () => {
          stop()
          reset(arrival)
        }
        waiting.add(cut)
        const stop = readHeader(arrival.transport, reading, (result) => {
          waiting.delete(cut)
          if (Either.isLeft(result)) refuse(arrival, result.left)
          else handOut(arrival, result.right.header, result.right.rest)
        })
      }

      const begin = (arrival: Arrival) => {
        if (pending === undefined) return reset(arrival)
        const isTrusted = Either.try({ try: () => trusted(arrival.transport.remote), catch: Cause.die })
        if (Either.isLeft(isTrusted)) {
          fork(Effect.logError("`trusted` of the PROXY protocol failed", isTrusted.left))
          return reset(arrival)
        }
        if (isTrusted.right) awaitHeader(arrival, pending)
        else handOut(arrival, undefined, nothing)
      }

      yield* Effect.addFinalizer(() => {
        const cuts = [...(pending ?? [])]
        pending = undefined
        for (const cut of cuts) cut()
        return arrivals.abort
      })
      yield* acceptAll(
        listener,
        (transport, done) => begin({ transport, done }),
        (error) => {
          arrivals.fail(error)
          arrivals.arrived()
        }
      )
      return { ...listener, ...arrivals.listener(listener.address) }
    })
  )
