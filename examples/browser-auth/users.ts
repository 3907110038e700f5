import { Effect, Redacted } from "effect"
import { Credential, Rejection } from "sluice"

/** Who somebody is. */
export interface User {
  readonly name: string
}

const user = (name: string, token: string) => ({ name, hasToken: Credential.equalTo(Redacted.make(token)) })

/** A real program keeps hashes of the tokens in a database, or checks the signature of a JWT. */
const users = [user("Ada", "ada's token"), user("Grace", "grace's token")]

/** Whose token it is. Every token is compared in constant time. */
export const verify = (token: Redacted.Redacted<string>): Effect.Effect<User, Rejection.Unauthorized> => {
  const found = users.find(({ hasToken }) => hasToken(token))
  return found === undefined
    ? new Rejection.Unauthorized({ challenges: [Rejection.bearer], detail: "This is nobody's token." })
    : Effect.succeed({ name: found.name })
}
