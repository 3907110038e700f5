/** Refusals of every kind, for properties. */
import { Either, FastCheck } from "effect"
import * as Fields from "../../src/Fields.js"
import * as Rejection from "../../src/Rejection.js"
import { tokens, values } from "./http.js"

/** Text that nobody checked: any code points, lone surrogates and line breaks too, and sometimes very long. */
export const texts = FastCheck.oneof(
  FastCheck.string(),
  FastCheck.string({ unit: "binary" }),
  FastCheck.string({
    unit: FastCheck.constantFrom("\r\n", "\0", "\ud800", "\udc00", '"', "\\", ",", ";", " ", "\u00e9")
  }),
  FastCheck.string({ minLength: 1000, maxLength: 3000 })
)

const numbers = FastCheck.oneof(
  FastCheck.nat(),
  FastCheck.double(),
  FastCheck.constantFrom(-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 1e300)
)

const reasons: ReadonlyArray<Rejection.BadRequestReason> = [
  "Syntax",
  "Target",
  "Host",
  "Content",
  "RepeatedField",
  "Upgrade",
  "Connection",
  "Key",
  "Version",
  "Subprotocol",
  "Extensions"
]

const challenges = FastCheck.tuple(tokens, values)
  .map(([scheme, parameters]) => Rejection.challenge(`${scheme} ${parameters}`))
  .map((challenge) => Either.getOrThrow(challenge))

const customs = FastCheck.record({
  status: FastCheck.integer({ min: 300, max: 599 }),
  reason: FastCheck.option(values, { nil: undefined }),
  entries: FastCheck.array(FastCheck.tuple(tokens, values), { maxLength: 6 }),
  body: FastCheck.oneof(FastCheck.uint8Array({ maxLength: 200 }), FastCheck.string({ unit: "binary" }))
}).map(({ body, entries, reason, status }) =>
  Either.getOrThrow(
    Rejection.custom({
      status,
      reason,
      fields: Either.getOrThrow(Fields.make(entries)),
      body: status === 304 ? undefined : body
    })
  )
)

/** Any refusal. */
export const rejections: FastCheck.Arbitrary<Rejection.Rejection> = FastCheck.oneof(
  FastCheck.array(FastCheck.oneof(tokens, texts)).map((supported) => new Rejection.NotAnUpgrade({ supported })),
  FastCheck.constant(new Rejection.UnsupportedVersion()),
  FastCheck.record({
    reason: FastCheck.constantFrom(...reasons),
    detail: texts
  }).map((options) => new Rejection.BadRequest(options)),
  FastCheck.constant(new Rejection.MethodNotAllowed()),
  FastCheck.constant(new Rejection.HttpVersionNotSupported()),
  FastCheck.tuple(challenges, FastCheck.array(challenges, { maxLength: 2 }), texts).map(
    ([first, others, detail]) => new Rejection.Unauthorized({ challenges: [first, ...others], detail })
  ),
  texts.map((detail) => new Rejection.Forbidden({ detail })),
  FastCheck.record({
    origin: FastCheck.option(texts, { nil: undefined }),
    detail: FastCheck.option(texts, { nil: undefined })
  }).map((options) => new Rejection.ForbiddenOrigin(options)),
  texts.map((detail) => new Rejection.NotFound({ detail })),
  FastCheck.array(FastCheck.oneof(tokens, texts)).map((supported) => new Rejection.NoCommonSubprotocol({ supported })),
  FastCheck.record({ limit: numbers, seen: numbers }).map((options) => new Rejection.TargetTooLong(options)),
  FastCheck.record({
    what: FastCheck.constantFrom("bytes" as const, "fields" as const),
    limit: numbers,
    seen: numbers
  }).map((options) => new Rejection.HeadTooLarge(options)),
  numbers.map((timeout) => new Rejection.HandshakeTimeout({ timeout })),
  FastCheck.record({ retryAfter: numbers, detail: texts }).map((options) => new Rejection.TooManyRequests(options)),
  FastCheck.record({ retryAfter: numbers, detail: texts }).map((options) => new Rejection.Unavailable(options)),
  customs
)
