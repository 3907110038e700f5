/** What a peer may put on the wire, legal and not: written bit by bit after RFC 6455 §5.2, without the code under test. */
import { FastCheck } from "effect"
import { concat, utf8 } from "./bytes.js"
import * as Utf8Cases from "./utf8Cases.js"

export interface Raw {
  readonly opcode: number
  /** Set, unless said otherwise. */
  readonly fin?: boolean | undefined
  /** RSV1, RSV2 and RSV3 as the bits 4, 2 and 1. */
  readonly rsv?: number | undefined
  readonly key?: number | undefined
  readonly payload?: Uint8Array | undefined
  /** The length that the header announces: that of the payload unless said otherwise. */
  readonly length?: number | bigint | undefined
  /** Bits of the length: the fewest that hold it unless said otherwise. */
  readonly form?: 7 | 16 | 64 | undefined
}

/** The bytes of a frame, whatever is wrong with it. */
export const raw = (frame: Raw): Uint8Array => {
  const payload = frame.payload ?? new Uint8Array(0)
  const length = BigInt(frame.length ?? payload.length)
  const form = frame.form ?? (length < 126n ? 7 : length < 65536n ? 16 : 64)
  const header = new DataView(new ArrayBuffer(14))
  header.setUint8(0, (frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode)
  header.setUint8(1, (frame.key === undefined ? 0 : 0x80) | (form === 7 ? Number(length) : form === 16 ? 126 : 127))
  if (form === 16) header.setUint16(2, Number(length))
  if (form === 64) header.setBigUint64(2, length)
  let size = form === 7 ? 2 : form === 16 ? 4 : 10
  if (frame.key === undefined) return concat([new Uint8Array(header.buffer, 0, size), payload])
  header.setUint32(size, frame.key)
  const octets = new Uint8Array(header.buffer, size, 4)
  size += 4
  return concat([new Uint8Array(header.buffer, 0, size), payload.map((byte, i) => byte ^ (octets[i % 4] ?? 0))])
}

export type Role = "client" | "server"

/** The masking key that the peer of a role must, or must not, use (§5.1). */
export const keyTo = (role: Role, key = 0x37fa213d): number | undefined => (role === "server" ? key : undefined)

export const anyKey = FastCheck.integer({ min: 0, max: 0xffff_ffff })

const controls = FastCheck.record({
  opcode: FastCheck.constantFrom(9, 10),
  payload: FastCheck.uint8Array({ maxLength: 12 })
})

/** The frames of one message, control frames between them. */
const message = (payload: FastCheck.Arbitrary<Uint8Array>, opcode: number): FastCheck.Arbitrary<ReadonlyArray<Raw>> =>
  FastCheck.tuple(
    payload,
    FastCheck.array(FastCheck.nat(), { maxLength: 4 }),
    FastCheck.array(FastCheck.option(controls, { freq: 1, nil: undefined }), { minLength: 5, maxLength: 5 })
  ).map(([bytes, at, between]) => {
    const ends = [...at.map((index) => index % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
    return ends.flatMap((end, i): ReadonlyArray<Raw> => {
      const fragment: Raw = {
        opcode: i === 0 ? opcode : 0,
        fin: i === ends.length - 1,
        payload: bytes.slice(i === 0 ? 0 : ends[i - 1], end)
      }
      const control = between[i]
      return control === undefined ? [fragment] : [control, fragment]
    })
  })

const binary = message(
  FastCheck.oneof(
    { weight: 3, arbitrary: FastCheck.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: FastCheck.uint8Array({ minLength: 120, maxLength: 300 }) }
  ),
  2
)

const validText = message(Utf8Cases.text.map(utf8), 1)

const close = FastCheck.oneof(
  FastCheck.constant(new Uint8Array(0)),
  FastCheck.tuple(FastCheck.constantFrom(1000, 1001, 3000, 4999, 1005, 999), Utf8Cases.bytes).map(([code, reason]) =>
    concat([Uint8Array.of(code >>> 8, code), reason.subarray(0, 120)])
  ),
  FastCheck.uint8Array({ maxLength: 3 })
).map((payload): ReadonlyArray<Raw> => [{ opcode: 8, payload }])

const anything: FastCheck.Arbitrary<ReadonlyArray<Raw>> = FastCheck.record({
  opcode: FastCheck.nat({ max: 15 }),
  fin: FastCheck.boolean(),
  rsv: FastCheck.oneof(
    { weight: 4, arbitrary: FastCheck.constant(0) },
    { weight: 1, arbitrary: FastCheck.nat({ max: 7 }) }
  ),
  payload: FastCheck.uint8Array({ maxLength: 130 }),
  form: FastCheck.constantFrom(undefined, undefined, 16 as const, 64 as const)
}).map((frame) => [frame])

const huge: FastCheck.Arbitrary<ReadonlyArray<Raw>> = FastCheck.record({
  opcode: FastCheck.nat({ max: 2 }),
  length: FastCheck.constantFrom(2 ** 20, 2 ** 31, 2 ** 32, 2 ** 53, (1n << 63n) - 1n, 1n << 63n)
}).map((frame) => [frame])

/** What `anything` seldom hits upon. */
const faults: FastCheck.Arbitrary<ReadonlyArray<Raw>> = FastCheck.constantFrom<ReadonlyArray<Raw>>(
  [{ opcode: 0 }],
  [{ opcode: 2, fin: false }],
  [{ opcode: 9, fin: false }],
  [{ opcode: 10, payload: new Uint8Array(126) }],
  [{ opcode: 2, payload: new Uint8Array(7), form: 16 }],
  [{ opcode: 8, payload: new Uint8Array(1) }]
)

/** Masked as the role demands, with random keys; now and then not as it demands. */
const toBytes =
  (role: Role) =>
  ([frames, keys, wrong]: readonly [ReadonlyArray<Raw>, ReadonlyArray<number>, number]): Uint8Array =>
    concat(
      frames.map((frame, i) => {
        const key = keys[i % keys.length]
        return raw({ ...frame, key: (role === "server") === (wrong !== i) ? key : undefined })
      })
    )

/** Messages and control frames without a fault in them, and no Close. */
export const legal = (role: Role): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(
    FastCheck.array(FastCheck.oneof(binary, validText), { maxLength: 6 }).map((all) => all.flat()),
    FastCheck.array(anyKey, { minLength: 1, maxLength: 4 }),
    FastCheck.constant(-1)
  ).map(toBytes(role))

/** Whatever a peer may send: mostly legal, so that faults come late; perhaps cut off at the end. */
export const stream = (role: Role): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(
    FastCheck.tuple(
      FastCheck.array(
        FastCheck.oneof(
          { weight: 6, arbitrary: binary },
          { weight: 6, arbitrary: validText },
          { weight: 2, arbitrary: message(Utf8Cases.bytes, 1) },
          { weight: 1, arbitrary: close },
          { weight: 1, arbitrary: anything },
          { weight: 1, arbitrary: huge },
          { weight: 1, arbitrary: faults }
        ),
        { maxLength: 6 }
      ).map((all) => all.flat()),
      FastCheck.array(anyKey, { minLength: 1, maxLength: 4 }),
      FastCheck.oneof(
        { weight: 9, arbitrary: FastCheck.constant(-1) },
        { weight: 1, arbitrary: FastCheck.nat({ max: 12 }) }
      )
    ).map(toBytes(role)),
    FastCheck.oneof(
      { weight: 2, arbitrary: FastCheck.constant(0) },
      { weight: 1, arbitrary: FastCheck.nat({ max: 20 }) }
    )
  ).map(([bytes, short]) => bytes.subarray(0, Math.max(0, bytes.length - short)))

export const role = FastCheck.constantFrom<Role>("client", "server")
