/**
 * Writes the metrics of one server, or of one connection that belongs to none.
 *
 * What is counted on the way of messages is added in the turn in which it happened, once for a chunk, and without an
 * effect.
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as MetricLabel from "effect/MetricLabel"
import type * as Limits from "../Limits.js"
import * as Protocol from "../Protocol.js"
import type { Rejection } from "../Rejection.js"
import * as Metrics from "../WebSocketMetrics.js"

type Labels = ReadonlyArray<MetricLabel.MetricLabel>

/** Which limit a refusal or a violation is about; the others are about none. */
const limits: { readonly [reason: string]: keyof Limits.Limits | undefined } = {
  FrameTooBig: "maxFramePayload",
  MessageTooBig: "maxMessageSize",
  TooManyFragments: "maxFragments",
  MessageTimeout: "messageTimeout",
  TooManyControlFrames: "maxControlFramesPerSecond",
  TooManyMessages: "maxMessagesPerSecond",
  TooManyPinnedBytes: "maxPinnedBytes",
  TooManyPendingBytes: "maxPendingBytes"
} satisfies { readonly [Reason in Protocol.Violation["reason"]]?: keyof Limits.Limits }

const limitOf = (rejection: Rejection): keyof Limits.Limits | undefined => {
  switch (rejection._tag) {
    case "HeadTooLarge":
      return rejection.what === "fields" ? "maxFields" : "maxHeadSize"
    case "TargetTooLong":
      return "maxTarget"
    case "HandshakeTimeout":
      return "handshakeTimeout"
    default:
      return undefined
  }
}

/** @internal */
export class Meter {
  private readonly role: Protocol.Role
  private readonly labels: Labels
  // Each set of labels is one array for good, by which Effect finds the metric.
  private readonly others = new Map<string, Labels>()

  constructor(role: Protocol.Role, labels: Labels) {
    this.role = role
    this.labels = [MetricLabel.make("role", role), ...labels]
  }

  private labelled(...labels: ReadonlyArray<readonly [key: string, value: string]>): Labels {
    const key = labels.join(" ")
    const known = this.others.get(key)
    if (known !== undefined) return known
    const all = [...this.labels, ...labels.map((label) => MetricLabel.make(...label))]
    this.others.set(key, all)
    return all
  }

  accepted(handshakeTime: number): void {
    Metrics.connectionsAccepted.unsafeUpdate(1, this.labels)
    Metrics.handshakeTime.unsafeUpdate(handshakeTime, this.labels)
  }

  /** `limit` is the one that was broken, where the refusal itself does not tell. */
  rejected(rejection: Rejection, handshakeTime: number, limit = limitOf(rejection)): void {
    const labels = this.labelled(["reason", rejection._tag], ["status", String(rejection.status)])
    Metrics.connectionsRejected.unsafeUpdate(1, labels)
    Metrics.handshakeTime.unsafeUpdate(handshakeTime, this.labels)
    // That of a server is not one of the client that it refuses.
    if (limit !== undefined && this.role === "server") this.broken(limit)
  }

  broken(limit: keyof Limits.Limits): void {
    Metrics.limitsBroken.unsafeUpdate(1, this.labelled(["limit", limit]))
  }

  private violated(violation: Protocol.Violation): void {
    const limit = limits[violation.reason]
    if (limit !== undefined) this.broken(limit)
  }

  opened(): void {
    Metrics.connectionsOpen.unsafeModify(1, this.labels)
  }

  closed(reason: Protocol.CloseReason): void {
    Metrics.connectionsOpen.unsafeModify(-1, this.labels)
    const code = Protocol.codeOf(reason)
    const labels = this.labelled(["reason", reason._tag], ["code", codeLabel(code)])
    Metrics.connectionsClosed.unsafeUpdate(1, labels)
    if (reason._tag === "HeartbeatLost") this.broken("pingTimeout")
    if (reason._tag === "Violation") this.violated(reason.error)
  }

  received(bytes: number, frames: number): void {
    if (bytes > 0) Metrics.bytesReceived.unsafeUpdate(bytes, this.labels)
    if (frames > 0) Metrics.framesReceived.unsafeUpdate(frames, this.labels)
  }

  /** `waiting` counts those that came, too. */
  arrived(messages: number, waiting: number): void {
    Metrics.messagesReceived.unsafeUpdate(messages, this.labels)
    Metrics.receiveQueueDepth.unsafeUpdate(waiting, this.labels)
  }

  sent(bytes: number, frames: number, messages: number): void {
    Metrics.bytesSent.unsafeUpdate(bytes, this.labels)
    Metrics.framesSent.unsafeUpdate(frames, this.labels)
    if (messages > 0) Metrics.messagesSent.unsafeUpdate(messages, this.labels)
  }

  windowFull(): void {
    Metrics.receiveWindowsFull.unsafeUpdate(1, this.labels)
  }

  sendBlocked(): void {
    Metrics.sendsBlocked.unsafeUpdate(1, this.labels)
  }

  answered(roundTrip: number): void {
    Metrics.roundTrip.unsafeUpdate(roundTrip, this.labels)
  }
}

// The peer chooses a private code, and each that is counted by itself would be kept for ever.
const codeLabel = (code: number): string => (code < 3000 ? String(code) : `${Math.floor(code / 1000)}xxx`)

/** @internal */
export const make = (role: Protocol.Role): Effect.Effect<Meter> =>
  Effect.map(FiberRef.get(FiberRef.currentMetricLabels), (labels) => new Meter(role, labels))
