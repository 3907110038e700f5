// Runs commands one after another, goes on when one fails, and exits 1 if any did.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))

/** Packages that are published, in the order they are built. */
export const publicPackages = ["sluice", "node", "bun", "sim", "conformance"]

/** @param {string} name @param {string} command @param {ReadonlyArray<string>} args @returns {boolean} if it passed */
export const step = (name, command, args) => {
  const started = performance.now()
  console.log(`\n> ${name}: ${[command, ...args].join(" ")}`)
  const { error, status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32"
  })
  if (error !== undefined) console.error(error.message)
  const passed = status === 0
  console.log(`${passed ? "ok" : "FAILED"}: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (!passed) process.exitCode = 1
  return passed
}
