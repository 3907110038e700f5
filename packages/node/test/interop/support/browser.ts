/** What a browser is here: something that opens pages, and evaluates expressions in them. */
import type { Effect, Scope } from "effect"
import type { Network } from "sluice"

/** The value of an expression in a page: a text, a number or a boolean; of a promise, what it is resolved with. */
export type Evaluate = (expression: string) => Effect.Effect<unknown, unknown>

/** Opens a page in a tab of its own, and waits until it is loaded. */
export type Open = (url: string) => Effect.Effect<Evaluate, unknown>

/** Starts a browser with a profile of its own; both end with the scope. */
export type Launch = Effect.Effect<Open, unknown, Network.Network | Scope.Scope>
