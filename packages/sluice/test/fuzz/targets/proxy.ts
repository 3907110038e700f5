/** The reader of headers of the PROXY protocol, and the writer of what it has read. */
import { Either } from "effect"
import * as Accumulator from "../../../src/internal/accumulator.js"
import * as ProxyProtocol from "../../../src/ProxyProtocol.js"
import { concat, toHex } from "../../support/bytes.js"
import { inputs, limits } from "../inputs/proxy.js"
import * as Oracle from "../oracles/proxy.js"
import { chunksOf, must, mustBeBytes, mustEqual, split, type Target } from "../target.js"

type Verdict =
  | { readonly _tag: "Received"; readonly header: ProxyProtocol.Header; readonly rest: Uint8Array }
  | { readonly _tag: "Error"; readonly error: ProxyProtocol.ProxyHeaderError }
  | { readonly _tag: "More" }

const other = Uint8Array.of(0x0d, 0x0a)
const longest = 16 + 0xffff
const smallest = 64
const growth = 16

const read = (chunks: ReadonlyArray<Uint8Array>, maxHeaderSize: (typeof limits)[number]): Verdict => {
  let state = ProxyProtocol.awaitingHeader({ maxHeaderSize })
  for (const [index, chunk] of chunks.entries()) {
    const step = ProxyProtocol.receive(state, chunk)
    // A parser is a value: what else it might have read does not matter.
    if (index > 0) ProxyProtocol.receive(state, other)
    if (Either.isLeft(step)) return { _tag: "Error", error: step.left }
    if (step.right._tag === "Received") {
      const { header, rest } = step.right
      must(rest.buffer === chunk.buffer, "the rest is a view of the chunk")
      return { _tag: "Received", header, rest: concat([rest, ...chunks.slice(index + 1)]) }
    }
    state = step.right
    const most = Math.max(107, maxHeaderSize === "unbounded" ? longest : maxHeaderSize)
    must(state.bytes.length <= most, "what is kept is bounded")
    must(Accumulator.pinned(state.bytes) <= Math.max(smallest, growth * most), "what is pinned is bounded")
  }
  return { _tag: "More" }
}

const show = (verdict: Verdict): unknown => {
  if (verdict._tag === "More") return verdict
  if (verdict._tag === "Error") {
    const { limit, message, offset, reason, seen } = verdict.error
    return { limit, message, offset, reason, seen }
  }
  return { header: verdict.header, rest: toHex(verdict.rest) }
}

const endsOf = (header: ProxyProtocol.Header): ReadonlyArray<string> | undefined => {
  if (header._tag !== "Proxied") return undefined
  const { destination, source } = header
  const hosts = [source, destination].map(({ host, path }) => path ?? Oracle.canonical(host))
  return [...hosts, String(source.port), String(destination.port)]
}

const tlvsOf = (header: ProxyProtocol.Header): ReadonlyArray<string> =>
  header._tag === "Proxied" ? header.tlvs.map(({ type, value }) => `${type} ${toHex(value)}`) : []

const run = (input: Uint8Array): string => {
  const [option = 0, seed = 0] = input
  const limit = limits[option % limits.length] ?? limits[0]
  const bytes = input.slice(2)
  const verdict = read([bytes], limit)
  for (const cuts of [seed, seed + 1]) {
    mustEqual(show(read(chunksOf(bytes, cuts), limit)), show(verdict), "chunks do not matter")
  }
  const expected = Oracle.read(bytes, limit === "unbounded" ? longest : limit)
  if (verdict._tag === "More") {
    mustEqual(expected, undefined, "more is wanted only where the header is not whole")
    return "More"
  }
  if (verdict._tag === "Error") {
    const { offset, reason } = verdict.error
    must(reason === "Checksum" || expected === undefined, "what is refused is no header", () => verdict.error.message)
    must(offset >= 0 && offset < bytes.length, "an error is at a byte that has come")
    must(read([bytes.slice(0, offset)], limit)._tag === "More", "nothing is known before the byte that an error names")
    return reason
  }
  const { header, rest } = verdict
  mustEqual(
    { size: bytes.length - rest.length, ends: endsOf(header), tlvs: tlvsOf(header) },
    expected,
    "a header says what the specification says"
  )
  mustBeBytes(rest, bytes.slice(bytes.length - rest.length), "the rest is what comes behind the header")
  const written = ProxyProtocol.encode(header, { checksum: header.version === 2 && seed % 2 === 0 })
  // A path that was no UTF-8 may be longer now.
  if (Either.isLeft(written)) {
    mustEqual(written.left.reason, "Address", "what was read can be written")
    return header._tag
  }
  mustEqual(
    show(read([written.right], "unbounded")),
    show({ _tag: "Received", header, rest: new Uint8Array(0) }),
    "what was written is read back equal"
  )
  return header._tag
}

export const proxy: Target = {
  name: "proxy",
  ...inputs,
  run,
  outcomes: split(
    "More|Proxied|Unknown|Local|Signature|Version|Command|Family|Line|Address|Port|TooLong|TooShort|Tlv|Checksum"
  )
}
