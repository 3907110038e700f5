import * as Context from "effect/Context"

/**
 * How many peers a program should have: the `peers` of the options, 2 by default. A program that asks for the number can
 * be shrunk to fewer.
 *
 * @category services
 * @since 0.1.0
 */
export class Peers extends Context.Reference<Peers>()("@sluice/sim/Peers", { defaultValue: () => 2 }) {}
