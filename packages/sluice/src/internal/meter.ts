/**
 * Writes the metrics of one server, or of one connection that belongs to none.
 *
 * What is counted on the way of messages is added in the turn in which it happened, once for a chunk, and without an
 * effect.
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import type * as MetricHook from "effect/MetricHook"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import type * as Limits from "../Limits.js"
import * as Protocol from "../Protocol.js"
import type { Rejection } from "../Rejection.js"
import * as Metrics from "../WebSocketMetrics.js"
import * as Keys from "./trafficKeys.js"

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

const counterOf = (key: MetricKey.MetricKey.Counter<number>, labels: Labels) =>
  Metric.globalMetricRegistry.get(MetricKey.taggedWithLabels(key, labels))

/** @internal */
export class Meter {
  private readonly role: Protocol.Role
  private readonly labels: Labels
  // What is written for each chunk.
  private readonly bytesReceived: MetricHook.MetricHook.Counter<number>
  private readonly framesReceived: MetricHook.MetricHook.Counter<number>
  private readonly messagesReceived: MetricHook.MetricHook.Counter<number>
  private readonly receiveQueueDepth: MetricHook.MetricHook.Histogram
  private readonly bytesSent: MetricHook.MetricHook.Counter<number>
  private readonly framesSent: MetricHook.MetricHook.Counter<number>
  private readonly messagesSent: MetricHook.MetricHook.Counter<number>
  // Each set of labels is one array for good, by which Effect finds the metric.
  private readonly others = new Map<string, Labels>()

  constructor(role: Protocol.Role, labels: Labels) {
    this.role = role
    this.labels = [MetricLabel.make("role", role), ...labels]
    this.bytesReceived = counterOf(Keys.bytesReceived, this.labels)
    this.framesReceived = counterOf(Keys.framesReceived, this.labels)
    this.messagesReceived = counterOf(Keys.messagesReceived, this.labels)
    this.receiveQueueDepth = Metric.globalMetricRegistry.get(
      MetricKey.taggedWithLabels(Keys.receiveQueueDepth, this.labels)
    )
    this.bytesSent = counterOf(Keys.bytesSent, this.labels)
    this.framesSent = counterOf(Keys.framesSent, this.labels)
    this.messagesSent = counterOf(Keys.messagesSent, this.labels)
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

  proxyHeaderRefused(reason: string): void {
    Metrics.proxyHeadersRefused.unsafeUpdate(1, this.labelled(["reason", reason]))
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
    if (bytes > 0) this.bytesReceived.update(bytes)
    if (frames > 0) this.framesReceived.update(frames)
  }

  /** `waiting` counts those that came, too. */
  arrived(messages: number, waiting: number): void {
    this.messagesReceived.update(messages)
    this.receiveQueueDepth.update(waiting)
  }

  sent(bytes: number, frames: number, messages: number): void {
    this.bytesSent.update(bytes)
    this.framesSent.update(frames)
    if (messages > 0) this.messagesSent.update(messages)
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
