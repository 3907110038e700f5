/** The names of the tests of advisories, and the check that there is one wherever the table says so. */
import { assert, it } from "@effect/vitest"
import { type Advisory, advisories, type Place, withId } from "./advisoryTable.js"

const defined = new Map<Place, Set<Advisory>>()

/** The name of a test for the row with the id: all ids of the row, and what is tested. */
export const named =
  (place: Place) =>
  (id: string, what: string): string => {
    const advisory = withId(id)
    const rows = defined.get(place) ?? new Set()
    defined.set(place, rows.add(advisory))
    return `${advisory.ids.join(", ")} (${advisory.library}): ${what}`
  }

/** To be called after all tests of the place were defined. */
export const hasAllRows = (place: Place): void => {
  it(`every row that is tested by ${place}, and no other, has a test there`, () => {
    const rows = defined.get(place) ?? new Set()
    assert.deepStrictEqual(
      advisories.filter((advisory) => rows.has(advisory)).flatMap(({ ids }) => ids),
      advisories.filter(({ places }) => places.includes(place)).flatMap(({ ids }) => ids)
    )
  })
}

/** What cannot be tested yet, with the reason. */
export const waiting = (): void => {
  for (const { fault, ids, library, waits } of advisories) {
    if (waits !== undefined) it.todo(`${ids.join(", ")} (${library}): ${fault}; ${waits}`)
  }
}
