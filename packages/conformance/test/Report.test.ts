import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Outcome, Result } from "../src/Outcome.js"
import { isExemplary, isFailure } from "../src/Outcome.js"
import * as Report from "../src/Report.js"

const outcome = (id: string, group: Outcome["group"], result: Result): Outcome => ({
  id: `${group}/${id}`,
  title: `Does ${id}.`,
  section: "RFC 6455 §5.2",
  group,
  role: "server",
  result
})

const passed = outcome("a", "framing", { _tag: "Passed", remarks: [] })
const remarked = outcome("b", "framing", { _tag: "Passed", remarks: ["it SHOULD not"] })
const failed = outcome("c", "close", {
  _tag: "Failed",
  step: 2,
  expected: "Close 1000",
  got: 'Text "a"',
  bytes: "810161",
  heard: ["HTTP/1.1 101 Switching Protocols", 'Text "a"']
})
const unheard = outcome("d", "close", {
  _tag: "Failed",
  step: 0,
  expected: "a connection",
  got: "none",
  bytes: "",
  heard: []
})
const skipped = (id: string) => outcome(id, "limits", { _tag: "Skipped", reason: "no options" })
const asExpected = outcome("e", "utf8", { _tag: "Informational", asExpected: true, seen: "Close 1007" })
const otherwise = outcome("f", "utf8", { _tag: "Informational", asExpected: false, seen: "the end, not Close 1007" })

const all = [passed, remarked, failed, unheard, skipped("g"), skipped("h"), asExpected, otherwise]

describe("Report", () => {
  it("is read by a person", () => {
    assert.strictEqual(
      Report.format(Report.make(all)),
      `group    passed  failed  informational  skipped
framing       2       0              0        0
utf8          0       0              2        0
close         0       2              0        0
limits        0       0              0        2
all           2       2              2        2

FAILED close/c
  Does c. RFC 6455 §5.2
  expected  Close 1000 (step 2)
  got       Text "a"
  heard     HTTP/1.1 101 Switching Protocols; Text "a"
  bytes     810161

FAILED close/d
  Does d. RFC 6455 §5.2
  expected  a connection (step 0)
  got       none

Passed, with a remark:
  framing/b: it SHOULD not

Left open by the RFC, and done otherwise:
  utf8/f: the end, not Close 1007

Skipped:
  limits/g and 1 more: no options`
    )
  })

  it("is short when all is well", () => {
    assert.strictEqual(
      Report.format(Report.make([passed])),
      `group    passed  failed  informational  skipped
framing       1       0              0        0
all           1       0              0        0`
    )
  })

  it("is read by a program", () => {
    const report = Report.make(all)
    assert.deepStrictEqual(Schema.decodeUnknownSync(Schema.parseJson(Report.Report))(Report.toJson(report)), report)
    assert.isFalse(Report.toJson(report).includes("\n"))
  })

  it("knows what is wrong", () => {
    assert.isTrue(Report.hasFailures(Report.make(all)))
    assert.isFalse(Report.hasFailures(Report.make(all.filter((each) => !isFailure(each)))))
    assert.deepStrictEqual(all.filter(isExemplary), [passed, asExpected])
  })
})
