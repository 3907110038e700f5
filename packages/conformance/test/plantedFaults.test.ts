/** The runner finds what is wrong with an endpoint, and finds nothing wrong with one that only does otherwise. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { MemoryNetwork } from "sluice"
import { turns } from "../../sluice/test/support/turns.js"
import type { Case } from "../src/Case.js"
import * as Cases from "../src/Cases.js"
import * as Conformance from "../src/Conformance.js"
import * as Outcome from "../src/Outcome.js"
import * as Report from "../src/Report.js"
import * as Planted from "./support/plantedEndpoint.js"
import { otherwise } from "./support/playing.js"

type Role = Case["role"]

const roles: ReadonlyArray<Role> = ["server", "client"]

const subjectOf = (role: Role, traits: ReadonlyArray<Planted.Trait>) =>
  role === "server" ? Planted.server(...traits) : Planted.client(...traits)

/** Plays cases; where nothing goes on any more, the time of the deadline passes. */
const played = (cases: ReadonlyArray<Case>, role: Role, traits: ReadonlyArray<Planted.Trait>) =>
  Effect.forEach(cases, (each) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Conformance.runCase(each, { subject: subjectOf(role, traits) }))
      while (fiber.unsafePoll() === null) {
        yield* turns()
        if (fiber.unsafePoll() === null) yield* TestClock.adjust("5 seconds")
      }
      return yield* Fiber.join(fiber)
    })
  ).pipe(Effect.provide(MemoryNetwork.layer()))

const withoutSetup = (role: Role, groups: ReadonlyArray<Case["group"]>) =>
  Cases.select({ role }).filter(({ group, setup }) => setup === undefined && groups.includes(group))

const connection = ["framing", "fragmentation", "utf8", "control", "close", "limits"] as const
const handshake = ["opening", "subprotocols", "extensions"] as const

const reported = (outcomes: ReadonlyArray<Outcome.Outcome>): string => `\n${Report.format(Report.make(outcomes))}`

describe("an endpoint without a fault", () => {
  for (const role of roles) {
    for (const groups of [connection, handshake]) {
      it.effect(
        `is a ${role} that passes ${groups[0]} and the like`,
        () =>
          Effect.gen(function* () {
            const outcomes = yield* played(withoutSetup(role, groups), role, [])
            const wrong = outcomes.filter((outcome) => !Outcome.isExemplary(outcome) && !otherwise.has(outcome.id))
            assert.isTrue(wrong.length === 0, reported(wrong))
          }),
        120_000
      )
    }
  }
})

describe("an endpoint that does otherwise than most", () => {
  const liberties: ReadonlyArray<Planted.Liberty> = [
    "answers the last Ping only",
    "echoes in fragments",
    "answers every Close with 1000",
    "answers every Close without a code",
    "sends Pings and Pongs of its own",
    "fails without a Close"
  ]
  const some = (role: Role) =>
    withoutSetup(role, ["framing", "control", "close", "fragmentation"]).filter(({ id }) =>
      /^framing\/(reserved-bit|masking|sequence)|^fragmentation\/shape|^control|^close/.test(id)
    )
  for (const role of roles) {
    for (const liberty of liberties) {
      it.effect(
        `is a ${role} that passes, although it ${liberty}`,
        () =>
          Effect.gen(function* () {
            const outcomes = yield* played(some(role), role, [liberty])
            const failed = outcomes.filter(Outcome.isFailure)
            assert.isTrue(failed.length === 0, reported(failed))
            const remarks = outcomes.flatMap(({ result }) => (result._tag === "Passed" ? result.remarks : []))
            assert.strictEqual(remarks.length > 0, liberty === "fails without a Close")
          }),
        120_000
      )
    }
  }
})

/** What is planted, in which roles, cases that fail because of it, what is seen, and a case that passes all the same. */
const faults: ReadonlyArray<
  readonly [
    traits: ReadonlyArray<Planted.Trait>,
    roles: ReadonlyArray<Role>,
    fails: ReadonlyArray<string>,
    got: RegExp,
    passes: string | undefined
  ]
> = [
  [
    ["rsv"],
    roles,
    ["framing/reserved-bit/rsv1-text/", "framing/reserved-bit/rsv2-rsv3-ping/"],
    /Text|Pong/,
    "framing/reserved-opcode/3-empty/"
  ],
  [
    ["opcode"],
    roles,
    ["framing/reserved-opcode/3-empty/", "framing/reserved-opcode/15-payload/"],
    /Text "after"/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["mask"],
    ["server"],
    ["framing/masking/unmasked-text", "framing/masking/unmasked-ping"],
    /Text/,
    "framing/masking/key-zero"
  ],
  [
    ["mask"],
    ["client"],
    ["framing/masking/masked-text", "framing/masking/masked-key-zero"],
    /Text/,
    "framing/length/text-1/"
  ],
  [
    ["control fin"],
    roles,
    ["control/fragmented/ping/", "control/fragmented/pong-empty/", "control/fragmented/close/"],
    /Text|Close 1000/,
    "control/ping/text-5/"
  ],
  [
    ["control length"],
    roles,
    ["control/too-long/ping-126/", "control/too-long/pong-65536/", "close/payload/reason-124/"],
    /with more|Text|Close 1000/,
    "control/ping/text-125/"
  ],
  [
    ["top bit", "cuts lengths to 32 bits"],
    roles,
    ["framing/length-overflow/2-63-binary/"],
    /Binary/,
    "framing/length/binary-65536/"
  ],
  [
    ["continuation"],
    roles,
    ["fragmentation/continuation/first/", "fragmentation/continuation/after-last/"],
    /Text/,
    "fragmentation/shape/two-text/"
  ],
  [
    ["interleaved"],
    roles,
    ["fragmentation/interleaved/text-in-binary-whole/", "fragmentation/interleaved/empty/"],
    /Binary|Text/,
    "fragmentation/shape/two-text/"
  ],
  [
    ["utf8"],
    roles,
    ["utf8/invalid/surrogate-d800/", "utf8/invalid-split/overlong-3-last/", "utf8/incomplete/c3/"],
    /UTF-8|text that is not/,
    "utf8/valid/word/"
  ],
  [["close payload"], roles, ["close/payload/one-byte-03/"], /Close/, "close/code/1000/"],
  [
    ["close code"],
    roles,
    ["close/illegal-code/1005/", "close/illegal-code/999-reason/"],
    /Close 1000/,
    "close/code/1000/"
  ],
  [
    ["close reason"],
    roles,
    ["close/payload/reason-ff/", "close/payload/reason-cut-at-123/"],
    /Close 1000/,
    "close/code/1000-reason/"
  ],
  [
    ["masks although it is a server, or the reverse"],
    roles,
    ["framing/length/text-0/"],
    /masked/,
    "close/half-close/without-close/"
  ],
  [["masks with one key"], ["client"], ["framing/masking/fresh-keys"], /same key/, "framing/length/text-1/"],
  [
    ["sends a reserved bit"],
    roles,
    ["framing/length/text-0/", "framing/length/binary-126/"],
    /RSV bits 010/,
    "control/ping/text-5/"
  ],
  [
    ["writes lengths in 64 bits"],
    roles,
    ["framing/length/text-0/", "framing/length/binary-65535/"],
    /in 64 bits/,
    "framing/length/binary-65536/"
  ],
  [
    ["echoes with the wrong type"],
    roles,
    ["framing/length/text-1/", "framing/sequence/type/"],
    /Binary/,
    "control/ping/text-5/"
  ],
  [
    ["echoes twice"],
    roles,
    ["framing/length/text-1/", "fragmentation/shape/two-text/"],
    /Text/,
    "control/ping/text-5/"
  ],
  [
    ["forgets empty messages"],
    roles,
    ["framing/length/text-0/", "fragmentation/shape/two-empty-binary/"],
    /nothing more within 5s/,
    "framing/length/text-1/"
  ],
  [
    ["does not unmask fragments after the first"],
    ["server"],
    ["fragmentation/shape/two-text/", "framing/masking/key-per-fragment"],
    /Text|Close 1007/,
    "framing/length/text-1/"
  ],
  [
    ["answers no Ping"],
    roles,
    ["control/ping/text-0/", "fragmentation/injected/ping-at-once/"],
    /nothing more within 5s/,
    "framing/length/text-1/"
  ],
  [
    ["answers Pings with another payload"],
    roles,
    ["control/ping/text-0/", "control/flood/2-pings/"],
    /nothing more within 5s/,
    "framing/length/text-1/"
  ],
  [
    ["closes with the wrong code"],
    roles,
    ["framing/reserved-bit/rsv1-text/", "utf8/invalid/byte-ff/", "close/illegal-code/0/"],
    /Close 1000/,
    "framing/length/text-1/"
  ],
  [
    ["answers a Close with an illegal code"],
    roles,
    ["close/answer/empty/", "framing/length/text-1/"],
    /1006/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["answers no Close"],
    roles,
    ["close/answer/empty/", "framing/length/text-1/"],
    /nothing more within 5s/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["answers a Close twice"],
    roles,
    ["close/handshake/once/", "framing/length/text-1/"],
    /a second one/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["goes on after a Close"],
    roles,
    ["close/after-close/text/", "close/after-close/ping/", "close/after-close/close/"],
    /after it|Pong|a second one/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["sends data after its Close"],
    roles,
    ["close/answer/empty/"],
    /opcode 1 after it/,
    "framing/reserved-bit/rsv1-text/"
  ],
  [
    ["never ends the connection"],
    roles,
    ["close/answer/empty/", "framing/reserved-bit/rsv1-text/", "framing/length/text-1/"],
    /nothing more within 5s/,
    undefined
  ],
  [
    ["ends the connection at once"],
    roles,
    ["framing/length/text-1/", "control/ping/text-0/"],
    /the end of the connection/,
    "close/half-close/without-close/"
  ],
  [
    ["says nothing"],
    roles,
    ["framing/length/text-1/", "framing/reserved-bit/rsv1-text/", "close/answer/empty/"],
    /nothing more within 5s/,
    "close/half-close/without-close/"
  ],
  [["sends a wrong accept"], ["server"], ["framing/length/text-1/"], /Sec-WebSocket-Accept/, "opening/method/post"],
  [
    ["chooses a subprotocol that it does not speak"],
    ["server"],
    ["framing/length/text-1/"],
    /Sec-WebSocket-Protocol: chat/,
    "opening/method/post"
  ],
  [
    ["accepts an extension that it does not have"],
    ["server"],
    ["framing/length/text-1/"],
    /Sec-WebSocket-Extensions: x-mux/,
    "opening/method/post"
  ],
  [
    ["takes a wrong accept"],
    ["client"],
    ["opening/reply-accept/missing", "opening/reply-accept/zeros"],
    /Text "Hello"/,
    "framing/length/text-1/"
  ],
  [["answers HEAD with content"], ["server"], ["opening/method/head-content"], /^\d+ bytes$/, "opening/method/post"],
  [
    ["answers twice"],
    ["server"],
    ["opening/method/head-content", "opening/content/length-sign", "opening/content/lengths"],
    /^\d+ bytes$/,
    "framing/length/text-1/"
  ]
]

describe("an endpoint with a fault fails", () => {
  for (const [traits, roles, fails, got, passes] of faults) {
    for (const role of roles) {
      it.effect(`the ${role}: ${traits.join(", ")}`, () =>
        Effect.gen(function* () {
          for (const id of fails) {
            const [first] = Cases.select({ role, id })
            if (first === undefined) return assert.fail(`no case of a ${role} begins with ${id}`)
            const [outcome] = yield* played([first], role, traits)
            if (outcome?.result._tag !== "Failed") return assert.fail(`${first.id}: ${JSON.stringify(outcome?.result)}`)
            assert.match(outcome.result.got, got, first.id)
          }
          if (passes === undefined) return
          const [control] = Cases.select({ role, id: passes })
          if (control === undefined) return assert.fail(`no case of a ${role} begins with ${passes}`)
          const outcomes = yield* played([control], role, traits)
          assert.isFalse(outcomes.some(Outcome.isFailure), reported(outcomes))
        })
      )
    }
  }
})
