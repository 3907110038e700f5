/**
 * Header fields whose names and values need no check, because a parser made them or because the code spells them out.
 */
import type * as Brand from "effect/Brand"

/** @internal */
export type Fields = ReadonlyArray<readonly [name: string, value: string]> & Brand.Brand<"sluice/Fields">

/**
 * The brand is of the type only. Whoever calls this has checked every name and value, or wrote them as literals.
 *
 * @internal
 */
export const trusted = (entries: ReadonlyArray<readonly [name: string, value: string]>): Fields => entries as Fields
