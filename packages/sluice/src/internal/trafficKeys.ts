/**
 * The keys of the metrics that are written for each chunk that comes or goes, so that what they count can be found once
 * for a service, and not each time.
 */
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

const counter = (name: string, description: string) => MetricKey.counter(name, { description, incremental: true })

/** @internal */
export const bytesReceived = counter("sluice_bytes_received", "Bytes read from open connections.")

/** @internal */
export const bytesSent = counter("sluice_bytes_sent", "Bytes written to open connections.")

/** @internal */
export const framesReceived = counter("sluice_frames_received", "Frames received.")

/** @internal */
export const framesSent = counter("sluice_frames_sent", "Frames sent.")

/** @internal */
export const messagesReceived = counter("sluice_messages_received", "Messages received.")

/** @internal */
export const messagesSent = counter("sluice_messages_sent", "Messages sent.")

/** @internal */
export const receiveQueueDepth = MetricKey.histogram(
  "sluice_receive_queue_depth",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 10 }),
  "Messages that wait for the application, seen when some arrive."
)
