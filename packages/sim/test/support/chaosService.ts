/**
 * Clients and a server of sluice on a bad network, and what must hold of them whatever happens on it.
 *
 * Each client numbers its messages, and the server answers each with its number. What both have seen is compared at the
 * end; what does not fit is a violation.
 */
import { Duration, Effect, Exit, Fiber, Option, Random, Stream } from "effect"
import type * as Limits from "sluice/Limits"
import * as Message from "sluice/Message"
import * as Protocol from "sluice/Protocol"
import * as WebSocket from "sluice/WebSocket"
import * as WebSocketClient from "sluice/WebSocketClient"
import * as WebSocketServer from "sluice/WebSocketServer"
import * as SimNetwork from "../../src/SimNetwork.js"
import * as Simulation from "../../src/Simulation.js"
import { watched } from "./watchedNetwork.js"

const limits = {
  sendHighWaterMark: 2048,
  receiveWindowMessages: 3,
  receiveWindowBytes: 4096,
  handshakeTimeout: "6 seconds",
  closeTimeout: "5 seconds",
  pingInterval: "4 seconds",
  pingTimeout: "4 seconds",
  messageTimeout: "30 seconds"
} satisfies Limits.Options

/** All timeouts of a connection after each other, and some milliseconds for rounding. */
const allTimeouts = 6000 + 2 * 4000 + 4000 + 2 * 5000 + 100

/** The network holds so much for one connection that nobody reads: windows and buffers both ways, and a message each. */
const network = { window: 4096, sendBuffer: 2048, connectTimeout: "8 seconds" } as const
const largest = 5000
const heldPerConnection = 2 * (network.window + network.sendBuffer + limits.sendHighWaterMark + 2 * largest)

/** What one end of a connection has seen. */
interface Seen {
  readonly received: Array<string>
  reason: Protocol.CloseReason | undefined
  endedAt: number
}

const seen = (): Seen => ({ received: [], reason: undefined, endedAt: Number.POSITIVE_INFINITY })

/** What clients do. */
export type Talk = "Echo" | "Streamed" | "Pings" | "Slow"

export interface Scenario {
  readonly talk: Talk
  readonly messages: number
  /** The server is told to stop in the middle of it, and starts again. */
  readonly drains: boolean
}

const now = Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis())

const numberOf = (text: string): string => text.slice(0, text.indexOf("."))

/** Runs the scenario, and gives the violations. */
export const chaos = ({ drains, messages, talk }: Scenario) =>
  Effect.gen(function* () {
    const violations: Array<string> = []
    const note = (violation: string) => violations.push(violation)
    const peers = yield* Simulation.Peers
    const servers = new Map<string, Seen>()
    const clients = new Map<string, Seen & { readonly sent: Array<string> }>()

    const end = (side: Seen, socket: WebSocket.WebSocket) =>
      Effect.flatMap(socket.closed, (reason) =>
        Effect.map(now, (time) => {
          side.reason = reason
          side.endedAt = time
        })
      )

    const handle = (socket: WebSocket.WebSocket, key: string) => {
      const side = seen()
      servers.set(key, side)
      let isClosed = false
      const answer = (text: string) =>
        Effect.suspend(() => {
          if (isClosed) note(`${key}: the server got a message after its end`)
          side.received.push(numberOf(text))
          const pause = talk === "Slow" ? Effect.flatMap(Random.nextIntBetween(0, 300), Effect.sleep) : Effect.void
          return Effect.zipRight(pause, socket.send(`ack ${numberOf(text)}`))
        })
      const reading =
        talk === "Streamed"
          ? WebSocket.streamed(socket).pipe(
              Stream.runForEach((message) =>
                message._tag === "TextStream"
                  ? Effect.flatMap(Stream.mkString(message.text), answer)
                  : Effect.sync(() => note(`${key}: bytes that nobody sent`))
              )
            )
          : WebSocket.runForEach(socket, (message) => answer(Message.isText(message) ? message.text : ""))
      return reading.pipe(
        Effect.ensuring(
          Effect.sync(() => {
            isClosed = true
          })
        ),
        // Also of a handler that is interrupted, because its server drains.
        Effect.ensuring(end(side, socket))
      )
    }

    const serve = WebSocketServer.serve({ port: 80, limits }, (socket, { accepted }) =>
      handle(socket, accepted.request.target)
    ).pipe(watched(note))

    const talkTo = (socket: WebSocket.WebSocket, side: Seen & { readonly sent: Array<string> }, key: string) =>
      Effect.gen(function* () {
        const size = talk === "Streamed" ? largest : 700
        let hasFailed = false
        const sendOne = (n: number) =>
          Effect.gen(function* () {
            const text = `${n}.${"é".repeat(yield* Random.nextIntBetween(0, size / 2))}`
            side.sent.push(`${n}`)
            const sending =
              talk === "Streamed"
                ? WebSocket.sendStream(socket, "Text", Stream.fromIterable(text.match(/.{1,400}/g) ?? []))
                : socket.send(text)
            const exit = yield* Effect.exit(sending)
            if (Exit.isFailure(exit)) {
              hasFailed = true
              if (Exit.isInterrupted(exit)) return yield* exit
              if (yield* socket.isOpen) note(`${key}: a send failed on an open connection`)
              return yield* exit
            }
            if (hasFailed) note(`${key}: a send succeeded after one that failed`)
            if (talk === "Pings" && n % 3 === 0) yield* socket.ping
          })
        const sending = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: messages }, (_, n) => n),
            sendOne,
            { discard: true }
          )
        )
        while (side.received.length < messages) {
          const batch = yield* Effect.option(socket.take)
          if (Option.isNone(batch)) break
          for (const message of batch.value) {
            if (Message.isText(message)) side.received.push(message.text.replace("ack ", ""))
          }
        }
        const isDone = side.received.length === messages
        // Its last Ping may fail, if the connection ends behind the last answer.
        if (isDone) yield* Fiber.await(sending)
        else yield* Fiber.interrupt(sending)
        const before = yield* now
        const reason = yield* Effect.either(socket.close({ code: 3000 + (messages % 7) }))
        if (reason._tag === "Left") note(`${key}: it could not be closed: ${reason.left.message}`)
        const took = (yield* now) - before
        if (took > 5001) note(`${key}: closing took ${took} ms`)
        return isDone
      })

    const visit = (key: string) =>
      Effect.gen(function* () {
        const side = { ...seen(), sent: [] }
        const before = yield* now
        const connected = yield* Effect.either(WebSocketClient.connect({ url: `ws://server${key}`, limits }))
        const took = (yield* now) - before
        if (took > 6001) note(`${key}: connecting took ${took} ms`)
        if (connected._tag === "Left") return false
        clients.set(key, side)
        const socket = connected.right
        const isDone = yield* talkTo(socket, side, key)
        yield* end(side, socket)
        return isDone
      }).pipe(Effect.scoped, watched(note))

    const client = (number: number) =>
      SimNetwork.on(
        `client ${number}`,
        Effect.gen(function* () {
          for (let attempt = 1; attempt <= 4; attempt++) {
            if (yield* visit(`/${number}-${attempt}`)) return
            yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 2000)))
          }
        })
      )

    // A host that starts again knows nothing of the connections of its former life, which have no end of theirs.
    const forget = Effect.sync(() => {
      for (const side of servers.values()) if (side.reason === undefined) side.endedAt = Number.NEGATIVE_INFINITY
    })
    const run = drains
      ? Effect.forever(Effect.scoped(Effect.zipRight(Effect.orDie(serve), Effect.sleep("2 seconds"))))
      : Effect.scoped(Effect.zipRight(Effect.orDie(serve), Effect.never))
    const held = Effect.flatMap(SimNetwork.stats, ({ bytesHeld, open }) =>
      Effect.sync(() => {
        const bound = Math.max(1, open.length) * heldPerConnection
        if (bytesHeld > bound) note(`the network holds ${bytesHeld} bytes for ${open.length} connections`)
      })
    )
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* SimNetwork.spawn("server", Effect.zipRight(forget, run))
        yield* Effect.forkScoped(Effect.forever(Effect.zipRight(held, Effect.sleep("500 millis"))))
        yield* Effect.forEach(
          Array.from({ length: peers }, (_, i) => i + 1),
          client,
          {
            concurrency: "unbounded",
            discard: true
          }
        )
        const last = Math.max(0, ...[...clients.values()].map(({ endedAt }) => endedAt))
        yield* Effect.sleep(allTimeouts)
        for (const [key, { endedAt, reason }] of servers) {
          if (endedAt === Number.NEGATIVE_INFINITY) continue
          if (reason === undefined) note(`${key}: the server is not at its end ${allTimeouts} ms after all clients`)
          else if (endedAt > last + allTimeouts) note(`${key}: the server came to its end late`)
        }
      })
    )

    for (const [key, client] of clients) compare(key, client, servers.get(key), note)
    return violations
  })

/** What the two ends of one connection have seen must fit. */
const compare = (
  key: string,
  client: Seen & { readonly sent: ReadonlyArray<string> },
  server: Seen | undefined,
  note: (violation: string) => void
): void => {
  const { reason } = client
  if (reason === undefined) {
    note(`${key}: the client is not at its end`)
    return
  }
  const arrived = server?.received ?? []
  const isPrefix = (part: ReadonlyArray<string>, whole: ReadonlyArray<string>) =>
    part.every((item, i) => item === whole[i])
  if (!isPrefix(arrived, client.sent)) note(`${key}: ${arrived} arrived of ${client.sent}`)
  if (!isPrefix(client.received, arrived)) note(`${key}: ${client.received} were acknowledged of ${arrived}`)
  if (server?.reason === undefined || !Protocol.isClean(reason) || !Protocol.isClean(server.reason)) return
  const ends = `the client has ${JSON.stringify(reason)}, the server ${JSON.stringify(server.reason)}`
  const initiators = [reason, server.reason].filter(isInitiator).length
  if (initiators === 0) note(`${key}: nobody has closed it: ${ends}`)
  // Who close at the same time each have the code of the other (RFC 6455 §7.1.5).
  if (initiators === 1 && Protocol.codeOf(reason) !== Protocol.codeOf(server.reason)) note(`${key}: ${ends}`)
}

const isInitiator = (reason: Protocol.CloseReason): boolean =>
  reason._tag === "Drained" || (reason._tag === "Clean" && reason.initiator === "local")

/** What may be under way to a peer that does not read: the queues of both ends, the network, and a message for each. */
const underWay = limits.sendHighWaterMark + network.sendBuffer + network.window + limits.receiveWindowBytes + 4 * 700

/** A server that sends as fast as it may, to clients that stop reading again and again. */
export const flood = Effect.gen(function* () {
  const violations: Array<string> = []
  const peers = yield* Simulation.Peers
  const sent = new Map<string, number>()
  const bytes = new Uint8Array(700)
  const serve = WebSocketServer.serve({ port: 80, limits }, (socket, { accepted }) => {
    const key = accepted.request.target
    return socket.send(bytes).pipe(
      Effect.tap(() => Effect.sync(() => sent.set(key, (sent.get(key) ?? 0) + bytes.length))),
      Effect.forever
    )
  })
  const client = (number: number) =>
    Effect.gen(function* () {
      const key = `/${number}`
      const socket = yield* WebSocketClient.connect({ url: `ws://server${key}`, limits })
      let received = 0
      for (let i = 0; i < 12; i++) {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 15_000))
        const held = (sent.get(key) ?? 0) - received
        if (held > underWay) violations.push(`${key}: ${held} bytes are under way, ${underWay} may be`)
        for (const message of yield* socket.take) received += Message.payload(message).length
      }
      // Who has read all the time has read more than the queues hold.
      if (received <= underWay) violations.push(`${key}: no more than ${received} bytes came`)
    }).pipe(Effect.scoped, Effect.ignore)
  yield* SimNetwork.spawn("server", Effect.scoped(Effect.zipRight(Effect.orDie(serve), Effect.never)))
  yield* Effect.sleep("10 millis")
  yield* Effect.forEach(
    Array.from({ length: peers }, (_, i) => i + 1),
    (number) => SimNetwork.on(`client ${number}`, client(number)),
    { concurrency: "unbounded", discard: true }
  )
  return violations
}).pipe(Effect.scoped)

/** Why something is wrong, for `check`. */
export const verdict = (violations: ReadonlyArray<string>): string | undefined =>
  violations.length === 0 ? undefined : violations.join("; ")

// Each byte by itself takes many steps.
export const options = { network, peers: 3, maxSteps: 4_000_000 } as const
