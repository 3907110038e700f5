/**
 * A small echo, written for these tests only, in which faults can be planted: without one it obeys the RFC, so that what
 * a case says of it is due to the fault alone.
 */
import { Effect, Either, type Scope } from "effect"
import { Handshake, Network, Rejection } from "sluice"
import { concat, toHex } from "../../../sluice/test/support/bytes.js"
import { isValid } from "../../../sluice/test/support/utf8Cases.js"
import { raw } from "../../../sluice/test/support/wire.js"
import * as Subject from "../../src/Subject.js"

/** Rules that it does not keep an eye on. */
export type Unchecked =
  | "rsv"
  | "opcode"
  | "mask"
  | "control fin"
  | "control length"
  | "top bit"
  | "continuation"
  | "interleaved"
  | "utf8"
  | "close payload"
  | "close code"
  | "close reason"

/** What it does wrong. */
export type Misdeed =
  | "masks although it is a server, or the reverse"
  | "masks with one key"
  | "sends a reserved bit"
  | "writes lengths in 64 bits"
  | "echoes with the wrong type"
  | "echoes twice"
  | "forgets empty messages"
  | "cuts lengths to 32 bits"
  | "does not unmask fragments after the first"
  | "answers no Ping"
  | "answers Pings with another payload"
  | "closes with the wrong code"
  | "answers a Close with an illegal code"
  | "answers no Close"
  | "answers a Close twice"
  | "goes on after a Close"
  | "sends data after its Close"
  | "never ends the connection"
  | "ends the connection at once"
  | "says nothing"
  | "sends a wrong accept"
  | "chooses a subprotocol that it does not speak"
  | "accepts an extension that it does not have"
  | "takes a wrong accept"
  | "answers HEAD with content"
  | "answers twice"

/** What it does otherwise than most, and may. */
export type Liberty =
  | "answers the last Ping only"
  | "echoes in fragments"
  | "fails without a Close"
  | "answers every Close with 1000"
  | "answers every Close without a code"
  | "sends Pings and Pongs of its own"

export type Trait = Unchecked | Misdeed | Liberty

type Role = "client" | "server"

/** What is sent because of what came. */
interface Reaction {
  readonly send: ReadonlyArray<Uint8Array>
  readonly ends: boolean
}

const none = new Uint8Array(0)

/** The frames of one connection. */
const framesOf = (role: Role, traits: ReadonlySet<Trait>) => {
  let buffer: Uint8Array = none
  let unfinished: { readonly opcode: number; readonly parts: Array<Uint8Array> } | undefined
  let sent = 0
  let isDeaf = false
  let out: Array<Uint8Array> = []
  let ends = false

  const frame = (opcode: number, payload: Uint8Array, fin = true) => {
    const masked = (role === "client") !== traits.has("masks although it is a server, or the reverse")
    const key = traits.has("masks with one key") ? 0x01020304 : (0x9e3779b9 * ++sent) >>> 0
    out.push(
      raw({
        opcode,
        payload,
        fin,
        key: masked ? key : undefined,
        rsv: opcode < 8 && traits.has("sends a reserved bit") ? 2 : 0,
        form: opcode < 8 && traits.has("writes lengths in 64 bits") ? 64 : undefined
      })
    )
  }

  const close = (code: number | undefined) =>
    frame(8, code === undefined ? none : Uint8Array.of(code >>> 8, code & 0xff))

  const end = () => {
    isDeaf = true
    ends = !traits.has("never ends the connection")
  }

  const fail = (code: number) => {
    if (!traits.has("fails without a Close")) close(traits.has("closes with the wrong code") ? 1000 : code)
    end()
  }

  const answer = (code: number | undefined) => {
    if (traits.has("answers no Close")) return
    const illegal = traits.has("answers a Close with an illegal code") ? 1006 : undefined
    const plain = traits.has("answers every Close with 1000") ? 1000 : code
    close(illegal ?? (traits.has("answers every Close without a code") ? undefined : plain))
    if (traits.has("answers a Close twice")) close(code)
    if (traits.has("sends data after its Close")) frame(1, new TextEncoder().encode("late"))
    if (!traits.has("goes on after a Close")) end()
  }

  const message = (opcode: number, payload: Uint8Array) => {
    if (traits.has("forgets empty messages") && payload.length === 0) return
    const type = traits.has("echoes with the wrong type") ? 3 - opcode : opcode
    if (traits.has("sends Pings and Pongs of its own")) {
      frame(9, Uint8Array.of(1, 2))
      frame(10, Uint8Array.of(3))
    }
    if (traits.has("echoes in fragments")) {
      frame(type, payload.subarray(0, 1), false)
      frame(9, none)
      frame(0, none, false)
      frame(0, payload.subarray(1))
    } else frame(type, payload)
    if (traits.has("echoes twice")) frame(type, payload)
  }

  const checks = (name: Unchecked, isBroken: boolean, code = 1002): boolean => {
    if (!isBroken || traits.has(name)) return false
    fail(code)
    return true
  }

  const closed = (payload: Uint8Array) => {
    if (checks("close payload", payload.length === 1)) return
    if (payload.length < 2) return answer(undefined)
    const code = (payload[0]! << 8) | payload[1]!
    const isKnown =
      (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000)
    if (checks("close code", !isKnown)) return
    if (checks("close reason", !isValid(payload.subarray(2)), 1007)) return
    answer(isKnown ? code : 1000)
  }

  const data = (opcode: number, fin: boolean, payload: Uint8Array) => {
    if (checks("continuation", opcode === 0 && unfinished === undefined)) return
    if (checks("interleaved", opcode !== 0 && unfinished !== undefined)) return
    const { opcode: type, parts } = unfinished ?? { opcode: opcode === 0 ? 1 : opcode, parts: [] }
    parts.push(payload)
    unfinished = fin ? undefined : { opcode: type, parts }
    const whole = concat(parts)
    const isText = type === 1
    if (checks("utf8", isText && (fin ? !isValid(whole) : !canBecomeValid(whole)), 1007)) return
    if (fin) message(type, whole)
  }

  /** Reads one frame; `false` when more bytes are needed. */
  const step = (): boolean => {
    if (buffer.length < 2) return false
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    const b0 = view.getUint8(0)
    const b1 = view.getUint8(1)
    const opcode = b0 & 15
    const fin = b0 >= 128
    const masked = b1 >= 128
    if (checks("rsv", (b0 & 0x70) !== 0)) return true
    if (checks("opcode", (opcode & 7) > 2)) return true
    if (checks("mask", masked !== (role === "server"))) return true
    if (checks("control fin", opcode >= 8 && !fin)) return true
    if (checks("control length", opcode >= 8 && (b1 & 127) > 125)) return true
    const wide = (b1 & 127) === 126 ? 2 : (b1 & 127) === 127 ? 8 : 0
    if (buffer.length < 2 + wide) return false
    const long = wide === 0 ? BigInt(b1 & 127) : wide === 2 ? BigInt(view.getUint16(2)) : view.getBigUint64(2)
    if (checks("top bit", long >= 1n << 63n)) return true
    // The form is legal for one length only.
    if (long < (wide === 8 ? 65536n : wide === 2 ? 126n : 0n)) {
      fail(1002)
      return true
    }
    const length = Number(traits.has("cuts lengths to 32 bits") ? long & 0xffff_ffffn : long)
    const start = 2 + wide + (masked ? 4 : 0)
    if (isText(opcode) && !traits.has("utf8") && masked === (role === "server")) {
      // As much of the text as is here, so that it fails at once.
      const key = buffer.subarray(start - 4, start)
      const part = buffer.subarray(start, start + length).map((byte, i) => (masked ? byte ^ key[i % 4]! : byte))
      if (buffer.length >= start && !canBecomeValid(concat([...(unfinished?.parts ?? []), part]))) {
        fail(1007)
        return true
      }
    }
    if (buffer.length < start + length) return false
    const key = buffer.subarray(start - 4, start)
    const keeps = opcode === 0 && traits.has("does not unmask fragments after the first")
    const payload = buffer.slice(start, start + length).map((byte, i) => (masked && !keeps ? byte ^ key[i % 4]! : byte))
    buffer = buffer.slice(start + length)
    if (opcode === 8) closed(payload)
    else if (opcode === 9) pinged(payload)
    else if (opcode < 3) data(opcode, fin, payload)
    return true
  }

  const isText = (opcode: number): boolean => opcode === 1 || (opcode === 0 && unfinished?.opcode === 1)

  const pinged = (payload: Uint8Array) => {
    if (traits.has("answers no Ping")) return
    if (traits.has("answers the last Ping only")) pending = payload
    else frame(10, traits.has("answers Pings with another payload") ? Uint8Array.of(...payload, 0) : payload)
  }
  let pending: Uint8Array | undefined

  return (chunk: Uint8Array): Reaction => {
    buffer = concat([buffer, chunk])
    out = []
    ends = false
    if (traits.has("says nothing")) return { send: [], ends: false }
    if (traits.has("ends the connection at once")) return { send: [], ends: true }
    while (!isDeaf && step()) {}
    if (pending !== undefined) {
      // The Pong goes out before a Close that came behind the Ping.
      const rest = out.splice(0)
      frame(10, pending)
      out.push(...rest)
      pending = undefined
    }
    return { send: out, ends }
  }
}

/** Whether bytes are the beginning of UTF-8. */
const canBecomeValid = (bytes: Uint8Array): boolean => {
  for (let cut = 0; cut < 4; cut++) {
    const tail = bytes.subarray(bytes.length - cut)
    if (cut > bytes.length) return false
    if (!isValid(bytes.subarray(0, bytes.length - cut))) continue
    return cut === 0 || endings.some((ending) => isValid(concat([tail, ending])))
  }
  return false
}

const endings = [0x80, 0x90, 0xa0, 0xbf].flatMap((one) => [
  Uint8Array.of(one),
  Uint8Array.of(one, 0x80),
  Uint8Array.of(one, 0x80, 0x80)
])

const run = (transport: Network.Transport, role: Role, traits: ReadonlySet<Trait>, rest: Uint8Array) => {
  const react = framesOf(role, traits)
  const next: Effect.Effect<void> = Effect.suspend(() => Effect.flatMap(read(transport), handle))
  const handle = (chunk: Uint8Array | undefined): Effect.Effect<void> => {
    if (chunk === undefined) return traits.has("never ends the connection") ? Effect.never : transport.endOfOutput
    const { ends, send } = react(chunk)
    const sent = send.length === 0 ? Effect.void : Effect.ignore(transport.write(send))
    return Effect.zipRight(sent, ends ? Effect.zipRight(transport.endOfOutput, drain(transport)) : next)
  }
  return rest.length > 0 ? handle(rest) : next
}

/** `undefined` at the end. */
const read = (transport: Network.Transport) =>
  Effect.match(transport.read, { onFailure: () => undefined, onSuccess: (bytes) => bytes })

const drain = (transport: Network.Transport): Effect.Effect<void> =>
  Effect.flatMap(read(transport), (bytes) => (bytes === undefined ? Effect.void : drain(transport)))

const opened = (transport: Network.Transport, traits: ReadonlySet<Trait>) =>
  Effect.gen(function* () {
    const refuse = (rejection: Rejection.Rejection, method?: string) => {
      const hasContent = traits.has("answers HEAD with content")
      const reply = Rejection.toBytes(rejection, { method: hasContent ? undefined : method })
      const sent = Effect.ignore(transport.write(traits.has("answers twice") ? [reply, reply] : reply))
      return sent.pipe(Effect.zipRight(transport.endOfOutput), Effect.zipRight(drain(transport)), Effect.as(undefined))
    }
    let state: Handshake.AwaitingHead | Handshake.Received = Handshake.awaitingHead()
    while (state._tag === "AwaitingHead") {
      const chunk = yield* read(transport)
      if (chunk === undefined) return undefined
      const received: Either.Either<Handshake.AwaitingHead | Handshake.Received, Rejection.Rejection> =
        Handshake.receive(state, chunk)
      if (Either.isLeft(received)) return yield* refuse(received.left)
      state = received.right
    }
    const accepted = Either.flatMap(Handshake.offer(state), Handshake.negotiate)
    if (Either.isLeft(accepted)) return yield* refuse(accepted.left, state.request.method)
    const lines = [
      ...(traits.has("chooses a subprotocol that it does not speak") ? ["Sec-WebSocket-Protocol: chat"] : []),
      ...(traits.has("accepts an extension that it does not have") ? ["Sec-WebSocket-Extensions: x-mux"] : [])
    ]
    const head = new TextDecoder("latin1")
      .decode(Handshake.response(accepted.right))
      .replace(/(Sec-WebSocket-Accept: )(.)/, (all, name, first) =>
        traits.has("sends a wrong accept") ? `${name}${first === "A" ? "B" : "A"}` : all
      )
      .replace(/\r\n\r\n$/, ["", ...lines, "", ""].join("\r\n"))
    yield* Effect.ignore(transport.write(new TextEncoder().encode(head)))
    return accepted.right.rest
  })

/** A server that is so. */
export const server = (...traits: ReadonlyArray<Trait>): Subject.Subject<Network.Network | Scope.Scope> => {
  const set = new Set(traits)
  return Subject.server((setup) =>
    Effect.gen(function* () {
      if (setup !== undefined) return yield* new Subject.Unsupported({ reason: "it has no options" })
      const network = yield* Network.Network
      const listener = yield* network.listen({})
      yield* listener.accept.pipe(
        Effect.flatMap((transport) =>
          Effect.flatMap(opened(transport, set), (rest) =>
            rest === undefined ? Effect.void : run(transport, "server", set, rest)
          )
        ),
        Effect.scoped,
        Effect.forkScoped
      )
      return listener
    })
  )
}

/** A client that is so. */
export const client = (...traits: ReadonlyArray<Trait>): Subject.Subject<Network.Network | Scope.Scope> => {
  const set = new Set(traits)
  return Subject.client((url, setup) =>
    Effect.gen(function* () {
      if (setup !== undefined) return yield* new Subject.Unsupported({ reason: "it has no options" })
      const network = yield* Network.Network
      const [host = "", port] = url.slice("ws://".length, -1).split(":")
      const transport = yield* network.connect({ host, port: Number(port) })
      const initiated = yield* Handshake.initiate(
        { authority: `${host}:${port}`, target: "/" },
        new Uint8Array(16).fill(7)
      )
      const [awaiting, request] = Handshake.request(initiated)
      yield* transport.write(request)
      let state: typeof awaiting | Handshake.ClientAccepted = awaiting
      while (state._tag === "AwaitingResponse") {
        const bytes: Uint8Array | undefined = yield* read(transport)
        if (bytes === undefined) return yield* transport.endOfOutput
        const received: ReturnType<typeof Handshake.receiveResponse<never, never>> = Handshake.receiveResponse(
          state,
          bytes
        )
        if (Either.isRight(received)) {
          state = received.right
          continue
        }
        const isWrong = received.left._tag === "InvalidResponse" && received.left.reason === "Accept"
        if (!(isWrong && set.has("takes a wrong accept"))) return yield* transport.endOfOutput
        return yield* run(transport, "client", set, behindHead(bytes))
      }
      return yield* run(transport, "client", set, state.rest)
    }).pipe(Effect.scoped)
  )
}

/** Of a reply that came in one piece. */
const behindHead = (bytes: Uint8Array): Uint8Array => bytes.subarray(toHex(bytes).indexOf("0d0a0d0a") / 2 + 4)
