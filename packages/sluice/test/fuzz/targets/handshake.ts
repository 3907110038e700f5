/** The opening handshake, both roles, and the law that a refusal is read back as it was meant. */
import { Either, Option } from "effect"
import * as Fields from "../../../src/Fields.js"
import * as Handshake from "../../../src/Handshake.js"
import * as Rejection from "../../../src/Rejection.js"
import { toLatin1 } from "../../support/http.js"
import { extensions, inputs, unbounded } from "../inputs/handshake.js"
import { must, mustEqual, split, type Target } from "../target.js"
import { checkClient, checkServer } from "./openings.js"
import { checkRefusal } from "./reading.js"

const wide = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, bytes.length & ~1)).toString("utf16le")

const reasons = [
  "Syntax",
  "Target",
  "Host",
  "Content",
  "RepeatedField",
  "Upgrade",
  "Connection",
  "Key",
  "Version"
] as const

/** A refusal with foreign text in it. */
const refusalOf = (bytes: Uint8Array, option: number): Rejection.Rejection | undefined => {
  const text = (option & 16) === 0 ? toLatin1(bytes) : wide(bytes)
  const [one = "", two = "", ...others] = text.split("\n")
  const [limit, seen] = [Number(one), Number(two)]
  const challenges = text.split("\n").flatMap((line) => Option.toArray(Either.getRight(Rejection.challenge(line))))
  const [first, ...more] = challenges
  const custom = () =>
    Either.getOrUndefined(
      Either.flatMap(Fields.make(others.map((line) => ["X", line])), (fields) =>
        Rejection.custom({ status: 300 + (one.length % 300), reason: one, fields, body: two })
      )
    )
  const all: ReadonlyArray<() => Rejection.Rejection | undefined> = [
    () => new Rejection.NotAnUpgrade({ supported: [one, two, ...others] }),
    () => new Rejection.BadRequest({ reason: reasons[one.length % reasons.length], detail: text }),
    () => (first === undefined ? undefined : new Rejection.Unauthorized({ challenges: [first, ...more], detail: two })),
    () => new Rejection.Forbidden({ detail: text }),
    () => new Rejection.ForbiddenOrigin({ origin: one, detail: two === "" ? undefined : two }),
    () => new Rejection.NotFound({ detail: text }),
    () => new Rejection.NoCommonSubprotocol({ supported: [one, two, ...others] }),
    () => new Rejection.TargetTooLong({ limit, seen }),
    () => new Rejection.HeadTooLarge({ what: one.length > 3 ? "bytes" : "fields", limit, seen }),
    () => new Rejection.HandshakeTimeout({ timeout: limit }),
    () => new Rejection.TooManyRequests({ retryAfter: limit, detail: two }),
    () => new Rejection.Unavailable({ retryAfter: limit, detail: two }),
    custom
  ]
  return all[((option >> 5) % 8) + ((option & 1) === 0 ? 0 : 5)]?.()
}

const checkRefusals = (bytes: Uint8Array, option: number, seed: number): string => {
  const rejection = refusalOf(bytes, option)
  if (rejection === undefined) return "no refusal"
  checkRefusal(rejection, seed)
  return `refusal ${rejection._tag}`
}

/** What a client sends, a server takes for an offer. */
const checkInitiate = (bytes: Uint8Array, option: number, seed: number): string => {
  const text = (option & 16) === 0 ? toLatin1(bytes) : wide(bytes)
  const [authority = "", target = "", origin = "", names = "", ...lines] = text.split("\n")
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon), line.slice(colon + 1)]
  })
  const asked = {
    authority,
    target: target === "" ? undefined : target,
    origin: origin === "" ? undefined : origin,
    subprotocols: names === "" ? [] : names.split(","),
    extensions,
    fields
  }
  const made = Handshake.initiate(
    asked,
    Uint8Array.from({ length: (option & 8) === 0 ? 16 : seed }, (_, i) => seed + i)
  )
  if (Either.isLeft(made)) return `initiate ${made.left.reason}`
  const [, sent] = Handshake.request(made.right)
  const received = Either.getOrUndefined(Handshake.receive(Handshake.awaitingHead(unbounded), sent))
  must(received?._tag === "Received", "a request of ours is a whole head")
  mustEqual({ ...received.request }, { ...made.right.request }, "a request of ours is read back")
  const offered = Handshake.offer(received)
  must(Either.isRight(offered), "a request of ours is an offer", () => `${offered}`)
  const { key, origin: sentOrigin, resource, subprotocols } = offered.right
  mustEqual(
    [key, sentOrigin, resource, subprotocols, offered.right.authority.split(":")[0]],
    [made.right.key, asked.origin, asked.target ?? "/", asked.subprotocols, canonical(authority).split(":")[0]],
    "an offer says what the client asked for"
  )
  return "initiate Sent"
}

const canonical = (authority: string): string =>
  authority.startsWith("[") ? new URL(`http://${authority}`).hostname : authority.toLowerCase()

const checks = [checkServer, checkClient, checkRefusals, checkInitiate]

const run = (input: Uint8Array): string => {
  const [which = 0, option = 0, seed = 0] = input
  return checks[which & 3](input.slice(3), option, seed)
}

const bad = "Syntax|Target|Host|Content|RepeatedField|Upgrade|Connection|Key|Version|Subprotocol|Extensions"
const invalid =
  "Syntax|HeadTooLarge|Framing|Interim|Status|Version|Upgrade|Connection|Accept|Extensions|Subprotocol|UnexpectedEnd"
const worded = "NotAnUpgrade|BadRequest|Unauthorized|Forbidden|ForbiddenOrigin|NotFound|NoCommonSubprotocol"

export const handshake: Target = {
  name: "handshake",
  ...inputs,
  run,
  outcomes: [
    ...split("Accepted|More|NotAnUpgrade|UnsupportedVersion|MethodNotAllowed|HttpVersionNotSupported|Custom"),
    ...split("ForbiddenOrigin|NoCommonSubprotocol|TargetTooLong|HeadTooLarge"),
    ...split(bad).map((reason) => `BadRequest ${reason}`),
    ...split("Accepted|Custom|Custom truncated|NotAnUpgrade|Unavailable").map((end) => `read ${end}`),
    ...split(invalid).map((reason) => `InvalidResponse ${reason}`),
    ...split(`${worded}|TargetTooLong|HeadTooLarge|HandshakeTimeout`).map((tag) => `refusal ${tag}`),
    ...split("TooManyRequests|Unavailable|Custom").map((tag) => `refusal ${tag}`),
    ...split("Sent|Nonce|Authority|Target|Origin|Subprotocol|InvalidName|InvalidValue|Reserved").map(
      (end) => `initiate ${end}`
    )
  ],
  mostWork: (size) => 200_000 + 1000 * size
}
