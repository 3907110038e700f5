/**
 * How a case went.
 *
 * An outcome is plain data, as the case is: it says what was wanted, what came instead, and at which step.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Case } from "./Case.js"

/**
 * What is known after a case was played, or was not.
 *
 * - `Passed`: all was as the case demands. `remarks` are what the RFC allows and yet recommends otherwise (SHOULD).
 * - `Failed`: at the step of that number, counted from 1, came something else; 0 is the opening handshake, and the
 *   number after the last step the closing handshake. `bytes` are the first that came since the step began, as
 *   hexadecimal digits; `heard` is what the endpoint had sent in words, the last of it.
 * - `Skipped`: the endpoint was not asked.
 * - `Informational`: the RFC leaves it open. `asExpected` says whether the endpoint did what the steps describe,
 *   `seen` what it did.
 *
 * @category models
 * @since 0.1.0
 */
export const Result = Schema.Union(
  Schema.TaggedStruct("Passed", { remarks: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("Failed", {
    step: Schema.Number,
    expected: Schema.String,
    got: Schema.String,
    bytes: Schema.String,
    heard: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("Skipped", { reason: Schema.String }),
  Schema.TaggedStruct("Informational", { asExpected: Schema.Boolean, seen: Schema.String })
).annotations({ identifier: "Result" })

/**
 * The type of a result.
 *
 * @category models
 * @since 0.1.0
 */
export type Result = typeof Result.Type

/**
 * The result of one case, with what a reader needs to know of the case.
 *
 * @category models
 * @since 0.1.0
 */
export const Outcome = Schema.Struct({
  id: Case.fields.id,
  title: Case.fields.title,
  section: Case.fields.section,
  group: Case.fields.group,
  role: Case.fields.role,
  result: Result
}).annotations({ identifier: "Outcome" })

/**
 * The type of an outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * Whether nothing is wrong: the case failed neither the RFC nor the runner.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isFailure = (self: Outcome): boolean => self.result._tag === "Failed"

/**
 * Whether the endpoint did all that the case describes, also what the RFC only recommends or leaves open.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isExemplary = ({ result }: Outcome): boolean =>
  result._tag === "Passed" ? result.remarks.length === 0 : result._tag === "Informational" && result.asExpected
