// Every export of a public module says what it is, in which category, and since when; every member says what it is.
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { publicPackages } from "./steps.mjs"

const categories = new Set(
  [
    "models, schemas, constants, constructors, guards, predicates, getters, combinators, encoding, decoding, errors",
    "services, layers, running, type ids"
  ].flatMap((line) => line.split(", "))
)

let wrong = 0

/** @param {ts.SourceFile} source @param {ts.Node} node @param {string} problem */
const report = (source, node, problem) => {
  const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
  console.error(`${source.fileName}:${line + 1} ${problem}`)
  wrong++
}

/** The last doc comment before a node. @param {ts.Node} node */
const docOf = (node) => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)

/** @param {ts.SourceFile} source @param {ts.Statement} statement @param {string} name */
const checkExport = (source, statement, name) => {
  const doc = docOf(statement)
  if (doc === undefined) return report(source, statement, `${name} has no doc comment`)
  const tags = (doc.tags ?? []).map((tag) => ({
    name: tag.tagName.text,
    text: ts.getTextOfJSDocComment(tag.comment)?.trim() ?? ""
  }))
  if (tags.some(({ name }) => name === "internal")) return
  if (!ts.getTextOfJSDocComment(doc.comment)?.trim()) report(source, statement, `${name} does not say what it is`)
  const category = tags.findIndex(({ name }) => name === "category")
  if (!categories.has(tags[category]?.text ?? "")) {
    report(source, statement, `${name} has no @category of the list: ${[...categories].join(", ")}`)
  }
  const since = tags[category + 1]
  if (since?.name !== "since" || !/^\d+\.\d+\.\d+$/.test(since.text)) {
    report(source, statement, `${name} has no @since x.y.z after its @category`)
  }
}

/**
 * Members of the type itself, and of the shape that a class extends.
 *
 * @param {ts.SourceFile} source
 * @param {ts.Node} node
 * @param {string} owner
 */
const checkMembers = (source, node, owner) => {
  if (ts.isBlock(node) || ts.isFunctionTypeNode(node)) return
  if (!ts.isPropertySignature(node) && !ts.isMethodSignature(node) && !ts.isGetAccessor(node)) {
    node.forEachChild((child) => checkMembers(source, child, owner))
  } else if (docOf(node) === undefined && !ts.isComputedPropertyName(node.name)) {
    const name = node.name.getText(source)
    if (name !== "_tag") report(source, node, `${owner}: ${name} has no doc comment`)
  }
}

for (const name of publicPackages) {
  const src = `packages/${name}/src/`
  for (const file of readdirSync(fileURLToPath(new URL(`../${src}`, import.meta.url)))) {
    if (!/^[A-Z]\w*[.]ts$/.test(file)) continue
    const text = readFileSync(new URL(`../${src}${file}`, import.meta.url), "utf8")
    const source = ts.createSourceFile(`${src}${file}`, text, ts.ScriptTarget.ES2022, true)
    /** A type and a value of one name are one thing; so are overloads. @type {Set<string>} */
    const seen = new Set()
    for (const statement of source.statements) {
      if (!ts.canHaveModifiers(statement)) continue
      if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
      const declaration = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0] : statement
      const id = declaration !== undefined && "name" in declaration ? declaration.name : undefined
      const exported = id?.getText(source) ?? "an export"
      if (!seen.has(exported) || docOf(statement) !== undefined) checkExport(source, statement, exported)
      seen.add(exported)
      if (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) {
        checkMembers(source, statement, exported)
      }
    }
  }
}
console.log(wrong === 0 ? "every export is documented" : `${wrong} problems in the docs`)
if (wrong > 0) process.exitCode = 1
