import { Either, Option } from "effect"
import { describe, expect, test } from "tstyche"
import type * as Extension from "../src/Extension.js"
import * as Fields from "../src/Fields.js"
import * as Handshake from "../src/Handshake.js"
import * as Http1 from "../src/Http1.js"
import type * as Rejection from "../src/Rejection.js"
import * as Upgrade from "../src/Upgrade.js"

declare const awaitingHead: Handshake.AwaitingHead
declare const received: Handshake.Received
declare const offered: Handshake.Offered
declare const accepted: Handshake.Accepted
declare const initiated: Handshake.Initiated
declare const awaitingResponse: Handshake.AwaitingResponse
declare const clientAccepted: Handshake.ClientAccepted
declare const rejection: Rejection.Rejection
declare const bytes: Uint8Array
declare const strings: ReadonlyArray<string>
declare const required: boolean

const right = <A, E>(either: Either.Either<A, E>): A => Either.getOrThrow(either)

describe("a step takes the one state for which it is defined", () => {
  test("server", () => {
    expect(Handshake.receive).type.toBeCallableWith(awaitingHead, bytes)
    expect(Handshake.offer).type.toBeCallableWith(received)
    expect(Handshake.negotiate).type.toBeCallableWith(offered)
    expect(Handshake.response).type.toBeCallableWith(accepted)

    expect(Handshake.receive).type.not.toBeCallableWith(received, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(offered, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(accepted, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(initiated, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(awaitingResponse, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(clientAccepted, bytes)
    expect(Handshake.receive).type.not.toBeCallableWith(rejection, bytes)
    expect(Handshake.offer).type.not.toBeCallableWith(awaitingHead)
    expect(Handshake.offer).type.not.toBeCallableWith(offered)
    expect(Handshake.offer).type.not.toBeCallableWith(accepted)
    expect(Handshake.negotiate).type.not.toBeCallableWith(awaitingHead)
    expect(Handshake.negotiate).type.not.toBeCallableWith(received)
    expect(Handshake.negotiate).type.not.toBeCallableWith(accepted)
  })

  test("only a server's Accepted has a 101", () => {
    expect(Handshake.response).type.not.toBeCallableWith(awaitingHead)
    expect(Handshake.response).type.not.toBeCallableWith(received)
    expect(Handshake.response).type.not.toBeCallableWith(offered)
    expect(Handshake.response).type.not.toBeCallableWith(clientAccepted)
    expect(Handshake.response).type.not.toBeCallableWith(rejection)
    expect(Handshake.response).type.not.toBeCallableWith(Handshake.negotiate(offered))
    expect(Upgrade.encodeSwitching).type.not.toBeCallableWith({
      _tag: "Switching",
      protocol: "websocket",
      continue: false,
      fields: Fields.empty
    })
    expect(Upgrade.switching).type.not.toBeCallableWith(received)
    // a 101 has no body: there is no argument for one
    expect(Upgrade.encodeSwitching).type.not.toBeCallableWith(accepted.switching, bytes)
    expect(Handshake.response).type.not.toBeCallableWith(accepted, bytes)
    expect(Http1.encodeResponse).type.not.toBeCallableWith(
      { version: "1.1", status: 101, reason: "", fields: Fields.empty },
      bytes
    )
  })

  test("client", () => {
    expect(Handshake.request).type.toBeCallableWith(initiated)
    expect(Handshake.receiveResponse).type.toBeCallableWith(awaitingResponse, bytes)
    expect(Handshake.endOfResponse).type.toBeCallableWith(awaitingResponse)

    expect(Handshake.request).type.not.toBeCallableWith(awaitingResponse)
    expect(Handshake.request).type.not.toBeCallableWith(received)
    expect(Handshake.receiveResponse).type.not.toBeCallableWith(initiated, bytes)
    expect(Handshake.receiveResponse).type.not.toBeCallableWith(awaitingHead, bytes)
    expect(Handshake.receiveResponse).type.not.toBeCallableWith(clientAccepted, bytes)
    expect(Handshake.endOfResponse).type.not.toBeCallableWith(initiated)
    expect(Handshake.endOfResponse).type.not.toBeCallableWith(clientAccepted)
  })

  test("each step says where it leads", () => {
    expect(Handshake.receive(awaitingHead, bytes)).type.toBe<
      Either.Either<Handshake.AwaitingHead | Handshake.Received, Rejection.Rejection>
    >()
    expect(Handshake.offer(received)).type.toBe<Either.Either<Handshake.Offered, Rejection.Rejection>>()
    expect(Handshake.receiveResponse(awaitingResponse, bytes)).type.toBe<
      Either.Either<
        Handshake.AwaitingResponse | Handshake.ClientAccepted,
        Rejection.Rejection | Handshake.InvalidResponse
      >
    >()
    expect(Handshake.endOfResponse(awaitingResponse)).type.toBe<Rejection.Rejection | Handshake.InvalidResponse>()
  })

  test("the parsers of heads are not mixed up", () => {
    expect(right(Http1.receive(Http1.request(), bytes))).type.toBe<
      Http1.AwaitingRequest | Http1.Complete<Http1.RequestHead>
    >()
    expect(right(Http1.receive(Http1.response(), bytes))).type.toBe<
      Http1.AwaitingResponse | Http1.Complete<Http1.ResponseHead>
    >()
  })
})

describe("the subprotocol follows the policy", () => {
  test("server", () => {
    const spoken = ["v2", "v1"] as const
    expect(right(Handshake.negotiate(offered)).subprotocol).type.toBe<undefined>()
    expect(right(Handshake.negotiate(offered, {})).subprotocol).type.toBe<undefined>()
    expect(right(Handshake.negotiate(offered, { origin: "any" })).subprotocol).type.toBe<undefined>()
    expect(right(Handshake.negotiate(offered, { subprotocols: ["v2", "v1"] })).subprotocol).type.toBe<
      "v2" | "v1" | undefined
    >()
    expect(right(Handshake.negotiate(offered, { subprotocols: spoken })).subprotocol).type.toBe<
      "v2" | "v1" | undefined
    >()
    expect(
      right(Handshake.negotiate(offered, { subprotocols: ["v2", "v1"], subprotocolRequired: true })).subprotocol
    ).type.toBe<"v2" | "v1">()
    expect(
      right(Handshake.negotiate(offered, { subprotocols: ["v2", "v1"], subprotocolRequired: false })).subprotocol
    ).type.toBe<"v2" | "v1" | undefined>()
    expect(
      right(Handshake.negotiate(offered, { subprotocols: ["v1"], subprotocolRequired: required })).subprotocol
    ).type.toBe<"v1" | undefined>()
    expect(right(Handshake.negotiate(offered, { subprotocols: strings })).subprotocol).type.toBe<string | undefined>()
    expect(
      right(Handshake.negotiate(offered, { subprotocols: strings, subprotocolRequired: true })).subprotocol
    ).type.toBe<string>()
    expect(right(Handshake.negotiate(offered, { subprotocolRequired: true })).subprotocol).type.toBe<never>()
  })

  test("client", () => {
    const initiated = right(Handshake.initiate({ authority: "a", subprotocols: ["v2", "v1"] }, bytes))
    expect(initiated.subprotocols).type.toBe<ReadonlyArray<"v2" | "v1">>()
    const [awaiting] = Handshake.request(initiated)
    const state = right(Handshake.receiveResponse(awaiting, bytes))
    if (state._tag === "Accepted") expect(state.subprotocol).type.toBe<"v2" | "v1" | undefined>()
    expect(right(Handshake.initiate({ authority: "a" }, bytes)).subprotocols).type.toBe<ReadonlyArray<never>>()
  })

  test("every Accepted is an Accepted", () => {
    const one = right(Handshake.negotiate(offered, { subprotocols: ["v1"], subprotocolRequired: true }))
    expect(one).type.toBeAssignableTo<Handshake.Accepted>()
    expect(one).type.toBeAssignableTo<Handshake.Accepted<"v1" | "v2" | undefined>>()
    expect(Handshake.response).type.toBeCallableWith(one)
    expect(accepted).type.not.toBeAssignableTo<Handshake.Accepted<"v1">>()
  })
})

describe("the extensions follow the policy", () => {
  const numbers: Extension.Extension<number> = {
    name: "a",
    reserved: ["rsv1"],
    offers: [],
    accept: () => Option.none(),
    confirm: () => Either.left("")
  }

  test("both sides", () => {
    expect(right(Handshake.negotiate(offered, { extensions: [numbers] })).extensions).type.toBe<
      ReadonlyArray<Extension.Agreement<number>>
    >()
    expect(right(Handshake.negotiate(offered)).extensions).type.toBe<ReadonlyArray<Extension.Agreement<never>>>()
    expect(right(Handshake.initiate({ authority: "a", extensions: [numbers] }, bytes)).extensions).type.toBe<
      ReadonlyArray<Extension.Extension<number>>
    >()
  })
})

describe("what goes out is checked before", () => {
  test("fields", () => {
    expect(Handshake.negotiate).type.not.toBeCallableWith(offered, { fields: [["X", "y"]] })
    expect(Handshake.negotiate).type.not.toBeCallableWith(offered, { fields: Fields.empty })
    expect(Handshake.negotiate).type.toBeCallableWith(offered, { fields: right(Upgrade.extraFields([["X", "y"]])) })
    expect<Fields.Fields>().type.not.toBeAssignableFrom([["X", "y"]])
  })

  test("policies", () => {
    expect(Handshake.negotiate).type.not.toBeCallableWith(offered, { origin: "https://example.com" })
    expect(Handshake.negotiate).type.toBeCallableWith(offered, { origin: ["https://example.com"] })
    expect(Handshake.negotiate).type.toBeCallableWith(offered, {
      origin: (origin: string | undefined) => origin === "x"
    })
  })
})

describe("an upgrade is typed by the protocols that are supported", () => {
  test("negotiate", () => {
    expect(right(Upgrade.negotiate(received, ["websocket", "h2c"])).protocol).type.toBe<"websocket" | "h2c">()
    expect(Upgrade.negotiate).type.not.toBeCallableWith(received, [])
    expect(right(Upgrade.negotiate(received, ["tail/1"]))).type.toBeAssignableTo<Upgrade.Negotiated<string>>()
  })
})
