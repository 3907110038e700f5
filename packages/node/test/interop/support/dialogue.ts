/**
 * What a peer is led through as a client of our server, what it has to see, and what the server has to see meanwhile.
 *
 * The peer prints what it sees, as JSON, one object a line; all of them together are `Seen`.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { Network, Protocol } from "sluice"
import { type Needs, where } from "./needs.js"
import { type End, ours, type Playground } from "./playground.js"

/** Around the places where the header of a frame changes, and the largest that is taken by default. */
export const sizes: ReadonlyArray<number> = [0, 1, 125, 126, 65535, 65536, 1024 * 1024]

/** What a client can do that not all can. */
export interface Abilities {
  readonly ping: boolean
  readonly sendFragments: boolean
  /** Whether it offers `permessage-deflate`. */
  readonly deflate: boolean
  /** Whether it tells the status of a refusal. */
  readonly status: boolean
  /** Whether it answers a Close with the code that came, as "typically" done (RFC 6455 §5.5.1); else perhaps with 1000. */
  readonly echoesCode: boolean
}

const Closed = Schema.Tuple(Schema.Number, Schema.String)

const Refusal = Schema.Union(Schema.Number, Schema.Literal("refused", "open"))

const Line = Schema.parseJson(
  Schema.partial(
    Schema.Struct({
      /** What was chosen. */
      subprotocol: Schema.String,
      extensions: Schema.String,
      /** The sizes of those that came back as they were. */
      texts: Schema.Array(Schema.Number),
      binaries: Schema.Array(Schema.Number),
      unicode: Schema.String,
      /** The echo of a message that was sent in fragments. */
      fragmentsSent: Schema.String,
      /** A message that came in fragments. */
      fragments: Schema.String,
      /** Whether the Pong for its Ping came, with its payload. */
      pong: Schema.Boolean,
      /** What the server sends once it has the Pong for its own. */
      pinged: Schema.String,
      /** How a connection ended that the peer closed, and one that the server closed. */
      closed: Closed,
      closedByServer: Closed,
      missing: Refusal,
      forbidden: Refusal
    })
  )
)

export type Seen = typeof Line.Type

/** What was seen, from the lines that say it. */
export const seenIn = (lines: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(
      // the others are complaints
      lines.filter((line) => line.startsWith("{")),
      (line) => Schema.decode(Line)(line, { onExcessProperty: "error" })
    ),
    (parts): Seen => Object.assign({}, ...parts)
  )

/** The URL of a server, without a path. */
export const baseOf = (address: Network.Address): string => `ws://${Network.formatAddress(address)}`

/** A dialogue that was led to its end. */
export class Led extends Context.Tag("test/interop/Led")<
  Led,
  {
    readonly seen: Seen
    /** How the connections have ended, as the server has it. */
    readonly ends: ReadonlyArray<End>
    /** The extensions that were offered, by path. */
    readonly offers: Playground["offers"]
    /** How many frames came after which their message goes on. */
    readonly unfinished: number
  }
>() {}

/** Leads the dialogue once, and looks at what was seen at both ends. */
export const dialogue = <E>(
  needs: ReadonlyArray<Needs>,
  name: string,
  can: Abilities,
  led: Effect.Effect<Led["Type"], E, Scope.Scope>
): void =>
  where(needs, name, () =>
    layer(Layer.scoped(Led, led), { timeout: 120_000 })(name, (it) => {
      /** The peer has seen this. */
      const sees = (what: string, wanted: Seen) =>
        it.effect(what, () =>
          Effect.map(Led, ({ seen }) => {
            const got = Object.keys(wanted).map((key) => [key, Reflect.get(seen, key)])
            assert.deepStrictEqual(Object.fromEntries(got), wanted)
          })
        )
      sees("texts and binaries, to 1 MiB", { texts: sizes, binaries: sizes, unicode: "\u00e9 \u20ac \u{1f600}" })
      sees("a subprotocol is chosen by the server, and no extension", { subprotocol: "b", extensions: "" })
      it.effect(`permessage-deflate is ${can.deflate ? "offered, and declined" : "not offered"}`, () =>
        Effect.map(Led, ({ offers }) =>
          assert.strictEqual(offers.get("/echo")?.includes("permessage-deflate"), can.deflate)
        )
      )
      sees("a message in fragments from the server", { fragments: "Hello" })
      if (can.sendFragments) {
        sees("a message in fragments from the client", { fragmentsSent: "Hello" })
        it.effect("a message in fragments from the client, at the server", () =>
          Effect.map(Led, ({ unfinished }) => assert.isAtLeast(unfinished, 2))
        )
      }
      sees("a Ping from the server", { pinged: "ponged" })
      if (can.ping) sees("a Ping from the client", { pong: true })
      // A Close is answered with its code (RFC 6455 §5.5.1), and nothing else.
      sees("a close from the client, at the client", { closed: [4000, ""] })
      sees("a close from the server, at the client", { closedByServer: [ours.code, ours.reason] })
      it.effect("the closes, at the server", () =>
        Effect.map(Led, ({ ends }) => {
          assert.deepStrictEqual(
            ends.filter(({ reason }) => !Protocol.isClean(reason)),
            []
          )
          assert.deepInclude(ends, {
            path: "/echo",
            reason: Protocol.CloseReason.Clean({ code: 4000, reason: "bye", initiator: "peer" })
          })
          const [end] = ends.filter(({ path }) => path === "/close")
          assert.include(end?.reason, { initiator: "local" })
          assert.include(can.echoesCode ? [ours.code] : [ours.code, 1000], end && Protocol.codeOf(end.reason))
        })
      )
      sees("refusals", can.status ? { missing: 404, forbidden: 403 } : { missing: "refused", forbidden: "refused" })
    })
  )
