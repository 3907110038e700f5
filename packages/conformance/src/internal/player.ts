/**
 * Plays the steps of one case on one connection.
 *
 * Each step is an effect that fails with what was wanted and what came instead. It waits for bytes only; who runs it
 * sets a deadline around it.
 */
import * as Effect from "effect/Effect"
import type { Bytes, Case, Frame, Message, Step } from "../Case.js"
import type { Link } from "../Subject.js"
import { concat, equals, toBytes, toHex } from "./bytes.js"
import { writeFrame } from "./frameWriter.js"
import * as Heads from "./heads.js"
import { Hearing, Mismatch, mismatch } from "./hearing.js"
import { showStep, showWanted } from "./show.js"
import type { Wire } from "./wire.js"

interface Wanted {
  readonly type: "text" | "binary"
  readonly payload: Uint8Array
}

type Play<Tag extends Step["_tag"]> = Extract<Step, { readonly _tag: Tag }>

const latin1 = new TextDecoder("latin1")

/** @internal */
export class Player {
  /** What the RFC recommends, and the endpoint has not done. */
  readonly remarks: Array<string> = []
  readonly hearing: Hearing
  private readonly role: Case["role"]
  private readonly wire: Wire
  private readonly entropy: (size: number) => Uint8Array
  private known: Heads.Known
  /** Of the first request. */
  private method: string | undefined = undefined
  /** Nothing more can be demanded, since this side has reset the connection. */
  private isGone = false
  private hasEndedOutput = false
  /** Whether the opening handshake is known to have ended well, so that a closing one can be demanded. */
  private isAgreed = false
  private hasSentClose = false
  /** What came before a step that waits for it. */
  private messages: Array<Wanted> = []
  private pongs: Array<Uint8Array> = []

  constructor(role: Case["role"], link: Link, wire: Wire, entropy: (size: number) => Uint8Array) {
    this.role = role
    this.wire = wire
    this.entropy = entropy
    this.known = { host: link.host, path: link.path, key: Heads.drawKey(entropy), subprotocols: "" }
    this.hearing = new Hearing(role, wire, (payload) =>
      this.hasSentClose ? Effect.void : this.sendFrames([{ opcode: 10, payload: { hex: toHex(payload) } }])
    )
  }

  readonly step = (step: Step): Effect.Effect<void, Mismatch> => {
    this.hearing.beginStep()
    switch (step._tag) {
      case "SendFrames":
        return this.sendFrames(step.frames)
      case "SendBytes":
        return this.wire.send(toBytes(step.bytes))
      case "EndOutput":
        this.hasEndedOutput = true
        return this.wire.endOfOutput
      case "Reset":
        this.isGone = true
        return this.wire.reset
      case "Request":
        return this.request(step.head)
      case "Response":
        return this.respond(step.head)
      case "ReceiveRequest":
        return Effect.flatMap(this.takeRequest, (head) => this.check(head, step))
      case "ReceiveResponse":
        return this.receiveResponse(step)
      case "Receive":
        return this.receive(step.messages ?? [], step.pongs ?? [])
      case "ReceiveClose":
        return this.receiveClose(step)
      case "ReceiveEnd":
        return this.receiveEnd(step)
    }
  }

  /** The opening handshake of a case that begins with an open connection. */
  get open(): Effect.Effect<void, Mismatch> {
    if (this.role === "server") {
      const { absentFromResponse: absent, responseFields: fields } = Heads
      const wanted = { _tag: "ReceiveResponse", statuses: [101], fields, absent } as const
      return Effect.zipRight(this.request(Heads.request), this.receiveResponse(wanted))
    }
    return Effect.flatMap(this.takeRequest, (head) => {
      const wrong = Heads.wrongRequest(head)
      return wrong === undefined
        ? this.respond(Heads.response)
        : new Mismatch({ expected: "a request for a WebSocket (§4.1)", got: wrong })
    })
  }

  /** The closing handshake of a case that leaves the connection open. */
  get close(): Effect.Effect<void, Mismatch> {
    return Effect.suspend(() => {
      this.hearing.beginStep()
      const [left] = this.messages
      if (left !== undefined) return mismatch("no further message", { _tag: "Message", ...left })
      if (this.isGone || this.hasEndedOutput || this.hearing.hasClosed) return Effect.void
      if (!this.isAgreed || this.hearing.ended !== undefined) return Effect.void
      const started = this.hasSentClose ? Effect.void : this.sendFrames([{ opcode: 8, payload: { hex: "03e8" } }])
      return started.pipe(
        Effect.zipRight(this.receiveClose({ _tag: "ReceiveClose", codes: [1000, 1005] })),
        Effect.zipRight(this.receiveEnd({ _tag: "ReceiveEnd" }))
      )
    })
  }

  private sendFrames(frames: ReadonlyArray<Frame>): Effect.Effect<void> {
    if (frames.some(({ opcode }) => opcode === 8)) this.hasSentClose = true
    const masked = this.role === "server"
    return this.wire.send(concat(frames.map((frame) => writeFrame(frame, masked, () => this.entropy(4)))))
  }

  // --- heads

  private request(head: Bytes): Effect.Effect<void> {
    const bytes = toBytes(Heads.fill(head, this.known))
    this.method ??= Heads.methodIn(latin1.decode(bytes))
    // What the endpoint must answer to is the key that was sent, also where the case has its own.
    this.known = { ...this.known, key: Heads.keyIn(latin1.decode(bytes)) ?? this.known.key }
    return this.wire.send(bytes)
  }

  private respond(head: Bytes): Effect.Effect<void> {
    const bytes = toBytes(Heads.fill(head, this.known))
    // A client says nothing more that is not in frames, whatever the reply is.
    this.hearing.open()
    if (latin1.decode(bytes.subarray(0, 12)) === "HTTP/1.1 101") this.isAgreed = true
    return this.wire.send(bytes)
  }

  private get takeRequest(): Effect.Effect<Heads.Head, Mismatch> {
    const taken = this.hearing.takeHead(() => "a request")
    return Effect.map(taken, (text) => {
      const head = Heads.parseHead(text)
      const key = Heads.keyIn(text) ?? this.known.key
      this.known = { ...this.known, key, subprotocols: Heads.fieldOf(head, "Sec-WebSocket-Protocol") ?? "" }
      return head
    })
  }

  private receiveResponse(step: Play<"ReceiveResponse">): Effect.Effect<void, Mismatch> {
    const taken = this.hearing.takeHead(() => showStep(step))
    return Effect.flatMap(taken, (text) => {
      const head = Heads.parseHead(text)
      const status = Heads.statusOf(head)
      if (status === 101) {
        this.hearing.open()
        this.isAgreed = true
      } else if (status === undefined || status >= 200) {
        this.hearing.refused(Heads.contentLength(head, this.method))
      }
      return status === undefined || !step.statuses.includes(status)
        ? new Mismatch({ expected: showStep(step), got: head.startLine })
        : this.check(head, step)
    })
  }

  private check(head: Heads.Head, step: Play<"ReceiveRequest" | "ReceiveResponse">): Effect.Effect<void, Mismatch> {
    const wrong = Heads.unlike(head, Heads.fillFields(step.fields ?? {}, this.known), step.absent ?? [])
    return wrong === undefined ? Effect.void : new Mismatch({ expected: showStep(step), got: wrong })
  }

  // --- frames

  private receive(messages: ReadonlyArray<Message>, pongs: ReadonlyArray<Bytes>): Effect.Effect<void, Mismatch> {
    const left = messages.map(({ payload, type }): Wanted => ({ type, payload: toBytes(payload) }))
    const awaited = pongs.map(toBytes)
    return Effect.gen(this, function* () {
      for (const message of this.messages.splice(0)) yield* this.takeMessage(message, left)
      for (const payload of this.pongs.splice(0)) this.takePong(payload, awaited)
      while (left.length > 0 || awaited.length > 0) {
        const heard = yield* this.hearing.next
        if (heard === "End" || heard === "Reset") yield* mismatch(showWanted(left, awaited), heard)
        else if (heard._tag === "Message") yield* this.takeMessage(heard, left)
        else if (heard._tag === "Pong") this.takePong(heard.payload, awaited)
        else yield* mismatch(showWanted(left, awaited), heard)
      }
      this.isAgreed = true
    })
  }

  private takeMessage(message: Wanted, left: Array<Wanted>): Effect.Effect<void, Mismatch> {
    return Effect.suspend(() => {
      const [wanted] = left
      // For a later step, or for none.
      if (wanted === undefined) this.messages.push(message)
      else if (wanted.type !== message.type || !equals(wanted.payload, message.payload)) {
        return mismatch(showWanted([wanted], []), { _tag: "Message", ...message })
      } else left.shift()
      return Effect.void
    })
  }

  /** §5.5.3: one that answers a Ping answers those before it too. */
  private takePong(payload: Uint8Array, awaited: Array<Uint8Array>): void {
    const at = awaited.map((wanted) => equals(wanted, payload)).lastIndexOf(true)
    if (at < 0) this.pongs.push(payload)
    else awaited.splice(0, at + 1)
  }

  private receiveClose(step: Play<"ReceiveClose">): Effect.Effect<void, Mismatch> {
    return Effect.gen(this, function* () {
      for (const message of this.messages.splice(0)) {
        if (step.orMessages !== true) yield* mismatch(showStep(step), { _tag: "Message", ...message })
      }
      while (true) {
        const heard = yield* this.hearing.next
        if (heard === "End" || heard === "Reset") {
          if (step.orEnd !== true) return yield* mismatch(showStep(step), heard)
          this.remarks.push(`§7.1.7: it SHOULD send a Close frame before it ends the connection (${showStep(step)})`)
          return
        }
        if (heard._tag === "Pong" || (heard._tag === "Message" && step.orMessages === true)) continue
        if (heard._tag !== "Close" || !step.codes.includes(heard.code)) return yield* mismatch(showStep(step), heard)
        const { reason } = step
        if (reason !== undefined && !equals(toBytes(reason), heard.reason)) yield* mismatch(showStep(step), heard)
        return
      }
    })
  }

  private receiveEnd(step: Play<"ReceiveEnd">): Effect.Effect<void, Mismatch> {
    return Effect.gen(this, function* () {
      const [left] = this.messages
      if (left !== undefined) yield* mismatch(showStep(step), { _tag: "Message", ...left })
      while (true) {
        // §7.1.1: a client SHOULD wait for the server, which is this side, to end the connection first.
        if (this.role === "client" && this.hearing.hasClosed && !this.hasEndedOutput) {
          this.hasEndedOutput = true
          yield* this.wire.endOfOutput
        }
        const heard = yield* this.hearing.next
        if (heard === "End" || heard === "Reset") return
        if (heard._tag !== "Close" || step.withoutFrames === true) return yield* mismatch(showStep(step), heard)
      }
    })
  }
}
