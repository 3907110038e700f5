/**
 * What an endpoint sends, read bit by bit after RFC 6455 §5, and whether it may send that.
 *
 * The reader knows of no extension, since none is negotiated where it is used. After the first illegal frame it reads
 * nothing more.
 */
import { concat, none } from "./bytes.js"
import { mask } from "./frameWriter.js"
import { Incoming } from "./incoming.js"
import { isUtf8 } from "./utf8.js"

/** @internal */
export type Heard =
  | { readonly _tag: "Message"; readonly type: "text" | "binary"; readonly payload: Uint8Array }
  | { readonly _tag: "Ping" | "Pong"; readonly payload: Uint8Array }
  | { readonly _tag: "Close"; readonly code: number; readonly reason: Uint8Array }
  | Illegal

/** @internal */
export interface Illegal {
  readonly _tag: "Illegal"
  /** What the RFC demands, and where. */
  readonly rule: string
  readonly seen: string
}

const illegal = (rule: string, seen: string): Illegal => ({ _tag: "Illegal", rule, seen })

interface Header {
  readonly fin: boolean
  readonly opcode: number
  readonly key: Uint8Array | undefined
  readonly size: number
  readonly length: number
}

/** @internal */
export class FrameReader {
  private readonly incoming = new Incoming()
  /** RFC 6455 §5.1: whether the frames must be masked, or must not. */
  private readonly masked: boolean
  private unfinished: { readonly type: "text" | "binary"; readonly parts: Array<Uint8Array> } | undefined
  private hasClosed = false
  private isBroken = false
  private lastKey: Uint8Array = none
  private sameKeys = 0

  constructor(role: "client" | "server") {
    this.masked = role === "client"
  }

  push(chunk: Uint8Array): void {
    this.incoming.push(chunk)
  }

  /** Whether the bytes that came end inside a frame. */
  get isInside(): boolean {
    return this.incoming.length > 0
  }

  /** The next message or control frame; `undefined` when more bytes are needed. */
  next(): Heard | undefined {
    while (!this.isBroken) {
      const header = this.header()
      if (header === undefined) return undefined
      const heard = header._tag === "Illegal" ? header : this.frame(header)
      if (heard === "Incomplete") return undefined
      if (heard === undefined) continue
      if (heard._tag === "Illegal") this.isBroken = true
      return heard
    }
    return undefined
  }

  private header(): (Header & { readonly _tag: "Header" }) | Illegal | undefined {
    const { incoming } = this
    if (incoming.length < 2) return undefined
    const b0 = incoming.at(0)
    const b1 = incoming.at(1)
    const fin = b0 >= 0x80
    const rsv = (b0 >>> 4) & 7
    const opcode = b0 & 15
    const masked = b1 >= 0x80
    if (rsv !== 0) return illegal("§5.2: the reserved bits are 0", `RSV bits ${rsv.toString(2).padStart(3, "0")}`)
    if (opcode > 10 || (opcode > 2 && opcode < 8)) return illegal("§5.2: an opcode that is defined", `opcode ${opcode}`)
    if (masked !== this.masked) {
      return this.masked
        ? illegal("§5.1: a client masks all its frames", "a frame that is not masked")
        : illegal("§5.1: a server masks no frame", "a masked frame")
    }
    if (opcode >= 8 && !fin) return illegal("§5.5: a control frame is not fragmented", `opcode ${opcode} without FIN`)
    if (opcode >= 8 && (b1 & 0x7f) > 125) {
      return illegal("§5.5: a control frame has at most 125 bytes", `opcode ${opcode} with more`)
    }
    const wide = (b1 & 0x7f) === 126 ? 2 : (b1 & 0x7f) === 127 ? 8 : 0
    const size = 2 + wide + (masked ? 4 : 0)
    if (incoming.length < 2 + wide) return undefined
    const extended = incoming.peek(2, 2 + wide)
    if (wide === 8 && (extended[0] ?? 0) >= 0x80) {
      return illegal("§5.2: the most significant bit of a 64-bit length is 0", "one that is set")
    }
    const length = wide === 0 ? b1 & 0x7f : extended.reduce((value, byte) => value * 256 + byte, 0)
    if ((wide === 2 && length < 126) || (wide === 8 && length < 65536)) {
      return illegal("§5.2: a length is written in the fewest bytes", `${length} in ${wide * 8} bits`)
    }
    if (incoming.length < size) return undefined
    const key = masked ? incoming.peek(size - 4, size) : undefined
    return { _tag: "Header", fin, opcode, key, size, length }
  }

  /** `undefined` for a fragment after which the message goes on. */
  private frame({ fin, key, length, opcode, size }: Header): Heard | "Incomplete" | undefined {
    if (opcode < 8 && this.hasClosed) {
      return illegal("§5.5.1: no data frame after a Close frame", `opcode ${opcode} after it`)
    }
    if (opcode === 0 && this.unfinished === undefined) {
      return illegal("§5.4: a continuation frame continues a message", "one where there is no message to continue")
    }
    if ((opcode === 1 || opcode === 2) && this.unfinished !== undefined) {
      return illegal("§5.4: the fragments of messages are not interleaved", "a new message inside an unfinished one")
    }
    if (this.incoming.length < size + length) return "Incomplete"
    this.incoming.take(size)
    const taken = this.incoming.take(length)
    if (key !== undefined && this.isStale(key)) {
      return illegal("§5.3: a fresh masking key for each frame", "the same key four times in a row")
    }
    const payload = key === undefined ? taken : mask(taken, key)
    if (opcode === 8) return this.close(payload)
    if (opcode > 8) return { _tag: opcode === 9 ? "Ping" : "Pong", payload }
    const { parts, type } = this.unfinished ?? { type: opcode === 1 ? "text" : "binary", parts: [] }
    parts.push(payload)
    this.unfinished = fin ? undefined : { type, parts }
    if (!fin) return undefined
    const whole = concat(parts)
    return type === "text" && !isUtf8(whole)
      ? illegal("§5.6: the whole of a text is valid UTF-8", "a text that is not")
      : { _tag: "Message", type, payload: whole }
  }

  /** By chance the next key is the same once in four billion times. */
  private isStale(key: Uint8Array): boolean {
    this.sameKeys = key.every((byte, i) => byte === this.lastKey[i]) ? this.sameKeys + 1 : 1
    this.lastKey = key
    return this.sameKeys === 4
  }

  private close(payload: Uint8Array): Heard {
    if (this.hasClosed) return illegal("§5.5.1: one Close frame", "a second one")
    this.hasClosed = true
    if (payload.length === 0) return { _tag: "Close", code: 1005, reason: none }
    if (payload.length === 1) return illegal("§5.5.1: a Close frame has a code of two bytes or nothing", "one byte")
    const code = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0)
    if (code < 1000 || code >= 5000 || [1004, 1005, 1006, 1015].includes(code)) {
      return illegal("§7.4: a close code that may be sent", `${code}`)
    }
    const reason = payload.slice(2)
    return isUtf8(reason)
      ? { _tag: "Close", code, reason }
      : illegal("§5.5.1: the reason of a Close frame is valid UTF-8", "one that is not")
  }
}
