import { type Context, Effect, type Either, type Redacted, type Scope } from "effect"
import { describe, expect, test } from "tstyche"
import type * as Fields from "../src/Fields.js"
import type * as Handshake from "../src/Handshake.js"
import type * as Network from "../src/Network.js"
import type * as Rejection from "../src/Rejection.js"
import * as Upgrade from "../src/Upgrade.js"
import * as UpgradeClient from "../src/UpgradeClient.js"
import type * as WebSocketClient from "../src/WebSocketClient.js"

declare const received: Upgrade.Received
declare const initiated: Upgrade.Initiated<"tail/2" | "tail/1">
declare const awaiting: Upgrade.AwaitingResponse<"tail/2" | "tail/1">
declare const upgraded: Upgrade.Upgraded<"tail/1">
declare const webSocket: Handshake.AwaitingResponse
declare const bytes: Uint8Array
declare const strings: ReadonlyArray<string>
declare const Tokens: Context.Tag<"Tokens", Redacted.Redacted<string>>

describe("a step takes only its own state", () => {
  test("client", () => {
    expect(Upgrade.request).type.toBeCallableWith(initiated)
    expect(Upgrade.receiveResponse).type.toBeCallableWith(awaiting, bytes)
    expect(Upgrade.endOfResponse).type.toBeCallableWith(awaiting)

    expect(Upgrade.request).type.not.toBeCallableWith(awaiting)
    expect(Upgrade.request).type.not.toBeCallableWith(received)
    expect(Upgrade.receiveResponse).type.not.toBeCallableWith(initiated, bytes)
    expect(Upgrade.receiveResponse).type.not.toBeCallableWith(upgraded, bytes)
    expect(Upgrade.receiveResponse).type.not.toBeCallableWith(webSocket, bytes)
    expect(Upgrade.endOfResponse).type.not.toBeCallableWith(upgraded)
  })

  test("each step says where it leads", () => {
    expect(Upgrade.initiate({ authority: "a", protocols: ["tail/2", "tail/1"] })).type.toBe<
      Either.Either<Upgrade.Initiated<"tail/2" | "tail/1">, Upgrade.RequestError | Fields.FieldError>
    >()
    expect(Upgrade.request(initiated)).type.toBe<readonly [Upgrade.AwaitingResponse<"tail/2" | "tail/1">, Uint8Array]>()
    expect(Upgrade.receiveResponse(awaiting, bytes)).type.toBe<
      Either.Either<
        Upgrade.AwaitingResponse<"tail/2" | "tail/1"> | Upgrade.Upgraded<"tail/2" | "tail/1">,
        Rejection.Rejection | Upgrade.InvalidResponse
      >
    >()
  })

  test("one protocol at least is asked for", () => {
    expect(Upgrade.initiate).type.not.toBeCallableWith({ authority: "a", protocols: [] })
    expect(Upgrade.initiate).type.not.toBeCallableWith({ authority: "a", protocols: strings })
    expect(UpgradeClient.connect).type.not.toBeCallableWith({ url: "http://a/", protocols: [] })
    expect(UpgradeClient.connect).type.not.toBeCallableWith({ url: "http://a/" })
  })
})

describe("UpgradeClient.connect", () => {
  const request = { url: "http://a/", protocols: ["tail/2", "tail/1"] } as const

  test("is typed by the protocols, and fails as a WebSocketClient does", () => {
    expect(UpgradeClient.connect(request)).type.toBe<
      Effect.Effect<
        UpgradeClient.Switched<"tail/2" | "tail/1">,
        WebSocketClient.ConnectError,
        Network.Network | Scope.Scope
      >
    >()
  })

  test("takes an effect, with its errors and requirements", () => {
    const asked = Effect.map(Tokens, (token) => ({ ...request, fields: [["X-Api-Key", token]] as const }))
    expect(UpgradeClient.connect(asked)).type.toBe<
      Effect.Effect<
        UpgradeClient.Switched<"tail/2" | "tail/1">,
        UpgradeClient.ConnectError,
        Network.Network | Scope.Scope | "Tokens"
      >
    >()
    expect(UpgradeClient.connect(Effect.fail("no" as const))).type.toBe<
      Effect.Effect<UpgradeClient.Switched<string>, UpgradeClient.ConnectError | "no", Network.Network | Scope.Scope>
    >()
  })
})
