/** The reader of HTTP/1.1 heads, for requests and for responses. */
import { Either } from "effect"
import type { Fields } from "../../../src/Fields.js"
import * as Http1 from "../../../src/Http1.js"
import * as Accumulator from "../../../src/internal/accumulator.js"
import * as Limits from "../../../src/Limits.js"
import { byteByByte, concat } from "../../support/bytes.js"
import { latin1, toLatin1 } from "../../support/http.js"
import { inputs, limits, unbounded } from "../inputs/head.js"
import * as Oracle from "../oracles/heads.js"
import { chunksOf, must, mustBeBytes, mustEqual, split, type Target } from "../target.js"

type Head = Http1.RequestHead | Http1.ResponseHead
type Verdict =
  | { readonly _tag: "Complete"; readonly head: Head; readonly rest: Uint8Array }
  | { readonly _tag: "Error"; readonly error: Http1.HeadError }
  | { readonly _tag: "More"; readonly kept: Accumulator.Accumulator }

const start = (kind: Oracle.Kind, options: Http1.Options) =>
  kind === "request" ? Http1.request(options) : Http1.response(options)

const other = latin1("other: bytes\r\n\r\n")

const receive = (
  state: Http1.AwaitingRequest | Http1.AwaitingResponse,
  chunk: Uint8Array
): Either.Either<Http1.AwaitingRequest | Http1.AwaitingResponse | Http1.Complete<Head>, Http1.HeadError> =>
  state._tag === "AwaitingRequest" ? Http1.receive(state, chunk) : Http1.receive(state, chunk)

/** What a parser makes of the chunks; what it does not look at is added to the rest. */
const read = (kind: Oracle.Kind, chunks: ReadonlyArray<Uint8Array>, options: Http1.Options): Verdict => {
  let state = start(kind, options)
  for (const [index, chunk] of chunks.entries()) {
    const step = receive(state, chunk)
    // A parser is a value: what else it might have read does not matter.
    if (index > 0) receive(state, other)
    if (Either.isLeft(step)) return { _tag: "Error", error: step.left }
    if (step.right._tag === "Complete") {
      const { head, rest } = step.right
      must(rest.buffer === chunk.buffer, "the rest is a view of the chunk")
      return { _tag: "Complete", head, rest: concat([rest, ...chunks.slice(index + 1)]) }
    }
    state = step.right
    mustBeBounded(state.kept, options)
  }
  return { _tag: "More", kept: state.kept }
}

const smallest = 64
const growth = 4

/** "What is kept between chunks is a copy, at most `maxHeadSize` long." */
const mustBeBounded = (kept: Accumulator.Accumulator, { maxHeadSize }: Http1.Options): void => {
  must(!Limits.isAbove(kept.length, maxHeadSize ?? Limits.defaults.maxHeadSize), "what is kept is bounded")
  must(Accumulator.pinned(kept) <= Math.max(smallest, growth * kept.length), "what is pinned is bounded")
}

const show = (verdict: Verdict): unknown => {
  if (verdict._tag === "Complete") return { ...verdict, rest: toLatin1(verdict.rest) }
  if (verdict._tag === "More") return toLatin1(Accumulator.toBytes(verdict.kept))
  const { limit, message, offset, reason, seen } = verdict.error
  return { limit, message, offset, reason, seen }
}

/** Longer ones are seldom, and take regular expressions long. */
const mostForOracle = 2048

const checkLine = (
  kind: Oracle.Kind,
  head: Head,
  line: ReadonlyArray<string>,
  fields: Fields | Oracle.Read["fields"]
) => {
  mustEqual(
    [...("method" in head ? [head.method, head.target, head.version] : [head.version, `${head.status}`, head.reason])],
    line,
    `a ${kind} has the line that the grammar says`
  )
  mustEqual([...head.fields], [...fields], `a ${kind} has the fields that the grammar says`)
}

/** The verdict without limits is that of the grammar. */
const agree = (kind: Oracle.Kind, bytes: Uint8Array, verdict: Verdict): void => {
  const text = toLatin1(bytes)
  const expected = Oracle.read(kind, text)
  must(
    (verdict._tag === "Complete") === (expected !== undefined),
    "a head is what the grammar says",
    () => verdict._tag
  )
  if (verdict._tag === "Complete" && expected !== undefined) {
    mustEqual(bytes.length - verdict.rest.length, expected.length, "a head ends where the grammar says")
    checkLine(kind, verdict.head, expected.line, expected.fields)
  } else {
    const isBeginning = Oracle.isBeginning(kind, text)
    must((verdict._tag === "More") === isBeginning, "more is wanted only of what can be a head", () => verdict._tag)
  }
}

const isLimit = ({ reason }: Http1.HeadError): boolean =>
  reason === "HeadTooLarge" || reason === "TooManyFields" || reason === "TargetTooLong"

/** A limit makes no other difference than to be broken, at the byte that breaks it. */
const checkLimits = (kind: Oracle.Kind, bytes: Uint8Array, options: Http1.Options, verdict: Verdict): void => {
  const { maxFields = 128, maxHeadSize = 16_384, maxTarget = 8192 } = options
  if (verdict._tag !== "Error" || !isLimit(verdict.error)) {
    mustEqual(show(verdict), show(read(kind, [bytes], unbounded)), "limits that are not broken make no difference")
    if (verdict._tag !== "Complete") return
    must(!Limits.isAbove(bytes.length - verdict.rest.length, maxHeadSize), "a head is within maxHeadSize")
    must(!Limits.isAbove(verdict.head.fields.length, maxFields), "a head is within maxFields")
    must(
      !("target" in verdict.head && Limits.isAbove(verdict.head.target.length, maxTarget)),
      "a target is within maxTarget"
    )
    return
  }
  const { limit, offset, reason, seen } = verdict.error
  const before = toLatin1(bytes.subarray(0, offset))
  const [first = "", ...others] = before.replace(/^\r\n/, "").split("\r\n")
  mustEqual(seen, Number(limit) + 1, "a limit is broken by the first that is too many")
  if (reason === "HeadTooLarge") {
    mustEqual([limit, offset], [maxHeadSize, maxHeadSize], "maxHeadSize is broken by the byte behind it")
  } else if (reason === "TargetTooLong") {
    mustEqual(limit, maxTarget, "the limit is maxTarget")
    mustEqual(first.slice(first.indexOf(" ") + 1).length, maxTarget, "maxTarget is broken by the byte behind it")
  } else {
    const fields = others.filter((line) => line !== "" && !/^[\t ]/.test(line))
    mustEqual([limit, fields.length], [maxFields, maxFields], "maxFields is broken by the first byte of a field")
  }
}

/** An error is known at its byte and not before. */
const checkOffset = (kind: Oracle.Kind, bytes: Uint8Array, options: Http1.Options, error: Http1.HeadError): void => {
  must(error.offset < bytes.length, "an error is at a byte that was read")
  const with_ = read(kind, [bytes.slice(0, error.offset + 1)], options)
  mustEqual(show(with_), show({ _tag: "Error", error }), "an error is known at its byte")
  must(read(kind, [bytes.slice(0, error.offset)], options)._tag === "More", "an error is not known before its byte")
}

const checkRendered = (head: Head): void => {
  const isRequest = "method" in head
  const rendered = isRequest ? Http1.encodeRequest(head) : Http1.encodeResponse(head)
  const isWritten = isRequest ? Http1.targetForm(head.method, head.target) !== undefined : head.status !== 101
  must(Either.isRight(rendered) === isWritten, "what was read can be written")
  if (Either.isLeft(rendered)) return
  const again = read(isRequest ? "request" : "response", [rendered.right], unbounded)
  mustEqual(again, { _tag: "Complete", head, rest: new Uint8Array(0) }, "what was written is read back")
}

const run = (input: Uint8Array): string => {
  const [option = 0, seed = 0] = input
  const bytes = input.slice(2)
  const kind = (option & 1) === 0 ? "request" : "response"
  const options = limits[(option >> 1) & 7]
  const verdict = read(kind, [bytes.slice()], options)
  const expected = show(verdict)
  mustEqual(show(read(kind, chunksOf(bytes, seed), options)), expected, "chunks do not matter")
  if (bytes.length <= 256)
    mustEqual(show(read(kind, byteByByte(bytes), options)), expected, "single bytes do not matter")
  checkLimits(kind, bytes, options, verdict)
  if (bytes.length <= mostForOracle) agree(kind, bytes, read(kind, [bytes], unbounded))
  if (verdict._tag === "Complete") {
    const used = bytes.length - verdict.rest.length
    mustBeBytes(verdict.rest, bytes.subarray(used), "the rest is what comes after the head")
    must(read(kind, [bytes.slice(0, used - 1)], options)._tag === "More", "a head ends at its last byte")
    checkRendered(verdict.head)
    return `${kind} Complete`
  }
  if (verdict._tag === "Error") {
    checkOffset(kind, bytes, options, verdict.error)
    return `${kind} ${verdict.error.reason}`
  }
  mustBeBytes(Accumulator.toBytes(verdict.kept), bytes, "what was read of a head is kept")
  return `${kind} More`
}

const kinds = (reasons: string): ReadonlyArray<string> =>
  split(reasons).flatMap((reason) => [`request ${reason}`, `response ${reason}`])

export const head: Target = {
  name: "head",
  ...inputs,
  run,
  outcomes: [
    ...kinds("Complete|More|StartLine|Version|FieldLine|SpaceBeforeColon|ObsoleteLineFolding|BareLineFeed"),
    ...kinds("BareCarriageReturn|ControlCharacter|HeadTooLarge|TooManyFields"),
    "request TargetTooLong"
  ],
  mostWork: (size) => 50_000 + 1500 * size
}
