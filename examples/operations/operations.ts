import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { NodeUpgrade } from "@sluice/node"
import { Deferred, Effect, Metric, MetricState, Runtime, Schedule } from "effect"
import { Network, WebSocket, type WebSocketServer, WireTrace } from "sluice"

/** A clock that says the time once a second, and goodbye when the server is about to go. */
const clock = (socket: WebSocket.WebSocket, { accepted, draining }: WebSocketServer.Connected) =>
  Effect.gen(function* () {
    // The frames of one connection in the log, without their payloads: of the one that is not understood.
    if (accepted.request.target === "/?trace") yield* WireTrace.log(socket)
    const time = Effect.flatMap(Effect.clock, (clock) => socket.send(`${clock.unsafeCurrentTimeMillis()}`))
    yield* Effect.repeat(time, Schedule.spaced("1 second")).pipe(
      Effect.race(WebSocket.runForEach(socket, () => Effect.void)),
      Effect.race(draining)
    )
    yield* socket.send("goodbye")
  })

const options: WebSocketServer.Options = {
  // Handlers have three seconds to end by themselves. Then the rest is closed with 1012, come back soon, a hundred at a
  // time so that they do not all come back at once; who does not answer is reset after `closeTimeout`.
  drain: { code: 1012, notice: "3 seconds", batchSize: 100, retryAfter: 5 },
  limits: { closeTimeout: "5 seconds" }
}

/** What is counted, in the manner of a collector. A program of yours takes the exporter of its collector. */
const metrics = Effect.map(Metric.snapshot, (pairs) =>
  pairs
    .filter(({ metricKey }) => metricKey.name.startsWith("sluice_"))
    .flatMap(({ metricKey: { name, tags }, metricState }) => {
      const isCounted = MetricState.isCounterState(metricState) || MetricState.isHistogramState(metricState)
      const value = isCounted ? metricState.count : MetricState.isGaugeState(metricState) ? metricState.value : 0
      return [`${name}{${tags.map(({ key, value }) => `${key}="${value}"`).join(",")}} ${value}\n`]
    })
    .sort()
    .join("")
)

/** `/ready` for a load balancer, 503 once the server drains; `/metrics`. */
const route = (url: string | undefined, service: WebSocketServer.Service) =>
  url === "/metrics"
    ? Effect.map(metrics, (body) => ({ status: 200, body }))
    : url === "/ready"
      ? Effect.map(service.state, (state) => ({ status: state === "Serving" ? 200 : 503, body: `${state}\n` }))
      : Effect.succeed({ status: 404, body: "There are /ready and /metrics, and the clock by WebSocket.\n" })

const listen = (port: number, service: Effect.Effect<WebSocketServer.Service>) =>
  Effect.gen(function* () {
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const server = createServer(({ url }, response) => {
      const answered = Effect.map(
        Effect.flatMap(service, (service) => route(url, service)),
        ({ body, status }) => response.writeHead(status, { "Content-Type": "text/plain" }).end(body)
      )
      runFork(answered)
    })
    const failed = (cause: Error) =>
      new Network.TransportError({ reason: "Unknown", operation: "listen", detail: cause.message, cause })
    const listening = Effect.async<Server, Network.TransportError>((resume) => {
      server.once("error", (cause) => resume(Effect.fail(failed(cause))))
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    })
    const closed = Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
    return yield* Effect.acquireRelease(listening, () => closed)
  })

/**
 * The clock, and what its operators look at, on one port. When the scope ends the server drains, before the port is
 * closed, and says in the log how many left how.
 */
export const operations = (port: number) =>
  Effect.gen(function* () {
    const started = yield* Deferred.make<WebSocketServer.Service>()
    const http = yield* listen(port, Deferred.await(started))
    yield* Deferred.succeed(started, yield* NodeUpgrade.serve(http, options, clock))
    // A server that listens on a port has an address of this type.
    const { address, port: chosen } = http.address() as AddressInfo
    return { host: address, port: chosen }
  })
