// Packs every public package, installs the tarballs in an empty folder, and imports every module there, on Node.js and
// on Bun: what a user gets, not what lies here. Run `npm run build` before.
import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { publicPackages, step } from "./steps.mjs"

const root = fileURLToPath(new URL("../", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "sluice-packages-"))

/** @typedef {{ readonly name: string, readonly devDependencies: Record<string, string> }} Manifest */

/** @param {string} path @returns {Manifest} */
const manifest = (path) => JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"))

/** The modules that each package promises: `{ sluice: ["CloseCode", ...], ... }`. */
const promised = Object.fromEntries(
  publicPackages.map((name) => [
    manifest(`packages/${name}`).name,
    readdirSync(join(root, "packages", name, "src"))
      .filter((file) => /^[A-Z]\w*[.]ts$/.test(file))
      .map((file) => file.slice(0, -".ts".length))
  ])
)

try {
  for (const name of publicPackages) step(`publint ${name}`, "publint", ["--strict", `packages/${name}`])

  const tarballs = publicPackages.map((name) => {
    const options = { cwd: join(root, "packages", name), encoding: /** @type {const} */ ("utf8") }
    const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], options))
    return join(folder, packed.filename)
  })
  const { effect, typescript, "@types/node": node } = manifest(".").devDependencies
  writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }`)
  const dependencies = [
    ...tarballs,
    `effect@${effect}`,
    `typescript@${typescript}`,
    `@types/node@${node}`,
    "bun@^1.4.5"
  ]
  const install = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", ...dependencies]
  if (!step("install the tarballs", "npm", install)) throw new Error("nothing was installed")

  // from there, so that nothing of the repository is found
  cpSync(join(root, ".ci", "consumer.mjs"), join(folder, "consumer.mjs"))
  step("import on Node.js", "node", [join(folder, "consumer.mjs"), JSON.stringify(promised)])
  // without its install script the program lies where npm put it
  const oven = join(folder, "node_modules", "@oven")
  for (const build of readdirSync(oven)) {
    // all but @sluice/node, which is for Node.js
    const { "@sluice/node": _, ...portable } = promised
    step("import on Bun", join(oven, build, "bin", "bun"), [join(folder, "consumer.mjs"), JSON.stringify(portable)])
  }

  // the declarations by themselves, no skipLibCheck for ours: nothing they name may have been stripped
  const uses = Object.keys(promised).map((name, index) => `export * as Package${index} from "${name}"\n`)
  writeFileSync(join(folder, "consumer.ts"), uses.join(""))
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--module", "NodeNext", "--target", "ES2022"]
  const tsc = join(folder, "node_modules", "typescript", "bin", "tsc")
  step("declarations", "node", [tsc, ...strict, "--types", "node", join(folder, "consumer.ts")])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
