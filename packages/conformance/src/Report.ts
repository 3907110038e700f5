/**
 * Outcomes as a report: as text for a person, as JSON for a program.
 *
 * The text begins with a table by group and goes on with all that a person may want to look at: each failure, what was
 * remarked, what the endpoint does otherwise where the RFC leaves it open, and why cases were skipped.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Group } from "./Case.js"
import { isFailure, Outcome } from "./Outcome.js"

/**
 * How many cases of a group had which result.
 *
 * @category models
 * @since 0.1.0
 */
export const Summary = Schema.Struct({
  group: Group,
  passed: Schema.Number,
  failed: Schema.Number,
  informational: Schema.Number,
  skipped: Schema.Number
}).annotations({ identifier: "Summary" })

/**
 * The type of a summary.
 *
 * @category models
 * @since 0.1.0
 */
export type Summary = typeof Summary.Type

/**
 * All outcomes, and their numbers by group.
 *
 * @category models
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  groups: Schema.Array(Summary),
  outcomes: Schema.Array(Outcome)
}).annotations({ identifier: "Report" })

/**
 * The type of a report.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

/**
 * Counts outcomes, by the groups that they have.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (outcomes: ReadonlyArray<Outcome>): Report => ({
  groups: Group.literals.flatMap((group) => {
    const own = outcomes.filter((outcome) => outcome.group === group)
    const count = (tag: Outcome["result"]["_tag"]) => own.filter(({ result }) => result._tag === tag).length
    return own.length === 0
      ? []
      : {
          group,
          passed: count("Passed"),
          failed: count("Failed"),
          informational: count("Informational"),
          skipped: count("Skipped")
        }
  }),
  outcomes
})

/**
 * Whether a case failed.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasFailures = (self: Report): boolean => self.outcomes.some(isFailure)

/**
 * The report as one line of JSON; `Report` is its schema.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson: (self: Report) => string = Schema.encodeSync(Schema.parseJson(Report))

const columns = ["passed", "failed", "informational", "skipped"] as const

const table = ({ groups }: Report): string => {
  const numbers = groups.map((summary) => columns.map((column) => summary[column]))
  const sums = columns.map((_, i) => numbers.reduce((sum, row) => sum + (row[i] ?? 0), 0))
  const rows = [
    ["group", ...columns],
    ...groups.map(({ group }, i) => [group, ...(numbers[i] ?? []).map(String)]),
    ["all", ...sums.map(String)]
  ]
  const widths = ["group", ...columns].map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)))
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart((widths[i] ?? 0) + 2))).join("")
    )
    .join("\n")
}

const failures = ({ outcomes }: Report): ReadonlyArray<string> =>
  outcomes.flatMap(({ id, result, section, title }) =>
    result._tag === "Failed"
      ? [
          [
            `FAILED ${id}`,
            `  ${title} ${section}`,
            `  expected  ${result.expected} (step ${result.step})`,
            `  got       ${result.got}`,
            ...(result.heard.length === 0 ? [] : [`  heard     ${result.heard.join("; ")}`]),
            ...(result.bytes === "" ? [] : [`  bytes     ${result.bytes}`])
          ].join("\n")
        ]
      : []
  )

/** Those that have the same words together, with how many they are and what the first of them is. */
const together = (title: string, all: ReadonlyArray<readonly [words: string, id: string]>): ReadonlyArray<string> => {
  const ids = new Map<string, Array<string>>()
  for (const [words, id] of all) ids.set(words, [...(ids.get(words) ?? []), id])
  const lines = [...ids].map(([words, [first, ...others]]) =>
    others.length === 0 ? `  ${first}: ${words}` : `  ${first} and ${others.length} more: ${words}`
  )
  return lines.length === 0 ? [] : [[title, ...lines].join("\n")]
}

/**
 * The report as text.
 *
 * @category encoding
 * @since 0.1.0
 */
export const format = (self: Report): string =>
  [
    table(self),
    ...failures(self),
    ...together(
      "Passed, with a remark:",
      self.outcomes.flatMap(({ id, result }) =>
        result._tag === "Passed" ? result.remarks.map((remark) => [remark, id] as const) : []
      )
    ),
    ...together(
      "Left open by the RFC, and done otherwise:",
      self.outcomes.flatMap(({ id, result }) =>
        result._tag === "Informational" && !result.asExpected ? [[result.seen, id] as const] : []
      )
    ),
    ...together(
      "Skipped:",
      self.outcomes.flatMap(({ id, result }) => (result._tag === "Skipped" ? [[result.reason, id] as const] : []))
    )
  ].join("\n\n")
