/**
 * A header of the PROXY protocol while it comes: the pure step of `ProxyProtocol`.
 */
import * as Either from "effect/Either"
import type { Limit } from "../Limits.js"
import * as Accumulator from "./accumulator.js"
import { type Header, maxLine, type ProxyHeaderError } from "./proxyHeader.js"
import * as Reader from "./proxyHeaderReader.js"

/**
 * A connection of which the header has not come whole. A value: it may be continued twice with different bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitingHeader {
  /** Tells it from `Received`. */
  readonly _tag: "AwaitingHeader"
  /** @internal */
  readonly maxHeaderSize: Limit
  /** @internal */
  readonly bytes: Accumulator.Accumulator
  /** @internal How long the header is, once that is known. */
  readonly size: number | undefined
}

/**
 * A header that came whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received {
  /** Tells it from `AwaitingHeader`. */
  readonly _tag: "Received"
  /** What the proxy says. */
  readonly header: Header
  /** What came behind the header: a view of the last chunk. */
  readonly rest: Uint8Array
}

const defaultMaxHeaderSize = 4096

/**
 * The state before the first byte. `maxHeaderSize` is for version 2, in bytes, the first 16 counted; 4 KiB by default. A
 * header of version 1 has at most 107 (§2.1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const awaitingHeader = (options: { readonly maxHeaderSize?: Limit | undefined } = {}): AwaitingHeader => ({
  _tag: "AwaitingHeader",
  maxHeaderSize: options.maxHeaderSize ?? defaultMaxHeaderSize,
  bytes: Accumulator.empty,
  size: undefined
})

/**
 * Takes the next bytes. Any cutting of the same bytes gives the same header or the same error, and no more is kept than
 * the header has, as its first bytes say; the chunk may be changed afterwards.
 *
 * @example
 * ```ts
 * import { ProxyProtocol } from "sluice"
 *
 * // Right: from 192.168.0.1:56324 to 192.168.0.11:443, and an empty `rest`
 * const received = ProxyProtocol.receive(
 *   ProxyProtocol.awaitingHeader(),
 *   new TextEncoder().encode("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n")
 * )
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const receive = (
  self: AwaitingHeader,
  chunk: Uint8Array
): Either.Either<AwaitingHeader | Received, ProxyHeaderError> => {
  const before = self.bytes.length
  // The end is known within so many bytes in both versions.
  const head = Accumulator.append(self.bytes, chunk.subarray(0, Math.max(0, maxLine - before)))
  const found =
    self.size === undefined
      ? Reader.findEnd(Accumulator.toBytes(head), before, self.maxHeaderSize)
      : Either.right(self.size)
  return Either.flatMap(found, (size): ReturnType<typeof receive> => {
    if (size === undefined) return Either.right({ ...self, bytes: head })
    const more = chunk.subarray(head.length - before, Math.max(head.length, size) - before)
    const bytes = Accumulator.append(head, more, size)
    if (bytes.length < size) return Either.right({ ...self, bytes, size })
    return Either.map(Reader.read(Accumulator.toBytes(bytes).subarray(0, size)), (header) => ({
      _tag: "Received",
      header,
      rest: chunk.subarray(size - before)
    }))
  })
}

/** @internal How many bytes of the header have come. */
export const receivedBytes = (self: AwaitingHeader): number => self.bytes.length
