/** Whole connections in memory: a server or a client of ours, and a peer that says whatever the input says. */
import { Cause, Clock, Effect, Either, Exit, Fiber, Stream } from "effect"
import * as Frame from "../../../src/Frame.js"
import * as Http1 from "../../../src/Http1.js"
import * as Limits from "../../../src/Limits.js"
import * as MemoryNetwork from "../../../src/MemoryNetwork.js"
import * as Message from "../../../src/Message.js"
import * as Network from "../../../src/Network.js"
import type * as Protocol from "../../../src/Protocol.js"
import * as WebSocket from "../../../src/WebSocket.js"
import * as WebSocketClient from "../../../src/WebSocketClient.js"
import * as WebSocketServer from "../../../src/WebSocketServer.js"
import { concat, toHex } from "../../support/bytes.js"
import { head, latin1, toLatin1 } from "../../support/http.js"
import { ask } from "../../support/requests.js"
import type * as Wire from "../../support/wire.js"
import { inputs, type Setting, settingOf } from "../inputs/connection.js"
import * as Frames from "../oracles/frames.js"
import { acceptKey, bodyOf } from "../oracles/openings.js"
import { Random } from "../random.js"
import { Broken, chunksOf, must, mustEqual, split, type Target } from "../target.js"
import { play } from "../world.js"

// --- our side

/** What is seen of our side. */
interface Seen {
  sockets: number
  readonly reasons: Array<Protocol.CloseReason>
  /** When the last of them was known, in milliseconds from the beginning. */
  endedAt: number
  readonly messages: Array<string>
  /** What the peer hears. */
  readonly output: Array<Uint8Array>
}

const showMessage = (message: Message.Message): string => `${message._tag} ${toHex(Message.payload(message))}`

/** What the application does with its socket. That it fails with what the types say is right, a defect is not. */
const work = (socket: WebSocket.WebSocket, { work }: Setting, seen: Seen): Effect.Effect<unknown, unknown> => {
  switch (work) {
    case "echo":
      return WebSocket.runForEach(socket, socket.send)
    case "wait":
      return socket.closed
    case "stream":
      return Stream.runForEach(
        WebSocket.streamed(socket),
        (message): Effect.Effect<void, unknown> =>
          message._tag === "TextStream"
            ? WebSocket.sendStream(socket, "Text", message.text)
            : WebSocket.sendStream(socket, "Binary", message.bytes)
      )
    case "close":
      return Effect.zipRight(
        socket.sendAll(["one", Uint8Array.of(2), Message.encode(Message.text("three"))]),
        Effect.zipRight(socket.take, socket.close({ code: 3001, reason: "enough" }))
      )
    case "collect":
      return Effect.zip(
        WebSocket.runForEach(socket, (message) => Effect.sync(() => seen.messages.push(showMessage(message)))),
        Effect.ignore(socket.ping),
        { concurrent: true }
      )
    case "flood":
      return Effect.zip(
        socket.sendAll(Array.from({ length: 32 }, (_, i) => new Uint8Array(i * 100))),
        Stream.runDrain(socket.messages),
        { concurrent: true }
      )
  }
}

/** Handles a socket, and waits for what `closed` says in a fiber that nobody ends. */
const handle = (socket: WebSocket.WebSocket, setting: Setting, seen: Seen) =>
  Effect.gen(function* () {
    seen.sockets++
    const ended = Effect.flatMap(socket.closed, (reason) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        seen.reasons.push(reason)
        seen.endedAt = now
      })
    )
    yield* Effect.forkDaemon(ended)
    yield* Effect.catchAll(work(socket, setting, seen), () => Effect.void)
  })

const withoutLane = ({ abort, endOfOutput, local, read, remote, write }: Network.Transport): Network.Transport => ({
  abort,
  endOfOutput,
  local,
  read,
  remote,
  write
})

/** Longer than all timeouts together. */
const longest = "1 hour"

const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, law: string): Effect.Effect<A, E, R> =>
  Effect.timeoutFailCause(effect, {
    duration: longest,
    onTimeout: () => Cause.die(new Broken(law, `not within ${longest}`))
  })

const serve = (setting: Setting, chunks: ReadonlyArray<Uint8Array>, seen: Seen) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const { cutAfter, hasLane, isAsked, limits } = setting
    const authenticate = isAsked ? () => Effect.asVoid(Effect.sleep("1 second")) : undefined
    const acceptor = yield* WebSocketServer.make({ limits, subprotocols: ["chat.v1"], authenticate }, (socket) =>
      handle(socket, setting, seen)
    )
    const listener = yield* network.listen({})
    const transport = yield* network.connect(listener.address)
    const accepted = yield* listener.accept
    yield* acceptor.accept(hasLane ? accepted : withoutLane(accepted))
    yield* speak(transport, chunks, setting, seen)
    // The end of the scope drains.
    if (cutAfter !== undefined) {
      yield* Effect.repeatN(Effect.yieldNow(), cutAfter)
      return
    }
    const left = Effect.map(Effect.delay(acceptor.connections, "1 minute"), (count) => count === 0)
    yield* inTime(Effect.repeat(left, { until: (hasLeft) => hasLeft }), "a connection leaves its server")
  })

const connect = (setting: Setting, chunksFor: (request: string) => ReadonlyArray<Uint8Array>, seen: Seen) =>
  Effect.gen(function* () {
    const network = yield* Network.Network
    const { cutAfter, hasLane, limits } = setting
    const listener = yield* network.listen({})
    const own: Network.Network["Type"] = hasLane
      ? network
      : { ...network, connect: (address) => Effect.map(network.connect(address), withoutLane) }
    const url = `ws://${Network.formatAddress(listener.address)}/`
    const session = Effect.flatMap(WebSocketClient.connect({ url, limits, subprotocols: ["chat.v1"] }), (socket) =>
      handle(socket, setting, seen)
    ).pipe(Effect.scoped, Effect.provideService(Network.Network, own), Effect.exit)
    const client = yield* Effect.fork(session)
    const transport = yield* listener.accept
    const request = yield* Effect.orElseSucceed(transport.read, () => new Uint8Array(0))
    seen.output.push(request)
    yield* speak(transport, chunksFor(toLatin1(request)), setting, seen)
    if (cutAfter !== undefined) {
      yield* Effect.repeatN(Effect.yieldNow(), cutAfter)
      yield* inTime(Fiber.interrupt(client), "a client can be interrupted")
      return
    }
    const exit = yield* inTime(Fiber.join(client), "a client comes to its end")
    if (Exit.isFailure(exit)) {
      must(Cause.isFailure(exit.cause) && !Cause.isDie(exit.cause), "a client fails with what its type says", () =>
        String(exit.cause)
      )
    }
  })

// --- the peer

/** In the background: says the chunks, hears what it is told if it listens, and leaves in one way or the other. */
const speak = (transport: Network.Transport, chunks: ReadonlyArray<Uint8Array>, { end, seed }: Setting, seen: Seen) =>
  Effect.gen(function* () {
    const random = new Random(seed)
    const pause = Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), random.below(6)))
    const hear = Effect.forever(Effect.map(transport.read, (bytes) => seen.output.push(bytes)))
    if (end !== "leaves unread") yield* Effect.forkScoped(Effect.ignore(hear))
    const say = Effect.forEach(chunks, (chunk) => Effect.zipRight(transport.write(chunk), pause))
    const leave = end === "resets" ? transport.abort : end === "falls silent" ? Effect.void : transport.endOfOutput
    yield* Effect.forkScoped(Effect.zipRight(Effect.ignore(say), leave))
    // A peer that is silent, or whom we do not hear out, does not stay for ever.
    yield* Effect.forkScoped(Effect.delay(transport.abort, "10 minutes"))
  })

interface Said {
  /** Of the reply of a server, if it has sent one. */
  readonly status: string
  readonly messages: ReadonlyArray<string>
}

/** What our side has said: one head, and behind it one body or frames. */
const hearOut = (role: Wire.Role, output: Uint8Array): Said => {
  const reading = { maxHeadSize: "unbounded" } as const
  const read: Either.Either<
    Http1.AwaitingRequest | Http1.AwaitingResponse | Http1.Complete<Http1.RequestHead | Http1.ResponseHead>,
    Http1.HeadError
  > = role === "server" ? Http1.receive(Http1.response(reading), output) : Http1.receive(Http1.request(reading), output)
  must(Either.isRight(read), "what we send begins with a head", () => toLatin1(output))
  if (read.right._tag !== "Complete") return { status: "nothing", messages: [] }
  const { head, rest } = read.right
  if ("status" in head && head.status === 100) return hearOut(role, rest)
  if ("status" in head && head.status !== 101) {
    const body = bodyOf(toLatin1(output.subarray(0, output.length - rest.length)), toLatin1(rest))
    must(body === undefined || body.length === rest.length, "a refusal is one reply")
    return { status: String(head.status), messages: [] }
  }
  const decoder = Frame.decoder({ role: role === "server" ? "client" : "server", maxFramePayload: "unbounded" })
  const { error, frames } = Frame.decodeChunk(decoder, rest)
  must(error === undefined, "what we send are frames", () => String(error))
  // §5.5.1: no data frames after a Close frame, and no other; a Ping may still be answered
  const close = frames.findIndex(({ opcode }) => opcode === Frame.Opcode.Close)
  const behind = close === -1 ? [] : frames.slice(close + 1)
  must(
    behind.every(({ opcode }) => opcode === Frame.Opcode.Pong),
    "only Pongs are sent behind a Close frame"
  )
  const assembler = Message.assembler({ maxMessageSize: "unbounded", maxFragments: "unbounded" })
  const assembled = Message.assembleFrames(assembler, frames)
  must(assembled.error === undefined, "what we send are messages", () => String(assembled.error))
  const messages = assembled.messages.flatMap((item) => (item._tag === "Frame" ? [] : [showMessage(item)]))
  return { status: "101", messages }
}

// --- one input

/** What the application was given, or sent back, is what the peer has said, in order; all of it where nothing broke off. */
const checkMessages = (bytes: Uint8Array, setting: Setting, seen: Seen, said: Said): void => {
  const { cutAfter, end, role, work } = setting
  const limits = Limits.make(setting.limits)
  const heard = Frames.hear(bytes, { masked: role === "server", reserved: 0, isClosing: false, ...limits })
  if (work === "echo" || work === "stream") {
    mustEqual(said.messages, heard.messages.slice(0, said.messages.length), "messages come back as they were sent")
  }
  if (work !== "collect") return
  const { length } = seen.messages
  mustEqual(seen.messages, heard.messages.slice(0, length), "messages arrive as they were sent")
  const isCalm = heard.controls <= Number(limits.maxControlFramesPerSecond)
  if (isCalm && cutAfter === undefined && end === "ends its output") {
    mustEqual(length, heard.messages.length, "no message is lost")
  }
}

/** No timeout is longer. */
const soon = 60_000

/** Byte by byte is long for a long input. */
const mostSingle = 200

const run = (input: Uint8Array): string => {
  const [option = 0, kind = 0, seed = 0] = input
  const setting = settingOf(option, kind, seed)
  const { cutAfter, end, isOpened, role, window } = setting
  const bytes = input.slice(3)
  const seen: Seen = { sockets: 0, reasons: [], endedAt: 0, messages: [], output: [] }
  const chunks = (opening: Uint8Array): ReadonlyArray<Uint8Array> =>
    chunksOf(isOpened ? concat([opening, bytes]) : bytes, bytes.length > mostSingle ? seed | 1 : seed)
  const program =
    role === "server"
      ? serve(setting, chunks(latin1(ask())), seen)
      : connect(setting, (request) => chunks(switching(request)), seen)
  const network = MemoryNetwork.make({ window })
  play(program.pipe(Effect.scoped, Effect.provideService(Network.Network, network)), new Random(seed))
  mustEqual(seen.reasons.length, seen.sockets, "closed always answers")
  const said = hearOut(role, concat(seen.output))
  if (isOpened && seen.sockets > 0) checkMessages(bytes, setting, seen, said)
  const reads = setting.work === "echo" || setting.work === "stream" || setting.work === "collect"
  if (reads && (end === "ends its output" || end === "resets")) {
    must(seen.endedAt <= soon, "who reads knows soon that the peer has left", () => `after ${seen.endedAt} ms`)
  }
  const isWelcome = isOpened && cutAfter === undefined && end === "ends its output"
  if (isWelcome) mustEqual(seen.sockets, 1, "who asks as it should gets a socket")
  return `${role} ${seen.reasons[0]?._tag ?? (role === "server" ? said.status : "refused")}`
}

const switching = (request: string): Uint8Array => {
  const key = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request)?.[1] ?? ""
  const accept = `Sec-WebSocket-Accept: ${acceptKey(key)}`
  return latin1(head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", accept))
}

export const connection: Target = {
  name: "connection",
  ...inputs,
  run,
  outcomes: [
    ...split("Clean|Violation|Aborted|HeartbeatLost").flatMap((tag) => [`server ${tag}`, `client ${tag}`]),
    ...split("client refused|server 400|server 426|server 408")
  ]
}
