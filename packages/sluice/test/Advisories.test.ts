import { assert, describe, it } from "@effect/vitest"
import { advisories } from "./suites/advisories.js"
import { hasAllRows, waiting } from "./suites/advisoriesNamed.js"
import * as Table from "./suites/advisoryTable.js"
import { laneless, memory } from "./suites/host.js"

for (const host of [memory, laneless]) advisories(host)

/** All advisories that were found, by the number of their row. */
const known: ReadonlyArray<readonly [row: number | undefined, ...ids: ReadonlyArray<string>]> = [
  [1, "CVE-2026-48779", "GHSA-96hv-2xvq-fx4p"],
  [2, "ws#2331", "ws#2329"],
  [3, "CVE-2026-45736", "GHSA-58qx-3vcg-4xpx"],
  [4, "CVE-2024-37890"],
  [5, "CVE-2021-32640"],
  [6, "ws 3.3.1"],
  [7, "ws 1.0.1", "GHSA-2mhh-w6q8-5hxw"],
  [8, "ws@6946f5f", "ws@dc1781b", "ws@0435e6e"],
  [9, "CVE-2026-1526", "GHSA-vrm6-8vpv-qv8q"],
  [10, "CVE-2026-1528"],
  [11, "CVE-2026-2229"],
  [12, "CVE-2026-1527", "GHSA-4992-7rv2-5pvq"],
  [13, "CVE-2026-12151", "undici@b4c287b"],
  [14, "CVE-2020-7662", "CVE-2020-7663"],
  [15, "CVE-2018-1000518"],
  [16, "CVE-2021-33880"],
  [17, "CVE-2023-43669", "RUSTSEC-2023-0053"],
  [18, "CVE-2020-27813"],
  [19, "CVE-2026-65623"],
  [20, "CVE-2026-42786"],
  [21, "CVE-2026-39804"],
  [22, "GHSA-rhh8-5xw9-c3gm"],
  [23, "CVE-2026-33151"],
  [24, "CVE-2022-21676", "CVE-2024-38355"],
  [25, "CVE-2023-31125"],
  [26, "CVE-2026-59898", "GHSA-4mp9-239f-g9hg"],
  [27, "GHSA-7vpq-g998-qpv7"],
  [28, "CVE-2026-19204"],
  [29, "CVE-2018-12541"],
  [30, "Granian advisory"],
  [31, "CVE-2026-27977"],
  [32, "CVE-2025-24010", "npm advisory 725"],
  [33, "GHSA-c4j6-fc7j-m34r"],
  [34, "openai-java#1013"],
  [35, "GHSA-x3gh-xhj4-3vq8", "GHSA-xj8g-532w-jv94"],
  [36, "Mesop advisory"],
  [37, "Effect 3, no CVE"],
  [undefined, "CVE-2020-36048"],
  [undefined, "CVE-2020-36049"],
  [undefined, "CVE-2022-41940"],
  [undefined, "CVE-2023-32695"],
  [undefined, "CVE-2023-44487"]
]

describe("the table of advisories", () => {
  it("has all that are known, each tested somewhere or with a reason why it is not", () => {
    assert.deepStrictEqual(
      Table.advisories.map(({ ids, row }) => [row, ...ids]),
      known.map((advisory) => [...advisory])
    )
    for (const { ids, places, waits } of Table.advisories) {
      assert.isTrue(places.length > 0 || waits !== undefined, ids.join(", "))
    }
  })

  hasAllRows("network")
  waiting()
})
