import { type Context, Effect, type Either, type Redacted } from "effect"
import { describe, expect, test } from "tstyche"
import * as Rejection from "../src/Rejection.js"
import * as SubprotocolToken from "../src/SubprotocolToken.js"
import type * as WebSocket from "../src/WebSocket.js"
import * as WebSocketServer from "../src/WebSocketServer.js"

interface User {
  readonly name: string
}

declare const Database: Context.Tag<"Database", (token: Redacted.Redacted<string>) => User>
declare const strings: ReadonlyArray<string>

const verify = (token: Redacted.Redacted<string>) =>
  Effect.flatMap(Database, (find) =>
    Math.PI > 3 ? Effect.succeed(find(token)) : Effect.fail(new Rejection.Forbidden())
  )

describe("SubprotocolToken.make", () => {
  test("wants one subprotocol at least", () => {
    expect(SubprotocolToken.make).type.toBeCallableWith({ subprotocols: ["chat.v1"], verify })
    expect(SubprotocolToken.make).type.not.toBeCallableWith({ subprotocols: [], verify })
    expect(SubprotocolToken.make).type.not.toBeCallableWith({ subprotocols: strings, verify })
    expect(SubprotocolToken.make).type.not.toBeCallableWith({ verify })
  })

  test("hands subprotocol, principal and requirements on to the server", () => {
    const made = SubprotocolToken.make({ subprotocols: ["chat.v2", "chat.v1"], verify })
    expect(made).type.toBe<
      Either.Either<
        SubprotocolToken.SubprotocolToken<readonly ["chat.v2", "chat.v1"], User, "Database">,
        SubprotocolToken.SubprotocolTokenError
      >
    >()
    const served = Effect.flatMap(made, (options) =>
      WebSocketServer.serve({ port: 1, ...options }, (socket, { principal }) => {
        expect(principal).type.toBe<User>()
        expect(socket).type.toBe<WebSocket.WebSocket<"chat.v2" | "chat.v1">>()
        return Effect.void
      })
    )
    expect<Effect.Effect.Context<typeof served>>().type.toBeAssignableFrom<"Database">()
  })
})
