/**
 * What comes from the endpoint: a head, then frames, then an end; with a record of it, in words and in bytes.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { concat, none, toHex } from "./bytes.js"
import { FrameReader, type Heard } from "./frameReader.js"
import { Incoming } from "./incoming.js"
import { showHeard } from "./show.js"
import type { Wire } from "./wire.js"

/** @internal What was wanted, and what came instead. */
export class Mismatch extends Data.TaggedError("Mismatch")<{ readonly expected: string; readonly got: string }> {}

/** @internal */
export const mismatch = (expected: string, heard: Heard | "End" | "Reset"): Effect.Effect<never, Mismatch> =>
  Effect.fail(new Mismatch({ expected, got: showHeard(heard) }))

/** How much of the record is kept. */
const mostWords = 8
const mostBytes = 256

const decoder = new TextDecoder("latin1")

/** @internal */
export class Hearing {
  /** What the endpoint has said, the last of it. */
  readonly words: Array<string> = []
  hasClosed = false
  ended: "End" | "Reset" | undefined = undefined
  private readonly wire: Wire
  private readonly answer: (ping: Uint8Array) => Effect.Effect<void>
  private readonly head = new Incoming()
  private readonly reader: FrameReader
  private came: Uint8Array = none
  /** Whether frames come now. */
  private isOpen = false
  /** Bytes that may still come behind a head, where there are no frames. */
  private room = Number.POSITIVE_INFINITY

  /** `answer` is for the Pings of the endpoint. */
  constructor(role: "client" | "server", wire: Wire, answer: (ping: Uint8Array) => Effect.Effect<void>) {
    this.wire = wire
    this.answer = answer
    this.reader = new FrameReader(role)
  }

  /** Forgets the bytes that came before. */
  beginStep(): void {
    this.came = none
  }

  /** The first bytes that came since the step began, as hexadecimal digits. */
  get bytes(): string {
    return toHex(this.came)
  }

  /** From here on what comes is frames, also what came behind the head. */
  open(): void {
    this.isOpen = true
    this.reader.push(this.head.take(this.head.length))
  }

  /** From here on so much content comes, and nothing behind it. */
  refused(content: number): void {
    this.room = content - this.head.take(this.head.length).length
  }

  /** A head up to and with its empty line. */
  takeHead(expected: () => string): Effect.Effect<string, Mismatch> {
    return Effect.gen(this, function* () {
      while (true) {
        const text = decoder.decode(this.head.peek(0, this.head.length))
        const end = text.indexOf("\r\n\r\n")
        if (end >= 0) {
          this.head.take(end + 4)
          this.note(text.slice(0, text.indexOf("\r\n")))
          return text.slice(0, end + 4)
        }
        const bytes = yield* this.more
        if (bytes === "End" || bytes === "Reset") return yield* mismatch(expected(), bytes)
        this.head.push(bytes)
      }
    })
  }

  /** The next that the endpoint says, in frames if it is open. Its Pings are answered, as by every peer. */
  readonly next: Effect.Effect<Heard | "End" | "Reset", Mismatch> = Effect.suspend(() => {
    if (this.room < 0) return new Mismatch({ expected: "nothing behind the reply", got: `${-this.room} bytes` })
    const heard = this.isOpen ? this.reader.next() : undefined
    if (heard === undefined) {
      return Effect.flatMap(this.more, (bytes) => {
        if (bytes === "End" && this.isOpen && this.reader.isInside) {
          return new Mismatch({ expected: "whole frames", got: "the end of the connection inside a frame" })
        }
        if (bytes === "End" || bytes === "Reset") return Effect.succeed(bytes)
        if (this.isOpen) this.reader.push(bytes)
        else this.room -= bytes.length
        return this.next
      })
    }
    this.note(showHeard(heard))
    if (heard._tag === "Illegal") return new Mismatch({ expected: heard.rule, got: heard.seen })
    if (heard._tag === "Ping") return Effect.zipRight(this.answer(heard.payload), this.next)
    if (heard._tag === "Close") this.hasClosed = true
    return Effect.succeed(heard)
  })

  private readonly more: Effect.Effect<Uint8Array | "End" | "Reset"> = Effect.suspend(() => {
    if (this.ended !== undefined) return Effect.succeed(this.ended)
    return Effect.tap(this.wire.next, (bytes) =>
      Effect.sync(() => {
        if (bytes === "End" || bytes === "Reset") {
          this.ended = bytes
          this.note(showHeard(bytes))
        } else if (this.came.length < mostBytes) {
          this.came = concat([this.came, bytes.subarray(0, mostBytes - this.came.length)])
        }
      })
    )
  })

  private note(words: string): void {
    this.words.push(words)
    if (this.words.length > mostWords) this.words.shift()
  }
}
