/**
 * All cases: the rules of RFC 6455 for either role, each with its section.
 *
 * The ids last: a case keeps its id for as long as it asks the same.
 *
 * @since 0.1.0
 */
import type { Case, Group } from "./Case.js"
import { closing } from "./cases/close.js"
import { closeOrder } from "./cases/closeOrder.js"
import { control } from "./cases/control.js"
import { extensions } from "./cases/extensions.js"
import { fragmentation } from "./cases/fragmentation.js"
import { framing } from "./cases/framing.js"
import { limits } from "./cases/limits.js"
import { limitsOfCounts } from "./cases/limitsOfCounts.js"
import { masking } from "./cases/masking.js"
import { openingClient } from "./cases/openingClient.js"
import { openingServer } from "./cases/openingServer.js"
import { subprotocols } from "./cases/subprotocols.js"
import { utf8 } from "./cases/utf8.js"

/**
 * The cases of each group.
 *
 * @category constants
 * @since 0.1.0
 */
export const byGroup: { readonly [G in Group]: ReadonlyArray<Case> } = {
  framing: [...framing, ...masking],
  fragmentation,
  utf8,
  control,
  close: [...closing, ...closeOrder],
  limits: [...limits, ...limitsOfCounts],
  opening: [...openingServer, ...openingClient],
  subprotocols,
  extensions
}

/**
 * All cases, group by group.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<Case> = Object.values(byGroup).flat()

/**
 * Those of a role, of a group, or whose id begins so; by default all.
 *
 * @example
 * ```ts
 * import { Cases } from "@sluice/conformance"
 *
 * const cases = Cases.select({ role: "server", group: "utf8" })
 * const fewer = Cases.select({ id: "framing/reserved-bit/" })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const select = (wanted: {
  readonly role?: Case["role"] | undefined
  readonly group?: Group | undefined
  readonly id?: string | undefined
}): ReadonlyArray<Case> =>
  all.filter(
    ({ group, id, role }) =>
      (wanted.role === undefined || role === wanted.role) &&
      (wanted.group === undefined || group === wanted.group) &&
      (wanted.id === undefined || id.startsWith(wanted.id))
  )
