// npm run docs:check: type-checks every ts fence in the doc comments of packages/*/src, in the READMEs and the tutorials.
// Each fence is a module of its own, seen by the compiler only; an error is printed at its place in the real file. One
// whose first line is `// name.ts` can be imported as "./name.js" by the others.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../", import.meta.url))
const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name))

/** @param {string} folder */
const sourcesIn = (folder) =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)) : []

const sources = packages.flatMap((path) => sourcesIn(join(path, "src"))).filter((path) => path.endsWith(".ts"))
const pages = [root, ...packages]
  .flatMap((path) => [join(path, "README.md"), join(path, "TUTORIAL.md")])
  .filter(existsSync)

/** @typedef {{ readonly file: string, readonly line: number, readonly text: string }} Example */

/**
 * The fences of one file; `prefix` is what stands before each of their lines.
 *
 * @param {string} file
 * @param {RegExp} prefix
 */
const fencesOf = (file, prefix) => {
  /** @type {Array<Example>} */
  const fences = []
  /** @type {{ line: number, lines: Array<string> } | undefined} */
  let open
  for (const [index, raw] of readFileSync(file, "utf8").split("\n").entries()) {
    const line = raw.replace(prefix, "")
    if (open === undefined) {
      if (/^```ts\s*$/.test(line)) open = { line: index + 1, lines: [] }
    } else if (/^```\s*$/.test(line)) {
      fences.push({ file, line: open.line, text: open.lines.join("\n") })
      open = undefined
    } else open.lines.push(line)
  }
  if (open !== undefined) throw new Error(`${relative(root, file)}:${open.line} a fence is not closed`)
  return fences
}

/** @type {Map<string, Example>} */
const examples = new Map()
for (const example of [
  ...sources.flatMap((file) => fencesOf(file, /^\s*\* ?/)),
  ...pages.flatMap((file) => fencesOf(file, /^/))
]) {
  const [, name = `example-${examples.size}.ts`] = /^\/\/ ([\w-]+[.]ts)\n/.exec(example.text) ?? []
  // beside package.json, so that a package is found by its name as a user finds it
  const path = join(root, name)
  const other = examples.get(path)
  if (other !== undefined) throw new Error(`two examples are ${name}: ${other.file} and ${example.file}`)
  examples.set(path, example)
}

const base = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, root)
Object.assign(options, { noEmit: true, incremental: false, noUnusedLocals: false, types: ["node"] })

const host = ts.createCompilerHost(options)
const { fileExists, readFile } = host
host.fileExists = (/** @type {string} */ path) => examples.has(path) || fileExists(path)
host.readFile = (/** @type {string} */ path) => examples.get(path)?.text ?? readFile(path)

const program = ts.createProgram([...examples.keys()], options, host)
let broken = 0
for (const [path, { file, line }] of examples) {
  const source = program.getSourceFile(path)
  const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  if (problems.length > 0) broken++
  for (const { code, messageText, start } of problems) {
    const within = source === undefined || start === undefined ? 0 : source.getLineAndCharacterOfPosition(start).line
    const text = ts.flattenDiagnosticMessageText(messageText, "\n")
    console.error(`${relative(root, file)}:${line + 1 + within} TS${code}: ${text}`)
  }
}
console.log(`${examples.size - broken} examples compile, ${broken} do not`)
if (broken > 0 || examples.size === 0) process.exitCode = 1
