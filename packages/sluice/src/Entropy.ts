/**
 * Random bytes that nobody can foretell, for masking keys (RFC 6455 §5.3) and nonces (§4.1).
 *
 * `effect/Random` is not used for them: it is made to be repeatable. A simulation replaces the service.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import { randomBytes } from "./internal/webPlatform.js"

/**
 * Gives `size` fresh random bytes. By default they come from the cryptographic source of the runtime.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Entropy } from "sluice"
 *
 * const zeros = Effect.provideService(Entropy.Entropy, (size) => new Uint8Array(size))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Entropy extends Context.Reference<Entropy>()("sluice/Entropy", {
  defaultValue: (): ((size: number) => Uint8Array) => randomBytes
}) {}
