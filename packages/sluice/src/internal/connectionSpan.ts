/**
 * The span of one connection, from its first byte to its end, with the opening handshake and the end as attributes.
 *
 * There is none where the tracer is that of Effect itself, which keeps nothing: a server has many idle connections.
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type { Address } from "../Network.js"
import * as Protocol from "../Protocol.js"
import type { Rejection } from "../Rejection.js"

/** @internal */
export interface Spans {
  readonly begin: (options: { readonly id?: number; readonly remote?: Address }) => ConnectionSpan | undefined
}

/** @internal */
export class ConnectionSpan {
  readonly span: Tracer.Span
  private readonly now: () => bigint

  constructor(span: Tracer.Span, now: () => bigint) {
    this.span = span
    this.now = now
  }

  /** The query is left out, since it may hold a ticket. */
  requested(target: string): void {
    this.span.attribute("url.path", target.split("?", 1)[0])
  }

  accepted(subprotocol: string | undefined): void {
    this.span.attribute("http.response.status_code", 101)
    if (subprotocol !== undefined) this.span.attribute("websocket.subprotocol", subprotocol)
    this.span.event("open", this.now())
  }

  rejected(rejection: Rejection): void {
    this.span.attribute("http.response.status_code", rejection.status)
    this.span.attribute("sluice.rejection", rejection._tag)
    this.end(rejection.status < 500 ? Exit.void : Exit.fail(rejection))
  }

  closed(reason: Protocol.CloseReason): void {
    this.span.attribute("sluice.close", reason._tag)
    this.span.attribute("websocket.close.code", Protocol.codeOf(reason))
    if (reason._tag === "Clean") this.span.attribute("sluice.close.initiator", reason.initiator)
    if (reason._tag === "Violation") this.end(Exit.fail(reason.error))
    else if (reason._tag === "Aborted") this.end(Exit.fail(reason.cause))
    else this.end(reason._tag === "HeartbeatLost" ? Exit.fail(reason) : Exit.void)
  }

  /** Broke off before it was open, or was no WebSocket. */
  left(exit: Exit.Exit<unknown, unknown>): void {
    this.end(exit)
  }

  /** Only the first counts. */
  private end(exit: Exit.Exit<unknown, unknown>): void {
    if (this.span.status._tag === "Started") this.span.end(this.now(), exit)
  }
}

const unkept = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** As the semantic conventions of OpenTelemetry have it. */
const peer = ({ host, path, port }: Address) =>
  path === undefined
    ? { "network.peer.address": host, "network.peer.port": port }
    : { "network.transport": "unix", "network.peer.address": path }

/** @internal */
export const make = (role: Protocol.Role): Effect.Effect<Spans> =>
  Effect.gen(function* () {
    const isEnabled = yield* FiberRef.get(FiberRef.currentTracerEnabled)
    if (!isEnabled || (yield* Effect.tracer) === unkept) return { begin: () => undefined }
    const clock = yield* Effect.clock
    const runSync = Runtime.runSync(yield* Effect.runtime<never>())
    const now = () => clock.unsafeCurrentTimeNanos()
    return {
      begin: ({ id, remote }) => {
        const attributes = {
          ...(id === undefined ? {} : { "sluice.connection": id }),
          ...(remote === undefined ? {} : peer(remote))
        }
        // A server outlives what it was started in; a client connects for the sake of what it is part of.
        const options = { kind: role, attributes, captureStackTrace: false, root: role === "server" } as const
        return new ConnectionSpan(runSync(Effect.makeSpan("sluice.connection", options)), now)
      }
    }
  })
