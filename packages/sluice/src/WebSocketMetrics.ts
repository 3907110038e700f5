/**
 * What sluice counts, as metrics of Effect: connections, refusals, ends, bytes, frames, messages, and times.
 *
 * They are kept without being asked for; an exporter that reads `Metric.snapshot` shows them. Each has the tag `role`,
 * `server` or `client`, and the labels with which the service was started (`Effect.tagMetrics`). Counts of traffic are
 * added once for all that was read or written together, not for each message.
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as Keys from "./internal/trafficKeys.js"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

const milliseconds = (name: string, description: string) =>
  Metric.histogram(name, MetricBoundaries.exponential({ start: 1, factor: 2, count: 16 }), description)

/**
 * Connections whose opening handshake has ended well and that have not ended.
 *
 * @category constants
 * @since 0.1.0
 */
export const connectionsOpen: Metric.Metric.Gauge<number> = Metric.gauge("sluice_connections_open", {
  description: "Open WebSocket connections."
})

/**
 * Opening handshakes that ended well.
 *
 * @category constants
 * @since 0.1.0
 */
export const connectionsAccepted: Metric.Metric.Counter<number> = counter(
  "sluice_connections_accepted",
  "Opening handshakes that ended in a WebSocket."
)

/**
 * Opening handshakes that were refused, with the tags `reason` (that of the `Rejection`) and `status`.
 *
 * @category constants
 * @since 0.1.0
 */
export const connectionsRejected: Metric.Metric.Counter<number> = counter(
  "sluice_connections_rejected",
  "Opening handshakes that ended in a refusal."
)

/**
 * Connections that ended, with the tags `reason` (that of the `CloseReason`) and `code`: private codes, which peers
 * choose, count as `3xxx` and `4xxx`.
 *
 * @category constants
 * @since 0.1.0
 */
export const connectionsClosed: Metric.Metric.Counter<number> = counter(
  "sluice_connections_closed",
  "WebSocket connections that ended."
)

/**
 * Limits that were broken, with the tag `limit`, a name of `Limits`.
 *
 * @category constants
 * @since 0.1.0
 */
export const limitsBroken: Metric.Metric.Counter<number> = counter("sluice_limits_broken", "Limits that a peer broke.")

/**
 * Connections of trusted proxies that were reset before their request, by `ProxyProtocol`, with the tag `reason`: that of the
 * `ProxyHeaderError` or the `TransportError`, `TooManyPending` or `Backlog`.
 *
 * @category constants
 * @since 0.1.0
 */
export const proxyHeadersRefused: Metric.Metric.Counter<number> = counter(
  "sluice_proxy_headers_refused",
  "Connections that were reset because of their PROXY header."
)

/**
 * Bytes that were read behind the opening handshake.
 *
 * @category constants
 * @since 0.1.0
 */
export const bytesReceived: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.bytesReceived)

/**
 * Bytes that were written behind the opening handshake.
 *
 * @category constants
 * @since 0.1.0
 */
export const bytesSent: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.bytesSent)

/**
 * Frames that were received, control frames too.
 *
 * @category constants
 * @since 0.1.0
 */
export const framesReceived: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.framesReceived)

/**
 * Frames that were sent, control frames too.
 *
 * @category constants
 * @since 0.1.0
 */
export const framesSent: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.framesSent)

/**
 * Messages that were received whole.
 *
 * @category constants
 * @since 0.1.0
 */
export const messagesReceived: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.messagesReceived)

/**
 * Messages that were sent whole.
 *
 * @category constants
 * @since 0.1.0
 */
export const messagesSent: Metric.Metric.Counter<number> = Metric.fromMetricKey(Keys.messagesSent)

/**
 * How many messages wait for the application, each time that some arrive.
 *
 * @category constants
 * @since 0.1.0
 */
export const receiveQueueDepth: Metric.Metric.Histogram<number> = Metric.fromMetricKey(Keys.receiveQueueDepth)

/**
 * How often a reader stopped because the application had enough to do: its receive window was full.
 *
 * @category constants
 * @since 0.1.0
 */
export const receiveWindowsFull: Metric.Metric.Counter<number> = counter(
  "sluice_receive_windows_full",
  "Times that a receive window was full."
)

/**
 * How often a connection had more for its peer than it should, because the peer does not read.
 *
 * @category constants
 * @since 0.1.0
 */
export const sendsBlocked: Metric.Metric.Counter<number> = counter(
  "sluice_sends_blocked",
  "Times that a peer did not read what was sent."
)

/**
 * From a Ping to its Pong, in milliseconds: the Pings of `WebSocket.ping` and those of the heartbeat.
 *
 * @category constants
 * @since 0.1.0
 */
export const roundTrip: Metric.Metric.Histogram<number> = milliseconds(
  "sluice_round_trip_milliseconds",
  "Milliseconds from a Ping to its Pong."
)

/**
 * From the first byte of a connection, or the first step of `connect`, to the end of its opening handshake, in
 * milliseconds; refused ones too.
 *
 * @category constants
 * @since 0.1.0
 */
export const handshakeTime: Metric.Metric.Histogram<number> = milliseconds(
  "sluice_handshake_milliseconds",
  "Milliseconds that an opening handshake takes."
)
