/**
 * The transport laws as tests of `@effect/vitest`.
 *
 * @since 0.1.0
 */
import { describe, it } from "@effect/vitest"
import type * as Layer from "effect/Layer"
import type * as Network from "sluice/Network"
import * as TransportLaws from "./TransportLaws.js"

/** Milliseconds. A law that is broken says so sooner, if it has the time. */
const defaultTimeout = 60_000

/**
 * Declares one test for each law, on a network of its own.
 *
 * @example
 * ```ts
 * import { transportLaws } from "@sluice/conformance/vitest"
 * import { MemoryNetwork } from "sluice"
 *
 * transportLaws("memory", { network: MemoryNetwork.layer(), held: 64 * 1024 })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const transportLaws = (
  name: string,
  options: TransportLaws.Options & {
    /** Built anew for each law. */
    readonly network: Layer.Layer<Network.Network, unknown>
    /** Milliseconds that a test may take; 60,000 by default. */
    readonly timeout?: number | undefined
  }
): void => {
  describe(`a transport of ${name}`, () => {
    for (const law of TransportLaws.laws(options)) {
      it.effect(law.name, () => TransportLaws.check(law, options.network), options.timeout ?? defaultTimeout)
    }
  })
}
