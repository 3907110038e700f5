// Installs the dependencies when they are missing or are not what package-lock.json says; else it is silent.
// Plain JavaScript without dependencies: this is what runs first on a fresh clone.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

const root = new URL("../", import.meta.url)

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`sluice needs Node.js 20.12 or newer; this is Node.js ${process.versions.node}.`)
  process.exit(1)
}

/** @returns {Record<string, { version?: string, link?: boolean, optional?: boolean, resolved?: string }>} */
const packagesOf = (/** @type {string} */ path) => JSON.parse(readFileSync(new URL(path, root), "utf8")).packages

/** What is wrong with node_modules, or undefined. npm records what it installed in node_modules/.package-lock.json. */
const problem = () => {
  if (!existsSync(new URL("node_modules/.package-lock.json", root))) return "node_modules is missing"
  const installed = packagesOf("node_modules/.package-lock.json")
  for (const [path, wanted] of Object.entries(packagesOf("package-lock.json"))) {
    if (!path.includes("node_modules/")) continue
    const found = installed[path]
    // an optional package may be one for another platform
    if (found === undefined && wanted.optional === true) continue
    if (found === undefined || !existsSync(new URL(path, root))) return `${path} is missing`
    if (found.version !== wanted.version || found.resolved !== wanted.resolved) return `${path} is another version`
  }
  return undefined
}

const why = problem()
if (why !== undefined) {
  console.log(`Installing what package-lock.json records, since ${why}: npm ci`)
  const { status } = spawnSync("npm", ["ci"], { cwd: root, stdio: "inherit", shell: process.platform === "win32" })
  if (status !== 0) {
    console.error("npm ci failed, see above.")
    process.exit(status ?? 1)
  }
}
