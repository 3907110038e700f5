import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Case, Group } from "../src/Case.js"
import * as Cases from "../src/Cases.js"

const Listed = Schema.parseJson(Schema.Array(Case))

describe("Cases", () => {
  it("each have an id of their own, in the group that it begins with", () => {
    assert.strictEqual(new Set(Cases.all.map(({ id }) => id)).size, Cases.all.length)
    for (const { group, id } of Cases.all) assert.match(id, new RegExp(`^${group}(/[a-z0-9.+-]+)+$`))
    for (const group of Group.literals) {
      assert.isTrue(Cases.byGroup[group].length > 0, group)
      assert.isTrue(
        Cases.byGroup[group].every((each) => each.group === group),
        group
      )
    }
  })

  it("end in the role, where there is one for each", () => {
    const ids = new Map(Cases.all.map(({ id, role }) => [id, role]))
    for (const { id, role } of Cases.all) {
      const suffix = /\/(server|client)$/.exec(id)?.[1]
      if (suffix === undefined) continue
      assert.strictEqual(suffix, role, id)
      const other = role === "server" ? "client" : "server"
      assert.strictEqual(ids.get(id.replace(/\/(server|client)$/, `/${other}`)), other, id)
    }
  })

  it("say in one sentence what the endpoint must do, and which section says so", () => {
    for (const { id, section, title } of Cases.all) {
      assert.match(title, /^[A-Z][^\n]*[^.]\.$/, id)
      assert.match(section, /^RFC (6455|7230|9110|9112|7692|3629|7301) §\d+(\.\d+)*$/, id)
    }
  })

  it("are data: they come back from JSON as they were", () => {
    const json = Schema.encodeSync(Listed)(Cases.all)
    assert.deepStrictEqual(Schema.decodeUnknownSync(Listed)(json), Cases.all)
  })

  it("demand something of the endpoint", () => {
    for (const { id, steps } of Cases.all)
      assert.isTrue(
        steps.some(({ _tag }) => _tag.startsWith("Receive")),
        id
      )
  })

  it("are many", () => {
    assert.isAtLeast(Cases.all.length, 500)
    for (const role of ["server", "client"] as const) assert.isAtLeast(Cases.select({ role }).length, 250)
  })

  it("can be selected", () => {
    assert.deepStrictEqual(Cases.select({}), Cases.all)
    assert.deepStrictEqual(Cases.select({ group: "utf8" }), Cases.byGroup.utf8)
    const some = Cases.select({ role: "client", id: "framing/reserved-bit/rsv1-text" })
    assert.deepStrictEqual(
      some.map(({ id }) => id),
      ["framing/reserved-bit/rsv1-text/client"]
    )
    assert.deepStrictEqual(Cases.select({ group: "close", id: "framing/" }), [])
  })
})
